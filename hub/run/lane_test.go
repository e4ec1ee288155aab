package run

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/ledger"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// slowLock is a lock whose Unlock hangs until its context ends, as on a dead connection.
type slowLock struct {
	mu    sync.Mutex
	calls []string
	hang  bool
}

func (l *slowLock) call(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, s)
}

func (l *slowLock) Lock(ctx context.Context) error {
	l.call("lock")
	if l.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (l *slowLock) Unlock(ctx context.Context, _ lock.Order) error {
	l.call("unlock")
	<-ctx.Done()
	l.call("unlock ended")
	return ctx.Err()
}
func (l *slowLock) Retract(context.Context, lock.Order) error { l.call("retract"); return nil }
func (l *slowLock) Poll(context.Context) error                { l.call("poll"); return nil }
func (l *slowLock) Can() lock.Can                             { return lock.Can{} }
func (l *slowLock) Close() error                              { return nil }

func lanes(t *testing.T, do func(l *lane, k *slowLock, told func() []hub.Carried)) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex
		var got []hub.Carried
		k := &slowLock{}
		l := newLane("front", func() time.Duration { return time.Since(begin) }, func(in any) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, in.(hub.Carried))
		}, func(Event) {}, slog.New(slog.DiscardHandler))
		l.lock = k
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		l.run(ctx, &wg)
		do(l, k, func() []hub.Carried {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(got)
		})
		cancel()
		wg.Wait()
	})
}

// S5: a Lock does not wait for an Unlock that hangs; the Unlock is cancelled, and Lock is sent once more behind it.
func TestLockDoesNotWait(t *testing.T) {
	lanes(t, func(l *lane, k *slowLock, told func() []hub.Carried) {
		l.Order("unlock", lock.Order{NotAfter: l.now() + time.Second}, 1)
		told()
		at := l.now()
		l.Lock()
		got := told()
		if l.now() != at {
			t.Errorf("Lock waited %v for an Unlock", l.now()-at)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if n := len(k.calls); k.calls[0] != "unlock" || k.calls[n-1] != "lock" || !slices.Contains(k.calls, "unlock ended") {
			t.Errorf("calls %v, want the Unlock ended and a Lock last", k.calls)
		}
		if !slices.ContainsFunc(got, func(c hub.Carried) bool { return c.Do == "unlock" && errors.Is(c.Err, context.Canceled) }) {
			t.Errorf("told %+v, want the cancelled Unlock", got)
		}
	})
}

// S12: an Unlock that waits behind another when a Lock comes is never sent, and provably not; nor is one past its time.
func TestOvertakenUnlock(t *testing.T) {
	lanes(t, func(l *lane, k *slowLock, told func() []hub.Carried) {
		l.Order("unlock", lock.Order{NotAfter: l.now() + time.Second}, 1)
		told()
		l.Order("unlock", lock.Order{NotAfter: l.now() + time.Second}, 2)
		l.Lock()
		told()
		l.Order("unlock", lock.Order{NotAfter: l.now()}, 3)
		got := told()
		for _, n := range []uint32{2, 3} {
			if !slices.ContainsFunc(got, func(c hub.Carried) bool { return c.N == n && errors.Is(c.Err, lock.ErrNotSent) }) {
				t.Errorf("order %d: told %+v, want not sent", n, got)
			}
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if n := count(k.calls, "unlock"); n != 1 {
			t.Errorf("%d unlocks, want 1", n)
		}
	})
}

// S5: a Lock that hangs does not hold up the next.
func TestHangingLock(t *testing.T) {
	lanes(t, func(l *lane, k *slowLock, told func() []hub.Carried) {
		k.hang = true
		l.Lock()
		told()
		at := l.now()
		l.Lock()
		told()
		k.mu.Lock()
		n := count(k.calls, "lock")
		k.mu.Unlock()
		if n != 2 || l.now() != at {
			t.Errorf("%d locks after %v, want 2 at once", n, l.now()-at)
		}
		if l.settled() {
			t.Error("settled while both hang")
		}
		time.Sleep(lockTimeout) // of the bubble's clock
		told()
		if !l.settled() {
			t.Error("not settled after both have ended")
		}
	})
}

func count(list []string, s string) (n int) {
	for _, k := range list {
		if k == s {
			n++
		}
	}
	return n
}

// The queue never blocks, keeps half for the house itself, and says when it had to drop.
func TestQueueBounds(t *testing.T) {
	q := newQueue()
	for q.ask(hub.Asked{}) {
	}
	if items, over, _ := q.take(nil); len(items) != maxQueue/2 || over {
		t.Errorf("%d asks, dropped %v; want %d and no word of it", len(items), over, maxQueue/2)
	}
	for range maxQueue + 10 {
		q.push(hub.Tick{})
	}
	q.push(hub.Reported{Door: "front"})
	q.push(hub.Reported{Door: "back"})
	q.push(hub.Reported{Door: "front"})
	if items, over, unheard := q.take(nil); len(items) != maxQueue || !over || !slices.Equal(unheard, []string{"front", "back"}) {
		t.Errorf("%d inputs, dropped %v of %q; want %d, and both doors told", len(items), over, unheard, maxQueue)
	}
	if items, over, _ := q.take(nil); len(items) != 0 || over {
		t.Errorf("after: %d inputs, dropped %v", len(items), over)
	}
}

// S6, S11, S13: reports of a door were dropped. It may have opened: what was known of it is not known any more, so that no bolt
// is thrown into an open door; and nothing that was kept opens a door.
func TestDroppedReports(t *testing.T) {
	var at time.Duration
	log := slog.New(slog.DiscardHandler)
	h, err := New(Config{ID: "a", Ledger: noLog{}, Log: log, Now: func() time.Duration { return at }, Doors: []Door{{
		Name: "front", Lock: func(context.Context, lock.Config, func(lock.Report)) (lock.Lock, error) { return &slowLock{}, nil },
		Cameras: []Camera{{
			Name: "hall", Open: func(context.Context, camera.Config, camera.Sink) (camera.Camera, error) {
				return closer(func() {}), nil
			},
			Recorder: func(func(bool, time.Duration, error)) (Recorder, error) { return nil, nil },
		}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	l := newLane("front", h.cfg.Now, h.queue.push, func(Event) {}, log)
	h.lanes["front"] = l
	seen := hub.Seen{Door: "front", Camera: "hall", Verdict: liveness.Verdict{State: liveness.Live, Pictures: 1}}
	h.serve([]any{
		hub.Boot{},
		hub.Tick{},
		seen,
		hub.Reported{Door: "front", Report: lock.Report{What: lock.OfDoor, Door: lock.DoorClosed}},
		hub.Reported{Door: "front", Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown}},
	}, false, nil)
	if v := h.core.View(h.at(), "front"); v.DoorIs != "closed" || v.Bolt != "thrown" || v.Watch != "live" {
		t.Fatalf("door %s, bolt %s, watch %s", v.DoorIs, v.Bolt, v.Watch)
	}
	h.serve([]any{seen}, true, []string{"front"})
	if v := h.core.View(h.at(), "front"); v.DoorIs != "unknown" || v.Bolt != "unknown" || v.Watch != "hub-late" {
		t.Errorf("door %s, bolt %s, watch %s; want unknown, unknown, hub-late", v.DoorIs, v.Bolt, v.Watch)
	}
	select {
	case <-l.polls:
	default:
		t.Error("the lock is not asked")
	}
}

// noLog is a record that forgets everything.
type noLog struct{ ledger.Log }

func (noLog) Append(done func(error), _ ...ledger.Entry) { done(nil) }
