package zwavejs_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
)

// start opens a driver on the peer's house and waits until it knows the bolt.
func start(t testing.TB, w *world) (lock.Lock, *locktest.Ears) {
	t.Helper()
	l, e := open(t, w.now, w.settings())
	e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	return l, e
}

func (w *world) order() lock.Order {
	return lock.Order{Visit: lock.VisitID(w.now().String()), NotAfter: w.now() + time.Second}
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
		w.t.Logf("refused: %v", err)
		time.Sleep(300 * time.Millisecond)
	}
	w.t.Fatal("unlock: refused again and again")
	return 0
}

func (w *world) unlocks() int {
	n := 0
	for _, s := range w.Wire() {
		if s.Unlock {
			n++
		}
	}
	return n
}

func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("never so: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// How long a Lock takes to the radio, to the bolt, and to the report that says thrown. The virtual bolt travels 200 ms.
func TestLatency(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	n := 20
	if testing.Short() {
		n = 3
	}
	var drawing, radio, report []time.Duration
	for range n {
		from := e.Count()
		given := w.unlock(l)
		d, _ := e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
		drawing = append(drawing, d.At-given)
		w.until("drawn", func() bool { b, _ := w.Truth(); return b == lock.BoltDrawn })
		from = e.Count()
		before := len(w.Wire())
		at := w.now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, _ := e.Wait(t, from, "thrown", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.At-r.Age > at })
		report = append(report, r.At-at)
		radio = append(radio, w.Wire()[before].At-at)
	}
	for _, x := range []struct {
		what string
		took []time.Duration
	}{{"Unlock to the report drawn", drawing}, {"Lock to the lock's radio", radio}, {"Lock to the report thrown", report}} {
		slices.Sort(x.took)
		t.Logf("%s: n %d, median %v, p99 %v, max %v", x.what, n, x.took[n/2], x.took[n*99/100], x.took[n-1])
	}
}

// S12: a lock out of reach. The server sends an order again and again to a lock that does not acknowledge, so it can draw after
// its not-after. The driver cannot prevent that (it does not claim Expiry); it must tell of it. How late is logged.
func TestLateByTheServersRepeats(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	w.p.hand(t, "/deaf", url.Values{"on": {"next"}})
	from := e.Count()
	at := w.unlock(l)
	time.Sleep(time.Until(w.start.Add(at + 1500*time.Millisecond))) // the order's second is over
	w.p.hand(t, "/deaf", url.Values{"on": {"0"}})
	drew := func(r lock.Report) bool { return bolt(lock.BoltDrawn)(r) }
	failed := func(r lock.Report) bool { return r.What == lock.OfFailure }
	r, from := e.Wait(t, from, "drawn, or the failure", func(r lock.Report) bool { return drew(r) || failed(r) })
	if failed(r) {
		t.Logf("the server gave up after %v: %v; the lock heard %d unlocks", r.At-at, r.Err, w.unlocks())
		return
	}
	heard := w.Wire()
	t.Logf("the lock heard the order %v after it was given and drew; told as drawn after %v", heard[len(heard)-1].At-at, r.At-at)
	if got := w.unlocks(); got != 1 {
		t.Errorf("unlocks that the lock heard: got %d, want 1", got)
	}
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "bolted again", bolt(lock.BoltThrown))
}

// S12, S13: a lock that is dead: the order fails, the failure is told, health is off within the server's three tries, and when the
// lock is back nothing is replayed.
func TestDeadLock(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	w.p.hand(t, "/deaf", url.Values{"on": {"next"}})
	from := e.Count()
	at := w.unlock(l)
	r, _ := e.Wait(t, from, "the failure", func(r lock.Report) bool { return r.What == lock.OfFailure })
	ri, _ := e.Wait(t, from, "health", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	t.Logf("failure told after %v: %v; health off after %v: %v", r.At-at, r.Err, ri.At-at, ri.Err)
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock of a dead lock: got %v, want ErrNotSent", err)
	}
	from = e.Count()
	back := w.now()
	w.p.hand(t, "/deaf", url.Values{"on": {"0"}})
	ra, _ := e.Wait(t, from, "health", well)
	t.Logf("well again %v after it was back", ra.At-back)
	from = e.Count()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "thrown", bolt(lock.BoltThrown))
	if got := w.unlocks(); got != 0 {
		t.Errorf("the lock heard %d unlocks", got)
	}
}

