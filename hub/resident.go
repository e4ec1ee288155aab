package hub

import (
	"slices"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// askBlock takes a block. It always wins (S4): no unlock is commanded from this step on. Orders are numbered by the service;
// one that a newer unblock has overtaken on the way is old and changes nothing (T23), and while the numbers differ nothing
// opens anyway (S1).
func (c *Core) askBlock(d *door, a bus.Ask) {
	if a.Count != 0 && a.Count < d.unblocked {
		c.answerAsk(a.ID, superseded())
		return
	}
	c.block(d, a.By, a.Count)
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

func (c *Core) block(d *door, by string, count uint64) {
	d.blocks = max(d.blocks, count)
	c.step(d, interlock.Fact{Kind: interlock.Block})
	c.write(d, ledger.KindConfig, "block", interlock.ResidentAsked, orderData{By: by, Count: count})
}

// nearStep is how far a block from the home's own network moves the number of the newest order on. The service numbers its orders
// one by one: whatever it gave before it heard of this block, and may still deliver, has a lower number and lifts nothing (T23). A
// resident who sees this block in the app and lifts it gives a higher one.
const nearStep = 1 << 10

// pressed takes a block from the home's own network (S4). One that is pressed again and again on a blocked door is written down no
// oftener than what strangers cause: it fills no disk. It is not among the remembered asks, which it must not push out.
func (c *Core) pressed(in Pressed) {
	d := c.index[in.Door]
	if d == nil {
		c.answer(in.Ref, refusal(interlock.WrongDoor))
		return
	}
	if d.state.Blocked() && !d.nearRation.allow(c.at.Mono) {
		d.blocks += nearStep // an unblock of before lifts this one neither; a restart forgets the number, never the block
		c.answer(in.Ref, bus.AskReply{OK: true})
		return
	}
	c.block(d, tidy(in.By), d.blocks+nearStep)
	if len(c.waits) >= maxWaits {
		c.answer(in.Ref, refusal(interlock.LedgerSlow))
		return
	}
	c.wait.answers = append(c.wait.answers, answerLater{ask: &asked{waiting: []uint64{in.Ref}}, reply: bus.AskReply{OK: true}})
}

// askUnblock lifts a block if it is newer than every order that was taken.
func (c *Core) askUnblock(d *door, a bus.Ask) {
	if a.Count <= d.blocks {
		c.answerAsk(a.ID, superseded())
		return
	}
	d.blocks, d.unblocked = a.Count, a.Count
	c.write(d, ledger.KindConfig, "unblock", interlock.ResidentAsked, orderData{By: a.By, Count: a.Count})
	c.step(d, interlock.Fact{Kind: interlock.Unblock})
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

func superseded() bus.AskReply {
	return bus.AskReply{Reason: interlock.Blocked.String(), Sentence: "A newer order for this door was taken before. Look at the door's state and ask again."}
}

// askLock throws the bolt.
func (c *Core) askLock(d *door, a bus.Ask) {
	c.step(d, interlock.Fact{Kind: interlock.LockNow})
	r := d.spoken()
	for _, e := range c.first {
		if k, ok := e.(Lock); ok && k.Door == d.cfg.Name {
			r = bus.AskReply{OK: true}
		}
	}
	c.write(d, ledger.KindFact, "lock-asked", interlock.ResidentAsked, orderData{By: a.By})
	c.answerAsk(a.ID, r)
}

// askLeave sends the courier out.
func (c *Core) askLeave(d *door, a bus.Ask) {
	if !d.state.Visit() {
		c.answerAsk(a.ID, refusal(interlock.NoVisit))
		return
	}
	c.write(d, ledger.KindFact, "leave-asked", interlock.ResidentAsked, orderData{By: a.By})
	c.step(d, interlock.Fact{Kind: interlock.LeaveNow})
	c.answerAsk(a.ID, bus.AskReply{OK: true})
}

// askAck ends the standing alarm, if it is one of those that the resident has seen: an order that comes late ends no alarm that was raised
// meanwhile (S16, T23). Where none stands, nothing is written: whoever presses on and on fills no disk.
func (c *Core) askAck(d *door, a bus.Ask) {
	if d.alarm.ID == "" && d.state.Alarm() == interlock.NoReason {
		c.answerAsk(a.ID, bus.AskReply{OK: true})
		return
	}
	if d.alarm.ID != "" && !slices.Contains(a.Alarms, d.alarm.ID) {
		c.answerAsk(a.ID, bus.AskReply{Reason: "newer-alarm", Sentence: "Something newer has happened at this door. Look at it, and acknowledge that."})
		return
	}
	c.write(d, ledger.KindFact, wordAcknowledged, d.state.Alarm(), orderData{By: a.By})
	d.alarm = bus.Alarm{}
	c.step(d, interlock.Fact{Kind: interlock.Acknowledge})
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

// askClose closes an incident that a resident has read (S7). Reading the last one acknowledges the alarm of a visit that was read, too, and
// no other.
func (c *Core) askClose(a bus.Ask) {
	for _, d := range c.doors {
		if a.Door != "" && a.Door != d.cfg.Name {
			continue
		}
		if d.visit != nil && d.visit.id == a.Visit {
			c.answerAsk(a.ID, refusal(interlock.AnotherVisit))
			return
		}
		if !d.closeIncident(a.Visit) {
			continue
		}
		d.reads(a.Visit)
		c.writeFor(d, a.Visit, ledger.KindVisit, wordClosed, interlock.ResidentAsked, orderData{By: a.By})
		if len(d.incidents) == 0 && !d.state.Visit() {
			if d.wasRead() {
				d.alarm = bus.Alarm{}
				c.step(d, interlock.Fact{Kind: interlock.Acknowledge})
			}
			c.step(d, interlock.Fact{Kind: interlock.CloseIncident})
		}
		c.answerDurable(a.ID, bus.AskReply{OK: true})
		return
	}
	c.answerAsk(a.ID, refusal(interlock.NoVisit))
}

// What is said again is written again: the first time may have failed on its way to the disk.

// askHome takes home or away, for every door: a household is in one place.
func (c *Core) askHome(a bus.Ask) {
	for _, d := range c.doors {
		d.home = a.On
		c.write(d, ledger.KindConfig, pick(a.On, "home", "away"), interlock.ResidentAsked, orderData{By: a.By})
		c.step(d, interlock.Fact{Kind: interlock.HomeSays, OK: a.On})
	}
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

// askHold sets or lifts a condition of the household, at one door or at all.
func (c *Core) askHold(a bus.Ask) {
	which := -1
	for i, k := range conditions {
		if k.name == a.Text && (i < batteryCondition || i > walkCondition) {
			which = i
		}
	}
	if which < 0 || a.Door != "" && c.index[a.Door] == nil {
		c.answerAsk(a.ID, bus.AskReply{Reason: interlock.HouseholdHolds.String(), Sentence: "A hold is one of pets, alarm, home and other, at a door of this hub."})
		return
	}
	for _, d := range c.doors {
		if a.Door != "" && a.Door != d.cfg.Name {
			continue
		}
		d.held[which] = a.On
		c.write(d, ledger.KindConfig, pick(a.On, "hold", "lift"), conditions[which].reason, orderData{By: a.By, What: a.Text})
		c.tellHolds(d)
	}
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}
