package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/bus"
	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/interlock"
	"eyebolt/lock"
)

const (
	// refresh is how often an unchanged view is shown again; in a visit for the picture's age.
	refresh, refreshVisit = 5 * time.Second, time.Second
	replayBatch           = 1024
	sweepEvery            = time.Hour
)

// Hub is a running home.
type Hub struct {
	cfg     Config
	core    *hub.Core // owned by loop
	queue   *queue
	post    *post
	ship    *shipper
	lanes   map[string]*lane
	eyes    []*eye
	seconds []*second
	remind  *reminder // of the judges' clock
	looked  func()    // at each time that it goes, if set; for tests

	running atomic.Bool
	once    sync.Once
	stopped error
	cameras []camera.Camera
	locks   []lock.Lock
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	visits  bool // owned by loop
	refills refills
	near    near
	owed    struct {
		mu sync.Mutex // guards what follows
		hub.Owed
		planned bool // remember's timer runs: there is one, however often the disk fails
	}
}

// New checks the wiring. Nothing is opened before Start.
func New(cfg Config) (*Hub, error) {
	switch {
	case cfg.Now == nil:
		return nil, errors.New("hub: Config.Now is missing: hand in the monotonic clock that drivers get")
	case cfg.Log == nil:
		return nil, errors.New("hub: Config.Log is missing")
	case cfg.Ledger == nil:
		return nil, errors.New("hub: Config.Ledger is missing: nothing opens without a record")
	}
	cfg.Log = slog.New(newRelay(cfg.Log.Handler()))
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Watching == nil {
		cfg.Watching = func(Event) {}
	}
	hc := hub.Config{ID: cfg.ID, RP: cfg.RP, Epoch: cfg.Epoch, Random: cfg.Random, AddResident: cfg.AddResident}
	for _, d := range cfg.Doors {
		hd := hub.Door{Name: d.Name, Limits: d.Limits, Walk: d.Walk}
		if hd.Limits == (hub.Limits{}) {
			hd.Limits = interlock.DefaultLimits()
		}
		if d.Lock == nil {
			return nil, fmt.Errorf("door %q: Lock is missing: name a driver", d.Name)
		}
		for _, c := range d.Cameras {
			if c.Open == nil || c.Recorder == nil {
				return nil, fmt.Errorf("door %q: camera %q: Open or Recorder is missing", d.Name, c.Name)
			}
			if slices.Contains(hd.Cameras, c.Name) {
				return nil, fmt.Errorf("door %q: camera %q is configured twice", d.Name, c.Name)
			}
			hd.Cameras = append(hd.Cameras, c.Name)
		}
		hc.Doors = append(hc.Doors, hd)
	}
	core, err := hub.New(hc)
	if err != nil {
		return nil, err
	}
	h := &Hub{cfg: cfg, core: core, queue: newQueue(), lanes: map[string]*lane{}, remind: newReminder()}
	h.refills.some = make(chan struct{}, 1)
	h.refills.now, h.refills.after, h.refills.push, h.refills.note = cfg.Now, refillAfter, h.queue.push, cfg.Log.Warn
	if cfg.Bus != nil {
		h.ship = &shipper{log: cfg.Ledger, push: h.queue.push, slog: cfg.Log, wake: make(chan struct{}, 1)}
		h.post = newPost(cfg, cfg.Now, h.queue, &h.wg, h.ship.acknowledged)
		h.ship.post = h.post
	}
	return h, nil
}

// Start replays the record, opens every device and returns. An error means that nothing runs. The end of ctx is a Stop. A
// Hub is started once.
func (h *Hub) Start(ctx context.Context) error {
	if err := h.replay(ctx); err != nil {
		return err
	}
	outer := ctx
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := h.open(ctx); err != nil {
		_ = h.Stop()
		return err
	}
	for _, d := range h.cfg.Doors {
		h.lanes[d.Name].run(ctx, &h.wg)
	}
	for _, e := range h.eyes {
		e.tick(h.cfg.Now()) // from here on its judge counts on the clock
	}
	h.wg.Go(func() { h.loop(ctx) })
	h.running.Store(true)
	h.wg.Go(func() { h.watch(ctx) })
	if h.post != nil {
		if err := h.post.run(ctx); err != nil {
			_ = h.Stop()
			return fmt.Errorf("hub: bus: %w", err)
		}
		h.wg.Go(func() { h.ship.run(ctx) })
	}
	h.wg.Go(func() { h.sweep(ctx) })
	for _, r := range h.cfg.Radios {
		h.wg.Go(func() { h.hear(ctx, r) })
	}
	h.wg.Go(func() { h.learning(ctx) })
	h.wg.Go(func() { h.relearning(ctx) })
	for _, e := range h.eyes {
		if e.asker != nil {
			h.wg.Go(func() { e.challenge(ctx, h.cfg.Random) })
		}
	}
	h.wg.Go(func() { h.refills.run(ctx) })
	context.AfterFunc(outer, func() { _ = h.Stop() })
	return nil
}

