package sim

import (
	"slices"
	"strconv"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/grant"
	"eyebolt/hub"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// refused sends an ask to the hub as whoever holds the bus would, and expects a no.
func (h *home) refused(rule string, a bus.Ask) {
	h.askN++
	a.ID = "rogue-" + strconv.Itoa(h.askN)
	if a.Door == "" {
		a.Door = doorName
	}
	what := a.What
	h.ask(a, func(r bus.AskReply) {
		if r.OK && a.What == bus.AskArrive && a.GrantID == h.outside.view.GrantID && h.visits.c != nil && h.visits.c.came && h.visits.c.delivery.Grant == a.GrantID && rule != "T29" {
			return // the real one came first: to be asked again says nothing
		}
		if r.OK {
			h.t.broke(h, rule, "the hub says yes to a %s that it must refuse", what)
			return
		}
		h.chronicle.refused(r.Reason)
		h.t.tell(h, "rogue", "%s is refused: %s", what, r.Reason)
	})
}

// usedAgain tries a grant that was used, of this door and of another one (T12).
func usedAgain(h *home, c *call, m Move) {
	for _, s := range h.visits.old {
		if h.outside.spent[s.grant] && s.chain != nil {
			h.refused("S3", bus.Ask{What: bus.AskGrant, GrantID: s.grant, Grant: s.chain})
			if h.outside.view.Visit == "" {
				h.refused("S3", bus.Ask{What: bus.AskArrive, GrantID: s.grant, Grant: s.chain, Parcel: "P1"})
			}
			break
		}
	}
	if m.How%2 == 1 {
		tooLate(h)
	}
	for _, o := range h.t.homes {
		if o != h && len(o.visits.old) > 0 && o.visits.old[0].chain != nil {
			k := o.visits.old[0]
			h.refused("S2", bus.Ask{What: bus.AskGrant, GrantID: k.grant, Grant: k.chain})
		}
	}
}

// tooLate books a delivery to which nobody comes, and arrives for it when its window is over and the door has no visit: nothing else is
// against it.
func tooLate(h *home) {
	s := h.t.service
	if !s.up || s.skew != 0 {
		return
	}
	d, err := s.s.Book(bg, s.now(), s.root, control.Booking{
		Household: h.side.household, Door: doorName, Courier: h.side.courierID, From: s.now().Add(-time.Minute), Until: s.now().Add(time.Minute), Parcels: []string{"P3"},
	})
	if err != nil {
		return
	}
	chain, tries := s.chainOf(d), 30
	var try func()
	try = func() {
		tries--
		switch {
		case tries == 0 || len(chain) == 0:
		case !s.up || s.skew != 0 || h.skew != 0 || h.outside.view.Visit != "":
			h.t.after(10*time.Second, try)
		default:
			h.refused("S2", bus.Ask{What: bus.AskArrive, GrantID: d.Grant, Grant: chain, Parcel: "P3"})
		}
	}
	h.t.after(70*time.Second, try)
}

// forged tries what is not signed by the one who should (T13).
func forged(h *home, c *call, m Move) {
	v := h.outside.view
	for _, way := range slices.Compact([]uint32{m.How % 5, m.How / 5 % 5}) {
		if len(v.Nonce) == 0 {
			break
		}
		key := *h.side.bike
		switch way {
		case 0:
			key = *h.side.phone // another passkey of the house
		case 1:
			key.Flags = 0x01 // nobody verified who held the phone
		case 2:
			key.Origin = "https://evil.example"
		case 3:
			key.Type = "webauthn.create"
		case 4:
			key = *h.side.phone // his name, and a signature that another phone made
			key.Public, key.Count = h.side.bike.Public, h.side.bike.Count
		}
		h.refused("S2", bus.Ask{What: bus.AskSlide, Visit: v.Visit, Assertion: key.Sign(v.Nonce)})
	}
	if old := h.outside.stale(h); old != "" {
		h.refused("S2", bus.Ask{What: bus.AskSlide, Visit: v.Visit, Assertion: h.side.bike.Sign([]byte(old))})
	}
	if len(v.OutNonce) > 0 {
		h.refused("S19", bus.Ask{What: bus.AskOut, Visit: v.Visit, Assertion: h.side.phone.Sign(v.OutNonce)})
	}
	if chain, err := grant.Decode(c.chain); err == nil {
		if bad, err := Flipped(chain, m.How).Encode(); err == nil {
			h.refused("S2", bus.Ask{What: bus.AskGrant, GrantID: c.delivery.Grant, Grant: bad})
		}
	}
}

// elsewhere says "I am at the door" from somewhere else, with a parcel of somebody else (T14).
func elsewhere(h *home, c *call, m Move) {
	if len(c.chain) == 0 || h.outside.view.Visit != "" {
		return
	}
	h.refused("S2", bus.Ask{What: bus.AskArrive, GrantID: c.delivery.Grant, Grant: c.chain, Parcel: "somebody else's"})
}

// clocks turns a clock (T15): the machine's, or the service's.
func clocks(h *home, c *call, m Move) {
	by := []time.Duration{-time.Hour, time.Hour, -24 * time.Hour, 5 * time.Second, -5 * time.Second, 24 * time.Hour}[m.How%6]
	if m.How/6%2 == 0 {
		h.skew += by
		h.t.after(m.For, func() { h.skew -= by })
		return
	}
	s := h.t.service
	s.skew += by
	s.turned = h.t.now
	h.t.after(m.For, func() { s.skew -= by; s.turned = h.t.now })
}

// rogueService is a service that was taken over (T16): it asks the hub for what the household never signed.
func rogueService(h *home, c *call, m Move) {
	if len(c.chain) == 0 {
		return
	}
	chain, err := grant.Decode(c.chain)
	if err != nil {
		return
	}
	now := h.t.service.now()
	d := grant.Delivery{
		ID: "gr-rogue" + strconv.Itoa(h.askN), Household: h.side.household, Hub: h.side.hub, Door: doorName, Carrier: h.t.service.root.Carrier, Courier: h.side.courierID,
		From: now.Add(-time.Hour), Until: now.Add(time.Hour), Parcels: []string{"P1"}, Epoch: h.epoch,
	}
	taken := Taken{Key: h.t.rogue, Delivery: d, Passkey: h.side.bike.Public, Sign: h.side.bike.Sign}
	b := must(must(taken.Issues(chain, m.How, now)).Encode())
	h.refused("S2", bus.Ask{What: bus.AskGrant, GrantID: d.ID, Grant: b})
	if h.outside.view.Visit == "" {
		h.refused("S2", bus.Ask{What: bus.AskArrive, GrantID: d.ID, Grant: b, Parcel: "P1"})
	}
}

// garbage is what a broken or hostile bus says (T20). Nothing of it may be taken for an order.
func garbage(h *home, c *call, m Move) {
	r := h.t.rng
	text := func() string {
		return []string{"", "\xff\xfe", "x", string(make([]byte, 300)), "front", "P1"}[r.IntN(6)]
	}
	blob := func() []byte {
		b := make([]byte, r.IntN(64))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		return b
	}
	for range 12 {
		what := []string{bus.AskGrant, bus.AskArrive, bus.AskSlide, bus.AskOut, bus.AskPair, bus.AskConsent, "", "open", text()}[r.IntN(9)]
		h.askN++
		a := bus.Ask{ID: "junk-" + strconv.Itoa(h.askN), What: what, Door: text(), Visit: text(), Grant: blob(), GrantID: text(), Parcel: text(), Assertion: blob(), Pairing: blob(), Revoked: []string{text()}, Text: text()}
		h.ask(a, func(rep bus.AskReply) {
			if rep.OK {
				h.t.broke(h, "S13", "the hub says yes to junk: %q", what)
			}
		})
	}
	h.take(hub.Seen{Door: "nowhere", Camera: text(), Verdict: liveness.Verdict{State: liveness.Live}})
	h.take(hub.Recorded{Door: doorName, Camera: "hall", Visit: text(), OK: true})
	h.take(hub.Written{Done: 1 << 40})
	h.take(hub.Carried{Door: doorName, Do: text(), N: 77, Err: lock.ErrNotSent})
	h.report(lock.Report{What: lock.What(7 + r.IntN(20)), Bolt: lock.Bolt(9), Door: lock.Door(9), By: lock.By(9), Age: -time.Hour})
}

// strangers ask for what is not theirs (T24).
func strangers(h *home, c *call, m Move) {
	s := h.t.service
	if !s.up {
		return
	}
	if m.How%3 == 0 { // the operator takes the delivery back in the middle of it
		if _, err := s.s.Cancel(bg, s.now(), s.root, c.delivery.ID); err == nil {
			h.t.tell(h, "operator", "takes the delivery back")
		}
		h.t.after(time.Second, func() { // and the courier's phone has a way to the hub all the same
			if v := h.outside.view; len(v.Nonce) > 0 && h.outside.revoked[v.GrantID] {
				h.refused("S2", bus.Ask{What: bus.AskSlide, Visit: v.Visit, Assertion: h.side.bike.Sign(v.Nonce)})
			}
		})
		return
	}
	b := control.Booking{Household: h.side.household, Door: doorName, From: s.now(), Until: s.now().Add(time.Hour), Parcels: []string{"P9"}}
	if _, err := s.s.Book(bg, s.now(), s.other, b); err == nil {
		h.t.broke(h, "T24", "a carrier without the household's consent books a delivery")
	} else {
		h.chronicle.refused(control.AsError(err).Reason)
	}
	for _, o := range h.t.homes {
		if o == h {
			continue
		}
		if _, err := s.s.Arrive(bg, s.now(), o.side.courier, c.delivery.ID, "P1", nil); err == nil {
			h.t.broke(h, "T24", "a courier with no stop here arrives")
		}
		if _, err := s.s.Order(bg, s.now(), o.side.resident, h.side.hub, doorName, control.Wish{What: bus.AskUnblock}); err == nil {
			h.t.broke(h, "T24", "a resident of another household orders at this door")
		}
	}
}

// second is another arrival at a door that has a visit (T30).
func second(h *home, c *call, m Move) {
	s := h.t.service
	if !s.up {
		return
	}
	b := control.Booking{Household: h.side.household, Door: doorName, Courier: h.side.courierID, From: s.now().Add(-time.Minute), Until: s.now().Add(30 * time.Minute), Parcels: []string{"P2"}}
	d, err := s.s.Book(bg, s.now(), s.root, b)
	if err != nil {
		return
	}
	h.outside.second[d.Grant] = true
	h.t.after(500*time.Millisecond, func() {
		if !s.up {
			return
		}
		o, err := s.s.Arrive(bg, s.now(), h.side.courier, d.ID, "P2", nil)
		if err != nil {
			h.chronicle.refused("at-the-service")
			return
		}
		going := h.outside.view.Visit
		s.do(o, func(r bus.AskReply) {
			if !r.OK {
				h.chronicle.refused(r.Reason)
			}
			if r.OK && going != "" && going != r.Visit && h.outside.view.Visit == going {
				h.t.broke(h, "T30", "two visits at one door")
			}
			if r.OK && going == "" {
				h.t.tell(h, "courier", "a second delivery begins")
			}
			_, _ = s.s.Cancel(bg, s.now(), s.root, d.ID)
		})
	})
}
