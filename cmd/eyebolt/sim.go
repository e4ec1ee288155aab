package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/sim"
)

// SimCmd plays towns.
type SimCmd struct {
	Seed     uint64        `default:"1" help:"The first town; those after it are counted on from here."`
	Visits   int           `default:"2000" help:"How many visits there are to be, in as many towns as that takes."`
	Homes    int           `default:"2" help:"How many homes a town has, 1 to 64."`
	Calm     float64       `default:"0.9" help:"The share of visits in which nobody attacks and nothing fails, 0 to 1."`
	Pictures bool          `help:"Judge every picture by the shipped code, 15 a second, instead of by the model of its verdicts. Some ten times slower."`
	Twice    float64       `default:"1" help:"The share of towns that are played twice, to see that both runs are the same event by event; 0 to 1."`
	Story    bool          `help:"Print what happens, one event a line. For one town."`
	Search   time.Duration `help:"For how long to search for the worst: scenarios of one visit, changed by chance towards the longest time that somebody is inside, unwatched and untold."`
	Keep     string        `type:"path" help:"With --search: the folder into which the worst scenario of each kind is written."`
	File     string        `type:"existingfile" help:"Play the scenario in this file instead of towns made from seeds."`
	JSON     bool          `help:"Print the result as JSON."`

	out io.Writer
}

// townVisits is how many visits each home of a town has.
const townVisits = 8

// simReport is the result.
type simReport struct {
	sim.Tally
	Towns      int             `json:"towns"`
	Seconds    float64         `json:"seconds"`
	PerSecond  float64         `json:"visits_per_second"`
	Cells      int             `json:"cells"`
	LeastCell  int             `json:"least_in_a_cell"`
	Twice      int             `json:"played_twice"`
	Violations []sim.Violation `json:"violations"`
	Failing    []uint64        `json:"failing_seeds"`
	cells      map[sim.Cell]int
}

// errFound ends the program with 1: what was found is printed already.
var errFound = errors.New("the town's judges found that a rule was broken: see above")

// Run plays.
func (c *SimCmd) Run(ctx context.Context) error {
	if c.out == nil {
		c.out = os.Stdout
	}
	switch {
	case c.Homes < 1 || c.Homes > 64:
		return fmt.Errorf("--homes %d: a town has 1 to 64", c.Homes)
	case c.Visits < 1:
		return fmt.Errorf("--visits %d: there must be one at least", c.Visits)
	case !(c.Calm >= 0 && c.Calm <= 1) || !(c.Twice >= 0 && c.Twice <= 1):
		return errors.New("--calm and --twice are shares, from 0 to 1")
	}
	if c.File != "" {
		return c.one()
	}
	if c.Search > 0 {
		return c.search(ctx)
	}
	if c.Story {
		c.Visits = 1
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // a town is a few megabytes that are soon thrown away
	}
	r := c.towns(ctx)
	if c.JSON {
		r.Cells = len(r.cells)
		if err := json.NewEncoder(c.out).Encode(r); err != nil {
			return err
		}
	} else {
		r.print(c.out)
	}
	if err := ctx.Err(); err != nil {
		return errors.New("stopped before the end: what is printed is what was played until then")
	}
	if len(r.Violations) > 0 {
		return errFound
	}
	return nil
}