// S13: the stick is pulled and the server goes on answering. Nobody tells; the lock's silence does, when it is asked.
func TestStickGone(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	from := e.Count()
	gone := w.now()
	w.p.mu.Lock()
	stick := w.p.stick
	w.p.mu.Unlock()
	stick.kill()
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock without a stick: got %v, want ErrNotSent", err)
	}
	if err := l.Poll(t.Context()); err != nil && !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("poll: %v", err)
	}
	r, from := e.Wait(t, from, "health", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	t.Logf("health off %v after the stick was pulled, by one Poll: %v", r.At-gone, r.Err)
	back := w.now()
	if err := w.p.startStick(); err != nil { // its house begins anew: thrown
		t.Fatal(err)
	}
	w.p.hand(t, "/hand", url.Values{"to": {"drawn"}}) // nobody hears it
	ra, _ := e.Wait(t, from, "health", well)
	t.Logf("well again %v after the stick began to start", ra.At-back)
	for _, r := range e.Since(from) {
		if bolt(lock.BoltThrown)(r) {
			t.Errorf("thrown, as an old memory says: %+v", r)
		}
	}
	if got := w.unlocks(); got != 0 {
		t.Errorf("the lock heard %d unlocks", got)
	}
}

// The lock by its name; who worked it; smoke and CO; the server's names are the operator's.
func TestWhoAndSmoke(t *testing.T) {
	w := newWorld(t)
	_, e := start(t, w)
	notify := func(node, kind, event, user string) {
		w.p.hand(t, "/notify", url.Values{"node": {node}, "type": {kind}, "event": {event}, "user": {user}})
	}
	notify("2", "6", "5", "") // keypad lock by nobody in particular
	for _, c := range []struct {
		event string
		bolt  lock.Bolt
		by    lock.By
	}{{"6", lock.BoltDrawn, lock.ByUnknown}, {"2", lock.BoltDrawn, lock.ByInside}, {"4", lock.BoltDrawn, lock.ByRemote}, {"11", lock.BoltJammed, lock.ByUnknown}} {
		from := e.Count()
		notify("2", "6", c.event, "")
		r, _ := e.Wait(t, from, "event "+c.event, func(r lock.Report) bool { return r.What == lock.OfBolt && !r.Solicited })
		if r.Bolt != c.bolt || r.By != c.by {
			t.Errorf("event %s: got bolt %d by %d, want %d by %d", c.event, r.Bolt, r.By, c.bolt, c.by)
		}
	}
	smoke := func(ok bool) func(lock.Report) bool {
		return func(r lock.Report) bool { return r.What == lock.OfSmoke && r.OK == ok }
	}
	from := e.Count()
	for tries := 0; !slices.ContainsFunc(e.Since(from), smoke(false)); tries++ { // a server that has just started may not know node 4 yet
		if tries == 60 {
			t.Fatalf("smoke was never reported; reported since: %+v", e.Since(from))
		}
		notify("4", "1", "2", "")
		time.Sleep(500 * time.Millisecond)
	}
	_, from = e.Wait(t, from, "smoke", smoke(false))
	notify("4", "2", "2", "")
	_, from = e.Wait(t, from, "CO", smoke(false))
	notify("4", "1", "0", "")
	_, from = e.Wait(t, from, "smoke gone, CO not", smoke(false))
	notify("4", "2", "0", "")
	e.Wait(t, from, "all clear", smoke(true))
}

