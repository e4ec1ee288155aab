package sim

import (
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/hub"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/lock"
	"eyebolt/proof"
)

// judge holds what the hub does to the rules, in the step that does it.
func (o *outside) judge(h *home, in hub.Input, effects []hub.Effect) {
	held := false // an effect that is no bolt's came before
	for _, e := range effects {
		switch e := e.(type) {
		case hub.Unlock:
			if held {
				h.t.broke(h, "S5", "an Unlock stands behind other effects")
			}
			o.judgeUnlock(h, in, e)
		case hub.Lock:
			if held {
				h.t.broke(h, "S5", "a Lock waits behind other effects")
			}
			o.lockAt = h.t.now
			if d := o.doorSays; d.ok && (d.is == lock.DoorOpen || d.is == lock.DoorAjar) && h.t.now-d.at < 2*time.Hour {
				h.t.broke(h, "S11", "Lock while the door is known to be open")
			}
			if o.smoke {
				h.t.broke(h, "S11", "Lock while smoke is reported")
			}
		case hub.Retract:
			o.retracts++
			if d := o.doorSays; !d.ok || d.is == lock.DoorClosed {
				h.t.broke(h, "S11", "Retract while the door is not known to be open")
			}
			if left := e.Order.NotAfter - h.mono(); left <= 0 || left > time.Second {
				h.t.broke(h, "S12", "a Retract that holds for %v", left)
			}
			if o.retracts > 1 {
				h.t.broke(h, "S11", "a second Retract in one visit")
			}
		case hub.Alarm:
			held = true
			if !e.Alarm.Notice {
				o.alarmAt, o.bad, o.alarmed = h.t.now, true, true
			}
		case hub.Show:
			held = true
		default:
			held = true
		}
	}
	if r, ok := in.(hub.Reported); ok && r.Report.Age >= 0 {
		o.judgeReport(h, r.Report, effects)
		o.lateEffect(h, r.Report, o.was, effects)
	}
	if a, ok := in.(hub.Asked); ok && a.Ask.What == bus.AskLeave && !o.leaves[a.Ask.ID] {
		o.leaves[a.Ask.ID] = true
		for _, e := range effects {
			if r, ok := e.(hub.Answer); ok && r.Ref == a.Ref && !r.Reply.OK && r.Reply.Reason == interlock.NoVisit.String() && o.before_.Visit != "" {
				h.t.broke(h, "S4", "the household asked the courier to leave, and the hub says that there is no visit")
			}
		}
	}
}

