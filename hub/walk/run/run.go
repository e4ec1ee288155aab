// Package run gives a walk test its hands: a clock, the door's own lock driver, its cameras and their judges, and two requests for a
// page. It decides nothing. No hub runs beside it: whoever starts it sees to that.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/hub/walk"
	"eyebolt/liveness"
	"eyebolt/lock"
)

const (
	// tickEvery is how often time passes for the walk. Cameras are judged more often.
	tickEvery = 100 * time.Millisecond
	// tellEvery is how often an unchanged verdict is told for its age.
	tellEvery = 250 * time.Millisecond
	// commandLimit is how long one attempt to reach the lock may take; an order to draw the bolt ends with its own NotAfter.
	commandLimit = 2 * time.Second
	// seenLimit is how old the page may be that a press was made on: whoever presses a bolt sees what he presses (S12). A press that
	// lay in a network for longer is not taken.
	seenLimit = 3 * time.Second
	// idleLimit ends a walk on which nobody presses: a page that moves a bolt does not stay open for whoever finds the phone.
	idleLimit = 30 * time.Minute
)

// Config is one walk's wiring.
type Config struct {
	Walk    walk.Config
	Lock    lock.Open
	LockCfg lock.Config // Now and Log are filled in
	Cameras []Camera    // in the order of Walk.Cameras
	Now     func() time.Duration
	Wall    func() time.Time // time.Now when nil
	Log     *slog.Logger
	// Keep stores the certificate: at each step that failed, and at the end. It is called by one goroutine.
	Keep func(walk.Certificate) error
}

// Camera is one camera of the door.
type Camera struct {
	Name   string
	Open   camera.Open
	Config camera.Config // Now, Log and Name are filled in
	Judge  liveness.Config
}

// Run is a running walk. Its methods may be called from several goroutines.
type Run struct {
	cfg    Config
	cancel context.CancelFunc
	ctx    context.Context
	wg     sync.WaitGroup
	lock   lock.Lock
	eyes   []*eye
	files  chan walk.Certificate // holds one: the newest that is to be kept
	once   sync.Once
	err    error

	mu      sync.Mutex // guards what follows
	walk    *walk.Walk
	seq     uint64
	changed chan struct{} // closed at each change
	unlock  context.CancelFunc
	pressed time.Duration
	kept    string // how the newest certificate was kept: a sentence, or nothing yet
	lost    bool   // it was not kept
	over    bool
}

// Start opens the devices and returns. An error means that nothing runs. The end of ctx is a Stop.
func Start(ctx context.Context, cfg Config) (*Run, error) {
	switch {
	case cfg.Now == nil || cfg.Log == nil || cfg.Keep == nil:
		return nil, errors.New("walk: Config.Now, Log or Keep is missing")
	case len(cfg.Cameras) != len(cfg.Walk.Cameras):
		return nil, fmt.Errorf("walk: %d cameras are wired and %d are named", len(cfg.Cameras), len(cfg.Walk.Cameras))
	}
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	w, err := walk.New(cfg.Walk)
	if err != nil {
		return nil, err
	}
	r := &Run{cfg: cfg, walk: w, changed: make(chan struct{}), files: make(chan walk.Certificate, 1), pressed: cfg.Now()}
	outer := ctx
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	lc := cfg.LockCfg
	lc.Now, lc.Log = cfg.Now, cfg.Log
	if r.lock, err = cfg.Lock(r.ctx, lc, func(rep lock.Report) { r.take(walk.Fact{Kind: walk.Reported, Report: rep}) }); err != nil {
		r.cancel()
		return nil, fmt.Errorf("walk: lock: %w", err)
	}
	for i, c := range cfg.Cameras {
		e := &eye{name: c.Name, now: cfg.Now, judge: liveness.New(c.Judge), tell: r.take}
		cc := c.Config
		cc.Now, cc.Log = cfg.Now, cfg.Log
		if cc.Name == "" {
			cc.Name = cfg.Walk.Door + "/" + c.Name
		}
		if e.cam, err = c.Open(r.ctx, cc, e); err != nil {
			return nil, errors.Join(fmt.Errorf("walk: camera %s: %w", cfg.Walk.Cameras[i], err), r.Stop())
		}
		r.eyes = append(r.eyes, e)
	}
	r.wg.Go(r.clock)
	r.wg.Go(r.keep)
	context.AfterFunc(outer, func() { _ = r.Stop() })
	return r, nil
}

