package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/interlock"
	"eyebolt/virtual"
	"eyebolt/virtual/person"
)

// WatchCmd measures what watching costs. The hub is a process of its own, the one that is shipped, with a door, a lock and a
// visit for each camera; MediaMTX records the same cameras. They take turns: while one records, the other does not; the hub
// goes on watching all the while. Cameras, locks and the service are this process, whose cost is not counted.
type WatchCmd struct {
	N      []int         `short:"n" default:"1,10,50" help:"How many cameras; each number is a run of its own."`
	For    time.Duration `default:"20s" help:"How long a turn is measured."`
	Rounds int           `default:"2" help:"How often each has its turn."`
	Peer   []string      `help:"mediamtx=PATH; scripts/peers.sh builds it into bin/peers, where it is found by itself." placeholder:"NAME=PATH"`
	JSON   bool          `name:"json" help:"Print the result as JSON."`
	Dir    string        `type:"path" help:"Keep the state here; default: a temporary folder, removed."`
	Kbit   int           `default:"2000" help:"Bit rate of each camera, kbit/s."`
	Stills []string      `default:"off,auto" enum:"off,auto" help:"off: every picture is judged, none is decoded. auto: key pictures are decoded as well, for the sensor's noise (hub.yaml's stills). Each is a run of its own."`
}

// stint is one measured stretch of one process, divided by the cameras. CPU is in hundredths of a core.
type stint struct {
	CPU float64 `json:"cpu_percent"`
	RSS float64 `json:"rss_mib"`
	PSS float64 `json:"pss_mib"`
	FPS float64 `json:"pictures_per_second"` // that each camera gave meanwhile: fewer than asked for, and the machine was too busy to compare
}

// watchRun is what was measured at one number of cameras. The plain figures are medians over the rounds.
type watchRun struct {
	Cameras   int     `json:"cameras"`
	Stills    string  `json:"stills"`
	Hub       stint   `json:"hub_per_camera"`                // watching, judging and recording
	Watching  stint   `json:"hub_watching_per_camera"`       // the same without recording, measured in the peer's turns
	Decoders  *stint  `json:"decoders_per_camera,omitempty"` // the hub's child processes, beside it, while it records
	Peer      *stint  `json:"mediamtx_per_camera,omitempty"`
	Recorded  float64 `json:"recorded_share"` // of the hub's turns: cameras that were being recorded
	PreRollMB float64 `json:"pre_roll_mib"`   // pictures that a hub holds per camera by its configuration, at this bit rate
	HubAll    []stint `json:"hub_rounds"`
	PeerAll   []stint `json:"mediamtx_rounds,omitempty"`
	kinAll    []stint
}

type watchResult struct {
	Width    int        `json:"width"`
	Height   int        `json:"height"`
	FPS      int        `json:"fps"`
	Kbit     int        `json:"kbit"`
	Runs     []watchRun `json:"runs"`
	Liveness judgeCost  `json:"liveness"`
	Notes    []string   `json:"notes,omitempty"`
}

const (
	watchWidth, watchHeight, watchFPS = 1280, 720, 15
	// watchWarm is how long a turn runs before it is measured: connections and files are open, and the pre-roll is full.
	watchWarm = 12 * time.Second
)

// Run measures and prints.
func (c *WatchCmd) Run(ctx context.Context) error {
	if len(c.N) == 0 || slices.Min(c.N) < 1 || slices.Max(c.N) > 64 || c.Rounds < 1 || c.For < time.Second {
		return errors.New("bench watch: -n takes numbers from 1 to 64, --rounds at least 1, --for at least 1s")
	}
	peers, err := peerFlags(c.Peer)
	if err != nil {
		return err
	}
	r := watchResult{Width: watchWidth, Height: watchHeight, FPS: watchFPS, Kbit: c.Kbit}
	peer := peers["mediamtx"]
	if peer == "" {
		if _, err := os.Stat("bin/peers/mediamtx"); err == nil {
			peer, _ = filepath.Abs("bin/peers/mediamtx")
		} else {
			r.Notes = append(r.Notes, "mediamtx was left out: scripts/peers.sh builds it")
		}
	}
	for _, n := range c.N {
		for _, stills := range c.Stills {
			run, cost, err := c.at(ctx, n, stills, peer)
			if err != nil {
				return fmt.Errorf("%d cameras: %w", n, err)
			}
			r.Runs = append(r.Runs, run)
			fmt.Fprintf(os.Stderr, "  %d cameras, stills %s, each: hub %+v, decoders %+v, watching alone %+v, MediaMTX %+v\n", n, stills, run.Hub, run.Decoders, run.Watching, run.Peer)
			if r.Liveness.Pictures == 0 || cost.Ns < r.Liveness.Ns {
				r.Liveness = cost
			}
		}
	}
	for _, run := range r.Runs {
		if slow := slices.MinFunc(append(append([]stint{}, run.HubAll...), run.PeerAll...), func(a, b stint) int { return cmp.Compare(a.FPS, b.FPS) }); slow.FPS < 0.95*watchFPS {
			r.Notes = append(r.Notes, fmt.Sprintf("at %d cameras this machine was too busy: as few as %.1f pictures a second were given", run.Cameras, slow.FPS))
		}
	}
	return c.print(os.Stdout, r)
}

