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
			h.contact.magnet = true
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
	h.t.after(d, func() {
		if !h.door.thief {
			return // somebody has thrown him out
		}
		if h.door.thrown && !h.door.open {
			h.lock.byHand(h, false, lock.ByInside)
		}
		h.swing(true)
		h.door.thief = false
		h.t.after(time.Second, func() { h.swing(false) })
	})
}

// refused sends an ask to the hub as whoever holds the bus would, and expects a no.
func (h *home) refused(rule string, a bus.Ask) {
	h.askN++
	a.ID = "rogue-" + strconv.Itoa(h.askN)
	if a.Door == "" {
		a.Door = doorName
	}
	what := a.What
	h.ask(a, func(r bus.AskReply) {
		if r.OK && a.What == bus.AskArrive && a.GrantID == h.outside.view.GrantID && rule != "T29" {
			return // the real one came first: to be asked again says nothing
		}
		if r.OK {
			h.t.broke(h, rule, "the hub says yes to a %s that it must refuse", what)
			return
		}
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
	for _, s := range h.visits.old {
		if s.chain != nil && h.t.service.now().After(s.until.Add(5*time.Second)) && h.t.service.skew == 0 && h.outside.view.Visit == "" {
			h.refused("S2", bus.Ask{What: bus.AskArrive, GrantID: s.grant, Grant: s.chain, Parcel: "P1"})
			break
		}
	}
	for _, o := range h.t.homes {
		if o != h && len(o.visits.old) > 0 && o.visits.old[0].chain != nil {
			k := o.visits.old[0]
			h.refused("S2", bus.Ask{What: bus.AskGrant, GrantID: k.grant, Grant: k.chain})
		}
	}
}

// forged tries what is not signed by the one who should (T13).
func forged(h *home, c *call, m Move) {
	v := h.outside.view
	if len(v.Nonce) > 0 {
		key := *h.side.bike
		switch m.How % 4 {
		case 0:
			key = *h.side.phone // another passkey of the house
		case 1:
			key.Flags = 0x01 // nobody verified who held the phone
		case 2:
			key.Origin = "https://evil.example"
		case 3:
			key.Type = "webauthn.create"
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
		flip := func(b []byte, from, to int) []byte {
			b = slices.Clone(b)
			b[from+int(m.How/16)%(to-from)] ^= 1 << (m.How % 7)
			return b
		}
		switch m.How / 4 % 3 {
		case 0:
			chain.Consent.Document = flip(chain.Consent.Document, 0, len(chain.Consent.Document))
		case 1:
			chain.Courier = string(flip([]byte(chain.Courier), 12, len(chain.Courier)-40))
		case 2:
			chain.Delivery = string(flip([]byte(chain.Delivery), 12, len(chain.Delivery)-40))
		}
		if bad, err := chain.Encode(); err == nil {
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
	key := h.t.rogue
	now := h.t.service.now()
	d := grant.Delivery{
		ID: "gr-rogue" + strconv.Itoa(h.askN), Household: h.side.household, Hub: h.side.hub, Door: doorName, Carrier: h.t.service.root.Carrier, Courier: h.side.courierID,
		From: now.Add(-time.Hour), Until: now.Add(time.Hour), Parcels: []string{"P1"}, Epoch: h.epoch,
	}
	switch m.How % 3 {
	case 0: // a carrier's key that no household consented to
		chain.Courier = must(grant.IssueCourier(key, grant.Courier{ID: h.side.courierID, Name: "x", Carrier: d.Carrier, Screened: now.AddDate(0, 1, 0), Passkeys: []grant.Passkey{h.side.bike.Public}}, now, d.Until))
		chain.Delivery = must(grant.IssueDelivery(key, d, now))
	case 1: // the right courier, a delivery by another key
		chain.Delivery = must(grant.IssueDelivery(key, d, now))
	case 2: // a consent that somebody else signed
		chain.Consent.Assertion = h.side.bike.Sign(grant.ConsentChallenge(chain.Consent.Document))
	}
	b := must(chain.Encode())
	h.refused("S2", bus.Ask{What: bus.AskGrant, GrantID: d.ID, Grant: b})
	if h.outside.view.Visit == "" {
		h.refused("S2", bus.Ask{What: bus.AskArrive, GrantID: d.ID, Grant: b, Parcel: "P1"})
	}
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
			return
		}
		going := h.outside.view.Visit
		s.do(o, func(r bus.AskReply) {
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
		h.relook()
	}
	if h.stalled {
		h.wake()
	}
	if !h.up && !h.visits.ending {
		h.start()
	}
}