// search looks for the worst on every processor, each with a seed of its own, and tells it as a story.
func (c *SimCmd) search(ctx context.Context) error {
	end, cancel := context.WithTimeout(ctx, c.Search)
	defer cancel()
	var mu sync.Mutex // guards what follows
	worst := map[string]sim.Found{}
	played := 0
	var wg sync.WaitGroup
	began := time.Now()
	for w := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			counted := 0
			found := sim.Search(end, c.Seed+uint64(w), 1<<40, sim.Options{Pictures: c.Pictures}, func(n int, best []sim.Found) {
				mu.Lock()
				played += n - counted
				counted = n
				if w == 0 {
					fmt.Fprintf(os.Stderr, "%d scenarios in %s;", played, time.Since(began).Round(time.Second))
					for _, f := range best {
						fmt.Fprintf(os.Stderr, " %s %.1f s", f.Kind, f.Untold.Seconds())
					}
					fmt.Fprintln(os.Stderr)
				}
				mu.Unlock()
			})
			mu.Lock()
			for _, f := range found {
				if b, ok := worst[f.Kind]; !ok || f.Untold > b.Untold {
					worst[f.Kind] = f
				}
			}
			mu.Unlock()
		})
	}
	wg.Wait()
	broken := false
	for _, k := range slices.Sorted(maps.Keys(worst)) {
		f := worst[k]
		broken = broken || f.Violated
		r := sim.Run(f.Scenario, sim.Options{Story: true, Pictures: c.Pictures})
		fmt.Fprintf(c.out, "%s: %.2f s unwatched and untold\n%s\n\n", k, f.Untold.Seconds(), r.Story)
		if c.Keep != "" {
			if err := os.WriteFile(filepath.Join(c.Keep, k+".json"), f.Scenario.Encode(), 0o600); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(c.out, "scenarios %d violations %t\n", played, broken)
	if broken {
		return errFound
	}
	return nil
}

func (c *SimCmd) profile() sim.Profile {
	return sim.Profile{Homes: c.Homes, Visits: townVisits, Calm: c.Calm}
}

// one plays the scenario of a file.
func (c *SimCmd) one() error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	sc, err := sim.Decode(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	r := sim.Run(sc, sim.Options{Story: true, Pictures: c.Pictures})
	if c.Story || len(r.Violations) > 0 {
		fmt.Fprintln(c.out, r.Story)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Tally.Worst)) {
		fmt.Fprintf(c.out, "unwatched and untold, %s: %.2f s\n", k, r.Tally.Worst[k].Seconds())
	}
	fmt.Fprintf(c.out, "visits %d opened %d done %d incidents %d violations %d\n", r.Tally.Visits, r.Tally.Opened, r.Tally.Done, r.Tally.Incidents, len(r.Violations))
	if len(r.Violations) > 0 {
		return errFound
	}
	return nil
}

// towns plays towns on every processor until there were enough visits.
func (c *SimCmd) towns(ctx context.Context) simReport {
	began := time.Now()
	r := simReport{cells: map[sim.Cell]int{}}
	var next atomic.Uint64
	var visits, played atomic.Int64
	var mu sync.Mutex // guards r and what is printed
	var wg sync.WaitGroup
	done := make(chan struct{})
	workers := runtime.GOMAXPROCS(0)
	if c.Story {
		workers = 1
	}
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil && visits.Load() < int64(c.Visits) {
				n := next.Add(1) - 1
				seed := c.Seed + n
				sc := sim.Generate(seed, c.profile())
				one := sim.Run(sc, sim.Options{Story: c.Story, Pictures: c.Pictures})
				twice := uint64(float64(n+1)*c.Twice) > uint64(float64(n)*c.Twice)
				if twice {
					if again := sim.Run(sc, sim.Options{Pictures: c.Pictures}); again.Hash != one.Hash {
						one.Violations = append(one.Violations, sim.Violation{Rule: "same seed, same town", Say: "two runs of this seed differ"})
					}
				}
				visits.Add(int64(one.Tally.Visits))
				played.Add(1)
				mu.Lock()
				r.add(one, twice)
				switch {
				case c.Story:
					fmt.Fprintln(c.out, one.Story)
				case len(one.Violations) > 0 && len(r.Failing) <= 3:
					told := sim.Run(sc, sim.Options{Story: true, Pictures: c.Pictures})
					fmt.Fprintf(c.out, "%s\n\nSeed %d: %s\nPlay it again: %s\n\n", untilJudge(told.Story), seed, one.Violations[0], c.again(seed))
				}
				mu.Unlock()
			}
		})
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			r.Towns, r.Seconds = int(played.Load()), time.Since(began).Seconds()
			r.PerSecond = float64(r.Visits) / max(r.Seconds, 1e-9)
			return r
		case <-tick.C:
			v := visits.Load()
			fmt.Fprintf(os.Stderr, "%d of %d visits, %.0f a second\n", v, c.Visits, float64(v)/time.Since(began).Seconds())
		}
	}
}

