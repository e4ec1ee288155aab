package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// FaultsCmd runs the hub as a process of its own, the shipped program, and brings one fault over it in each run: killed, stopped, a
// disk that fails, fills up or lies, a clock that is stepped. A run is a visit with the fault in the middle of it, a restart, and the
// judges, who look from outside: the wire, the door, the record, and what people were told.
type FaultsCmd struct {
	N      int      `short:"n" default:"50" help:"How many runs. They go through the table of faults, again and again."`
	Only   []string `help:"Only these faults, or families of faults." placeholder:"NAME"`
	At     string   `help:"Begin each fault at this moment of the visit (arming, ready, slide, deciding, unlocking, unlocked, open, closing, closed, secured, out, tail); default: at a random one." placeholder:"MOMENT"`
	List   bool     `help:"Print the table of faults, and which cannot be made on this machine."`
	Seed   uint64   `default:"1" help:"Of the first run; each run has its own, one more than the one before."`
	AtOnce int      `default:"1" help:"So many pretend homes at once. On a machine that is too small for them hubs are late, and open to nobody."`
	JSON   bool     `name:"json" help:"Print the result as JSON."`
	Dir    string   `type:"path" help:"Keep the state here; default: a temporary folder, removed."`
	Inside bool     `hidden:"" help:"This process has a mount namespace of its own."`
}

// faultResult is what is printed.
type faultResult struct {
	Runs     int            `json:"runs"`
	Broke    int            `json:"broke"`
	Faults   map[string]int `json:"faults"`
	Phases   map[string]int `json:"phases"`
	Outcomes map[string]int `json:"outcomes"`
	Skipped  []string       `json:"skipped,omitempty"`
	Each     []*faultReport `json:"each"`
}

// Run runs them.
func (c *FaultsCmd) Run(ctx context.Context) error {
	if !c.Inside && os.Geteuid() == 0 && !c.List {
		return inNamespace(ctx)
	}
	table, skipped, err := c.table()
	if err != nil {
		return err
	}
	if c.List {
		return printFaults(os.Stdout)
	}
	for _, s := range skipped {
		fmt.Fprintln(os.Stderr, "not here:", s)
	}
	if len(table) == 0 {
		return errors.New("none of these faults can be made on this machine: see --list")
	}
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return err
	}
	defer clean()
	b := &faultBench{cmd: c, table: table, dir: dir, out: faultResult{
		Faults: map[string]int{}, Phases: map[string]int{}, Outcomes: map[string]int{}, Skipped: skipped,
	}}
	if err := b.all(ctx); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(b.out); err != nil {
			return err
		}
	} else {
		printFaultSums(os.Stdout, b.out)
	}
	if b.out.Broke > 0 {
		return fmt.Errorf("%d of %d runs broke a rule: see above", b.out.Broke, b.out.Runs)
	}
	return nil
}

// inNamespace runs this command once more in a mount namespace of its own: what it mounts is seen by nobody else, and is gone with it.
func inNamespace(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, append(slices.Clone(os.Args[1:]), "--inside")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return verifyExit{max(1, exit.ExitCode()), ""} // it has said why
	}
	return err
}

// table is what can be made here, of what is wanted.
func (c *FaultsCmd) table() (table []fault, skipped []string, err error) {
	if c.At != "" && !slices.Contains(faultMoments, c.At) {
		return nil, nil, fmt.Errorf("no moment is called %q: one of %s", c.At, strings.Join(faultMoments, ", "))
	}
	for _, name := range c.Only {
		if !slices.ContainsFunc(faults, func(f fault) bool { return f.name == name || f.family == name }) {
			return nil, nil, fmt.Errorf("no fault is called %q: see --list", name)
		}
	}
	for _, f := range faults {
		if len(c.Only) > 0 && !slices.Contains(c.Only, f.name) && !slices.Contains(c.Only, f.family) || len(c.Only) == 0 && f.family == "none" {
			continue
		}
		if why := f.lacks(); why != "" {
			skipped = append(skipped, f.name+": "+why)
			continue
		}
		table = append(table, f)
	}
	return table, skipped, nil
}

