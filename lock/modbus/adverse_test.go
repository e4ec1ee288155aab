package modbus_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
)

func failure(r lock.Report) bool { return r.What == lock.OfFailure }
func unwell(r lock.Report) bool  { return r.What == lock.OfHealth && !r.OK }
func is(d lock.Door) func(lock.Report) bool {
	return func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == d }
}

// unlock draws the bolt; a refusal of a starved peer is asked anew.
func (w *world) unlock(l lock.Lock) (at time.Duration) {
	w.t.Helper()
	for range 20 {
		at = w.now()
		err := l.Unlock(w.t.Context(), w.order())
		if err == nil {
			return at
		}
		if !errors.Is(err, lock.ErrNotSent) {
			w.t.Fatalf("unlock: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatal("unlock: refused again and again")
	return 0
}

// How long a Lock takes to the board, and to the report that says thrown. The bolt travels 200 ms, and the inputs are asked ten times a
// second.
func TestLatency(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	n := 40
	if testing.Short() {
		n = 3
	}
	var drawing, wire, report []time.Duration
	for range n {
		from := e.Count()
		given := w.unlock(l)
		d, _ := e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
		drawing = append(drawing, d.At-given)
		w.bolted(lock.BoltDrawn)
		from = e.Count()
		before, at := len(w.Wire()), w.now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, _ := e.Wait(t, from, "thrown", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.At-r.Age > at })
		report = append(report, r.At-at)
		wire = append(wire, w.Wire()[before].At-at)
	}
	for _, x := range []struct {
		what string
		took []time.Duration
	}{{"Unlock to the report drawn", drawing}, {"Lock to the board", wire}, {"Lock to the report thrown", report}} {
		slices.Sort(x.took)
		t.Logf("%s: n %d, median %v, p99 %v, max %v", x.what, n, x.took[n/2], x.took[n*99/100], x.took[n-1])
	}
}

// S12, S13: a board that is killed and started again in each state of a visit: what is told, and after what time.
func TestKilledInEachState(t *testing.T) {
	drawn := func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
		from := e.Count()
		w.unlock(l)
		e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
		w.bolted(lock.BoltDrawn)
	}
	for _, state := range []struct {
		name  string
		reach func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears)
		want  lock.Bolt // when the board is back
	}{
		{"waiting at the door, bolted", func(*testing.T, *world, lock.Lock, *locktest.Ears) {}, lock.BoltThrown},
		{"unlocked, the order's effect not told yet", func(_ *testing.T, w *world, l lock.Lock, _ *locktest.Ears) {
			w.unlock(l)
			w.until("the order at the board", func() bool { return w.unlocks() > 0 })
		}, lock.BoltDrawn},
		{"door open, bolt drawn", func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
			drawn(t, w, l, e)
			w.Door(true)
			e.Wait(t, 0, "open", is(lock.DoorOpen))
		}, lock.BoltDrawn},
		{"door closed, Lock sent, nothing told yet", func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
			drawn(t, w, l, e)
			heard := len(w.Wire())
			if err := l.Lock(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.until("the Lock at the board", func() bool { return len(w.Wire()) > heard })
		}, lock.BoltThrown},
		{"secured, in the tail", func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
			drawn(t, w, l, e)
			from := e.Count()
			if err := l.Lock(t.Context()); err != nil {
				t.Fatal(err)
			}
			e.Wait(t, from, "thrown", bolt(lock.BoltThrown))
		}, lock.BoltThrown},
	} {
		t.Run(state.name, func(t *testing.T) {
			w := newWorld(t)
			l, e := start(t, w)
			state.reach(t, w, l, e)
			from, killed, orders := e.Count(), w.now(), w.unlocks()
			w.Peer(false)
			off, from := e.Wait(t, from, "health off", unwell)
			if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock without a board: got %v, want ErrNotSent", err)
			}
			w.bolted(state.want) // what moved goes on without the board
			w.Peer(true)
			back := w.now()
			told, _ := e.Wait(t, from, "the bolt", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown })
			on, _ := e.Wait(t, from, "health", well)
			t.Logf("%s: unknown %v after the kill, well and told %v after the board listened", state.name, off.At-killed, on.At-back)
			if told.Bolt != state.want {
				t.Errorf("first word of the bolt: got %+v, want %d", told, state.want)
			}
			if got := w.unlocks(); got != orders {
				t.Errorf("the restart repeated an unlock: %d heard, %d before", got, orders)
			}
		})
	}
}