// judgeUnlock is S1 to S5 and S12 at the instant at which an Unlock leaves.
func (o *outside) judgeUnlock(h *home, in hub.Input, e hub.Unlock) {
	t, now, v := h.t, h.t.now, o.view
	t.tally.Opened++
	w, ok := in.(hub.Written)
	if !ok || w.Err != nil {
		t.broke(h, "S5", "an Unlock from %T, not from the disk's word", in)
	}
	visit := string(e.Order.Visit)
	if o.decisions[visit]--; o.decisions[visit] < 0 {
		t.broke(h, "S5", "an Unlock whose decision is not on the disk")
	}
	if left := e.Order.NotAfter - h.mono(); left <= 0 || left > time.Second {
		t.broke(h, "S12", "an Unlock that holds for %v", left)
	}
	// S1, by what was told.
	if o.liveFrom == 0 || now-o.liveFrom < 3*time.Second-time.Millisecond {
		t.broke(h, "S1", "an Unlock %v after the watch became live", now-o.liveFrom)
	}
	// S1, by the truth.
	for _, k := range h.eyes {
		if k.dark && now-k.last > k.a1+30*time.Millisecond {
			t.broke(h, "S1", "an Unlock while the newest picture is %v old", now-k.last)
		}
	}
	seen := false
	for _, k := range h.eyes {
		seen = seen || o.recorded[k.name]
	}
	if !seen {
		t.broke(h, "S1", "an Unlock while no picture is confirmed on disk")
	}
	if d := o.doorSays; !d.ok || d.is != lock.DoorClosed || now-d.at > 2*time.Hour+time.Second {
		t.broke(h, "S1", "an Unlock while the door is not reported closed")
	}
	if b := o.boltSays; !b.ok || b.is != lock.BoltThrown || now-b.at > 12*time.Second+10*time.Millisecond {
		t.broke(h, "S1", "an Unlock while the bolt's newest report is %v, %v old", b.is, now-b.at)
	}
	if !o.lockOK {
		t.broke(h, "S1", "an Unlock while the lock does not answer")
	}
	switch {
	case o.beatAt == 0 || now-o.beatAt > 5*time.Second+10*time.Millisecond:
		t.broke(h, "S1", "an Unlock %v after the service's newest answer", now-o.beatAt)
	case !o.beatOK:
		t.broke(h, "S1", "an Unlock while the service counts another block")
	case !slices.Contains(o.beatOf, visit):
		t.broke(h, "S1", "an Unlock in a visit that the service does not watch")
	}
	// S2
	c := h.visits.c
	if c == nil || v.GrantID == "" || !h.mayOpen(c, v.GrantID) {
		t.broke(h, "S2", "an Unlock for a grant that nobody at this door has now")
	}
	if o.revoked[v.GrantID] {
		t.broke(h, "S2", "an Unlock for a grant that was taken back")
	}
	nonce := o.freshNonce(h)
	if nonce == "" {
		t.broke(h, "S2", "an Unlock without the courier's fresh slide")
	}
	// S3
	u := o.uses[v.GrantID]
	if u == nil {
		u = &use{}
		o.uses[v.GrantID] = u
	}
	u.unlocks++
	switch {
	case u.unlocks > 2:
		t.broke(h, "S3", "a grant opens a third time")
	case u.unlocks == 2 && u.opened:
		t.broke(h, "S3", "a grant opens again although the door had opened")
	case u.unlocks == 2 && u.nonce == nonce:
		t.broke(h, "S3", "one slide opens twice")
	}
	u.nonce = nonce
	if nonce != "" {
		delete(o.slid, nonce)
	}
	// S4
	if o.blocked {
		t.broke(h, "S4", "an Unlock at a blocked door")
	}
	o.spent[v.GrantID], o.ordered, o.exposed, o.unlockAt, o.dark = true, visit, true, now, 0
}

// mayOpen says whether the service gave this grant for this door, and its window is now.
func (h *home) mayOpen(c *call, grant string) bool {
	return grant == c.delivery.Grant || h.outside.second[grant]
}

// freshNonce is a challenge of this hub, at most 30 s old (and a second for the disk), that the right courier signed.
func (o *outside) freshNonce(h *home) string {
	best, at := "", time.Duration(0)
	for n := range o.slid {
		if shown, ok := o.shownNonce[n]; ok && h.t.now-shown <= 31*time.Second+50*time.Millisecond && (shown > at || shown == at && n > best) {
			best, at = n, shown
		}
	}
	return best
}

// stale is the newest challenge of this hub that is too old to be answered, or "".
func (o *outside) stale(h *home) string {
	best, at := "", time.Duration(0)
	for n, shown := range o.shownNonce {
		if shown < h.t.now-31*time.Second && (shown > at || shown == at && n > best) {
			best, at = n, shown
		}
	}
	return best
}

// judgeReport is what must follow at once from a device's word.
func (o *outside) judgeReport(h *home, r lock.Report, effects []hub.Effect) {
	if r.What == lock.OfDoor && r.Door == lock.DoorClosed && o.view.Phase == interlock.Opened.String() && o.ordered == o.view.Visit && o.view.Visit != "" {
		if !has[hub.Lock](effects) && !o.smoke && !(o.boltSays.is == lock.BoltThrown) {
			h.t.broke(h, "S6", "the door closes, and no Lock follows at once")
		}
	}
	if p := o.before_.Phase; r.What == lock.OfDoor && (r.Door == lock.DoorOpen || r.Door == lock.DoorAjar) &&
		(p == interlock.Secured.String() || p == interlock.Tail.String()) && o.alarmAt != h.t.now && o.before_.Alarm == "" {
		h.t.broke(h, "S10", "a door that was secured is reported open, and nobody is alarmed")
	}
}

