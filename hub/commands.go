package hub

import (
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// do turns one command of the interlock into effects and entries.
func (c *Core) do(d *door, k interlock.Command) {
	name, v := d.cfg.Name, d.visit
	switch k.Do {
	case interlock.DoLock:
		c.first = append([]Effect{Lock{Door: name, Reason: k.Reason}}, c.first...)
		d.fresh = true
		if k.Reason != d.lockWhy || d.ration.allow(c.at.Mono) {
			d.lockWhy = k.Reason
			c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
		}
	case interlock.DoUnlock:
		c.first = append(c.first, Unlock{Door: name, Order: c.order(d), N: k.N})
		d.fresh, d.lockWhy = true, interlock.NoReason
		if v != nil {
			v.ordered = true
			v.exposure.begin(c.at.Mono)
		}
		c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
	case interlock.DoRetract:
		c.first = append(c.first, Retract{Door: name, Order: c.order(d)})
		d.fresh = true
		c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
	case interlock.DoPoll:
		c.rest = append(c.rest, Poll{Door: name})
	case interlock.DoMakeNonce:
		c.newNonce(d, k.N)
	case interlock.DoWrite:
		c.decide(d, k)
	case interlock.DoSpend:
		if v != nil {
			c.mem.used[v.grantID] = true
			c.write(d, ledger.KindConfig, "spent", k.Reason, idData{ID: v.grantID})
		}
	case interlock.DoRecord:
		for i := range d.sights {
			d.sights[i].recorded = false
			if v != nil {
				c.rest = append(c.rest, Record{Door: name, Camera: d.sights[i].name, Visit: v.id})
			}
		}
		d.recorded = false
	case interlock.DoKeep:
		for i := range d.sights {
			if v != nil {
				c.rest = append(c.rest, Keep{Door: name, Camera: d.sights[i].name, Visit: v.id})
			}
		}
	case interlock.DoHold, interlock.DoRefuse:
		d.said = append(d.said, k.Reason)
		if v != nil && d.ration.allow(c.at.Mono) {
			c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
		}
	case interlock.DoLeave:
		c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
	case interlock.DoRelease:
		c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
		c.free(d)
	case interlock.DoAlarm:
		c.alarm(d, k.Reason, false)
	case interlock.DoNotice:
		c.alarm(d, k.Reason, true)
	case interlock.DoIncident:
		if v != nil && v.incident == interlock.NoReason {
			v.incident = k.Reason
			d.last = lastIncident{at: c.clock.now(c.at), visit: v.id, why: k.Reason.String()}
		}
		c.write(d, ledger.KindCommand, k.Do.String(), k.Reason, nil)
	case interlock.DoEnd:
		c.end(d, k)
	case interlock.DoNothing:
	}
}

// decide writes the decision down. Only when it is durable is anything ordered (S5).
func (c *Core) decide(d *door, k interlock.Command) {
	v := d.visit
	if v == nil {
		return // the interlock decides only in a visit; without one, nothing is written and the decision runs out
	}
	d.decided = true
	c.write(d, ledger.KindDecision, "unlock", k.Reason, decisionData{N: k.N, Grant: v.grantID, Passkey: v.passkey, Nonce: v.nonce, Count: v.count})
	c.mem.count(v.passkey, v.count)
	c.wait.decisions = append(c.wait.decisions, decision{door: d, visit: v.id, n: k.N})
}

// newNonce makes what the next slide must sign. Without randomness there is none, and so no slide.
func (c *Core) newNonce(d *door, n uint32) {
	v := d.visit
	if v == nil {
		return
	}
	v.previous, v.nonce, v.n = v.nonce, nil, n
	if b, err := c.random(32); err == nil {
		v.nonce = b
	}
}

// freeAgain is how long after a release that the disk did not take it is asked again.
const freeAgain = time.Second

// free has the courier shown his release once it is on disk: it is what he has to show for himself (S19, T18).
func (c *Core) free(d *door) {
	if v := d.visit; v != nil {
		v.freeing = c.at.Mono + freeAgain
		c.wait.releases = append(c.wait.releases, release{d, v})
	}
}

// freed says whether the courier may be shown his release.
func (d *door) freed() bool { return d.state.Released() && d.visit != nil && d.visit.freed }

// alarm tells resident, courier and service. An alarm that goes on is told again under the same ID: the service then
// tells the next person (S16). Telling does not wait for the disk.
func (c *Core) alarm(d *door, why interlock.Reason, notice bool) {
	a := d.alarm
	again := !notice && a.ID != "" && a.Reason == why.String()
	if !again {
		id, err := ulid(c.clock.now(c.at), c.cfg.Random)
		if err != nil { // an alarm is told even without randomness
			id = c.cfg.ID + "-" + d.cfg.Name + "-" + why.String() + "-" + c.clock.now(c.at).Format("20060102T150405.000000")
		}
		a = bus.Alarm{ID: id, Hub: c.cfg.ID, Door: d.cfg.Name, Reason: why.String(), Text: d.toResident(why), At: c.clock.now(c.at), Notice: notice}
		if d.visit != nil {
			a.Visit = d.visit.id
		}
	}
	if !notice {
		d.alarm = a
	}
	c.mem.alarm(a)
	if !again || d.ration.allow(c.at.Mono) {
		word := interlock.DoAlarm
		if notice {
			word = interlock.DoNotice
		}
		c.write(d, ledger.KindCommand, word.String(), why, alarmData{Alarm: a})
	}
	c.rest = append(c.rest, Alarm{Alarm: a})
}

// end closes the visit's account.
func (c *Core) end(d *door, k interlock.Command) {
	v := d.visit
	if v == nil {
		return
	}
	c.unhealed(d)
	if d.gap.open {
		c.closeGap(d, c.at.Mono, true)
	}
	gaps, total := v.gaps, tenths(v.unwatched)
	c.write(d, ledger.KindVisit, ledger.WordEnded, k.Reason, c.visitData(v, k.Outcome, total))
	if k.Outcome == interlock.Incident && len(d.incidents) < maxIncidents {
		d.incidents = append(d.incidents, bus.Incident{Visit: v.id, Reason: k.Reason.String(), Text: d.toResident(k.Reason), Gaps: gaps, Total: total})
	}
	if d.last.visit == v.id {
		d.last.total = total
	}
	d.visit = nil
}

func (c *Core) visitData(v *visit, o interlock.Outcome, gap float64) ledger.VisitData {
	g := v.grant
	k := ledger.VisitData{Household: c.mem.household, Carrier: g.Delivery.Carrier, Courier: g.Courier.ID, CourierName: g.Courier.Name, Grant: v.grantID, GapSeconds: gap}
	if o != interlock.NotEnded {
		k.Outcome = outcomeWord(o)
	}
	return k
}

// account follows what a step changed: the timeline, when the door was exposed, and what "I am out" is signed over.
func (c *Core) account(d *door, was interlock.Phase) {
	v, now := d.visit, d.state.Phase()
	if v == nil {
		return
	}
	if v.ordered {
		if d.state.Secured() {
			v.exposure.end(c.at.Mono)
		} else {
			v.exposure.begin(c.at.Mono)
		}
	}
	if now != was {
		if d.worth(c.at.Mono) {
			c.write(d, ledger.KindFact, now.String(), d.state.Why(), nil)
		}
		if now == interlock.Opened {
			v.out, v.outDone = nil, false
		}
	}
	if now >= interlock.Closing && v.out == nil && d.state.Door() == interlock.DoorClosed {
		v.out, _ = c.random(32) // without randomness there is no "I am out": the visit then ends in alarm, not released
	}
}

// ms is d in whole milliseconds, as the interlock counts, never below 0.
func ms(d time.Duration) interlock.Millis {
	return interlock.Millis(min(max(0, d.Milliseconds()), 1<<32-1))
}
