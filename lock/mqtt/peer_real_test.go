package mqtt_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
)

// startReal opens a driver on the real Zigbee2MQTT and waits until it knows the bolt.
func startReal(t testing.TB, w *peerWorld) (lock.Lock, *ears) {
	t.Helper()
	l, e := open(t, w.now, w.settings())
	e.wait(t, 0, "health", well)
	e.wait(t, 0, "bolt", bolt(lock.BoltThrown))
	return l, e
}

// mustUnlock draws the bolt; a refusal of a starved peer is asked anew.
func (w *peerWorld) mustUnlock(l lock.Lock) (at time.Duration) {
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

func (w *peerWorld) untilBolt(want lock.Bolt) {
	w.t.Helper()
	w.p.house.until(w.t, "the bolt's place", func() bool { b, _ := w.Truth(); return b == want })
}

// How long a Lock takes to the radio, to the bolt, and to the report that says thrown. The virtual bolt travels 200 ms.
func TestZigbee2MQTTLatency(t *testing.T) {
	w := newPeerWorld(t, asAsked)
	l, e := startReal(t, w)
	n := 20
	if testing.Short() {
		n = 3
	}
	var drawing, radio, report []time.Duration
	for range n {
		from := e.count()
		given := w.mustUnlock(l)
		d, _ := e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
		drawing = append(drawing, d.At-given)
		from = e.count()
		before := len(w.p.house.orders())
		at := w.now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, _ := e.wait(t, from, "thrown", bolt(lock.BoltThrown))
		report = append(report, r.At-at)
		radio = append(radio, w.p.house.orders()[before].at.Sub(w.start)-at)
		if b, _ := w.Truth(); b != lock.BoltThrown {
			t.Errorf("S9: thrown was reported and the bolt is at %d", b)
		}
	}
	for _, x := range []struct {
		what string
		took []time.Duration
	}{{"Unlock to the report drawn", drawing}, {"Lock to the lock's radio", radio}, {"Lock to the report thrown", report}} {
		slices.Sort(x.took)
		t.Logf("%s: n %d, median %v, p99 %v, max %v", x.what, n, x.took[n/2], x.took[n*99/100], x.took[n-1])
	}
}

// visitState is a moment of a visit at which something is killed.
type visitState struct {
	name  string
	reach func(t *testing.T, w *peerWorld, l lock.Lock, e *ears)
	want  lock.Bolt // where the bolt is when all is back
}

var visitStates = []visitState{
	{"waiting at the door, bolted", func(*testing.T, *peerWorld, lock.Lock, *ears) {}, lock.BoltThrown},
	{"unlocked, the order's effect not told yet", func(t *testing.T, w *peerWorld, l lock.Lock, _ *ears) {
		w.mustUnlock(l)
		w.p.house.until(t, "the order at the lock", func() bool { return w.p.house.unlocks() > 0 })
	}, lock.BoltDrawn},
	{"door open, bolt drawn", func(t *testing.T, w *peerWorld, l lock.Lock, e *ears) {
		from := e.count()
		w.mustUnlock(l)
		e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
		w.Door(true)
		e.wait(t, from, "open", func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == lock.DoorOpen })
	}, lock.BoltDrawn},
	{"door closed, Lock sent, nothing told yet", func(t *testing.T, w *peerWorld, l lock.Lock, e *ears) {
		from := e.count()
		w.mustUnlock(l)
		e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
		heard := len(w.p.house.orders())
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.p.house.until(t, "the Lock at the lock", func() bool { return len(w.p.house.orders()) > heard })
	}, lock.BoltThrown},
	{"secured, in the tail", func(t *testing.T, w *peerWorld, l lock.Lock, e *ears) {
		from := e.count()
		w.mustUnlock(l)
		_, from = e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.wait(t, from, "thrown", bolt(lock.BoltThrown))
	}, lock.BoltThrown},
}

