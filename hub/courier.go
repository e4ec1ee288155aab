package hub

import (
	"errors"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// askArrive begins a visit: the grant, checked by the hub itself, at this door, now (S2).
func (c *Core) askArrive(d *door, a bus.Ask) {
	if v := d.visit; v != nil && d.state.Visit() && a.GrantID != "" && a.GrantID == v.grantID {
		c.answerAsk(a.ID, bus.AskReply{OK: true, Visit: v.id}) // the phone asked again: its visit is going on
		return
	}
	if d.state.Visit() {
		c.step(d, interlock.Fact{Kind: interlock.Arrive, Reason: interlock.AnotherVisit})
		c.answerAsk(a.ID, d.spoken())
		return
	}
	v, why, detail := c.arrival(d, a)
	if why == interlock.NoReason && c.begin(d, v) {
		c.answerDurable(a.ID, bus.AskReply{OK: true, Visit: v.id})
		return
	}
	if why != interlock.NoReason {
		c.step(d, interlock.Fact{Kind: interlock.Arrive, Reason: why})
	}
	if len(d.said) > 0 {
		why = d.said[0]
	}
	if d.ration.allow(c.at.Mono) {
		c.write(d, ledger.KindFact, "arrived-refused", why, refusedData{Grant: tidy(a.GrantID), By: a.By, Parcel: tidy(a.Parcel), Text: detail})
	}
	c.answerAsk(a.ID, refusal(why))
}

// begin gives the visit to the interlock, which may still refuse it for the house's reasons; then there was no visit.
func (c *Core) begin(d *door, v *visit) bool {
	at := len(c.entries)
	c.step(d, interlock.Fact{Kind: interlock.ServiceSays}) // what it answered, it answered before it knew of this visit (S1)
	d.visit = v
	d.absolve()
	c.step(d, interlock.Fact{Kind: interlock.Arrive, OK: true})
	if d.state.Visit() {
		later := append([]ledger.Entry(nil), c.entries[at:]...)
		c.entries = c.entries[:at]
		if _, held := c.mem.grants[v.grantID]; !held && c.mem.hold(v.grant, v.began) {
			c.writeFor(d, "", ledger.KindConfig, "grant", interlock.NoReason, chainData{ID: v.grantID, Chain: v.chain})
		}
		c.write(d, ledger.KindVisit, ledger.WordBegan, interlock.Arrived, c.visitData(v, interlock.NotEnded, 0))
		c.entries = append(c.entries, later...)
		return true
	}
	d.visit = nil
	for i := range c.entries[at:] {
		c.entries[at+i].Visit = ""
	}
	return false
}

// arrival makes the visit that this ask would begin, or says why not.
func (c *Core) arrival(d *door, a bus.Ask) (*visit, interlock.Reason, string) {
	g, ok := c.mem.grants[a.GrantID]
	if len(a.Grant) > 0 {
		chain, err := grant.Decode(a.Grant)
		if err != nil {
			return nil, interlock.GrantForged, clip(plain(err.Error()), 300)
		}
		var why interlock.Reason
		if g, why, err = grant.Verify(chain, c.mem.anchor(c.cfg)); err != nil {
			return nil, why, clip(plain(err.Error()), 300)
		}
		ok = a.GrantID == "" || a.GrantID == g.Delivery.ID
	}
	if !ok {
		return nil, interlock.NoVisit, "no such grant is held"
	}
	if d.held[linkCondition] {
		return nil, interlock.LinkUnfit, d.unfit()
	}
	if d.held[walkCondition] {
		return nil, interlock.NotWalked, d.cfg.Walk.Say
	}
	v := &visit{grantID: g.Delivery.ID, grant: g, chain: a.Grant, began: c.clock.now(c.at), parcel: a.Parcel, place: a.Place, budget: visitEntries}
	v.results = c.check(d, v)
	if why := grant.Reason(v.results); why != interlock.NoReason {
		return nil, why, ""
	}
	id, err := ulid(v.began, c.cfg.Random)
	if err != nil {
		return nil, interlock.NotConfigured, "no randomness for a visit's name"
	}
	v.id = id
	return v, interlock.NoReason, ""
}

// check judges a visit's grant now. A grant that this very visit has spent still holds for its one re-arm (S3).
func (c *Core) check(d *door, v *visit) []grant.Result {
	a := grant.Attempt{
		Door: d.cfg.Name, Now: c.clock.now(c.at), ClockSure: c.clock.sure, Parcel: v.parcel,
		Revoked: c.revoked,
		Used:    func(id string) bool { return c.mem.used[id] && !v.ordered },
	}
	if v.place != nil {
		a.Lat, a.Lon, a.HasPlace = v.place.Lat, v.place.Lon, true
	}
	return v.grant.Check(a)
}

// askSlide verifies the courier's passkey over door, visit and the newest nonce, with user verification, and the grant once
// more (S2).
func (c *Core) askSlide(d *door, a bus.Ask) {
	v := d.visit
	if v == nil || a.Visit != "" && a.Visit != v.id {
		c.answerAsk(a.ID, refusal(interlock.NoVisit))
		return
	}
	f := interlock.Fact{Kind: interlock.Slide, OK: true, N: v.n}
	proof, err := c.assert(v, grant.SlideChallenge(d.cfg.Name, v.id, v.nonce), v.nonce, a.Assertion)
	if errors.Is(err, grant.ErrOldChallenge) && v.previous != nil {
		// Signed over the nonce before: genuine, but too late. The interlock names it stale by its number.
		if p, old := c.assert(v, grant.SlideChallenge(d.cfg.Name, v.id, v.previous), v.previous, a.Assertion); old == nil {
			proof, err, f.N = p, nil, v.n-1
		}
	}
	if err == nil && !c.mem.counted(proof) {
		err = errCopied
	}
	if err != nil {
		f.OK, f.Reason = false, grant.AssertionReason(err)
	} else {
		v.results = c.check(d, v)
		if why := grant.Reason(v.results); why != interlock.NoReason {
			f.OK, f.Reason = false, why
		}
	}
	v.passkey, v.count = proof.Passkey.ID, proof.Count
	d.decided = false
	c.step(d, f)
	r := d.spoken()
	switch {
	case d.decided:
		r = bus.AskReply{OK: true, Visit: v.id}
	case r.OK:
		r = refusal(d.state.Why()) // it neither decided nor said no: be safe, say no
	}
	if !r.OK && d.ration.allow(c.at.Mono) {
		text := ""
		if err != nil {
			text = clip(plain(err.Error()), 300)
		}
		c.write(d, ledger.KindFact, "slide-refused", reasonOf(r.Reason), refusedData{Grant: v.grantID, By: a.By, Text: text})
	}
	c.answerAsk(a.ID, r)
}

// errCopied is a slide by a passkey whose counter went back or stood still (WebAuthn section 7.2): there are two of it.
var errCopied = errors.New("the passkey's counter did not grow since it was last used here: it may have been copied")

// assert verifies one of the courier's passkeys over a challenge made from a nonce that exists.
func (c *Core) assert(v *visit, challenge, nonce, assertion []byte) (grant.Assertion, error) {
	if len(nonce) == 0 {
		return grant.Assertion{}, grant.ErrOldChallenge
	}
	return grant.Assert(c.cfg.RP, v.grant.Courier.Passkeys, challenge, assertion)
}

// askOut takes the courier's signed "I am out" (S19).
func (c *Core) askOut(d *door, a bus.Ask) {
	v := d.visit
	if v == nil || a.Visit != "" && a.Visit != v.id {
		c.answerAsk(a.ID, refusal(interlock.NoVisit))
		return
	}
	why := interlock.NoReason
	proof, err := c.assert(v, grant.OutChallenge(d.cfg.Name, v.id, v.out), v.out, a.Assertion)
	if err != nil {
		why = grant.AssertionReason(err)
		if v.out == nil {
			why = interlock.DoorNotClosed
		}
	} else {
		c.step(d, interlock.Fact{Kind: interlock.Out})
		if len(d.said) > 0 {
			why = d.said[0]
		}
	}
	if why != interlock.NoReason {
		if d.ration.allow(c.at.Mono) {
			c.write(d, ledger.KindFact, "out-refused", why, refusedData{By: a.By})
		}
		c.answerAsk(a.ID, refusal(why))
		return
	}
	c.mem.count(proof.Passkey.ID, proof.Count)
	c.writeFor(d, v.id, ledger.KindFact, wordOut, interlock.CourierOut, outData{Passkey: proof.Passkey.ID, Count: proof.Count})
	// His word protects him (S19): he is told that it was taken once it cannot be lost, and asked for it again if it was.
	if v.outDone = c.answerDurable(a.ID, bus.AskReply{OK: true, Visit: v.id}); v.outDone {
		c.wait.answers[len(c.wait.answers)-1].out = v
	}
}

// askCannot ends what the courier cannot do. It can only make the home safer.
func (c *Core) askCannot(d *door, a bus.Ask) {
	v := d.visit
	if v == nil || a.Visit != "" && a.Visit != v.id {
		c.answerAsk(a.ID, refusal(interlock.NoVisit))
		return
	}
	c.write(d, ledger.KindFact, "cannot", interlock.CannotDeliver, textData{Text: a.Text})
	c.step(d, interlock.Fact{Kind: interlock.Cannot, Reason: interlock.CannotDeliver})
	c.answerAsk(a.ID, bus.AskReply{OK: true, Visit: v.id})
}