// at is one run at n cameras.
func (c *WatchCmd) at(ctx context.Context, n int, stills, peer string) (watchRun, judgeCost, error) {
	run := watchRun{Cameras: n, Stills: stills}
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return run, judgeCost{}, err
	}
	defer clean()
	dir = filepath.Join(dir, fmt.Sprintf("watch-%d-%s", n, stills))
	if err := private(dir); err != nil {
		return run, judgeCost{}, err
	}
	fmt.Fprintf(os.Stderr, "%d cameras: starting them, their locks, the service and a hub …\n", n)
	t, err := startTown(ctx, townConfig{
		Dir: dir, Doors: n, Width: watchWidth, Height: watchHeight, Kbit: c.Kbit, Child: true, Log: slog.New(slog.DiscardHandler),
		Limits: LimitConfig{Arming: 40 * time.Second, Slide: 30 * time.Second}, // a visit is recorded until nobody has slid
		Hub: func(h *HubConfig) {
			for d := range h.Doors {
				for c := range h.Doors[d].Cameras {
					h.Doors[d].Cameras[c].Stills = stills
				}
			}
		},
	})
	if err != nil {
		return run, judgeCost{}, err
	}
	defer t.Close()
	tap := tapJudge(t.house.source)
	defer tap.stop()
	w := &watched{town: t, n: n, views: map[string]virtual.View{}, asks: make(chan struct{}, 4), tap: tap}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	go w.follow(follow)
	if err := waitFor(ctx, time.Minute, func() bool {
		return w.count(func(v virtual.View) bool { return v.Watch != "" && v.Watch != "unknown" }) == n
	}); err != nil {
		return run, judgeCost{}, errors.New("not every camera is watched after a minute: see hub.log under --dir")
	}
	var shares []float64
	var watching []stint
	for round := range c.Rounds {
		fmt.Fprintf(os.Stderr, "  round %d: the hub records …\n", round+1)
		hub, kin, share, err := w.hubTurn(ctx, c.For)
		if err != nil {
			return run, judgeCost{}, err
		}
		run.HubAll, run.kinAll, shares = append(run.HubAll, hub), append(run.kinAll, kin), append(shares, share)
		if peer == "" {
			continue
		}
		fmt.Fprintf(os.Stderr, "  round %d: MediaMTX records …\n", round+1)
		theirs, ours, err := w.peerTurn(ctx, c.For, peer, dir)
		if err != nil {
			return run, judgeCost{}, err
		}
		run.PeerAll, watching = append(run.PeerAll, theirs), append(watching, ours)
	}
	run.Hub, run.Watching, run.Recorded = median(run.HubAll), median(watching), slices.Min(shares)
	if stills != "off" {
		m := median(run.kinAll)
		run.Decoders = &m
	}
	if len(run.PeerAll) > 0 {
		m := median(run.PeerAll)
		run.Peer = &m
	}
	run.PreRollMB = float64(c.Kbit) / 8 * 1000 * 12 / (1 << 20) // 10 s and a GOP of 2 s
	return run, tap.cost(), nil
}

// watched is a running town whose hub is measured.
type watched struct {
	town *town
	n    int
	tap  *judgeTap
	asks chan struct{} // a place for each that may ask at once: one courier's account does it all

	mu    sync.Mutex
	views map[string]virtual.View
}

// follow takes what the resident is told.
func (w *watched) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_ = w.town.cast.Resident.Events(ctx, "/api/events", func(e person.Event) {
			var v virtual.View
			if e.Type == "view" && json.Unmarshal(e.Data, &v) == nil {
				w.mu.Lock()
				w.views[v.Door] = v
				w.mu.Unlock()
			}
		})
		_ = sleep(ctx, 100*time.Millisecond)
	}
}

func (w *watched) count(ok func(virtual.View) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.views {
		if ok(v) {
			n++
		}
	}
	return n
}

func (w *watched) phase(door string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.views[door].Phase
}