// faultBench is one run of the command.
type faultBench struct {
	cmd   *FaultsCmd
	table []fault
	dir   string

	mu   sync.Mutex // guards what follows
	next int
	out  faultResult
	err  error
}

// all runs the homes at once until every run is done.
func (b *faultBench) all(ctx context.Context) error {
	if !b.cmd.JSON {
		printFaultHead(os.Stdout)
	}
	var wg sync.WaitGroup
	for k := range max(1, b.cmd.AtOnce) {
		wg.Go(func() {
			if err := b.one(ctx, k); err != nil {
				b.mu.Lock()
				b.err = errors.Join(b.err, err)
				b.mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.SortFunc(b.out.Each, func(x, y *faultReport) int { return x.Run - y.Run })
	return b.err
}

func (b *faultBench) take() (n int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next >= b.cmd.N || b.err != nil {
		return 0, false
	}
	b.next++
	return b.next - 1, true
}

// one keeps one home busy. A home that a run has spoiled is replaced by a new one; at its end each home has one honest visit more.
func (b *faultBench) one(ctx context.Context, k int) error {
	var h *faultHome
	defer func() {
		if h != nil {
			h.Close()
		}
	}()
	var last *faultReport
	for homes := 0; ; {
		n, ok := b.take()
		if !ok {
			break
		}
		if h == nil {
			var err error
			dir := filepath.Join(b.dir, fmt.Sprintf("home-%d-%d", k, homes))
			homes++
			if h, err = newFaultHome(ctx, dir, os.Geteuid() == 0, nil); err != nil {
				return fmt.Errorf("a pretend home: %w", err)
			}
		}
		r := &faultRun{home: h, fault: b.table[n%len(b.table)], seed: b.cmd.Seed + uint64(n), moment: b.cmd.At}
		report := r.run(ctx, n+1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if why := r.never; why != "" && last != nil {
			report.Broke = append(report.Broke, "after run "+fmt.Sprint(last.Run)+" ("+last.Fault+") nobody could deliver any more: "+why)
		}
		b.report(r, report)
		last = report
		if report.Spent {
			h.Close()
			h, last = nil, nil
			if b.cmd.Dir == "" {
				_ = os.RemoveAll(filepath.Join(b.dir, fmt.Sprintf("home-%d-%d", k, homes-1)))
			}
		}
	}
	if h == nil {
		return nil
	}
	r := &faultRun{home: h, fault: faults[0], seed: b.cmd.Seed}
	if report := r.run(ctx, 0); ctx.Err() == nil && (len(report.Broke) > 0 || report.Outcome != "done") {
		report.Broke = append(report.Broke, fmt.Sprintf("the honest visit after run %d (%s) did not end as it must", last.Run, last.Fault))
		b.report(r, report)
	}
	return ctx.Err()
}

func (b *faultBench) report(r *faultRun, k *faultReport) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k.Run > 0 {
		b.out.Runs++
		b.out.Faults[k.Fault]++
		b.out.Phases[k.Phase]++
		b.out.Outcomes[k.Outcome]++
	}
	if len(k.Broke) > 0 {
		b.out.Broke++
	}
	b.out.Each = append(b.out.Each, k)
	to := os.Stdout
	if b.cmd.JSON {
		to = os.Stderr
	}
	printFaultRun(to, k)
	if len(k.Broke) > 0 {
		r.tell(to)
		fmt.Fprintf(to, "      again: eyebolt bench faults -n 1 --only %s --seed %d --at %s\n", k.Fault, k.Seed, k.Moment)
	}
}

// lacks says what this machine lacks for a fault; empty: nothing.
func (f fault) lacks() string {
	switch {
	case f.disk && os.Geteuid() != 0:
		return "only root may mount a disk for it"
	case f.disk && !has("mkfs.ext4"):
		return "mkfs.ext4 is not installed: apt-get install e2fsprogs"
	case f.trace && !has("strace"):
		return "strace is not installed: apt-get install strace"
	case f.step && noClock() != "":
		return noClock()
	}
	return ""
}

func has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