// S11: smoke that begins, and ends, while the real server cannot be reached is told on the next connection, before the sensor speaks again.
func TestSmokeOnAnotherConnection(t *testing.T) {
	w := newWorld(t)
	_, e := start(t, w)
	smoke := func(ok bool) func(lock.Report) bool {
		return func(r lock.Report) bool { return r.What == lock.OfSmoke && r.OK == ok }
	}
	says := func(event string) {
		w.p.hand(t, "/notify", url.Values{"node": {"4"}, "type": {"1"}, "event": {event}, "user": {""}})
	}
	from := e.Count()
	for tries := 0; !slices.ContainsFunc(e.Since(from), smoke(false)); tries++ { // a server that has just started may not know node 4 yet
		if tries == 60 {
			t.Fatalf("smoke was never reported; reported since: %+v", e.Since(from))
		}
		says("2")
		time.Sleep(500 * time.Millisecond)
	}
	direct := w.settings()
	direct.URL = "ws://" + w.p.addr
	_, beside := open(t, w.now, direct) // another hub, whose path is never cut, tells when the server has heard
	beside.Wait(t, 0, "smoke, at another hub's start", smoke(false))
	for _, c := range []struct {
		event string
		ok    bool
	}{{"0", true}, {"2", false}, {"0", true}} {
		from = e.Count()
		w.Path(false)
		_, from = e.Wait(t, from, "cut", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
		heard := beside.Count()
		says(c.event)
		beside.Wait(t, heard, "smoke, beside", smoke(c.ok))
		w.Path(true)
		r, _ := e.Wait(t, from, "smoke", func(r lock.Report) bool { return r.What == lock.OfSmoke })
		if r.OK != c.ok {
			t.Errorf("event %s while away: first word of smoke is %v, want %v", c.event, r.OK, c.ok)
		}
	}
}

// TestUnknownNode: the health names what there is.
func TestUnknownNode(t *testing.T) {
	w := newWorld(t)
	s := w.settings()
	s.Lock = "front"
	_, e := open(t, w.now, s)
	r, _ := e.Wait(t, 0, "the reason", ill(`no node named "front"`))
	if !strings.Contains(r.Err.Error(), "2, 3, 4") {
		t.Errorf("got %q, want it to list the nodes", r.Err)
	}
	s.Lock, s.Contact = "3", "2"
	_, e = open(t, w.now, s)
	e.Wait(t, 0, "the reason", ill("no Door Lock command class"))
}

// A peer that is killed and restarted in each state of a visit: what is told, and after what time. The hub goes by these reports.
func TestKilledInEachState(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts the peer six times")
	}
	for _, state := range []struct {
		name  string
		reach func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears)
		want  lock.Bolt // where the bolt is when the peer is back
	}{
		{"waiting at the door, bolted", func(*testing.T, *world, lock.Lock, *locktest.Ears) {}, lock.BoltThrown},
		{"unlocked, the order's effect not told yet", func(t *testing.T, w *world, l lock.Lock, _ *locktest.Ears) {
			w.unlock(l)
			w.until("the order at the lock", func() bool { return w.unlocks() > 0 })
		}, lock.BoltDrawn},
		{"door open, bolt drawn", func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
			from := e.Count()
			w.unlock(l)
			e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
			w.Door(true)
			e.Wait(t, from, "open", func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == lock.DoorOpen })
		}, lock.BoltDrawn},
		{"door closed, Lock sent, nothing told yet", func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
			from := e.Count()
			w.unlock(l)
			e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
			w.until("drawn", func() bool { b, _ := w.Truth(); return b == lock.BoltDrawn })
			heard := len(w.Wire())
			if err := l.Lock(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.until("the Lock at the lock", func() bool { return len(w.Wire()) > heard })
		}, lock.BoltThrown},
		{"secured, in the tail", func(t *testing.T, w *world, l lock.Lock, e *locktest.Ears) {
			from := e.Count()
			w.unlock(l)
			_, from = e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
			w.until("drawn", func() bool { b, _ := w.Truth(); return b == lock.BoltDrawn })
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
			from, killed := e.Count(), w.now()
			orders := w.unlocks()
			w.Peer(false)
			off, from := e.Wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
			if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock without a server: got %v, want ErrNotSent", err)
			}
			back := w.now()
			w.Peer(true)
			listening := w.now()
			on, _ := e.Wait(t, from, "health", well)
			told, _ := e.Wait(t, from, "the bolt, as asked", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown })
			t.Logf("%s: health off and bolt unknown %v after the kill; the server listens %v after its start; well %v after that, the bolt is told %v after that",
				state.name, off.At-killed, listening-back, on.At-listening, told.At-listening)
			if told.Bolt != state.want || !told.Solicited {
				t.Errorf("first word of the bolt: got %+v, want bolt %d, as asked", told, state.want)
			}
			if got := w.unlocks(); got != orders {
				t.Errorf("the restart repeated an unlock: %d heard, %d before", got, orders)
			}
		})
	}
}

// S12: the stick hangs with an order in its cable, and wakes after the order's time. What it does then is the stick's: the lock draws
// late, or not at all, and is reported. An order on a stick that hung before is not sent at all.
func TestStickHangs(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	w.p.mu.Lock()
	stick := w.p.stick.c.Process
	w.p.mu.Unlock()
	if err := stick.Signal(stop); err != nil {
		t.Skipf("a process cannot be stopped here: %v", err)
	}
	err := l.Unlock(t.Context(), w.order())
	time.Sleep(1200 * time.Millisecond)
	if e := stick.Signal(goOn); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock on a stick that hangs: got %v, want ErrNotSent", err)
	}
	from := e.Count()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "the bolt", bolt(lock.BoltThrown))
	if got := w.unlocks(); got != 0 {
		t.Errorf("the lock heard %d unlocks", got)
	}
}