// again is the command that plays a seed anew.
func (c *SimCmd) again(seed uint64) string {
	s := fmt.Sprintf("eyebolt sim --story --seed %d --homes %d --calm %g", seed, c.Homes, c.Calm)
	if c.Pictures {
		s += " --pictures"
	}
	return s
}

// untilJudge is the end of a story, up to what the judge said first, with the minutes that led there.
func untilJudge(story string) string {
	lines := strings.Split(story, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "JUDGE") })
	if i < 0 {
		return "(the story shows nothing: the run's end was judged)"
	}
	home := strings.Fields(lines[i])[1]
	var out []string
	for _, l := range lines[:i+1] {
		if f := strings.Fields(l); len(f) > 1 && (f[1] == home || f[1] == "town") {
			out = append(out, l)
		}
	}
	return strings.Join(out[max(0, len(out)-60):], "\n")
}

func (r *simReport) add(one sim.Result, twice bool) {
	r.Tally.Add(one.Tally)
	for k, n := range one.Tally.Moves {
		r.cells[k] += n
	}
	if twice {
		r.Twice++
	}
	if len(one.Violations) > 0 {
		r.Failing = append(r.Failing, one.Seed)
		if len(r.Violations) < 100 {
			r.Violations = append(r.Violations, one.Violations...)
		}
	}
}

func (r *simReport) print(w io.Writer) {
	phases := sim.Phases()
	fmt.Fprintf(w, "How often each attack began in each phase\n%6s", "")
	for _, p := range phases {
		fmt.Fprintf(w, " %9s", p)
	}
	fmt.Fprintln(w)
	least := -1
	for _, a := range sim.Attacks() {
		fmt.Fprintf(w, "   T%-3d", a)
		for _, p := range phases {
			n := r.cells[sim.Cell{Attack: a, Phase: p}]
			if least < 0 || n < least {
				least = n
			}
			fmt.Fprintf(w, " %9d", n)
		}
		fmt.Fprintln(w)
	}
	r.LeastCell = least
	for _, n := range slices.Sorted(maps.Keys(sim.NotSimulated)) {
		fmt.Fprintf(w, "   T%-3d not simulated: %s\n", n, sim.NotSimulated[n])
	}
	fmt.Fprintln(w, "\nThe longest that somebody was inside, unwatched and untold, by why nobody could see; and how often the modelled detector missed it")
	for _, k := range slices.Sorted(maps.Keys(r.Worst)) {
		missed, bound := "", "no bound"
		if b, ok := sim.Untold(k); ok {
			bound = fmt.Sprintf("bound %4.1f s", b.Seconds())
		}
		if u, ok := r.Undetected[k]; ok {
			missed = fmt.Sprintf("missed %d of %d", u[0], u[1])
		}
		fmt.Fprintf(w, "   %-15s %7.2f s   %-12s   %s\n", k, r.Worst[k].Seconds(), bound, missed)
	}
	for i, link := range []string{"good Wi-Fi", "cable"} {
		n, f := r.Honest[i], r.False[i]
		share := 100 * float64(f) / float64(max(n, 1))
		fmt.Fprintf(w, "%s honest visits over %s: %d, with a false alarm %d (%.3f %%; 95 %% bound %.3f %%)\n", map[bool]string{true: "\n"}[i == 0], link, n, f, share, 100*poissonAbove(f)/float64(max(n, 1)))
	}
	fmt.Fprintf(w, "%d towns in %.0f s, %d of them played twice; %.0f hours of homes, %.0f visits a second; an attack began in a phase %d times at the least\n",
		r.Towns, r.Seconds, r.Twice, r.Watched.Hours(), r.PerSecond, least)
	fmt.Fprintf(w, "visits %d opened %d done %d not-delivered %d incidents %d violations %d\n", r.Visits, r.Opened, r.Done, r.NotGiven, r.Incidents, len(r.Violations))
}
