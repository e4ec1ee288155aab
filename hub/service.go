package hub

import (
	"slices"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// answered takes the service's answer to a beat. It proves that the dead man's switch is armed, and that no block is on its
// way: the service's counter of block orders must be the one this hub knows (S1). Any other counter is an order in
// flight, or a service that lost its state; both forbid Unlock. For a visit only a beat that named it counts: the service
// watches the hub in the visits that it was told of. An answer that was overtaken says nothing: its counter is older.
func (c *Core) answered(in Answered) {
	if !c.heard { // nothing that this start has written can have been sent before the first answer came, however long that took
		c.heard = true
		c.compare(in.Reply.Cursor, c.found)
	}
	if in.Trip < 0 || in.Trip > maxTrip || in.Seq <= c.beat {
		return
	}
	c.beat = in.Seq
	c.compare(in.Reply.Cursor, max(in.Size, c.found))
	anchored := c.clock.anchored
	if c.clock.answer(c.at, in.Sent, in.Trip, in.Reply.Time) {
		c.write(nil, ledger.KindFact, pick(c.clock.sure, "clock-sure", "clock-unsure"), interlock.NoReason, nil)
		for _, d := range c.doors {
			c.step(d, interlock.Fact{Kind: interlock.ClockSays, OK: c.clock.sure})
		}
	}
	if !anchored && c.clock.anchored {
		for _, d := range c.doors {
			c.measure(d)
		}
	}
	behind := false
	for _, d := range c.doors {
		count, known := in.Reply.Blocks[d.cfg.Name]
		ok := known && count == d.blocks // what is not said is not "none" (S13)
		behind = behind || !ok && d.state.Visit()
		if ok && d.visit != nil && !slices.Contains(in.Visits, d.visit.id) {
			continue
		}
		c.step(d, interlock.Fact{Kind: interlock.ServiceSays, OK: ok, Age: ms(c.at.Mono - in.Sent)}) // a block may have come since it left
	}
	if behind {
		c.rest = append(c.rest, BeatNow{})
	}
}

// compare holds this record against what the service holds of it. The service has nothing that this hub did not write: if it
// holds more, the disk was put back to an earlier day or copied, and what was opened, blocked and taken back since is forgotten
// here. Then every grant of this epoch is refused until the household raises it (T29).
// wrote is how much the service can hold at the most.
func (c *Core) compare(held, wrote uint64) {
	if held <= wrote || held <= c.mem.floor {
		return
	}
	c.write(nil, ledger.KindConfig, wordBehind, interlock.GrantRevoked, behindData{Size: wrote, Held: held, Epoch: c.cfg.Epoch})
	c.mem.floor, c.mem.stale = held, max(c.mem.stale, c.cfg.Epoch)
	for _, d := range c.doors {
		if d.visit != nil {
			c.step(d, interlock.Fact{Kind: interlock.Revoke})
		}
	}
	now := c.clock.now(c.at)
	id, err := ulid(now, c.cfg.Random)
	if err != nil { // an alarm is told even without randomness
		id = c.cfg.ID + "-" + wordBehind + "-" + now.Format("20060102T150405.000000")
	}
	a := bus.Alarm{ID: id, Hub: c.cfg.ID, Reason: wordBehind, Text: behindText, At: now}
	c.mem.alarm(a)
	c.write(nil, ledger.KindCommand, interlock.DoAlarm.String(), interlock.GrantRevoked, alarmData{Alarm: a})
	c.rest = append(c.rest, Alarm{Alarm: a})
}

const behindText = "This hub's record is older than the one that it sent before: its disk was put back to an earlier day, or copied. It opens to nobody. Keep its disk as evidence, and set the hub up anew, or raise its epoch."

// behind says whether the grants of this epoch may have been used or taken back without this hub's knowing.
func (c *Core) behind() bool { return c.mem.floor > 0 && c.mem.stale >= c.cfg.Epoch }

// revoked says whether a delivery, courier or consent was taken back.
func (c *Core) revoked(id string) bool { return c.behind() || c.mem.revoked[id] }

// silence is a beat that nobody answered. The interlock counts the time by itself.
func (c *Core) silence() {}

// told takes the service's word that it has stored an alarm (S16).
func (c *Core) told(in Told) {
	if c.mem.told(in.ID) {
		c.write(nil, ledger.KindCommand, "told", interlock.NoReason, idData(in))
	}
}

// heldEvery is after how many entries it is noted that the service holds the record: often enough that little can be cut
// off unseen, seldom enough that noting it does not become the record.
const heldEvery = 64

func (c *Core) shipped(in Shipped) {
	if in.Cursor < c.noted+heldEvery || in.Cursor > c.mem.size { // it cannot hold what was never written
		return
	}
	c.noted = in.Cursor
	c.write(nil, ledger.KindCheckpoint, wordHeld, interlock.NoReason, ledger.HeldData{Size: in.Cursor})
}