// hubTurn keeps a visit going at every door, and with it a recording, and measures the hub and its children.
func (w *watched) hubTurn(ctx context.Context, length time.Duration) (hub, kin stint, recording float64, err error) {
	visits, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for i := range w.n {
		wg.Go(func() {
			for k := 0; visits.Err() == nil; k++ {
				if err := w.visit(visits, doorName(i), fmt.Sprintf("W-%d-%d-%d", i, k, time.Now().UnixNano())); err != nil && visits.Err() == nil {
					failed.Store(&err)
					_ = sleep(visits, time.Second)
				}
			}
		})
	}
	end := func() error {
		stop()
		wg.Wait()
		// Doors that are still busy then are told: what the hub does for them is counted against it.
		if err := waitFor(ctx, 2*time.Minute, func() bool { return w.count(idle) == w.n }); ctx.Err() != nil {
			return err
		}
		if busy := w.n - w.count(idle); busy > 0 {
			fmt.Fprintf(os.Stderr, "  %d of %d visits have not ended\n", busy, w.n)
		}
		return nil
	}
	recorded := func() bool { return w.count(func(v virtual.View) bool { return !idle(v) }) >= w.n-w.n/20 }
	if err := waitFor(ctx, 3*time.Minute, recorded); err != nil {
		stop()
		wg.Wait()
		if e := failed.Load(); e != nil {
			err = *e
		}
		return hub, kin, 0, fmt.Errorf("not every door has a visit: %w", err)
	}
	if err := sleep(ctx, watchWarm); err != nil {
		return hub, kin, 0, errors.Join(err, end())
	}
	share, samples := 0, 0
	got, err := w.measure(ctx, length, func() {
		share += w.count(func(v virtual.View) bool { return !idle(v) })
		samples += w.n
	}, w.town.house.child.cmd.Process.Pid)
	if err != nil {
		return hub, kin, 0, errors.Join(err, end())
	}
	return got[0].own, got[0].kin, float64(share) / float64(max(1, samples)), end()
}

func idle(v virtual.View) bool { return v.Phase == interlock.Idle.String() }

// visit has the courier arrive at a door, and waits until the visit is over because he did not slide.
func (w *watched) visit(ctx context.Context, door, parcel string) error {
	c := w.town.cast
	delivery := ""
	if err := w.ask(ctx, func() (err error) { delivery, err = c.BookAt(ctx, door, parcel); return err }); err != nil {
		return err
	}
	if err := retryAsk(ctx, func() error {
		return w.ask(ctx, func() error { _, err := c.Arrive(ctx, delivery, parcel); return err })
	}); err != nil {
		return err
	}
	// A visit that is not seen to begin or to end is tried again with the next delivery; what was recorded is counted from the views.
	if waitFor(ctx, 20*time.Second, func() bool { return w.phase(door) != interlock.Idle.String() }) == nil {
		_ = waitFor(ctx, 6*time.Minute, func() bool { return w.phase(door) == interlock.Idle.String() })
	}
	if ctx.Err() == nil {
		return nil
	}
	// The turn is over: the courier gives up, so that the door is free for the next.
	over, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return w.ask(over, func() error {
		return c.Courier.Call(over, "POST", "/api/stops/"+delivery+"/cannot", map[string]string{"why": "other"}, nil)
	})
}

// ask waits for a place.
func (w *watched) ask(ctx context.Context, do func() error) error {
	select {
	case w.asks <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.asks }()
	return do()
}

// used is what a process and its children used.
type used struct{ own, kin stint }

// measure gives what processes used over a while.
func (w *watched) measure(ctx context.Context, length time.Duration, look func(), pids ...int) ([]used, error) {
	type reading struct{ own, kin usage }
	read := func(pid int) (r reading, err error) {
		if r.own, err = usageOf(pid); err == nil {
			r.kin, err = kinOf(pid)
		}
		return r, err
	}
	before := make([]reading, len(pids))
	for i, pid := range pids {
		var err error
		if before[i], err = read(pid); err != nil {
			return nil, err
		}
	}
	given, began := w.tap.given.Load(), time.Now()
	for end := began.Add(length); time.Now().Before(end); {
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
		if look != nil {
			look()
		}
	}
	n, fps := float64(w.n), float64(w.tap.given.Load()-given)/time.Since(began).Seconds()
	each := func(before, after usage) stint {
		return stint{
			CPU: 100 * (after.cpu - before.cpu).Seconds() / after.at.Sub(before.at).Seconds() / n,
			RSS: float64(after.rss) / (1 << 20) / n, PSS: float64(after.pss) / (1 << 20) / n, FPS: fps,
		}
	}
	var all []used
	for i, pid := range pids {
		after, err := read(pid)
		if err != nil {
			return nil, err
		}
		all = append(all, used{each(before[i].own, after.own), each(before[i].kin, after.kin)})
	}
	return all, nil
}

// median takes the median of each figure.
func median(all []stint) stint {
	if len(all) == 0 {
		return stint{}
	}
	of := func(f func(stint) float64) float64 {
		var v []float64
		for _, t := range all {
			v = append(v, f(t))
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	return stint{
		CPU: of(func(t stint) float64 { return t.CPU }), RSS: of(func(t stint) float64 { return t.RSS }),
		PSS: of(func(t stint) float64 { return t.PSS }), FPS: of(func(t stint) float64 { return t.FPS }),
	}
}