// Stop ends everything that Start began and waits for it. From here on nobody watches, so a closed, unlocked door is bolted
// first. A visit that is going on is not ended by it: the next start finds it unfinished and treats the door as possibly
// open. Ledger and bus stay open: they are the caller's.
func (h *Hub) Stop() error {
	h.once.Do(func() { h.stopped = h.stop() })
	return h.stopped
}

// farewell is how long Stop waits for the last Locks to be sent.
const farewell = time.Second

func (h *Hub) stop() error {
	if h.cancel == nil {
		return nil
	}
	h.secure()
	h.cancel()
	var errs []error
	for _, c := range h.cameras {
		errs = append(errs, c.Close())
	}
	h.wg.Wait()
	for _, l := range h.locks {
		errs = append(errs, l.Close())
	}
	for _, e := range h.eyes {
		for _, w := range e.beside {
			errs = append(errs, w.Close())
		}
		if e.prints != nil {
			e.prints.close()
		}
		errs = append(errs, e.rec.Close())
	}
	h.cameras, h.locks, h.eyes = nil, nil, nil
	return errors.Join(errs...)
}

// secure lets the core decide as if its clockwork had stopped, which it will, and sees the Locks off.
func (h *Hub) secure() {
	if !h.running.Load() {
		return
	}
	end := time.NewTimer(farewell)
	defer end.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	decided := make(chan struct{})
	h.queue.push(func() {
		h.take(hub.Tick{Late: true})
		close(decided)
	})
	for ready := false; ; {
		if ready && !slices.ContainsFunc(h.cfg.Doors, func(d Door) bool { return !h.lanes[d.Name].settled() }) {
			return
		}
		select {
		case <-decided:
			ready, decided = true, nil
		case <-look.C:
		case <-end.C:
			return
		}
	}
}

// replay makes the core remember.
func (h *Hub) replay(ctx context.Context) error {
	size := h.cfg.Ledger.Size()
	for from := uint64(0); from < size; {
		entries, err := h.cfg.Ledger.Read(ctx, from, min(size, from+replayBatch))
		if err != nil {
			return fmt.Errorf("hub: the record cannot be read, so nothing is started: run eyebolt verify: %w", err)
		}
		if len(entries) == 0 {
			return fmt.Errorf("hub: the record ends at %d of %d entries, so nothing is started: run eyebolt verify", from, size)
		}
		for _, e := range entries {
			h.core.Replay(e)
			h.refills.wrote(e)
		}
		from += uint64(len(entries))
	}
	return nil
}

// serve takes what waited, and gives the slice back. If something was dropped, nothing opens on what was kept (S6), and what
// a door with a report among it is, is unknown until it reports again (S13).
func (h *Hub) serve(items []any, overflow bool, unheard []string) []any {
	if overflow {
		h.cfg.Log.Error("the hub cannot keep up: nothing opens until it does")
		h.take(hub.Tick{Late: true})
	}
	for _, in := range items {
		h.take(in)
	}
	clear(items)
	for _, door := range unheard {
		now := h.cfg.Now()
		h.take(hub.Reported{Door: door, Report: lock.Report{What: lock.OfDoor, At: now}})
		h.take(hub.Reported{Door: door, Report: lock.Report{What: lock.OfBolt, At: now}})
		h.lanes[door].Poll()
	}
	return items
}

func (h *Hub) at() hub.At { return hub.At{Mono: h.cfg.Now(), Wall: h.cfg.Wall()} }

func (h *Hub) take(item any) {
	switch in := item.(type) {
	case hub.Input:
		if f, ok := in.(hub.Filed); ok {
			h.refills.filed(h.eye(f.Door, f.Camera), f)
		}
		for _, e := range h.core.Take(h.at(), in) {
			h.carry(e)
		}
		// Only now: a Lock as the door closes waits for no camera (S5), and the camera's goroutine may hold its eye.
		if r, ok := in.(hub.Reported); ok && r.Report.What == lock.OfDoor {
			for _, e := range h.eyes {
				if e.door == r.Door {
					e.contact(r.Report)
				}
			}
		}
	case func():
		in()
	}
}

func (h *Hub) refresh() {
	if h.post == nil && h.cfg.Shown == nil {
		return
	}
	for _, d := range h.cfg.Doors {
		h.show(h.core.View(h.at(), d.Name))
	}
}

func (h *Hub) show(v bus.View) {
	if h.post != nil {
		h.post.show(v)
	}
	if h.cfg.Shown != nil {
		h.cfg.Shown(v)
	}
}