// judgeSecured is S9: by what was told, never by an acknowledgement; and the truth, where no device lies.
func (o *outside) judgeSecured(h *home) {
	now := h.t.now
	b, d := o.boltSays, o.doorSays
	switch {
	case !b.ok || b.is != lock.BoltThrown:
		h.t.broke(h, "S9", "secured, but the bolt's newest report is %v", b.is)
	case b.at < o.lockAt:
		h.t.broke(h, "S9", "secured by a report older than the newest Lock")
	case b.at < o.unlockAt:
		h.t.broke(h, "S9", "secured by a report older than the newest Unlock")
	case now-b.at > 12*time.Second+tickCalm:
		h.t.broke(h, "S12", "secured by a bolt report of %v ago", now-b.at)
	case !d.ok || d.is != lock.DoorClosed:
		h.t.broke(h, "S9", "secured, but the door's newest report is %v", d.is)
	case b.at < d.at-2*time.Millisecond:
		h.t.broke(h, "S9", "secured by a bolt report older than the door's")
	}
}

// judgeReleased is S19.
func (o *outside) judgeReleased(h *home, v bus.View) {
	if !v.Secured {
		h.t.broke(h, "S19", "released while not secured")
	}
	if o.outAt == 0 {
		h.t.broke(h, "S19", "released without a signed \"I am out\"")
	}
}

// judgeAge is S15: a view that says live does not make the picture younger than it is.
func (o *outside) judgeAge(h *home, v bus.View) {
	for _, e := range h.eyes {
		if e.dark && h.t.now-e.last > time.Second && time.Duration(v.AgeMs)*time.Millisecond < h.t.now-e.last-500*time.Millisecond {
			h.t.broke(h, "S15", "shown as live, %d ms old, with a newest picture of %v ago", v.AgeMs, h.t.now-e.last)
		}
	}
}

// serviceTick is S14: the service's dead man's switch, from the service's side.
func (o *outside) serviceTick(h *home) {
	s := h.t.service
	if o.heardOf == 0 || o.heardBoot != s.boots || o.missedAt == o.heardAt || h.t.now-o.heardAt <= control.VisitSilence+2*serviceTick {
		return
	}
	for _, a := range must(s.s.Standing(bg)) {
		if a.Hub == h.side.hub && a.Reason == "hub-silent" {
			o.missedAt, o.toldAt, o.bad = o.heardAt, h.t.now, true
			return
		}
	}
	if o.ackAt > o.heardAt+control.VisitSilence {
		o.missedAt, o.toldAt, o.bad = o.heardAt, o.ackAt, true // it was told, and somebody has seen it already
		return
	}
	if s.turned > 0 && (h.t.now-s.turned < 10*time.Second || o.heardAt-s.turned < 10*time.Second) || s.skew != 0 {
		return // the town's service has no other clock than the one that was turned; a real one waits by its monotonic one
	}
	h.t.broke(h, "S14", "the hub was last heard %v ago in a visit, and nobody is alarmed", h.t.now-o.heardAt)
}

// judgeEnd holds the end of a visit, as written, to what was seen of it (S7).
func (o *outside) judgeEnd(h *home, e ledger.Entry) {
	var k ledger.VisitData
	_ = decodeJSON(e.Data, &k)
	switch k.Outcome {
	case "done":
		h.t.tally.Done++
	case "incident":
		h.t.tally.Incidents++
	default:
		h.t.tally.NotGiven++
	}
	if e.Visit != o.ordered {
		return
	}
	o.exposed = false
	if o.blind > a2+200*time.Millisecond && k.Outcome != "incident" {
		h.t.broke(h, "S7", "nobody could see for %v while the door was not secured, and the visit ends as %q", o.blind, k.Outcome)
	}
	if o.reaches == e.Visit && k.Outcome != "incident" {
		h.t.broke(h, "S7", "pictures stopped before the door was secured, for longer than A2, and the visit ends as %q", k.Outcome)
	}
	late := time.Duration(0) // pictures that come late show what was while nobody could see: the gap is one of the scene
	if e := h.eyes[0]; h.visits.c != nil && e.lagFrom > h.visits.c.began {
		late = e.lagMost
	}
	if most := o.unseen + time.Duration(1+o.lapses)*2*time.Second; k.GapSeconds > most.Seconds() && !o.wentOff && h.visits.c != nil && h.eyes[0].lagFrom < h.visits.c.began {
		h.t.broke(h, "S7", "the watch was not called live for %v in all, and %.1f s unwatched are on record", o.unseen, k.GapSeconds)
	}
	if o.blind > a2+200*time.Millisecond && !o.wentOff && !o.diskBad && k.GapSeconds < (o.blind-late).Seconds()-0.25 {
		h.t.broke(h, "S7", "nobody could see for %v while the door was not secured, and %.1f s are on record", o.blind, k.GapSeconds)
	}
}