// S12, S13: Zigbee2MQTT, or the broker, is killed and started in each state of a visit: what is told, and after what time. The hub
// goes by these reports. The first word of the bolt is an answer of the lock, and no order is repeated.
func TestZigbee2MQTTKilledInEachState(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts the peer ten times")
	}
	for _, victim := range []struct {
		name string
		kill func(*peerWorld)
		back func(*peerWorld)
	}{
		{"Zigbee2MQTT", func(w *peerWorld) { w.Peer(false) }, func(w *peerWorld) { w.Peer(true) }},
		{"the broker", func(w *peerWorld) { w.b.Halt(false) }, func(w *peerWorld) {
			if err := w.b.Resume(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		for _, state := range visitStates {
			t.Run(victim.name+": "+state.name, func(t *testing.T) {
				w := newPeerWorld(t, asAsked)
				l, e := startReal(t, w)
				state.reach(t, w, l, e)
				from, killed, orders := e.count(), w.now(), w.p.house.unlocks()
				victim.kill(w)
				off, from := e.wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
				if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
					t.Errorf("unlock without %s: got %v, want ErrNotSent", victim.name, err)
				}
				w.untilBolt(state.want) // nobody hears it
				back := w.now()
				victim.back(w)
				on, _ := e.wait(t, from, "health", well)
				told, _ := e.wait(t, from, "the bolt, as asked", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown })
				t.Logf("%s killed; %s: health off and bolt unknown %v after the kill; well %v and the bolt told %v after its start",
					victim.name, state.name, off.At-killed, on.At-back, told.At-back)
				if told.Bolt != state.want || !told.Solicited {
					t.Errorf("first word of the bolt: got %+v, want bolt %d, as asked", told, state.want)
				}
				if got := w.p.house.unlocks(); got != orders {
					t.Errorf("S12: the restart repeated an unlock: %d heard, %d before", got, orders)
				}
			})
		}
	}
}

// S12, S13: a lock without a battery: the order fails, the failure is told, a question finds it gone, and when it is back nothing is
// replayed.
func TestZigbee2MQTTDeadLock(t *testing.T) {
	w := newPeerWorld(t, asAsked)
	l, e := startReal(t, w)
	w.p.house.do(func() { w.p.house.dead = true })
	from := e.count()
	at := w.mustUnlock(l)
	r, _ := e.wait(t, from, "the failure", func(r lock.Report) bool { return r.What == lock.OfFailure })
	t.Logf("the failure is told after %v: %v", r.At-at, r.Err)
	asked := w.now()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	ri, from := e.wait(t, from, "health", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	t.Logf("health off %v after a question: %v", ri.At-asked, ri.Err)
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock of a dead lock: got %v, want ErrNotSent", err)
	}
	w.p.house.do(func() { w.p.house.dead = false })
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "health", well)
	e.wait(t, from, "thrown", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.Solicited })
	if got := w.p.house.unlocks(); got != 0 {
		t.Errorf("S12: the lock heard %d unlocks", got)
	}
}

// S12: what is retained on the broker where a stranger, or a careless automation, left it: states, and rubbish on each topic that the
// driver hears. Nothing of it is believed.
func TestZigbee2MQTTRetainedGarbage(t *testing.T) {
	w := newPeerWorld(t, asAsked)
	for _, topic := range []string{"front_lock", "front_door", "hall_smoke", "bridge/logging"} {
		t.Cleanup(func() { w.publish(topic, "", "-r", "-n") })
		for _, rubbish := range []string{
			`{"state":`, "\x00\xff", strings.Repeat("[", 20000),
			`{"state":"UNLOCK","lock_state":"unlocked","contact":true,"smoke":true,"level":"error","message":"z2m: Publish 'get' 'state' to 'front_lock' failed: 'no'"}`,
		} {
			w.publish(topic, rubbish, "-r")
		}
	}
	s := w.settings()
	s.Smoke = "hall_smoke"
	_, e := open(t, w.now, s)
	e.wait(t, 0, "health", well)
	e.wait(t, 0, "thrown", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.Solicited })
	for _, r := range e.since(0) {
		if bolt(lock.BoltDrawn)(r) || r.What == lock.OfSmoke || r.What == lock.OfFailure || (r.What == lock.OfDoor && r.Door != lock.DoorUnknown) {
			t.Errorf("S12: out of a retained message: %+v", r)
		}
	}
}

