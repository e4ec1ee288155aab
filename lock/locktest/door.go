package locktest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
)

// door is one running part of the suite: a driver, and everything it has said.
type door struct {
	*testing.T
	h Harness
	l lock.Lock
	r *recorder
	n int // orders made
}

// recorder keeps the reports of one driver, and holds it to calling from one goroutine at a time.
type recorder struct {
	mu      sync.Mutex
	all     []lock.Report
	calls   int // running now
	crowded bool
	change  chan struct{}
}

func newRecorder() *recorder { return &recorder{change: make(chan struct{})} }

func (r *recorder) report(x lock.Report) {
	r.mu.Lock()
	r.calls++
	r.crowded = r.crowded || r.calls > 1
	r.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls--
	r.all = append(r.all, x)
	close(r.change)
	r.change = make(chan struct{})
}

func (r *recorder) since(from int) []lock.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]lock.Report(nil), r.all[min(from, len(r.all)):]...)
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

func newDoor(t *testing.T, h Harness) *door {
	t.Helper()
	if h.Patience == 0 {
		h.Patience = 10 * time.Second
	}
	d := &door{T: t, h: h}
	d.open()
	return d
}

// open starts a driver and waits until it is well and its lock has said where the bolt is.
func (d *door) open() {
	d.Helper()
	d.start()
	d.wait(0, "health", func(r lock.Report) bool { return r.What == lock.OfHealth && r.OK })
	d.fresh()
}

func (d *door) start() {
	d.Helper()
	r := newRecorder()
	l, err := d.h.Open(d.Context(), d.h.Config, r.report)
	if err != nil {
		d.Fatalf("open: %v", err)
	}
	d.l, d.r = l, r
	d.Cleanup(func() {
		if err := l.Close(); err != nil {
			d.Errorf("close: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.crowded {
			d.Error("report was called by two goroutines at a time")
		}
	})
}

func (d *door) now() time.Duration { return d.h.Config.Now() }

// mark is the place after everything said so far.
func (d *door) mark() int { return d.r.count() }

// wait returns the first report from the mark on that fits, and the mark after it.
func (d *door) wait(from int, what string, fits func(lock.Report) bool) (lock.Report, int) {
	d.Helper()
	deadline := time.NewTimer(d.h.Patience)
	defer deadline.Stop()
	for {
		d.r.mu.Lock()
		change := d.r.change
		d.r.mu.Unlock()
		for i, x := range d.r.since(from) {
			if fits(x) {
				return x, from + i + 1
			}
		}
		select {
		case <-change:
		case <-deadline.C:
			d.Fatalf("never reported: %s; reported since: %s", what, list(d.r.since(from)))
		}
	}
}

func (d *door) waitBolt(from int, b lock.Bolt) (lock.Report, int) {
	d.Helper()
	return d.wait(from, fmt.Sprintf("bolt %d", b), func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == b })
}

func (d *door) waitHealth(from int, ok bool) (lock.Report, int) {
	d.Helper()
	return d.wait(from, fmt.Sprintf("health %v", ok), func(r lock.Report) bool { return r.What == lock.OfHealth && r.OK == ok })
}

// until polls a condition of the world.
func (d *door) until(what string, holds func() bool) {
	d.Helper()
	deadline := time.Now().Add(d.h.Patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			d.Fatalf("never so: %s", what)
		}
		<-tick.C
	}
}

// askAgain is how often an unanswered Poll is repeated: a driver may take two that come too soon for one.
const askAgain = 120 * time.Millisecond

// fresh asks the lock until it has answered a question of now, and returns the answer. Since a driver keeps the order of
// what its peer says, everything that the peer said before is reported by then.
func (d *door) fresh() lock.Report {
	d.Helper()
	if !d.l.Can().Poll {
		if err := d.l.Poll(d.Context()); !errors.Is(err, lock.ErrCannotPoll) {
			d.Fatalf("poll of a lock that cannot be polled: got %v, want ErrCannotPoll", err)
		}
		d.Fatal("the suite holds only locks that can be asked: add a way to wait for what this one says by itself")
	}
	from, asked := d.mark(), d.now()
	give := time.Now().Add(d.h.Patience)
	for time.Now().Before(give) {
		if err := d.l.Poll(d.Context()); err != nil {
			d.Fatalf("poll: %v", err)
		}
		again := time.NewTimer(askAgain)
		for waiting := true; waiting; {
			d.r.mu.Lock()
			change := d.r.change
			d.r.mu.Unlock()
			for _, x := range d.r.since(from) {
				if x.What == lock.OfBolt && x.Solicited && x.At >= asked {
					again.Stop()
					return x
				}
			}
			select {
			case <-change:
			case <-again.C:
				waiting = false
			}
		}
	}
	d.Fatalf("no answer to polls; reported since: %s", list(d.r.since(from)))
	return lock.Report{}
}

// order makes a new one, good for a second.
func (d *door) order() lock.Order {
	d.n++
	return lock.Order{Visit: lock.VisitID(fmt.Sprintf("visit-%d", d.n)), NotAfter: d.now() + time.Second}
}

func (d *door) mustLock() time.Duration {
	d.Helper()
	at := d.now()
	if err := d.l.Lock(d.Context()); err != nil {
		d.Fatalf("lock: %v", err)
	}
	return at
}

func (d *door) mustUnlock() (lock.Order, time.Duration) {
	d.Helper()
	for refused := 0; ; refused++ {
		o, at := d.order(), d.now()
		err := d.l.Unlock(d.Context(), o)
		switch {
		case err == nil:
			return o, at
		case !errors.Is(err, lock.ErrNotSent) || refused >= d.h.Refusals:
			d.Fatalf("unlock: %v", err)
		}
		d.fresh()
	}
}

// unlocks waits until at least n unlocks were seen on the wire and holds all of them to the rules for any.
func (d *door) unlocks(n int) {
	d.Helper()
	d.until(fmt.Sprintf("%d unlocks on the wire", n), func() bool { return d.countUnlocks() >= n })
	if got := d.countUnlocks(); got != n {
		d.Errorf("unlocks on the wire: got %d, want %d: %+v", got, n, d.h.World.Wire())
	}
}

func (d *door) countUnlocks() int {
	d.Helper()
	n := 0
	for _, s := range d.h.World.Wire() {
		if !s.Unlock {
			continue
		}
		n++
		if s.Retained || s.QoS > 0 {
			d.Errorf("an unlock that can come again is on the wire: %+v", s)
		}
	}
	return n
}

func (d *door) truth(want lock.Bolt) {
	d.Helper()
	d.until(fmt.Sprintf("bolt %d", want), func() bool { b, _ := d.h.World.Truth(); return b == want })
}

// evidence is when what a report tells was true.
func evidence(r lock.Report) time.Duration { return r.At - r.Age }

// never fails if a report since the mark says so.
func (d *door) never(from int, what string, says func(lock.Report) bool) {
	d.Helper()
	for _, x := range d.r.since(from) {
		if says(x) {
			d.Errorf("reported %s: %+v", what, x)
		}
	}
}

func list(reports []lock.Report) string {
	var s strings.Builder
	for _, r := range reports {
		fmt.Fprintf(&s, "\n  %+v", r)
	}
	if s.Len() == 0 {
		return "nothing"
	}
	return s.String()
}