// ends is the end of a call: S8, S16, S18.
func (o *outside) ends(h *home, c *call) {
	calm := len(c.plan.Moves) == 0 && c.plan.Courier == Honest && c.plan.Resident == Honest && !h.plan.Rough && !c.soon
	if calm && !o.wentOff && (h.t.service.turned == 0 || h.t.service.turned < c.began) && h.t.service.skew == 0 {
		i := 0
		if h.plan.Wired {
			i = 1
		}
		h.t.tally.Honest[i]++
		if o.bad {
			h.t.tally.False[i]++
			h.t.tell(h, "town", "counts a false alarm in an honest visit")
		} else if n := len(h.chronicle.all) - 1; h.t.service.turned == 0 { // a time that was believed once binds (T15)
			h.t.after(time.Second, func() { // its end is on its way to the disk
				if k := h.chronicle.all[n].Outcome; k != interlock.Done.String() {
					h.t.broke(h, "S18", "an honest visit in which nothing failed ended as %q", k)
				}
			})
		}
	}
	if o.unlockAt >= c.began && h.up && o.view.Alarm == "" && o.view.Phase == interlock.Idle.String() && h.door.canOpen() && !o.alarmed && !o.back && c.plan.Resident == Honest {
		h.t.broke(h, "S8", "the visit is over, the door can be opened, and nobody was ever alarmed")
	}
}

// end judges the record as a stranger does (T19), and that no alarm on it was lost (S16).
func (o *outside) end(h *home) {
	key := must(ledger.ParseKey(must(ledger.KeyText("eyebolt/"+h.side.hub, h.side.key.Public().(ed25519.PublicKey)))))
	r, err := proof.Check(bg, proof.Input{Source: &h.disk, Key: key, Held: h.disk.newest()})
	switch {
	case err != nil:
		h.t.broke(h, "T19", "the record could not be checked: %v", err)
	case !r.OK && !o.back:
		h.t.broke(h, "T19", "the record of an honest disk does not hold: %v", r.First)
	case r.OK && o.back && o.lostHeld(h):
		h.t.broke(h, "T29", "a record that was put back is called whole")
	}
	if o.back {
		return
	}
	for _, e := range h.disk.entries {
		var k struct {
			Alarm bus.Alarm `json:"alarm"`
		}
		if e.Kind == ledger.KindCommand && e.Word == interlock.DoAlarm.String() && decodeJSON(e.Data, &k) == nil && k.Alarm.ID != "" && !o.toldIDs[k.Alarm.ID] {
			h.t.broke(h, "S16", "an alarm on record never reached the service: %s", k.Alarm.Reason)
		}
	}
}

// lostHeld says whether the service holds more of the record than the disk.
func (o *outside) lostHeld(h *home) bool { return o.cut < o.most }

// logRefused is what the service says of a record that does not go on from what it holds: right after a disk was put back, wrong ever
// else (T23, T29).
func (o *outside) logRefused(h *home, err error) {
	if !o.back {
		h.t.broke(h, "T19", "the service refuses an honest hub's record: %v", err)
	}
}

func decodeJSON(b []byte, v any) error { return json.Unmarshal(b, v) }
