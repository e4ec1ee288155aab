package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"eyebolt/virtual/clip"
)

// LivenessCmd judges the shipped detectors of liveness by clips of rooms on which no threshold was looked for.
type LivenessCmd struct {
	Clips string  `type:"path" help:"The folder of the clips; those that it lacks are made: 332 clips, 1 GB, about half an hour of two free cores once. Default: in the user's cache."`
	Hours float64 `default:"2" help:"Camera-hours of honest key pictures besides; each takes about half a minute of a free core, 120 of them about half an hour on two."`
	Apart float64 `default:"24" help:"Hours that lie between a recording and its replay."`
	Have  bool    `help:"Make no clips: take those that are there."`
	Split string  `enum:"train,heldout" default:"heldout" help:"Whose scenes; train's are those that thresholds were looked for on."`
	Small bool    `help:"A few clips: a quick look, about five minutes the first time."`
	Seed  uint64  `default:"1" help:"Of noise, light and people."`
	JSON  bool    `help:"Machine-readable."`
	Why   bool    `help:"Print the evidence of each verdict, and each trial that was missed."`
}

// Run makes what is missing, tries each clip, watches the hours, and prints.
func (c *LivenessCmd) Run(ctx context.Context) error {
	if !(c.Hours >= 0 && c.Hours <= 10000) || !(c.Apart >= 0 && c.Apart <= 1000) {
		return fmt.Errorf("--hours %g, --apart %g: take 0 to 10000, and 0 to 1000", c.Hours, c.Apart)
	}
	dir, err := c.folder()
	if err != nil {
		return err
	}
	m, err := clip.ReadManifest(dir)
	if !c.Have {
		m, err = makeClips(ctx, dir, clip.Plan(c.Split, c.Small, c.Seed))
	}
	if err != nil {
		return err
	}
	if c.Hours == 0 && !slices.ContainsFunc(m.Clips, func(o clip.Clip) bool { return o.Split == c.Split }) {
		return fmt.Errorf("%s holds no clips of --split %s, and --hours is 0: there is nothing to judge. Leave out --have to make the clips, or choose the other split", dir, c.Split)
	}
	b := &liveBench{cmd: c, dir: dir, start: time.Now(), rows: map[string]*tally{}}
	if err := b.trials(ctx, m); err != nil {
		return err
	}
	if err := b.hours(ctx); err != nil {
		return err
	}
	if err := b.check(ctx, m); err != nil {
		return err
	}
	if b.cost, err = measureCost(ctx, dir, m); err != nil { // what was judged is told all the same
		b.tell("the cost was not measured: %v", err)
	}
	return b.print(c.JSON)
}

func (c *LivenessCmd) folder() (string, error) {
	if c.Clips != "" {
		return c.Clips, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: give a folder with --clips", err)
	}
	name := "clips"
	if c.Small {
		name = "clips-small"
	}
	return filepath.Join(cache, "eyebolt", name), nil
}

// tally is what a detector is told of.
type tally struct {
	hits, found, n int
	after          []time.Duration
	keys           []int
	by             map[string]int
	falsely        int
	near           margin
	far            margin
	kinds          map[string]*kindTally
}

type kindTally struct {
	hits, found, n int
	after          []time.Duration
}

type liveBench struct {
	cmd   *LivenessCmd
	dir   string
	start time.Time

	mu       sync.Mutex
	rows     map[string]*tally
	clips    int
	honest   time.Duration // of whole clips
	keysOnly time.Duration
	keys     int
	falsely  []falseVerdict
	missed   []string
	peers    peerTally
	checks   []keyCheck
	cost     costReport
}

// falseVerdict is one on an honest camera.
type falseVerdict struct {
	Camera string   `json:"camera"`
	At     float64  `json:"at_s"`
	State  string   `json:"state"`
	By     []string `json:"by"`
}

func (b *liveBench) row(detector string) *tally {
	r := b.rows[detector]
	if r == nil {
		r = &tally{by: map[string]int{}, kinds: map[string]*kindTally{}}
		b.rows[detector] = r
	}
	return r
}

func (b *liveBench) tell(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6s  "+format+"\n", append([]any{time.Since(b.start).Round(time.Second)}, args...)...)
}

