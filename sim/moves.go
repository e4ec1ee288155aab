package sim

import (
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// household is no attack: the residents' own condition holds the door for a while.
const household = 0

// NotSimulated are the attacks that have no move in the town, and why.
var NotSimulated = map[int]string{
	25: "there are no webhooks yet, and cameras are named in the hub's own file: nothing to aim at (see docs/SAFETY.md)",
}

// moves are the attacks, by number. Each begins something, and ends it by itself.
func moves() [31]func(h *home, c *call, m Move) {
	return [31]func(h *home, c *call, m Move){
		household: func(h *home, c *call, m Move) {
			h.visits.order(control.Wish{What: bus.AskHold, Text: "pets", On: true})
			h.t.after(m.For, func() { h.visits.order(control.Wish{What: bus.AskHold, Text: "pets"}) })
		},
		1: func(h *home, c *call, m Move) { c.temper = Thief; h.darken(m.For) },
		2: func(h *home, c *call, m Move) { h.darken(m.For) },
		3: func(h *home, c *call, m Move) {
			h.door.blocked = true
			h.t.after(m.For, func() { h.door.blocked = false })
		},
		4: func(h *home, c *call, m Move) {
			h.deceive("frozen", liveness.Frozen, 2*time.Second, 8*time.Second, 0.95, m.For)
		},
		5: replay,
		6: delay,
		7: func(h *home, c *call, m Move) {
			h.deceive("covered", liveness.Covered, 100*time.Millisecond, 4*time.Second, 0.968, m.For)
		},
		8: func(h *home, c *call, m Move) { h.darken(20*time.Second + m.For) },
		9: func(h *home, c *call, m Move) {
			if m.How%3 != 2 {
				h.unplug(m.For, "(T9)")
				return
			}
			h.stall()
			h.t.after(m.For, h.wake)
		},
		10: func(h *home, c *call, m Move) { h.cutUplink(m.For) },
		11: everything,
		12: usedAgain,
		13: forged,
		14: elsewhere,
		15: clocks,
		16: rogueService,
		17: func(h *home, c *call, m Move) {
			h.lock.way, h.lock.until = int(m.How%lockWays), h.t.now+m.For+2*time.Second
			h.lock.itself(h)
		},
		18: disks,
		19: edit,
		20: garbage,
		21: func(h *home, c *call, m Move) {
			c.stay += m.For
			h.door.propped = m.How%2 == 0
			h.t.after(m.For, func() { h.door.propped = false })
		},
		22: func(h *home, c *call, m Move) { c.plan.Resident = Ignores },
		23: func(h *home, c *call, m Move) { h.rough(m.For) },
		24: strangers,
		26: func(h *home, c *call, m Move) {
			if m.How%4 != 1 {
				h.silence(m.For)
				h.darken(m.For)
			} else { // the camera hangs on a cable that no jam reaches, and the courier takes his time
				h.silence(20*time.Second + m.For)
				c.temper = Slow
			}
			if m.How%2 == 0 {
				c.temper = Thief
			}
		},
		27: func(h *home, c *call, m Move) {
			h.contact.magnet, h.outside.alarmed, h.outside.fooled = true, true, true // what nobody can know, nobody is blamed for (T27)
			h.t.after(m.For, func() { h.contact.magnet = false; h.contact.changed(h) })
		},
		28: func(h *home, c *call, m Move) { h.slipIn(m.For) },
		29: restore,
		30: second,
	}
}

// darken stops the pictures: jammed, unplugged, flooded.
func (h *home) darken(d time.Duration) {
	e := h.eyes[0]
	if !e.dark {
		e.last = h.t.now - h.t.now%period
	}
	e.dark, e.blind = true, blindness{kind: "dark", from: h.t.now}
	e.until = max(e.until, h.t.now+d)
	h.relook()
	h.outside.darkens(h, e)
	h.t.after(d, h.lighten)
}

func (h *home) lighten() {
	e := h.eyes[0]
	if h.t.now < e.until {
		return
	}
	if e.dark {
		e.lit = h.t.now
	}
	e.dark, e.blind = false, blindness{}
	h.relook()
}

// deceive has pictures come that do not show the door. The detector finds it within its bound with the given chance, as measured in
// docs/BENCH-LIVENESS.md.
func (h *home) deceive(kind string, state liveness.State, least, most time.Duration, found float64, d time.Duration) {
	e := h.eyes[0]
	if e.dark || e.blind.kind != "" {
		return
	}
	e.blind = blindness{kind: kind, state: state, from: h.t.now}
	wait := h.t.span(least, most)
	k := h.t.tally.Undetected[kind]
	k[1]++
	if h.t.rng.Float64() < found {
		if wait < d {
			e.blind.found = h.t.now + wait
		}
	} else {
		k[0]++
		e.blind.amiss = true
	}
	h.t.tally.Undetected[kind] = k
	e.until = h.t.now + d
	h.relook()
	h.outside.deceives(h, e)
	h.t.after(d, h.lighten)
}

func replay(h *home, c *call, m Move) {
	if m.How%2 == 0 {
		h.deceive("replayed", liveness.Replayed, 1, period, 1, m.For)
		return
	}
	h.deceive("loop", liveness.Replayed, 3*time.Second, 18*time.Second, 0.917, m.For)
}

// delay makes the pictures late (T6), at once or slowly.
func delay(h *home, c *call, m Move) {
	e := h.eyes[0]
	if e.dark || e.blind.kind != "" {
		return
	}
	e.lagFrom, e.lagRate, e.lagMost = h.t.now, []float64{10, 0.1, 0.02, 0.005}[m.How%4], time.Duration(1+m.How%7)*time.Second
	e.until = h.t.now + m.For
	h.relook()
	h.t.after(m.For, func() {
		if h.t.now >= e.until {
			e.lagRate = 0
			h.relook()
		}
	})
}

// unplug takes the hub's power for a while.
func (h *home) unplug(d time.Duration, how string) {
	if !h.up {
		return
	}
	h.crash(how)
	h.t.after(max(d, 700*time.Millisecond), func() {
		if !h.up {
			h.start()
		}
	})
}

func (h *home) cutUplink(d time.Duration) {
	h.post.down = true
	h.downUntil = max(h.downUntil, h.t.now+d)
	h.t.after(d, func() {
		if h.t.now >= h.downUntil {
			h.post.down = false
		}
	})
}

// everything goes at once, or the hub's power a few seconds after the rest (T11).
func everything(h *home, c *call, m Move) {
	h.darken(m.For)
	h.cutUplink(m.For)
	h.silence(m.For)
	if m.How%2 == 0 {
		h.unplug(m.For, "(T11)")
		return
	}
	h.post.down, h.downUntil = true, max(h.downUntil, h.t.now+8*time.Second)
	h.t.after(4*time.Second, func() { h.unplug(m.For, "(T11)") })
	h.t.after(8*time.Second, func() { h.cutUplink(0) })
}

// silence jams the radio of lock and contact (T26).
func (h *home) silence(d time.Duration) {
	h.radio.down = true
	h.radio.until = max(h.radio.until, h.t.now+d)
	h.t.after(d, func() {
		if h.t.now >= h.radio.until {
			h.radio.down = false
			h.contact.changed(h)
		}
	})
}

func (h *home) rough(d time.Duration) {
	was := h.plan.Rough
	h.plan.Rough = true
	h.roughUntil = max(h.roughUntil, h.t.now+d)
	h.t.after(d, func() {
		if h.t.now >= h.roughUntil {
			h.plan.Rough = was && h.t.sc.Homes[h.side.n].Rough
		}
	})
}

// slipIn has a second person follow the courier in, and stay a while (T28).
func (h *home) slipIn(d time.Duration) {
	if !h.door.canOpen() || h.door.thief {
		return
	}
	h.swing(true)
	h.door.thief = true
	h.t.tell(h, "thief", "slips in")
	h.t.after(d, func() { h.thiefOut() })
}

// thiefOut has a thief leave by the door, unbolting it from inside if he must. It says no if somebody has thrown him out before.
func (h *home) thiefOut() bool {
	if !h.door.thief {
		return false
	}
	if h.door.thrown && !h.door.open {
		h.lock.byHand(h, false, lock.ByInside)
	}
	h.swing(true)
	h.door.thief = false
	h.t.after(time.Second, func() { h.swing(false) })
	return true
}

// itself has the lock throw its bolt by itself now and then.
func (l *lockdev) itself(h *home) {
	if !l.failing(h, lockItself) {
		return
	}
	h.t.after(h.t.span(500*time.Millisecond, 8*time.Second), func() {
		if l.failing(h, lockItself) && !h.door.thrown {
			h.door.thrown = true
			h.t.tell(h, "lock", "locks by itself%s", pick(h.door.open, ", into the air", ""))
			h.moved()
			l.say(h, lock.ByItself, false)
		}
		l.itself(h)
	})
}

// disks fail (T18).
func disks(h *home, c *call, m Move) {
	switch way := m.How % (diskWays + 2); way {
	case diskWays:
		h.cutNext = true
		h.t.after(max(m.For, time.Second), func() {
			h.cutNext = false
			if !h.up {
				h.start()
			}
		})
	case diskWays + 1:
		h.unplug(m.For, "(T18)")
	default:
		h.disk.way, h.disk.until = int(way), h.t.now+m.For
	}
}

// restore puts the hub's disk back to an earlier day (T29). Later the household raises the epoch, as docs/OPERATING.md says; the service
// keeps what it holds of the old record, and takes no other.
func restore(h *home, c *call, m Move) {
	n := len(h.disk.entries)
	if !h.up || n < 30 {
		return
	}
	h.crash("and its disk is put back to an earlier day")
	h.disk.cutBack(25 + int(m.How)%(n-25))
	h.outside.restored(h)
	h.visits.ending = true
	h.t.after(max(m.For, 2*time.Second), func() {
		if !h.up {
			h.start()
		}
	})
	if chain := slices.Clone(c.chain); len(chain) > 0 {
		h.t.after(max(m.For, 2*time.Second)+25*time.Second, func() {
			if h.up && h.outside.lostHeld(h) && h.outside.beatAt > 0 && h.outside.view.Visit == "" {
				h.refused("T29", bus.Ask{What: bus.AskArrive, GrantID: c.delivery.Grant, Grant: chain, Parcel: "P1"})
			}
		})
	}
	h.t.after(3*time.Minute, func() {
		h.visits.c, h.visits.over = nil, true
	})
}

// calm ends every fault: between visits the world is well.
func (h *home) calm() {
	h.door.blocked, h.door.propped, h.door.thief = false, false, false
	if h.contact.magnet {
		h.contact.magnet = false
		h.contact.changed(h)
	}
	h.lock.until = min(h.lock.until, h.t.now)
	h.disk.until = min(h.disk.until, h.t.now)
	h.downUntil, h.roughUntil = 0, 0
	h.post.down = false
	h.plan.Rough = h.t.sc.Homes[h.side.n].Rough
	if h.radio.down {
		h.radio.down, h.radio.until = false, 0
		h.contact.changed(h)
	}
	if e := h.eyes[0]; e.dark || e.blind.kind != "" || e.lagRate != 0 {
		if e.dark {
			e.lit = h.t.now
		}
		e.until, e.dark, e.blind, e.lagRate = 0, false, blindness{}, 0
		h.visits.mended = h.t.now
		h.relook()
	}
	if h.stalled {
		h.wake()
	}
	if !h.up && !h.visits.ending {
		h.start()
	}
}
