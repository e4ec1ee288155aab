package hub

import (
	"encoding/json"
	"errors"
	"slices"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// newPairing makes a code and has it shown. Without randomness there is none.
func (c *Core) newPairing() {
	b, err := c.random(grant.PairingEntropy)
	if err != nil {
		return
	}
	p, code, err := grant.NewPairing(c.cfg.ID, b)
	if err != nil {
		return
	}
	c.pairing = p
	c.rest = append(c.rest, Pairing{Code: code})
}

// askPair ties a resident's passkey to this hub, once per code. The hub learns whom it trusts here and nowhere else.
func (c *Core) askPair(a bus.Ask) {
	r, err := grant.DecodePairing(a.Pairing)
	if err == nil && c.mem.household != "" && r.Household != c.mem.household {
		err = errors.New("this hub belongs to another household")
	}
	if err == nil && len(c.mem.residents) >= maxResidents {
		err = errors.New("this hub knows as many residents as it can")
	}
	if err == nil {
		err = c.pairing.Check(r)
	}
	if err != nil {
		c.answerAsk(a.ID, bus.AskReply{Reason: interlock.NoConsent.String(), Sentence: "Pairing was refused: " + tidy(err.Error()) + "."})
		return
	}
	c.mem.pair(r.Household, r.Passkey)
	c.write(nil, ledger.KindConfig, "pair", interlock.ResidentAsked, pairData{Household: r.Household, Passkey: r.Passkey, Fingerprint: grant.Fingerprint(r.Passkey)})
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

// askConsent keeps what the household allows a carrier. The proof is the resident's passkey over the document.
func (c *Core) askConsent(a bus.Ask) {
	var s grant.SignedConsent
	if len(a.Grant) > grant.MaxChain || json.Unmarshal(a.Grant, &s) != nil {
		c.answerAsk(a.ID, refusal(interlock.GrantForged))
		return
	}
	k, err := grant.ParseConsent(s.Document)
	if err != nil {
		c.answerAsk(a.ID, refusal(interlock.GrantForged))
		return
	}
	if _, err := grant.Assert(c.cfg.RP, c.mem.residents, grant.ConsentChallenge(s.Document), s.Assertion); err != nil {
		why := interlock.GrantForged
		if errors.Is(err, grant.ErrUnknownPasskey) {
			why = interlock.NoConsent
		}
		c.answerAsk(a.ID, refusal(why))
		return
	}
	switch {
	case k.Household != c.mem.household || k.Hub != c.cfg.ID || k.Epoch != c.cfg.Epoch:
		c.answerAsk(a.ID, refusal(interlock.NoConsent))
		return
	case c.index[k.Door] == nil:
		c.answerAsk(a.ID, refusal(interlock.WrongDoor))
		return
	case c.revoked(k.ID):
		c.answerAsk(a.ID, refusal(interlock.GrantRevoked))
		return
	}
	c.writeFor(c.index[k.Door], "", ledger.KindConfig, "consent", interlock.ResidentAsked, consentData{ID: k.ID, Consent: s, By: a.By})
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

// askGrant keeps a grant for a coming visit, if its whole chain holds (S2).
func (c *Core) askGrant(a bus.Ask) {
	chain, err := grant.Decode(a.Grant)
	if err != nil {
		c.refuseGrant(a, interlock.GrantForged, err)
		return
	}
	g, why, err := grant.Verify(chain, c.mem.anchor(c.cfg))
	if err != nil {
		c.refuseGrant(a, why, err)
		return
	}
	d, k := c.index[g.Delivery.Door], g.Delivery
	switch {
	case d == nil:
		why = interlock.WrongDoor
	case c.mem.used[k.ID]:
		why = interlock.GrantUsed
	case c.revoked(k.ID) || c.revoked(g.Courier.ID) || c.revoked(g.Consent.ID):
		why = interlock.GrantRevoked
	case !c.mem.hold(g, c.clock.now(c.at)):
		why = interlock.NotConfigured
	}
	if why != interlock.NoReason {
		c.refuseGrant(a, why, nil)
		return
	}
	c.writeFor(d, "", ledger.KindConfig, "grant", interlock.NoReason, chainData{ID: k.ID, Chain: a.Grant})
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}

func (c *Core) refuseGrant(a bus.Ask, why interlock.Reason, err error) {
	text := ""
	if err != nil {
		text = clip(plain(err.Error()), 300)
	}
	if c.ration.allow(c.at.Mono) {
		c.write(nil, ledger.KindFact, "grant-refused", why, refusedData{Grant: tidy(a.GrantID), By: a.By, Text: text})
	}
	c.answerAsk(a.ID, refusal(why))
}

const (
	// maxRevokeAsk bounds the IDs in one ask, and maxRevokeID each of them: no ID in a grant is longer.
	maxRevokeAsk, maxRevokeID = 1024, 128
	// revokeBatch is how many IDs go into one entry: at their longest, each byte escaped, they fit.
	revokeBatch = 64
)

// askRevoke takes back deliveries, couriers or consents by their IDs. It only makes the home safer.
func (c *Core) askRevoke(a bus.Ask) {
	long := func(id string) bool { return len(id) > maxRevokeID }
	ok := len(a.Revoked) <= maxRevokeAsk && !slices.ContainsFunc(a.Revoked, long) && c.mem.revoke(a.Revoked)
	for _, d := range c.doors {
		if v := d.visit; v != nil && (c.mem.revoked[v.grantID] || c.mem.revoked[v.grant.Courier.ID] || c.mem.revoked[v.grant.Consent.ID]) {
			c.step(d, interlock.Fact{Kind: interlock.Revoke})
		}
	}
	if !ok {
		c.answerAsk(a.ID, bus.AskReply{Reason: interlock.NotConfigured.String(), Sentence: "These are more revocations than the hub can hold. Send fewer at once, or raise its epoch to start anew."})
		return
	}
	for ids := range slices.Chunk(a.Revoked, revokeBatch) {
		c.write(nil, ledger.KindConfig, "revoke", interlock.GrantRevoked, revokeData{IDs: ids})
	}
	c.answerDurable(a.ID, bus.AskReply{OK: true})
}
