package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"eyebolt/virtual"
	"eyebolt/virtual/eye"
	"eyebolt/virtual/home"
	"eyebolt/virtual/person"
	"eyebolt/virtual/spy"
)

// BenchCmd measures from outside.
type BenchCmd struct {
	Jam      JamCmd       `cmd:"" help:"Jam virtual cameras with the bolt out: last picture to lagging, to Lock on the wire, to lost, to the alarm."`
	Faults   FaultsCmd    `cmd:"" help:"Kill the hub, fail its disk, stop it, step its clock in the middle of a visit; check the record, the wire and the door."`
	Attacks  AttacksCmd   `cmd:"" help:"Play scenario files in the town of eyebolt sim and, in real time, in a home of real protocols: is the verdict the same?"`
	Step     StepClockCmd `cmd:"" hidden:"" name:"step-clock"`
	Clips    ClipsCmd     `cmd:"" help:"Make the clips that detectors are fitted on and judged by, with the truth about each."`
	Liveness LivenessCmd  `cmd:"" help:"Judge the detectors of frozen, replayed and covered pictures by held-out clips, beside ffmpeg's filters."`
	Tradeoff TradeoffCmd  `cmd:"" help:"What a shorter detection bound costs in false alarms, over four kinds of link: simulated arrivals, the shipped Judge."`
	Air      AirCmd       `cmd:"" help:"Replay attacks on the Wi-Fi, on a radio and by a program that you name, with a visit in progress (docs/LAB.md)."`
	AirTable AirTableCmd  `cmd:"" name:"air-table" help:"Put the results of bench air into one table."`
	Watch    WatchCmd     `cmd:"" help:"Watch and record 1, 10 and 50 cameras: processor time and memory per camera, beside MediaMTX recording the same."`
}

// JamCmd is the jam benchmark. Everything is timed on this process's monotonic clock, from the last picture's own time (when
// the pretend camera painted it); the hub is a process of its own, and is never asked what it thinks of itself.
type JamCmd struct {
	N       int           `short:"n" default:"1000" help:"How many jams."`
	Cameras int           `default:"25" help:"How many doors, each with its camera and lock."`
	Honest  time.Duration `default:"10m" help:"How long the cameras are watched undisturbed, in the same run."`
	Peer    []string      `help:"name=path of mediamtx or go2rtc: reads the first door's camera beside the hub, with its defaults. scripts/peers.sh builds both." placeholder:"NAME=PATH"`
	PeerN   int           `default:"20" help:"How many of the first door's jams the peers are measured on: these last until the peers have noticed, too."`
	JSON    bool          `name:"json" help:"Print the result as JSON."`
	Dir     string        `type:"path" help:"Keep the state here; default: a temporary folder, removed."`
	Seed    uint64        `default:"1" help:"Of the random moments."`
}

// jamResult is what is printed.
type jamResult struct {
	N            int               `json:"n"`
	Cameras      int               `json:"cameras"`
	A1           int               `json:"a1_ms"`
	A2           int               `json:"a2_ms"`
	Lagging      spread            `json:"lagging_ms"`
	Lock         spread            `json:"lock_ms"`
	LockAfter    spread            `json:"lock_after_lagging_ms"`
	Lost         spread            `json:"lost_ms"`
	Alarm        spread            `json:"alarm_ms"`
	HonestS      float64           `json:"honest_s"`
	HonestHours  float64           `json:"honest_camera_hours"`
	HonestLapses int               `json:"honest_lapses"`
	HonestLags   int               `json:"honest_laggings"`
	Failed       int               `json:"failed"`
	Peers        map[string]spread `json:"peers"`
	Notes        []string          `json:"notes,omitempty"`
}

// a1 and a2 of the benchmark's cameras (link: wifi).
const (
	benchA1 = 500 * time.Millisecond
	benchA2 = 1500 * time.Millisecond
)

// jamBench is one run.
type jamBench struct {
	JamCmd
	town  *town
	doors []*jamDoor
	peers []*peer // they read the first door's camera, and see its first PeerN jams
	out   io.Writer

	mu     sync.Mutex
	spans  struct{ lagging, lock, after, lost, alarm []time.Duration }
	done   int
	failed []string
	// noticed is how long each peer took; peerRounds counts the jams that they were shown.
	noticed    map[string][]time.Duration
	peerRounds int
	lapses     int
	lags       int
	honest     bool
}

