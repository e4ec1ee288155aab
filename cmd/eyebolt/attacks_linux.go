package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"eyebolt/sim"
)

// AttacksCmd plays scenario files twice: in the town, in virtual time with many seeds, and in a home whose hub, camera, lock, broker,
// bus and service are the shipped ones on real protocols, in real time. What cannot be played there is refused with its reason.
type AttacksCmd struct {
	Files  []string      `arg:"" type:"existingfile" help:"Scenario files, as eyebolt sim --file reads them."`
	Seeds  int           `default:"20" help:"With how many seeds the town plays each."`
	AtOnce int           `default:"1" help:"So many pretend homes at once. On a machine that is too small for them hubs are late, and the result is worth nothing."`
	Limit  time.Duration `default:"5m" help:"How long one scenario may take in the real home."`
	Keep   string        `type:"path" help:"Write the result to this file, as docs/ATTACKS.md reads it. Files that were not played keep what it says of them."`
	Dir    string        `type:"path" help:"Keep the state here; default: a temporary folder, removed."`
	Inside bool          `hidden:"" help:"This process has a mount namespace of its own."`

	out io.Writer
}

// errDiffer ends the program with 1: the table says which.
var errDiffer = errors.New("town and real home do not say the same of every scenario: see above")

// Run plays.
func (c *AttacksCmd) Run(ctx context.Context) error {
	if c.out == nil {
		c.out = os.Stdout
	}
	if c.Seeds < 1 || c.AtOnce < 1 || c.Limit <= 0 {
		return errors.New("--seeds, --at-once and --limit: more than none")
	}
	rows := make([]sim.Compared, len(c.Files))
	scenes := make([]sim.Scenario, len(c.Files))
	for i, f := range c.Files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if scenes[i], err = sim.Decode(b); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		if n := len(scenes[i].Homes[0].Visit); n == 0 {
			return fmt.Errorf("%s: its first home has no visit", f)
		}
		rows[i].File = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	// What T18 mounts is seen by nobody else; and the process that T15 has stand still is not the one that a shell waits for.
	if !c.Inside && os.Geteuid() == 0 && slices.ContainsFunc(scenes, func(sc sim.Scenario) bool { return plays(sc, 15) || plays(sc, 18) }) {
		return inNamespace(ctx)
	}
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return err
	}
	defer clean()
	for i := range rows {
		rows[i].Town = sim.Often(scenes[i], c.Seeds)
	}
	slots := make(chan struct{}, c.AtOnce)
	done := make(chan int)
	for i := range rows {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots; done <- i }()
			k := &rows[i]
			if k.Refused = attackRefusal(scenes[i]); k.Refused != "" || ctx.Err() != nil {
				return
			}
			at := time.Now()
			var err error
			k.Real, k.Late, err = c.real(ctx, filepath.Join(dir, k.File), scenes[i])
			if err != nil {
				k.Failed = err.Error()
			}
			k.Day, k.Seconds = at.UTC().Format(time.DateOnly), time.Since(at).Seconds()
			k.Same = k.Failed == "" && k.Town.Verdict == k.Real.Verdict()
			fmt.Fprintf(os.Stderr, "%s: %.0f s, %s %s\n", k.File, k.Seconds, k.Real.Verdict(), k.Failed)
			if late := k.Late.String(); late != "" {
				fmt.Fprintf(os.Stderr, "%s: %s\n", k.File, late)
			}
		}()
	}
	for range rows {
		<-done
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	printCompared(c.out, rows)
	if c.Keep != "" {
		if err := keepCompared(c.Keep, rows); err != nil {
			return err
		}
	}
	for _, k := range rows {
		if k.Refused == "" && !k.Same {
			return errDiffer
		}
	}
	return nil
}

// plays says whether an attack is among the moves of the visit that a scenario is about, its last.
func plays(sc sim.Scenario, attack int) bool {
	all := sc.Homes[0].Visit
	return slices.ContainsFunc(all[len(all)-1].Moves, func(m sim.Move) bool { return m.Attack == attack })
}

