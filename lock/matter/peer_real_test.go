package matter_test

import (
	"errors"
	"net/url"
	"slices"
	"syscall"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/matter"
)

// start opens a driver on the peer's house, through a relay, and waits until it knows the bolt.
func start(t testing.TB, w *world) (lock.Lock, *locktest.Ears, *relay) {
	t.Helper()
	r := newRelay(t, w.p.addr)
	s := w.settings()
	s.URL = r.url
	l, e := open(t, w.now, s)
	e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	return l, e, r
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

func (w *world) signal(k *program, s syscall.Signal) {
	w.t.Helper()
	if err := k.c.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}

func failed(r lock.Report) bool { return r.What == lock.OfFailure }

func known(r lock.Report) bool { return r.What == lock.OfBolt && r.Solicited }

// How long a Lock takes to the lock, and to the report that says thrown. The virtual bolt travels 200 ms.
func TestLatency(t *testing.T) {
	w := newWorld(t)
	l, e, _ := start(t, w)
	n := 20
	if testing.Short() {
		n = 3
	}
	var drawing, air, report []time.Duration
	for range n {
		from := e.Count()
		given := w.unlock(l)
		d, _ := e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
		drawing = append(drawing, d.At-given)
		from = e.Count()
		before := len(w.Wire())
		at := w.now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, _ := e.Wait(t, from, "thrown", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.At-r.Age > at })
		report = append(report, r.At-at)
		air = append(air, w.Wire()[before].At-at)
	}
	for _, x := range []struct {
		what string
		took []time.Duration
	}{{"Unlock to the report drawn", drawing}, {"Lock to the lock", air}, {"Lock to the report thrown", report}} {
		slices.Sort(x.took)
		t.Logf("%s: n %d, median %v, p99 %v, max %v", x.what, n, x.took[n/2], x.took[n*99/100], x.took[n-1])
	}
}

// S12, the hazard of this server: left to itself it carries an order out when a lock that was out of reach comes back. Here the lock is
// jammed for six seconds between its proof and the order, which is on its way. It must not draw, then or later, and the failure is told.
func TestJammedAfterTheProof(t *testing.T) {
	w := newWorld(t)
	l, e, r := start(t, w)
	r.next("UnlockDoor", func() { w.signal(w.p.house, stop) }, nil)
	from := e.Count()
	at := w.unlock(l)
	f, _ := e.Wait(t, from, "the failure", failed)
	t.Logf("failure told after %v: %v", f.At-at, f.Err)
	time.Sleep(time.Until(w.start.Add(at + 6*time.Second)))
	from = e.Count()
	w.signal(w.p.house, goOn)
	e.Wait(t, from, "the lock's answer", known)
	e.Wait(t, 0, "health", well)
	time.Sleep(3 * time.Second) // whatever still waits in the server comes to a lock that is back
	if got := w.unlocks(); got != 0 {
		t.Errorf("S12: the lock heard %d unlocks, the first %v after the order", got, w.Wire()[0].At-at)
	}
	if b, _ := w.Truth(); b != lock.BoltThrown {
		t.Errorf("S12: the bolt is %d", b)
	}
}