// S12: somebody left an order retained: Zigbee2MQTT carries it out when it starts. The driver cannot hinder that. It says so from the
// moment that it connects, gives no order while that is so, and tells that the bolt drew.
func TestZigbee2MQTTRetainedOrder(t *testing.T) {
	w := newPeerWorld(t, asAsked)
	l, e := startReal(t, w)
	w.publish("front_lock/set", `{"state":"UNLOCK"}`, "-r")
	t.Cleanup(func() {
		w.publish("front_lock/set", "", "-r", "-n")
		w.p.house.do(func() { w.p.house.heard = nil }) // what is not on the driver's wire is what this test is about
	})
	_, from := e.wait(t, 0, "the retained order", ill("an order is retained on zigbee2mqtt/front_lock/set"))
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	_, other := open(t, w.now, w.settings())
	other.wait(t, 0, "the retained order, by one that comes later", ill("an order is retained on zigbee2mqtt/front_lock/set"))
	w.untilBolt(lock.BoltDrawn) // it was live, too
	w.Hand(lock.BoltThrown)
	before := w.p.house.unlocks()
	w.Peer(false)
	w.Peer(true)
	e.wait(t, from, "the bolt, as asked", func(r lock.Report) bool {
		return r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown && r.Solicited && r.At > w.now()-time.Minute
	})
	t.Logf("a Zigbee2MQTT that started with a retained UNLOCK had the lock hear %d unlocks", w.p.house.unlocks()-before)
	from = e.count()
	w.publish("front_lock/set", "", "-r", "-n")
	e.wait(t, from, "well once it is removed", well)
}

// S10: who worked the bolt, as the real converters say it; smoke; the lock's own door sense.
func TestZigbee2MQTTWhoAndSmoke(t *testing.T) {
	w := newPeerWorld(t, asAsked)
	s := w.settings()
	s.Smoke = "hall_smoke"
	_, e := open(t, w.now, s)
	e.wait(t, 0, "bolt", bolt(lock.BoltThrown))
	h := w.p.house
	for _, c := range []struct {
		code, source, user int
		to                 lock.Bolt
		by                 lock.By
		who                string
	}{
		{opUnlock, sourceKeypad, 3, lock.BoltDrawn, lock.ByResident, "user 3"},
		{opManualLock, sourceManual, 0xFFFF, lock.BoltThrown, lock.ByInside, ""},
		{opUnlock, sourceRF, 0xFFFF, lock.BoltDrawn, lock.ByRemote, ""},
		{10, sourceManual, 0xFFFF, lock.BoltThrown, lock.ByItself, ""}, // auto_lock
		{9, sourceManual, 0xFFFF, lock.BoltDrawn, lock.ByUnknown, ""},  // key_unlock
	} {
		from := e.count()
		h.do(func() {
			h.bolt = c.to
			h.tellBolt(c.code, c.source, c.user)
		})
		r, _ := e.wait(t, from, "who it was", func(r lock.Report) bool { return bolt(c.to)(r) && r.By == c.by })
		if r.Who != c.who {
			t.Errorf("operation %d from %d: got %q, want %q", c.code, c.source, r.Who, c.who)
		}
	}
	for _, on := range []bool{true, false} {
		from := e.count()
		h.do(func() { h.zone(smokeIEEE, on) })
		e.wait(t, from, "smoke", func(r lock.Report) bool { return r.What == lock.OfSmoke && r.OK != on })
	}
}

// S12: Zigbee2MQTT hangs, and wakes after the order's time. An order for a bridge that does not answer is not sent at all.
func TestZigbee2MQTTHangs(t *testing.T) {
	w := newPeerWorld(t, asAsked)
	l, e := startReal(t, w)
	w.p.mu.Lock()
	z2m := w.p.z2m.c.Process
	w.p.mu.Unlock()
	if err := z2m.Signal(stop); err != nil {
		t.Skipf("a process cannot be stopped here: %v", err)
	}
	err := l.Unlock(t.Context(), w.order())
	time.Sleep(1200 * time.Millisecond) // the order's second is over
	from := e.count()
	if e := z2m.Signal(goOn); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock through a Zigbee2MQTT that hangs: got %v, want ErrNotSent", err)
	}
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "the bolt", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Solicited })
	if got := w.p.house.unlocks(); got != 0 {
		t.Errorf("S12: the lock heard %d unlocks, late", got)
	}
	if b, _ := w.Truth(); b != lock.BoltThrown {
		t.Errorf("S12: the bolt is at %d", b)
	}
	w.Lie(locktest.Honest)
}
