package sim

import (
	"time"

	"eyebolt/hub"
	"eyebolt/interlock"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// The judges of this file hold the hub to its times: what must have followed by when, in the town's own clock.

// slack is what is allowed beyond a bound: the core's tick, and the step that carries out what it says.
const slack = 120 * time.Millisecond

// phaseLimits are the published limits (S8) of docs/SAFETY.md.
var phaseLimits = map[string]time.Duration{
	interlock.Arming.String():    300 * time.Second,
	interlock.Held.String():      300 * time.Second,
	interlock.Ready.String():     300 * time.Second,
	interlock.Deciding.String():  time.Second,
	interlock.Unlocking.String(): 5 * time.Second,
	interlock.Unlocked.String():  30 * time.Second,
	interlock.Opened.String():    120 * time.Second,
	interlock.Closing.String():   10 * time.Second,
	interlock.Secured.String():   60 * time.Second,
	interlock.Tail.String():      30 * time.Second,
	interlock.Unproven.String():  30 * time.Second,
}

// undisturbed says whether the hub has run without a break since then.
func (o *outside) undisturbed(h *home, since time.Duration) bool {
	return h.up && !h.stalled && o.disturbed < since
}

// darkens plans what must have followed on the end of the pictures (S6): lagging within A1 of the newest one's own time and lost within
// A2, the bolt of a closed door ordered out with the first, the alarm with the second, and the household told within a second of that.
func (o *outside) darkens(h *home, e *eye) {
	t := h.t
	last, from := e.last, e.blind.from
	same := func() bool {
		return !h.outside.back && e.dark && e.blind.from == from && h.outside.undisturbed(h, from-3*time.Second) && !h.disk.failing(h, diskStuck)
	}
	t.q.push(max(last+e.a1+slack, t.now), func() {
		o := &h.outside
		if !same() {
			return
		}
		if e.said == liveness.Live {
			t.broke(h, "S6", "%v after the newest picture the watch is still called live", t.now-last)
		}
		d, b := o.doorSays, o.boltSays
		shut := d.ok && d.is == lock.DoorClosed && d.at < t.now-slack
		if o.exposed && o.unlockAt < t.now-slack && shut && o.lockAt < last && !(o.lockAt > o.unlockAt && t.now-o.lockAt < 3300*time.Millisecond) && !(b.is == lock.BoltThrown && b.at > o.unlockAt) && !o.smoke {
			t.broke(h, "S6", "%v after the newest picture no Lock has left, at a door that is closed and unlocked", t.now-last)
		}
	})
	t.q.push(max(last+a2+slack, t.now), func() {
		o := &h.outside
		if !same() {
			return
		}
		if !lapse(e.said) {
			t.broke(h, "S6", "%v after the newest picture it is not called lost", t.now-last)
		}
		if !o.exposed || o.unlockAt > last {
			return
		}
		if o.alarmAt < last && o.view.Alarm == "" {
			t.broke(h, "S6", "%v after the newest picture nobody is alarmed, and the door is not secured", t.now-last)
		}
		alarm := o.alarmAt
		t.after(time.Second, func() {
			o := &h.outside
			if h.plan.Rough || h.post.down || !t.service.up || !o.undisturbed(h, from-3*time.Second) || h.disk.failing(h, diskStuck) {
				return
			}
			if o.downAt < alarm-5*time.Second && o.toldAt < alarm && alarm > 0 && h.visits.view.Alarm == "" {
				t.broke(h, "S6", "a second after the alarm the service has not stored it")
			}
		})
	})
}

// deceives plans what must have followed on pictures that were shown before: with coded pictures, the first repeated ones convict.
func (o *outside) deceives(h *home, e *eye) {
	from, kind := e.blind.from, e.blind.kind
	if !h.t.opt.Pictures || kind != "replayed" && kind != "frozen" || e.said != liveness.Live || h.t.now-o.bootAt < 20*time.Second {
		return
	}
	h.t.after(4*time.Second, func() {
		if e.blind.from == from && e.blind.kind == kind && h.outside.undisturbed(h, from-3*time.Second) && !lapse(e.said) {
			h.t.broke(h, "S6", "pictures that were shown before come for %v, and the watch is called %v", h.t.now-from, hub.WatchWord(e.said))
		}
	})
}

// after is what holds at every moment: no phase outlasts its limit without an alarm (S8), and no picture that is late is called live (S6).
func (o *outside) after(h *home) {
	now := h.t.now
	if !h.up || h.stalled {
		return
	}
	if o.limit > 0 && now-o.phaseAt > o.limit+2*time.Second && o.view.Alarm == "" && o.overAt != o.phaseAt && o.undisturbed(h, o.phaseAt) {
		if o.view.Phase == interlock.Tail.String() && !o.view.Secured {
			return
		}
		o.overAt = o.phaseAt
		h.t.broke(h, "S8", "%s for %v, and nobody is alarmed", o.view.Phase, now-o.phaseAt)
	}
	if e := h.eyes[0]; !e.dark && e.age(h) > e.a1+slack && e.said == liveness.Live {
		if o.lateFrom == 0 {
			o.lateFrom = now
		}
		if now-o.lateFrom > slack+2*period && o.undisturbed(h, o.lateFrom-time.Second) {
			h.t.broke(h, "S6", "the newest picture is %v old and called live", e.age(h))
			o.lateFrom = now + time.Hour
		}
	} else {
		o.lateFrom = 0
	}
}

// swings notes that the leaf has opened in truth: after secured that is an alarm within a second, whoever it was, unless a resident's
// key did it (S10).
func (o *outside) swings(h *home) {
	phase := o.view.Phase
	if phase != interlock.Tail.String() || h.contact.magnet || h.radio.down || !h.up || h.stalled {
		return
	}
	c := h.visits.c
	if c == nil || c.plan.Resident == Comes || !o.view.Released {
		return // until he has signed that he is out, an opening from inside is a recorded exit (S19)
	}
	at, boot, visit := h.t.now, h.boot, o.view.Visit
	h.t.after(1200*time.Millisecond, func() {
		o := &h.outside
		if h.boot != boot || !o.undisturbed(h, at-time.Second) || h.radio.down || o.radioAt > at-2*time.Second {
			return
		}
		if o.alarmAt < at-10*time.Second && o.view.Alarm == "" {
			h.t.broke(h, "S10", "the door opened in the tail of %s, and nobody is alarmed", visit)
		}
	})
}

// lateEffect is S12: a bolt that is reported drawn by radio behind a door that was proven secured is bolted again in that step, and alarmed.
func (o *outside) lateEffect(h *home, r lock.Report, was said[lock.Bolt], effects []hub.Effect) {
	p := o.before_.Phase
	if r.What != lock.OfBolt || r.Bolt != lock.BoltDrawn || r.By != lock.ByRemote || was.is == lock.BoltDrawn && was.ok {
		return
	}
	if d := o.doorSays; p == interlock.Unproven.String() && d.ok && d.is == lock.DoorClosed && !o.smoke && o.lockAt != h.t.now {
		h.t.broke(h, "S12", "an unlock takes effect after it was given up, and is not bolted at once")
	}
	if was.is != lock.BoltThrown {
		return
	}
	if p != interlock.Secured.String() && p != interlock.Tail.String() || o.doorSays.is != lock.DoorClosed || h.t.now-was.at > 12*time.Second {
		return
	}
	if !has[hub.Lock](effects) && !o.smoke {
		h.t.broke(h, "S12", "a bolt that drew by itself is not thrown again at once")
	}
	if o.alarmAt != h.t.now && o.view.Alarm == "" {
		h.t.broke(h, "S12", "a bolt drew by itself, and nobody is alarmed")
	}
}