// S12, the hazard again: the lock loses its power between its proof and the order, and gets it back.
func TestUnpoweredAfterTheProof(t *testing.T) {
	w := newWorld(t)
	l, e, r := start(t, w)
	r.next("UnlockDoor", w.p.house.kill, nil)
	from := e.Count()
	at := w.unlock(l)
	if _, err := w.p.startHouse("thrown"); err != nil {
		t.Fatal(err)
	}
	back := w.now()
	f, _ := e.Wait(t, from, "the failure", failed)
	t.Logf("failure told after %v: %v", f.At-at, f.Err)
	ill, from := e.Wait(t, from, "health", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	t.Logf("health off after %v: %v", ill.At-at, ill.Err)
	ok, _ := e.Wait(t, from, "health", well)
	t.Logf("well again %v after the lock had power", ok.At-back)
	time.Sleep(3 * time.Second)
	if got := w.unlocks(); got != 0 {
		t.Errorf("S12: the lock heard %d unlocks", got)
	}
}

// S12: what remains: the server itself stands still with the order before it. Nobody can take it back, so it is told as a failure at
// once, bolt and health are unknown, no other order leaves, and the late effect is seen.
func TestServerStandsStillWithTheOrder(t *testing.T) {
	w := newWorld(t)
	l, e, r := start(t, w)
	r.next("UnlockDoor", func() { w.signal(w.p.server, stop) }, nil)
	from := e.Count()
	at := w.unlock(l)
	f, _ := e.Wait(t, from, "the failure", failed)
	u, _ := e.Wait(t, from, "bolt unknown", bolt(lock.BoltUnknown))
	i, from := e.Wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	t.Logf("failure told after %v, unknown after %v, health off after %v: %v", f.At-at, u.At-at, i.At-at, i.Err)
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("another order: got %v, want ErrNotSent", err)
	}
	time.Sleep(time.Until(w.start.Add(at + 5*time.Second)))
	w.signal(w.p.server, goOn)
	d, _ := e.Wait(t, from, "the lock's own word", known)
	t.Logf("told %v after the order: bolt %d; the lock heard %d unlocks", d.At-at, d.Bolt, w.unlocks())
	if w.unlocks() == 1 { // it may also have been lost with the connection
		e.Wait(t, from, "the late effect", bolt(lock.BoltDrawn))
	}
	ok, _ := e.Wait(t, from, "health", well)
	t.Logf("well again %v after the order", ok.At-at)
	if got := w.unlocks(); got > 1 {
		t.Errorf("S12: the lock heard %d unlocks", got)
	}
}

// S12, S13: the server is killed in each state of a visit, and starts again with what it remembers. Nothing is sent twice or later; what
// is told is what the lock says.
func TestKilledInEachState(t *testing.T) {
	for _, c := range []struct {
		state string
		word  string // of the message at which the server dies
		late  bool   // after it was passed on
		lock  bool   // it is a Lock's
	}{
		{"before the proof", "read_attribute", false, false},
		{"with the proof", "read_attribute", true, false},
		{"before the order", "UnlockDoor", false, false},
		{"with the order", "UnlockDoor", true, false},
		{"with the Lock", "LockDoor", true, true},
	} {
		t.Run(c.state, func(t *testing.T) {
			w := newWorld(t)
			l, e, r := start(t, w)
			if c.lock {
				w.unlock(l)
				e.Wait(t, 0, "drawn", bolt(lock.BoltDrawn))
			}
			w.p.mu.Lock()
			server := w.p.server
			w.p.mu.Unlock()
			if c.late {
				r.next(c.word, nil, server.kill)
			} else {
				r.next(c.word, server.kill, nil)
			}
			from := e.Count()
			var err error
			switch {
			case c.lock:
				err = l.Lock(t.Context())
			case c.word == "UnlockDoor":
				w.unlock(l)
			default:
				err = l.Unlock(t.Context(), w.order())
			}
			e.Wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
			<-server.done
			heard := w.unlocks()
			if errors.Is(err, lock.ErrNotSent) && heard > 0 {
				t.Errorf("S12: said %v, but the lock heard it", err)
			}
			from = e.Count()
			back := w.now()
			if err := w.p.startServer(); err != nil {
				t.Fatal(err)
			}
			k, _ := e.Wait(t, from, "the lock's answer", known)
			truth, _ := w.Truth()
			if k.Bolt != truth {
				t.Errorf("S13: told bolt %d, it is %d", k.Bolt, truth)
			}
			ok, _ := e.Wait(t, from, "health", well)
			t.Logf("%v; the lock heard %d unlocks; well again %v after the server began to start", err, heard, ok.At-back)
			time.Sleep(2 * time.Second)
			if got := w.unlocks(); got != heard {
				t.Errorf("S12: an unlock came after the restart: %d, before %d", got, heard)
			}
		})
	}
}