// S13: a board that stands still, and a gateway whose board is gone: both keep their connection.
func TestOutOfReachAndBack(t *testing.T) {
	for _, c := range []struct {
		name       string
		gone, back func(*house)
		words      string
	}{
		{"silent", func(h *house) { h.mute = true }, func(h *house) { h.mute = false }, "does not answer"},
		{"behind a gateway", func(h *house) { h.numb = true }, func(h *house) { h.numb = false }, "gateway target"},
		{"every input bridged", func(h *house) { h.bridged = true }, func(h *house) { h.bridged = false }, "spare input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			l, e := start(t, w)
			from, at := e.Count(), w.now()
			w.with(c.gone)
			off, from := e.Wait(t, from, "health off", ill(c.words))
			if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
			w.Hand(lock.BoltDrawn)
			back := w.now()
			w.with(c.back)
			on, _ := e.Wait(t, from, "health", well)
			t.Logf("%s: told after %v, well %v after it was back", c.name, off.At-at, on.At-back)
			e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
			for _, r := range e.Since(from) {
				if r.Bolt == lock.BoltThrown {
					t.Errorf("thrown, which was before: %+v", r)
				}
			}
			if n := w.unlocks(); n != 0 {
				t.Errorf("%d unlocks on the wire", n)
			}
		})
	}
}

// A board that does not end its pulse would hold the door open when the hub dies: the first such pulse is found out and ended, and there
// is no second (S8, S12).
func TestHeldOutputIsFoundOut(t *testing.T) {
	w := newWorld(t)
	w.with(func(h *house) { h.strike = true }) // and no pulse: what is switched on stays on
	s := w.settings()
	s.Pulse, s.Throw = "board", ""
	l, e := open(t, w.now, s)
	e.Wait(t, 0, "health", well)
	at := w.unlock(l)
	r, _ := e.Wait(t, 0, "the failure", failure)
	t.Logf("told %v after the order, of a pulse of %v: %v", r.At-at, s.OpenFor, r.Err)
	e.Wait(t, 0, "health off", ill("start the hub again"))
	w.bolted(lock.BoltThrown) // the strike fell back
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("another unlock: got %v, want ErrNotSent", err)
	}
	w.Path(false)
	_, from := e.Wait(t, e.Count()-1, "offline", ill("broke"))
	w.Path(true)
	e.Wait(t, from, "still unwell", ill("start the hub again"))
	if err := l.Lock(t.Context()); err != nil {
		t.Errorf("lock of a board that is not trusted: %v", err)
	}
	if n := w.unlocks(); n != 1 {
		t.Errorf("%d unlocks on the wire", n)
	}
}

// The pulse ends without the hub: the driver is gone right after its order, and the strike falls back (S14's other half is the lock's).
func TestPulseEndsWithoutTheHub(t *testing.T) {
	w := newWorld(t)
	w.with(func(h *house) { h.strike = true })
	s := w.settings()
	s.Throw = ""
	l, e := open(t, w.now, s)
	e.Wait(t, 0, "health", well)
	w.unlock(l)
	_ = l.Close()
	w.until("the order at the board", func() bool { return w.unlocks() == 1 })
	w.bolted(lock.BoltDrawn)
	w.bolted(lock.BoltThrown)
}

// An output that is on and not by us: nobody is let in while it is, and it is told of.
func TestSomebodyElsesOutput(t *testing.T) {
	w := newWorld(t)
	w.with(func(h *house) { h.on[outDraw] = true })
	l, e := start(t, w)
	e.Wait(t, 0, "the reason", ill("not by us"))
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	from := e.Count()
	w.with(func(h *house) { h.on[outDraw] = false })
	e.Wait(t, from, "health", well)
}

// S11, S13: each wire breaks, and comes back.
func TestWiresBreak(t *testing.T) {
	w := newWorld(t)
	_, e := start(t, w)
	smoke := func(ok bool) func(lock.Report) bool {
		return func(r lock.Report) bool { return r.What == lock.OfSmoke && r.OK == ok }
	}
	for _, c := range []struct {
		input        int
		broken, back func(lock.Report) bool
	}{
		{inThrown, bolt(lock.BoltDrawn), bolt(lock.BoltThrown)},
		{inClosed, is(lock.DoorOpen), is(lock.DoorClosed)},
		{inSmoke, smoke(false), smoke(true)},
	} {
		from := e.Count()
		w.with(func(h *house) { h.cut[c.input] = true })
		_, from = e.Wait(t, from, "the broken wire", c.broken)
		w.with(func(h *house) { h.cut[c.input] = false })
		e.Wait(t, from, "the wire", c.back)
	}
}