// Run measures and prints.
func (c *JamCmd) Run(ctx context.Context) error {
	peers, err := peerFlags(c.Peer)
	if err != nil {
		return err
	}
	b := &jamBench{JamCmd: *c, out: os.Stderr, noticed: map[string][]time.Duration{}}
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return err
	}
	defer clean()
	for i := range c.Cameras {
		b.doors = append(b.doors, &jamDoor{i: i, name: doorName(i), bell: make(chan struct{}, 1), at: map[string]time.Duration{}, rng: rand.New(rand.NewPCG(c.Seed, uint64(i)))})
	}
	fmt.Fprintf(b.out, "starting %d cameras, %d locks, the service and a hub …\n", c.Cameras, c.Cameras)
	b.town, err = startTown(ctx, townConfig{
		Dir: dir, Doors: c.Cameras, Child: true, Log: slog.New(slog.DiscardHandler),
		// The tail is short so that a thousand visits fit; arming stays as published.
		Limits: LimitConfig{Tail: time.Second, Out: 2 * time.Second},
		HomeEvents: func(e home.Event) {
			if i, ok := baseIndex(e.Door); ok && i < len(b.doors) && e.What == home.BoltDrawn {
				b.doors[i].mu.Lock()
				b.doors[i].ring()
				b.doors[i].mu.Unlock()
			}
		},
	})
	if err != nil {
		return err
	}
	defer b.town.Close()
	for i, d := range b.doors {
		d.cam, d.dev = b.town.house.cameras[i], b.town.house.homes[i]
	}
	wire, err := spy.Start(ctx, b.town.house.broker.URL(), "+/front_lock/set", b.town.now, func(m spy.Message) {
		base, _, _ := strings.Cut(m.Topic, "/")
		if i, ok := baseIndex(base); ok && i < len(b.doors) && strings.Contains(m.Payload, `"LOCK"`) {
			b.doors[i].saw("lock", m.At)
		}
	})
	if err != nil {
		return err
	}
	defer wire.Close()
	follow, stop := context.WithCancel(ctx)
	defer stop()
	go b.follow(follow)

	result := jamResult{Cameras: c.Cameras, A1: int(benchA1.Milliseconds()), A2: int(benchA2.Milliseconds()), Peers: map[string]spread{}}
	if err := b.calm(ctx, &result); err != nil {
		return err
	}
	for _, name := range []string{"mediamtx", "go2rtc"} {
		path, ok := peers[name]
		if !ok {
			result.Notes = append(result.Notes, name+" was left out: give --peer "+name+"=PATH (scripts/peers.sh builds it)")
			continue
		}
		p, err := startPeer(ctx, name, path, dir, b.doors[0].cam.URL(), b.town.now)
		if err != nil {
			return err
		}
		defer p.stop()
		b.peers = append(b.peers, p)
	}
	b.jamAll(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	result.N = len(b.spans.lagging)
	result.Lagging, result.Lock, result.LockAfter = spreadOf(b.spans.lagging), spreadOf(b.spans.lock), spreadOf(b.spans.after)
	result.Lost, result.Alarm, result.Failed = spreadOf(b.spans.lost), spreadOf(b.spans.alarm), len(b.failed)
	for _, p := range b.peers {
		result.Peers[p.name] = spreadOf(b.noticed[p.name])
	}
	for i, f := range b.failed {
		if i < 5 {
			result.Notes = append(result.Notes, f)
		}
	}
	return c.print(result)
}

// calm watches honest cameras and counts what the hub says of them. No door has a visit: the watch is the same in and out
// of one, and every view is told.
func (b *jamBench) calm(ctx context.Context, r *jamResult) error {
	for _, d := range b.doors {
		if err := d.until(ctx, "a live watch", time.Minute, func(v virtual.View, _ map[string]time.Duration) bool { return v.Watch == "live" }); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.out, "watching %d honest cameras for %v …\n", len(b.doors), b.Honest)
	begin := b.town.now()
	b.mu.Lock()
	b.honest = true
	b.mu.Unlock()
	every := time.NewTicker(time.Minute)
	defer every.Stop()
	end := time.NewTimer(b.Honest)
	defer end.Stop()
	for watching := true; watching; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
			b.mu.Lock()
			fmt.Fprintf(b.out, "  %v: %d lagging, %d lapses\n", (b.town.now() - begin).Round(time.Second), b.lags, b.lapses)
			b.mu.Unlock()
		case <-end.C:
			watching = false
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.honest = false
	r.HonestS = (b.town.now() - begin).Seconds()
	r.HonestHours = r.HonestS / 3600 * float64(len(b.doors))
	r.HonestLapses, r.HonestLags = b.lapses, b.lags
	return nil
}