// S13: the lock has no power, and nobody says so: the lock's silence does, when it is asked. Back again, it is asked until it answers.
func TestUnpoweredLock(t *testing.T) {
	w := newWorld(t)
	l, e, _ := start(t, w)
	from := e.Count()
	gone := w.now()
	w.p.house.kill()
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock of a lock without power: got %v, want ErrNotSent", err)
	}
	if err := l.Poll(t.Context()); err != nil && !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("poll: %v", err)
	}
	r, from := e.Wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	t.Logf("health off %v after the lock lost its power, by one Poll: %v", r.At-gone, r.Err)
	for range 5 {
		_ = l.Lock(t.Context())
	}
	if _, err := w.p.startHouse("drawn"); err != nil { // somebody turned its knob meanwhile
		t.Fatal(err)
	}
	back := w.now()
	ok, _ := e.Wait(t, from, "health", well)
	t.Logf("well again %v after the lock had power", ok.At-back)
	for _, r := range e.Since(from) {
		if bolt(lock.BoltThrown)(r) && r.At < back {
			t.Errorf("S13: thrown, as an old memory says: %+v", r)
		}
	}
	if got := w.unlocks(); got != 0 {
		t.Errorf("the lock heard %d unlocks", got)
	}
	if got := len(w.Wire()); got > 3 {
		t.Errorf("S11: the lock heard %d late Locks", got)
	}
}

// The devices by name; who worked the bolt; smoke and CO.
func TestNamesWhoAndSmoke(t *testing.T) {
	w := newWorld(t)
	s := w.settings()
	s.Lock, s.Contact, s.Smoke, s.DoorSense = "Front lock", "Front lock", "Front lock", true
	_, e := open(t, w.now, s)
	e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "door", func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == lock.DoorClosed })
	_, from := e.Wait(t, 0, "health", well)
	for _, c := range []struct {
		name, data string
		by         lock.By
		who        string
	}{
		{"a keypad, by user 3", `{"lockOperationType":1,"operationSource":3,"userIndex":3,"fabricIndex":null,"sourceNode":null,"credentials":null}`, lock.ByResident, "user 3"},
		{"a keypad, by nobody in particular", `{"lockOperationType":1,"operationSource":3,"userIndex":null,"fabricIndex":null,"sourceNode":null,"credentials":null}`, lock.ByUnknown, ""},
		{"a hand", `{"lockOperationType":1,"operationSource":1,"userIndex":null,"fabricIndex":null,"sourceNode":null,"credentials":null}`, lock.ByInside, ""},
		{"by itself", `{"lockOperationType":4,"operationSource":4,"userIndex":null,"fabricIndex":null,"sourceNode":null,"credentials":null}`, lock.ByItself, ""},
	} {
		w.p.hand(t, "/event", url.Values{"name": {"lockOperation"}, "data": {c.data}})
		r, next := e.Wait(t, from, c.name, func(r lock.Report) bool { return bolt(lock.BoltDrawn)(r) && !r.Solicited })
		if r.By != c.by || r.Who != c.who {
			t.Errorf("%s: got %d %q", c.name, r.By, r.Who)
		}
		_, from = e.Wait(t, next, "thrown, as the lock says", bolt(lock.BoltThrown))
	}
	smoke := func(ok bool) func(lock.Report) bool {
		return func(r lock.Report) bool { return r.What == lock.OfSmoke && r.OK == ok }
	}
	for _, c := range []struct {
		smoke, co string
		ok        bool
	}{{"2", "0", false}, {"0", "0", true}, {"0", "1", false}, {"0", "0", true}} {
		w.p.hand(t, "/smoke", url.Values{"smoke": {c.smoke}, "co": {c.co}})
		_, from = e.Wait(t, from, "smoke "+c.smoke+", CO "+c.co, smoke(c.ok))
	}
	devices, err := matter.List(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range devices {
		got = append(got, d.ID+" "+d.Name+" "+d.Make+" "+map[lock.Kind]string{lock.KindLock: "lock", lock.KindContact: "contact", lock.KindSmoke: "smoke"}[d.Kind]+d.Why)
	}
	if want := []string{"1 Front lock ACME Lock lock", "1 Front lock ACME Lock contact", "1 Front lock ACME Lock smoke"}; !slices.Equal(got, want) {
		t.Errorf("devices: got %q, want %q", got, want)
	}
}