// each runs do for 0 … n-1 on every core.
func each(n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := 0
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := first != nil
				mu.Unlock()
				if stop || i >= n {
					return
				}
				if err := do(i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// trials tries every clip, camera by camera.
func (b *liveBench) trials(ctx context.Context, m *clip.Manifest) error {
	var cameras []string
	of := map[string][]clip.Clip{}
	for _, c := range m.Clips {
		if c.Split != b.cmd.Split {
			continue
		}
		if len(of[c.Camera]) == 0 {
			cameras = append(cameras, c.Camera)
		}
		of[c.Camera] = append(of[c.Camera], c)
	}
	done, book := 0, openFilterBook(b.dir)
	return each(len(cameras), func(i int) error {
		t := &tapes{dir: b.dir}
		for _, c := range of[cameras[i]] {
			r, err := t.run(ctx, c, time.Duration(b.cmd.Apart*float64(time.Hour)))
			if err != nil {
				return err
			}
			f, err := book.of(ctx, b.dir, c)
			if err != nil {
				return err
			}
			b.mu.Lock()
			b.take(r)
			b.peers.take(c, f)
			b.mu.Unlock()
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		done++
		b.tell("camera %d of %d tried: %s", done, len(cameras), cameras[i])
		return book.keep()
	})
}

// take adds a trial.
func (b *liveBench) take(r *trial) {
	b.clips++
	b.honest += r.honest
	b.blame(r.clip.File, r.falsely)
	for by, m := range r.near { //nolint:maprange // order changes nothing
		b.row(by).near.join(m)
	}
	p := promiseOf(r.clip.Kind)
	if p == nil {
		return
	}
	row := b.row(p.detector)
	k := row.kinds[r.clip.Kind]
	if k == nil {
		k = &kindTally{}
		row.kinds[r.clip.Kind] = k
	}
	row.n++
	k.n++
	row.far.join(r.far[p.detector])
	if b.cmd.Why {
		for _, f := range r.explains {
			fmt.Fprintf(os.Stderr, "        %s after %.2f s: %s: %s (%.3g, limit %.3g)\n", r.clip.File, r.after.Seconds(), f.By, f.Say, f.Score, f.Limit)
		}
	}
	soon := r.found && p.hit(r, time.Duration(r.clip.Encoder.GOP)*time.Second/time.Duration(r.clip.FPS))
	switch {
	case r.spoiled:
		b.missed = append(b.missed, r.clip.File+": was called a lapse before it began")
	case !r.found:
		b.missed = append(b.missed, r.clip.File+": not found")
	case !soon:
		b.missed = append(b.missed, fmt.Sprintf("%s: found as %s after %.1f s, with key %d", r.clip.File, stateName[r.state], r.after.Seconds(), r.keys))
	}
	if !r.found {
		return
	}
	row.found++
	row.after = append(row.after, r.after)
	k.found++
	k.after = append(k.after, r.after)
	row.keys = append(row.keys, r.keys)
	for _, by := range r.by {
		row.by[by]++
	}
	if soon {
		row.hits++
		k.hits++
	}
}

// blame adds verdicts on honest pictures, to each detector that held them.
func (b *liveBench) blame(camera string, all []lapsed) {
	for _, l := range all {
		b.falsely = append(b.falsely, falseVerdict{camera, l.at.Seconds(), stateName[l.state], l.by})
		for _, by := range l.by {
			b.row(by).falsely++
		}
	}
}

// hours watches honest cameras by their key pictures.
func (b *liveBench) hours(ctx context.Context) error {
	n := int(b.cmd.Hours + 0.999)
	done := 0
	return each(n, func(i int) error {
		h := hourPlan(i, b.cmd.Split, b.cmd.Seed)
		share := min(1, b.cmd.Hours-float64(i))
		keys := max(2*learning, int(share*3600*hourFPS)/h.encoder.GOP)
		out, err := h.run(ctx, keys)
		if err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		done++
		b.keysOnly += out.watched
		b.keys += out.keys
		name := fmt.Sprintf("hour %d: %s %s %s", i, h.view.Room, h.view.Condition, h.encoder.Name)
		if h.dusk {
			name += " into the night"
		}
		b.blame(name, out.falsely)
		for by, m := range out.near { //nolint:maprange // order changes nothing
			b.row(by).near.join(m)
		}
		b.tell("%s, %d keys, %d false; %d of %d", name, keys, len(out.falsely), done, n)
		return nil
	})
}

// keyCheck compares the scores of a camera's whole coding with those of its key pictures alone.
type keyCheck struct {
	Camera string            `json:"camera"`
	Whole  map[string]margin `json:"whole"`
	Keys   map[string]margin `json:"keys"`
}

// check codes some cameras of the clips by their key pictures alone, in the same size.
func (b *liveBench) check(ctx context.Context, m *clip.Manifest) error {
	var some []clip.Clip
	for _, c := range m.Clips {
		if c.Split == b.cmd.Split && c.Kind == clip.Live && !slices.ContainsFunc(some, func(o clip.Clip) bool { return o.Encoder.Name == c.Encoder.Name }) {
			some = append(some, c)
		}
	}
	b.checks = make([]keyCheck, len(some))
	return each(len(some), func(i int) error {
		c := some[i]
		t := &tapes{dir: b.dir}
		whole, err := t.run(ctx, c, 0)
		if err != nil {
			return err
		}
		keys, err := hour{view: c.View, encoder: c.Encoder}.run(ctx, c.Frames/c.Encoder.GOP)
		if err != nil {
			return err
		}
		b.checks[i] = keyCheck{c.Camera, whole.near, keys.near}
		return nil
	})
}
