// Package run gives the service's rules a clock and a voice: it owns the bus subscriptions, carries orders to hubs until they are
// answered, and turns the dead man's switch. It decides nothing.
package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// Config is a Runner's wiring. Service and Bus stay the caller's: Stop closes neither.
type Config struct {
	Service *control.Service
	Bus     bus.Conn
	Log     *slog.Logger
	Now     func() time.Time // time.Now when nil
}

// Runner runs a Service. New, Start, Stop; each once.
type Runner struct {
	s   *control.Service
	bus bus.Conn
	log *slog.Logger
	now func() time.Time

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	wg     sync.WaitGroup
	unsubs []func()
	later  chan func(context.Context) error
	slots  chan struct{} // bounds the orders that are being sent at once

	floods floods

	mu    sync.Mutex
	tries map[string]*try // orders on their way, by ID
}

const (
	// tickEvery is the dead man's switch's step: an alarm of 2 s comes within 2.1 s.
	tickEvery = 100 * time.Millisecond
	// lateAfter is when a tick proves that this process was not running: half a beat in a visit.
	lateAfter = 500 * time.Millisecond
	// foreseeEvery is how often doors are looked at that would refuse a delivery that is coming.
	foreseeEvery = time.Minute
	// sweepEvery is how often what nobody needs is removed.
	sweepEvery = time.Hour
	// maxLater bounds what waits to be written after beats: a hub a minute each; what finds it full is written a minute later.
	maxLater = 4096
	// handleWait bounds how long one message may keep the store.
	handleWait = 10 * time.Second
)

// New wires a Runner.
func New(c Config) (*Runner, error) {
	if c.Service == nil || c.Bus == nil || c.Log == nil {
		return nil, errors.New("control/run: Config needs Service, Bus and Log")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &Runner{
		s: c.Service, bus: c.Bus, log: c.Log, now: c.Now, later: make(chan func(context.Context) error, maxLater),
		slots: make(chan struct{}, maxSending), tries: map[string]*try{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Start subscribes and begins to run.
func (r *Runner) Start() error {
	for _, s := range []struct {
		what string
		h    func(hub string, m bus.Message)
	}{
		{"beat", r.beat}, {"log", r.logs}, {"view", r.view}, {"alarm", r.alarm},
	} {
		unsub, err := r.bus.Subscribe(bus.Subject("*", s.what), func(m bus.Message) {
			parts := strings.Split(m.Subject, ".")
			if len(parts) != 3 || r.ctx.Err() != nil {
				return
			}
			if !r.floods.pass(time.Now(), parts[1], s.what) {
				r.log.Debug("control: a hub says too much; dropped", "hub", parts[1], "what", s.what)
				return
			}
			s.h(parts[1], m)
		})
		if err != nil {
			r.Stop()
			return fmt.Errorf("control/run: subscribe to %s: %w", s.what, err)
		}
		r.unsubs = append(r.unsubs, unsub)
	}
	r.wg.Go(r.ticks)
	r.wg.Go(r.writes)
	r.wg.Go(r.orders)
	return nil
}

// Stop ends it and waits.
func (r *Runner) Stop() {
	r.cancel()
	for _, u := range r.unsubs {
		u()
	}
	r.wg.Wait()
}

// ticks turns the dead man's switch (S14).
func (r *Runner) ticks() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	last := r.now()
	swept, foreseen := last, last
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-t.C:
		}
		now := r.now()
		late := now.Sub(last) > lateAfter || now.Before(last)
		last = now
		if late {
			r.log.Warn("control: was late itself; every hub's timer starts anew")
		}
		// A disk that hangs must not stop the clock: the next tick would count as late, and rightly so.
		ctx, cancel := context.WithTimeout(r.ctx, handleWait)
		if err := r.s.Tick(ctx, now, late); err != nil && r.ctx.Err() == nil {
			r.log.Error("control: dead man's switch", "err", err)
		}
		if now.Sub(foreseen) > foreseeEvery {
			foreseen = now
			if err := r.s.Foresee(ctx, now); err != nil && r.ctx.Err() == nil {
				r.log.Error("control: what would keep couriers out", "err", err)
			}
		}
		if now.Sub(swept) > sweepEvery {
			swept = now
			if err := r.s.Sweep(ctx, now); err != nil && r.ctx.Err() == nil {
				r.log.Error("control: sweep", "err", err)
			}
		}
		cancel()
	}
}

// writes writes down what beats leave behind.
func (r *Runner) writes() {
	for {
		select {
		case <-r.ctx.Done():
			return
		case f := <-r.later:
			ctx, cancel := context.WithTimeout(r.ctx, handleWait)
			if err := f(ctx); err != nil && r.ctx.Err() == nil {
				r.log.Error("control: note a hub's life", "err", err)
			}
			cancel()
		}
	}
}

// read takes a message apart; unknown fields are a newer hub's and do not matter.
func read[T any](r *Runner, hub string, m bus.Message) (T, bool) {
	var v T
	if err := json.Unmarshal(m.Body, &v); err != nil {
		r.log.Warn("control: malformed message", "hub", hub, "subject", m.Subject, "err", err)
		return v, false
	}
	return v, true
}

func (r *Runner) answer(hub string, m bus.Message, v any) {
	if m.Reply == nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = m.Reply(b)
	}
	if err != nil {
		r.log.Warn("control: answer not sent; the hub asks again", "hub", hub, "subject", m.Subject, "err", err)
	}
}

func (r *Runner) beat(hub string, m bus.Message) {
	b, ok := read[bus.Beat](r, hub, m)
	if !ok {
		return
	}
	reply, later, err := r.s.Beat(r.now(), hub, b)
	if err != nil {
		r.log.Warn("control: beat refused", "hub", hub, "err", err)
		return
	}
	r.answer(hub, m, reply)
	if later != nil {
		select {
		case r.later <- later:
		default:
		}
	}
}

func (r *Runner) logs(hub string, m bus.Message) {
	v, ok := read[bus.Log](r, hub, m)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, handleWait)
	defer cancel()
	reply, err := r.s.Log(ctx, r.now(), hub, v)
	if err != nil {
		r.log.Warn("control: log refused", "hub", hub, "err", err)
		return // no answer: nothing was taken
	}
	r.answer(hub, m, reply)
}

func (r *Runner) view(hub string, m bus.Message) {
	v, ok := read[bus.View](r, hub, m)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, handleWait)
	defer cancel()
	if err := r.s.View(ctx, r.now(), hub, v); err != nil && r.ctx.Err() == nil {
		r.log.Warn("control: view refused", "hub", hub, "err", err)
	}
}

func (r *Runner) alarm(hub string, m bus.Message) {
	v, ok := read[bus.Alarm](r, hub, m)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, handleWait)
	defer cancel()
	if err := r.s.Alarm(ctx, r.now(), hub, v); err != nil {
		if r.ctx.Err() == nil {
			r.log.Error("control: alarm not stored; the hub sends it again", "hub", hub, "err", err)
		}
		return
	}
	if m.Reply != nil { // stored: acknowledged (S16)
		if err := m.Reply(nil); err != nil {
			r.log.Warn("control: alarm's answer not sent; the hub sends it again", "hub", hub, "err", err)
		}
	}
}