// Stop ends the walk. It moves no bolt: the person at the door sees how it stands. What a step that failed has already taken away stays
// taken away; what was not finished is worth nothing.
func (r *Run) Stop() error {
	r.once.Do(func() {
		r.mu.Lock()
		r.over = true // before the devices are told: what a driver says as it ends is no failure of the door
		r.bump()
		r.mu.Unlock()
		r.cancel()
		var errs []error
		for _, e := range r.eyes {
			errs = append(errs, e.cam.Close())
		}
		errs = append(errs, r.lock.Close())
		r.wg.Wait()
		r.err = errors.Join(errs...)
	})
	return r.err
}

// clock lets time pass: for the cameras' judges, for the walk, and until nobody has pressed for too long.
func (r *Run) clock() {
	tick := time.NewTicker(liveness.TickEvery)
	defer tick.Stop()
	last := time.Duration(0)
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		now := r.cfg.Now()
		for _, e := range r.eyes {
			e.tick(now)
		}
		if now-last < tickEvery {
			continue
		}
		last = now
		can := r.lock.Can() // not under mu: a driver may report from under a lock of its own
		r.mu.Lock()
		r.walk.Claims(can)
		r.mu.Unlock()
		r.take(walk.Fact{Kind: walk.Tick})
		r.mu.Lock()
		idle := now-r.pressed > idleLimit
		r.mu.Unlock()
		if idle {
			r.cfg.Log.Warn("nobody has pressed anything for half an hour: the walk test is ended")
			go func() { _ = r.Stop() }()
			return
		}
	}
}

// take gives the walk a fact and carries out what follows. Nothing in it waits.
func (r *Run) take(f walk.Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	f.At = r.cfg.Now()
	before := r.walk.View(f.At)
	for _, d := range r.walk.Take(f) {
		r.carry(d)
	}
	if after := r.walk.View(f.At); f.Kind != walk.Tick || after.Turn != before.Turn {
		r.bump()
	}
}

// bump tells whoever waits that there is something new. The caller holds mu.
func (r *Run) bump() {
	r.seq++
	close(r.changed)
	r.changed = make(chan struct{})
}

// carry carries one thing out. The caller holds mu. A Lock is not held up by an Unlock that is still on its way: that one is given up.
func (r *Run) carry(d walk.Do) {
	switch d.What {
	case walk.DoLock:
		if r.unlock != nil {
			r.unlock()
		}
		r.order(d, commandLimit, r.lock.Lock)
	case walk.DoUnlock:
		left := d.NotAfter - r.cfg.Now()
		o := lock.Order{Visit: lock.VisitID(fmt.Sprintf("walk-%d-%d", r.cfg.Wall().UnixMilli(), d.Turn)), NotAfter: d.NotAfter}
		r.unlock = r.order(d, left, func(ctx context.Context) error { return r.lock.Unlock(ctx, o) })
	case walk.DoPoll:
		r.order(d, commandLimit, r.lock.Poll)
	case walk.DoFile:
		c := r.walk.Certificate(r.cfg.Wall())
		select {
		case <-r.files:
		default:
		}
		r.files <- c
	}
}

// order carries a command to the lock. Only an error that proves that nothing was sent is a fact; of everything else the lock's reports
// tell (S9).
func (r *Run) order(d walk.Do, within time.Duration, do func(context.Context) error) context.CancelFunc {
	ctx, cancel := context.WithTimeout(r.ctx, within)
	r.wg.Go(func() {
		defer cancel()
		err := do(ctx)
		if err == nil || d.What == walk.DoPoll {
			return
		}
		r.cfg.Log.Warn("the lock was not reached", "err", err)
		if errors.Is(err, lock.ErrNotSent) || errors.Is(err, lock.ErrTooLate) {
			r.take(walk.Fact{Kind: walk.Sent, Turn: d.Turn, Err: err})
		}
	})
	return cancel
}

// keep stores certificates until the walk has ended, and the last one then.
func (r *Run) keep() {
	for {
		select {
		case <-r.ctx.Done():
			select {
			case c := <-r.files:
				r.store(c)
			default:
			}
			return
		case c := <-r.files:
			r.store(c)
		}
	}
}

func (r *Run) store(c walk.Certificate) {
	err := r.cfg.Keep(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost = err != nil; r.lost {
		r.kept = "The certificate could not be kept: " + err.Error()
		r.cfg.Log.Error("the certificate could not be kept", "err", err)
	} else {
		r.kept = "The certificate is kept."
	}
	r.bump()
}