// real plays a scenario's visits in a pretend home of its own, and gives what came of the last, and who was late by himself in it.
func (c *AttacksCmd) real(ctx context.Context, dir string, sc sim.Scenario) (e sim.Ending, late sim.Late, err error) {
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	defer func() {
		if ctx.Err() != nil && whole.Err() == nil {
			err = fmt.Errorf("it did not end within %v: a starved machine, or a defect; with --dir its home is kept, and eyebolt why tells of it", c.Limit)
		}
	}()
	h, err := newFaultHome(ctx, dir, plays(sc, 18), func(t *townConfig) {
		t.Width, t.Height, t.Kbit = 640, 360, 900     // with less, a frozen sensor's pictures are coded alike, and called replayed
		t.Limits = LimitConfig{Tail: 5 * time.Second} // the rest as published
		if plays(sc, 4) || plays(sc, 7) {             // found from what is known of the camera: nobody is let in before twenty key pictures are learned
			t.GOP, t.Stills = 8, "keyframes"
		}
	})
	if err != nil {
		return e, late, err
	}
	defer h.Close()
	if plays(sc, 13) || plays(sc, 16) || plays(sc, 29) {
		stop, err := h.hears()
		if err != nil {
			return e, late, err
		}
		defer stop()
	}
	if plays(sc, 29) {
		last := sc.Homes[0].Visit[len(sc.Homes[0].Visit)-1].Moves
		i := slices.IndexFunc(last, func(m sim.Move) bool { return m.Attack == 29 })
		copied := make(chan error, 1)
		copying, stop := context.WithCancel(ctx)
		go func() { copied <- h.backsUp(copying, backupAt(last[i].How)) }()
		defer func() {
			stop()
			if bad := <-copied; bad != nil && !errors.Is(bad, context.Canceled) && err == nil {
				err = fmt.Errorf("no backup: %w", bad)
			}
		}()
	}
	before := ""
	for n, v := range sc.Homes[0].Visit {
		r := &attackRun{home: h, plan: sc.Homes[0], visit: v, rng: rand.New(rand.NewPCG(sc.Seed, uint64(n)+3)), parcel: fmt.Sprintf("P%d", n+1), before: before}
		e, err = r.play(ctx)
		if late = r.late(); err != nil {
			return e, late, err
		}
		before = r.delivery
		h.town.world.Calm()
		if n < len(sc.Homes[0].Visit)-1 {
			if err := waitEvery(ctx, time.Minute, 300*time.Millisecond, func() bool { return h.calms(ctx) }); err != nil {
				return e, late, fmt.Errorf("the door does not become idle after visit %d: %w", n+1, err)
			}
		}
	}
	return e, late, nil
}

func printCompared(out io.Writer, rows []sim.Compared) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\tattack\tphase\tin the town\tof seeds\tin the real home\tnoticed\ttold\tLock sent\tbolted\tsame?")
	for _, k := range rows {
		attack := "-"
		if k.Town.Attack > 0 {
			attack = fmt.Sprintf("T%d", k.Town.Attack)
		}
		real, same := k.Real.Verdict(), map[bool]string{true: "yes", false: "NO"}[k.Same]
		switch {
		case k.Refused != "":
			real, same = "not played: "+k.Refused, "-"
		case k.Failed != "":
			real = "FAILED: " + k.Failed
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d of %d\t%s\t%s\t%s\t%s\t%s\t%s\n", k.File, attack, or(k.Town.Phase, "-"), k.Town.Verdict, k.Town.Of, k.Town.Seeds, real,
			sim.Seconds(k.Real.Noticed), sim.Seconds(k.Real.Told), sim.Seconds(k.Real.Ordered), sim.Seconds(k.Real.Bolted), same)
	}
	_ = w.Flush()
}

// keepCompared writes the result; files that were not played now keep what was said of them.
func keepCompared(name string, rows []sim.Compared) error {
	var all []sim.Compared
	if b, err := os.ReadFile(name); err == nil {
		if err := json.Unmarshal(b, &all); err != nil {
			return fmt.Errorf("%s is not the result of an earlier run: %w", name, err)
		}
	}
	b, err := json.MarshalIndent(sim.Merge(all, rows), "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o644) //nolint:gosec // a page's data
}