// carry carries one effect out. Nothing here waits: bolts have their lanes, the ledger its writer, the bus its goroutines.
func (h *Hub) carry(e hub.Effect) {
	switch e := e.(type) {
	case hub.Lock:
		h.lanes[e.Door].Lock()
	case hub.Unlock:
		h.lanes[e.Door].Order("unlock", e.Order, e.N)
	case hub.Retract:
		h.lanes[e.Door].Order("retract", e.Order, 0)
	case hub.Poll:
		h.lanes[e.Door].Poll()
	case hub.Append:
		h.append(e)
	case hub.Record:
		if eye := h.eye(e.Door, e.Camera); eye != nil {
			eye.start(e.Visit)
		}
	case hub.Keep:
		if eye := h.eye(e.Door, e.Camera); eye != nil {
			eye.keep(e.Visit)
		}
	case hub.Pairing:
		if h.cfg.Pairing != nil {
			h.cfg.Pairing(e.Code)
		}
	default:
		h.mail(e)
	}
}

// mail carries out what goes over the bus. Without one there is nobody to tell, and nothing opens (S1).
func (h *Hub) mail(e hub.Effect) {
	switch e := e.(type) {
	case hub.Beats:
		h.visits = len(e.Visits) > 0
		h.refills.busy.Store(h.visits)
		if h.post != nil {
			h.post.setVisits(e.Visits)
		}
	case hub.Alarm:
		h.cfg.Watching(Event{Door: e.Alarm.Door, What: "alarm", At: h.cfg.Now()})
		if h.post != nil {
			h.post.alarm(e.Alarm)
		}
	case hub.Show:
		h.show(e.View)
	case hub.Answer:
		if !h.near.answer(e.Ref, e.Reply) && h.post != nil {
			h.post.answer(e.Ref, e.Reply)
		}
	case hub.BeatNow:
		if h.post != nil {
			signal(h.post.beatNow)
		}
	}
}

func (h *Hub) append(e hub.Append) {
	for _, entry := range e.Entries {
		h.refills.wrote(entry)
	}
	h.owed.mu.Lock()
	again := h.owed.Take()
	h.owed.mu.Unlock()
	h.cfg.Ledger.Append(func(err error) {
		if err != nil {
			h.owed.mu.Lock()
			owes, lost := h.owed.Put(err, again, e.Entries)
			h.owed.mu.Unlock()
			h.cfg.Log.Error("the record could not be written", "entries", len(e.Entries), "owed", owes, "lost", lost, "err", err)
			if owes > 0 {
				h.remember()
			}
		}
		if e.Done != 0 {
			h.queue.push(hub.Written{Done: e.Done, Err: err})
		}
		if h.ship != nil {
			signal(h.ship.wake)
		}
	}, slices.Concat(again, e.Entries)...)
}

// owedAgain is how long after a failure what the disk owes is tried again, if nothing else is written before.
const owedAgain = time.Second

// remember has what the disk owes written in a while, whether or not there is anything new.
func (h *Hub) remember() {
	h.owed.mu.Lock()
	defer h.owed.mu.Unlock()
	if h.owed.planned {
		return
	}
	h.owed.planned = true
	time.AfterFunc(owedAgain, func() {
		h.owed.mu.Lock()
		h.owed.planned = false
		owes := h.owed.Owes()
		h.owed.mu.Unlock()
		if owes {
			h.queue.later(func() { h.append(hub.Append{}) })
		}
	})
}

func (h *Hub) eye(door, name string) *eye {
	for _, e := range h.eyes {
		if e.door == door && e.name == name {
			return e
		}
	}
	return nil
}

// sweep lets retention delete clips once an hour, when the clock is sure, and never those of a visit or an open incident.
func (h *Hub) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		type answer struct {
			now  time.Time
			sure bool
			keep []string
		}
		asked := make(chan answer, 1)
		h.queue.push(func() {
			now, sure := h.core.Clock(h.at())
			asked <- answer{now, sure, h.core.Keeps()}
		})
		select {
		case <-ctx.Done():
			return
		case a := <-asked:
			if a.sure {
				h.sweepNow(a.now, a.keep)
			}
		}
	}
}

func (h *Hub) sweepNow(now time.Time, keep []string) {
	for _, e := range h.eyes {
		gone, err := e.rec.Sweep(now, func(visit string) bool { return slices.Contains(keep, visit) })
		if err != nil {
			h.cfg.Log.Error("old clips could not be deleted", "door", e.door, "camera", e.name, "err", err)
		}
		for _, k := range gone {
			h.queue.push(hub.Removed{Door: e.door, Camera: e.name, Clip: k})
		}
	}
}