// follow takes what residents are told.
func (b *jamBench) follow(ctx context.Context) {
	byName := map[string]*jamDoor{}
	for _, d := range b.doors {
		byName[d.name] = d
	}
	for ctx.Err() == nil {
		_ = b.town.cast.Resident.Events(ctx, "/api/events", func(e person.Event) {
			at := b.town.since(e.At)
			switch e.Type {
			case "view":
				var v virtual.View
				if json.Unmarshal(e.Data, &v) != nil || byName[v.Door] == nil {
					return
				}
				d := byName[v.Door]
				d.mu.Lock()
				was := d.view.Watch
				d.view = v
				d.ring()
				d.mu.Unlock()
				if v.Watch != was {
					b.changed(d, v.Watch, at)
				}
			case "alarm":
				var a struct{ Door, Reason string }
				if json.Unmarshal(e.Data, &a) == nil && byName[a.Door] != nil && a.Reason == "lapse-lost" {
					byName[a.Door].saw("alarm", at)
				}
			}
		})
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (b *jamBench) changed(d *jamDoor, watch string, at time.Duration) {
	d.saw(watch, at)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.honest {
		return
	}
	switch watch {
	case "live", "unknown":
	case "lagging", "hub-late":
		b.lags++
	default:
		b.lapses++
	}
}

// jamAll jams every door again and again until N jams were measured.
func (b *jamBench) jamAll(ctx context.Context) {
	fmt.Fprintf(b.out, "jamming …\n")
	var wg sync.WaitGroup
	for _, d := range b.doors {
		wg.Go(func() {
			for ctx.Err() == nil {
				b.mu.Lock()
				enough := b.done >= b.N && (!b.forPeers(d) || b.peerRounds >= b.PeerN)
				if !enough {
					b.done++
				}
				b.mu.Unlock()
				if enough {
					return
				}
				if err := b.jam(ctx, d); err != nil && ctx.Err() == nil {
					b.mu.Lock()
					b.failed = append(b.failed, err.Error())
					tooMany := len(b.failed) > 10+b.N/20
					b.mu.Unlock()
					heal(d.cam)
					if tooMany {
						return
					}
					b.mend(ctx, d)
				}
			}
		})
	}
	report := make(chan struct{})
	go func() {
		for {
			select {
			case <-report:
				return
			case <-time.After(20 * time.Second):
				b.mu.Lock()
				fmt.Fprintf(b.out, "  %d of %d jams, %d failed\n", len(b.spans.lagging), b.N, len(b.failed))
				b.mu.Unlock()
			}
		}
	}()
	wg.Wait()
	close(report)
}

// jam plays one visit up to the drawn bolt, stops the packets, and takes the times.
func (b *jamBench) jam(ctx context.Context, d *jamDoor) error {
	t := b.town
	parcel := fmt.Sprintf("JAM-%d-%d", d.i, d.rng.Uint32())
	delivery, err := t.cast.BookAt(ctx, d.name, parcel)
	if err != nil {
		return err
	}
	var answer virtual.Answer
	if err := retryAsk(ctx, func() error {
		answer, err = t.cast.Arrive(ctx, delivery, parcel)
		return err
	}); err != nil {
		return err
	}
	d.visit = answer.Visit
	peers, err := b.withPeers(ctx, d)
	if err != nil {
		return err
	}
	nonce := ""
	if err := d.until(ctx, "ready", 30*time.Second, func(v virtual.View, _ map[string]time.Duration) bool {
		nonce = v.Nonce
		return v.Visit == answer.Visit && v.Nonce != ""
	}); err != nil {
		return err
	}
	if err := t.cast.Slide(ctx, delivery, nonce); err != nil {
		return err
	}
	if err := d.until(ctx, "the bolt to draw", 15*time.Second, func(v virtual.View, _ map[string]time.Duration) bool {
		return v.Phase == "unlocked" && d.dev.Truth().Bolt == home.Drawn
	}); err != nil {
		return err
	}
	time.Sleep(time.Duration(d.rng.IntN(400)) * time.Millisecond) // the jam falls anywhere between two pictures and two ticks

	d.mu.Lock()
	clear(d.at)
	d.mu.Unlock()
	if peers {
		for _, p := range b.peers {
			p.arm()
		}
	}
	d.cam.Trick(eye.Held)
	last := d.cam.Last().Shot
	d.mu.Lock()
	d.armed, d.jammed = true, last
	d.mu.Unlock()
	silence(d.cam)
	err = d.until(ctx, "lagging, Lock, lost and the alarm", 10*time.Second, func(_ virtual.View, at map[string]time.Duration) bool {
		return at["lagging"] > 0 && at["lock"] > 0 && at["lost"] > 0 && at["alarm"] > 0
	})
	d.mu.Lock()
	d.armed = false
	at := map[string]time.Duration{}
	for k, v := range d.at {
		at[k] = v
	}
	d.mu.Unlock()
	if err == nil && peers {
		err = b.peersNotice(ctx, last)
	}
	heal(d.cam)
	if err != nil {
		return fmt.Errorf("%w (seen: %v)", err, at)
	}
	b.mu.Lock()
	s := &b.spans
	s.lagging = append(s.lagging, at["lagging"]-last)
	s.lock = append(s.lock, at["lock"]-last)
	s.after = append(s.after, at["lock"]-at["lagging"])
	s.lost = append(s.lost, at["lost"]-last)
	s.alarm = append(s.alarm, at["alarm"]-last)
	b.mu.Unlock()
	return b.finish(ctx, d, answer.Visit)
}

// finish waits for the visit to end, acknowledges and closes the incident.
func (b *jamBench) finish(ctx context.Context, d *jamDoor, visit string) error {
	if err := d.until(ctx, "the visit to end", 30*time.Second, func(v virtual.View, _ map[string]time.Duration) bool {
		return v.Phase == "idle" && v.Watch == "live"
	}); err != nil {
		return err
	}
	return retryAsk(ctx, func() error { return b.town.cast.Forgive(ctx, d.name, visit) })
}

// mend brings a door whose round failed back to idle, as far as it can.
func (b *jamBench) mend(ctx context.Context, d *jamDoor) {
	if err := d.until(ctx, "idle again", time.Minute, func(v virtual.View, _ map[string]time.Duration) bool { return v.Phase == "idle" }); err == nil && d.visit != "" {
		_ = b.town.cast.Forgive(ctx, d.name, d.visit) // the next round says if it could not
	}
}

// silence follows a Held trick: once the last picture has left, not a byte passes any more, reports and keep-alives included.
func silence(cam *eye.Camera) {
	time.Sleep(50 * time.Millisecond) // the camera's own queue is empty long before
	cam.Flood(true)
}

func heal(cam *eye.Camera) {
	cam.Flood(false)
	cam.Trick(eye.Honest)
}

func (c *JamCmd) print(r jamResult) error {
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	line := func(name string, s spread) {
		fmt.Printf("%-28s %6d %9.1f %9.1f %9.1f %9.1f\n", name, s.N, s.Min, s.P50, s.P99, s.Max)
	}
	fmt.Printf("%-28s %6s %9s %9s %9s %9s\n", "ms from the last picture", "n", "min", "median", "p99", "max")
	line("lagging told", r.Lagging)
	line("Lock on the MQTT wire", r.Lock)
	line("  after lagging was told", r.LockAfter)
	line("lost told", r.Lost)
	line("alarm at the service", r.Alarm)
	for _, name := range []string{"mediamtx", "go2rtc"} {
		if s, ok := r.Peers[name]; ok {
			line(name+" notices", s)
		}
	}
	fmt.Printf("%d cameras, A1 %d ms, A2 %d ms; %.1f honest camera-hours: %d lagging, %d lapses; %d rounds failed\n",
		r.Cameras, r.A1, r.A2, r.HonestHours, r.HonestLags, r.HonestLapses, r.Failed)
	for _, n := range r.Notes {
		fmt.Println("note: " + n)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// waitFor polls something that gives no sign of its own.
func waitFor(ctx context.Context, limit time.Duration, ok func() bool) error {
	return waitEvery(ctx, limit, 20*time.Millisecond, ok)
}

func waitEvery(ctx context.Context, limit, every time.Duration, ok func() bool) error {
	end := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(end) {
			return context.DeadlineExceeded
		}
		if err := sleep(ctx, every); err != nil {
			return err
		}
	}
	return nil
}

// retryAsk tries again while the order is on its way to the hub.
func retryAsk(ctx context.Context, do func() error) error {
	var err error
	for range 40 {
		if err = do(); err == nil {
			return nil
		}
		if e := sleep(ctx, 250*time.Millisecond); e != nil {
			return e
		}
	}
	return err
}
