package sim

import (
	"time"

	"eyebolt/hub"
	"eyebolt/lock"
)

// How a lock fails (T17): Move.How modulo lockWays.
const (
	lockMute   = iota // it does what it is told and reports nothing
	lockDeaf          // it acknowledges and does nothing
	lockError         // the bridge answers that it was not sent, and it was not
	lockLate          // it does an unlock seconds later, whatever not-after says
	lockTwice         // it does an unlock twice: once more after a while
	lockJams          // the bolt runs against something, and that is reported
	lockShy           // the bolt runs against something, and nothing is reported
	lockItself        // it throws its bolt by itself, the door being open or not
	lockWays
)

// lockdev is the lock: what it is told goes over the radio, and what it does is physics.
type lockdev struct {
	way   int           // how it fails
	until time.Duration // it fails until then
	last  time.Duration // when its newest report is delivered: reports of one device do not overtake each other
}

func (l *lockdev) failing(h *home, way int) bool { return l.way == way && h.t.now < l.until }

// say sends the bolt's state as it is now.
func (l *lockdev) say(h *home, by lock.By, solicited bool) {
	b := lock.BoltDrawn
	if h.door.thrown {
		b = lock.BoltThrown
	}
	l.send(h, lock.Report{What: lock.OfBolt, Bolt: b, By: by, Solicited: solicited})
}

func (l *lockdev) send(h *home, r lock.Report) {
	if l.failing(h, lockMute) || h.radio.down || h.radio.lose > 0 && h.t.rng.IntN(100) < h.radio.lose {
		return
	}
	l.last = max(l.last, h.t.now+h.t.span(20*time.Millisecond, 150*time.Millisecond))
	h.t.q.push(l.last, func() { h.report(r) })
}

// order takes an order from the hub. How it ended, as far as the driver knows, comes as Carried.
func (l *lockdev) order(h *home, do string, o lock.Order, n uint32) {
	boot, notAfter := h.boot, h.bootAt+o.NotAfter
	carried := func(err error) {
		h.t.after(h.t.span(5*time.Millisecond, 40*time.Millisecond), func() {
			if h.boot == boot {
				h.take(hub.Carried{Door: doorName, Do: do, N: n, Err: err})
			}
		})
	}
	if l.failing(h, lockError) {
		carried(lock.ErrNotSent)
		return
	}
	carried(nil)
	if h.radio.down || l.failing(h, lockDeaf) {
		return
	}
	late := do == "unlock" && l.failing(h, lockLate)
	twice := do == "unlock" && l.failing(h, lockTwice)
	wait := h.t.span(20*time.Millisecond, 200*time.Millisecond)
	if late {
		wait += h.t.span(2*time.Second, 25*time.Second)
	}
	h.t.after(wait, func() {
		if do != "lock" && !late && h.t.now > notAfter {
			return // it enforces its expiry
		}
		l.move(h, do == "lock", lock.ByRemote)
	})
	if twice {
		h.t.after(wait+h.t.span(time.Second, 30*time.Second), func() {
			h.t.tell(h, "lock", "does the unlock once more")
			l.move(h, false, lock.ByRemote)
		})
	}
}

// move has the motor run.
func (l *lockdev) move(h *home, throw bool, by lock.By) {
	h.t.after(h.t.span(200*time.Millisecond, 900*time.Millisecond), func() {
		shy := l.failing(h, lockShy)
		if throw && !h.door.thrown && (h.door.blocked || shy || l.failing(h, lockJams)) {
			h.t.tell(h, "lock", "runs against something")
			if !shy && !h.plan.Dumb {
				l.send(h, lock.Report{What: lock.OfBolt, Bolt: lock.BoltJammed, By: by})
			}
			return
		}
		if h.door.thrown != throw {
			h.t.tell(h, "lock", "%s", pick(throw, pick(h.door.open, "throws the bolt into the air", "throws the bolt"), "draws the bolt"))
		}
		h.door.thrown = throw
		h.moved()
		l.say(h, by, false)
	})
}

// poll answers with what is.
func (l *lockdev) poll(h *home) {
	if h.radio.down {
		return
	}
	h.t.after(h.t.span(20*time.Millisecond, 150*time.Millisecond), func() { l.say(h, lock.ByUnknown, true) })
}

// byHand moves the bolt without any order: from inside, or with a key.
func (l *lockdev) byHand(h *home, throw bool, by lock.By) {
	if h.door.thrown == throw || throw && (h.door.blocked || h.door.open) {
		return
	}
	h.door.thrown = throw
	h.t.tell(h, "lock", "is %s by hand", pick(throw, "bolted", "unbolted"))
	h.moved()
	l.say(h, by, false)
}
