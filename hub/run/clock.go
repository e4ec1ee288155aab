package run

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"eyebolt/hub"
)

const (
	// tickEvery, coarse and twice of it are the grids of the hub's clocks: what need not be exact is done at the same instants, so
	// that a machine that has little to do wakes once for all of it. The recorder's beats are on the coarse one.
	tickEvery, coarse = 20 * time.Millisecond, 100 * time.Millisecond
	// lateAfter is how long after it was due a tick came late (S6).
	lateAfter = 100 * time.Millisecond
	// lookEvery is how often the clock of the judges looks at the least.
	lookEvery = 400 * time.Millisecond
)

// wake is when a clock goes that must go at due: at the last instant of a grid before it, if that is yet to come.
func wake(now, due time.Duration) time.Duration {
	for _, grid := range [...]time.Duration{2 * coarse, coarse, tickEvery} {
		if at := due.Truncate(grid); at > now {
			return at
		}
	}
	return due
}

// reminder wakes the goroutine that waits for it if another one needs it before the time at which it would wake by itself.
type reminder struct {
	armed  atomic.Int64  // when it wakes by itself
	sooner chan struct{} // holds one
}

func newReminder() *reminder { return &reminder{sooner: make(chan struct{}, 1)} }

// need tells when somebody needs it. Any goroutine calls it.
func (r *reminder) need(at time.Duration) {
	if int64(at) < r.armed.Load() {
		signal(r.sooner)
	}
}

// look comes before the needs are looked at: whoever needs something else from now on is heard.
func (r *reminder) look() { r.armed.Store(math.MaxInt64) }

// sleep comes after it.
func (r *reminder) sleep(until time.Duration) { r.armed.Store(int64(until)) }

// watch judges every camera when its judge needs it, so that lateness is found when it happens (S6). One goroutine for all of them.
func (h *Hub) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.remind.sooner:
		case <-timer.C:
		}
		if h.looked != nil {
			h.looked()
		}
		h.remind.look()
		next := h.cfg.Now() + lookEvery
		for _, e := range h.eyes {
			if e.needs() <= h.cfg.Now()+coarse {
				e.tick(h.cfg.Now())
			}
			next = min(next, e.needs())
		}
		for _, s := range h.seconds {
			s.tick(h.cfg.Now())
			next = min(next, h.cfg.Now()+ageEvery)
		}
		now := h.cfg.Now()
		next = wake(now, next)
		h.remind.sleep(next)
		timer.Reset(max(next-now, 0))
	}
}

// needs is when this camera's judge needs the clock.
func (e *eye) needs() time.Duration { return time.Duration(e.due.Load()) }

// plan says when it does next. The caller holds mu.
func (e *eye) plan() {
	due := e.judge.Due()
	e.due.Store(int64(due))
	if e.remind != nil && !e.ticking { // the clock itself looks at due
		e.remind.need(due)
	}
}

// late says by how much the hub's own clockwork is late, the core's or that of the judges. Nothing that was judged before it is
// good enough to open a door (S6).
func (h *Hub) late(now time.Duration) (by time.Duration) {
	by = now - h.core.Due()
	for _, e := range h.eyes {
		by = max(by, now-e.needs())
	}
	if by <= lateAfter {
		return 0
	}
	return by
}

// loop owns the core.
func (h *Hub) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var batch []any
	shown := h.cfg.Now()
	at := shown // when it ticks next
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.queue.ready:
		case <-timer.C:
		}
		if by := h.late(h.cfg.Now()); by > 0 {
			h.cfg.Log.Warn("the hub's own clockwork came late", "by", by)
			h.take(hub.Tick{Late: true})
		}
		batch = h.serve(h.queue.take(batch))
		now := h.cfg.Now()
		if now >= min(at, h.core.Due()) {
			h.take(hub.Tick{})
		}
		if now-shown >= refresh || h.visits && now-shown >= refreshVisit {
			shown = now
			h.refresh()
		}
		now = h.cfg.Now()
		at = wake(now, h.core.Due())
		timer.Reset(max(at-now, 0))
	}
}
