package hub

import (
	"errors"
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/lock"
)

// S2, T12, T13, T14, T15: whoever may not open is refused with the one reason, on record, and nothing reaches the lock.
func TestRefusedAtTheDoor(t *testing.T) {
	tests := []struct {
		name   string
		before func(h *home) // before the grant is given
		arrive func(h *home, a *bus.Ask)
		want   interlock.Reason
	}{
		{"wrong parcel", nil, func(_ *home, a *bus.Ask) { a.Parcel = "PARCEL-9" }, interlock.WrongParcel},
		{"no parcel", nil, func(_ *home, a *bus.Ask) { a.Parcel = "" }, interlock.WrongParcel},
		{"too early", func(h *home) { h.who.Delivery.From = noon.Add(30 * time.Minute) }, nil, interlock.TooEarly},
		{"too late", func(h *home) { h.who.Delivery.Until = noon.Add(2 * time.Second) }, nil, interlock.TooLate},
		{"screening expired", func(h *home) { h.who.Credential.Screened = noon.Add(time.Second) }, nil, interlock.ScreeningExpired},
		{"consent of other hours", func(h *home) { h.who.Consent.StartMin, h.who.Consent.EndMin = 0, 60 }, nil, interlock.NoConsent},
		{"wrong place", func(h *home) { h.who.Delivery.Place = &grant.Place{Lat: 52.5, Lon: 13.4, Metres: 50} }, func(_ *home, a *bus.Ask) { a.Place = &bus.Place{Lat: 52.6, Lon: 13.4} }, interlock.WrongPlace},
		{"no place", func(h *home) { h.who.Delivery.Place = &grant.Place{Lat: 52.5, Lon: 13.4, Metres: 50} }, nil, interlock.WrongPlace},
		{"unknown grant", nil, func(_ *home, a *bus.Ask) { a.GrantID = "delivery-x" }, interlock.NoVisit},
		{"garbage grant", nil, func(_ *home, a *bus.Ask) { a.Grant = []byte("{}") }, interlock.GrantForged},
		{"revoked", nil, func(h *home, _ *bus.Ask) { h.must(bus.Ask{What: bus.AskRevoke, Revoked: []string{h.who.Delivery.ID}}) }, interlock.GrantRevoked},
		{"courier revoked", nil, func(h *home, _ *bus.Ask) {
			h.must(bus.Ask{What: bus.AskRevoke, Revoked: []string{h.who.Credential.ID}})
		}, interlock.GrantRevoked},
		{"blocked", nil, func(h *home, _ *bus.Ask) {
			h.blocks[h.who.Door] = 1
			h.must(bus.Ask{What: bus.AskBlock, Count: 1})
		}, interlock.Blocked},
		{"clock turned back", nil, func(h *home, _ *bus.Ask) {
			h.skew = -time.Hour
			h.run(time.Second)
		}, interlock.ClockUnsure},
	}
	for _, k := range tests {
		t.Run(k.name, func(t *testing.T) {
			h := newHome(t)
			if k.before != nil {
				k.before(h)
			}
			h.prepare()
			a := bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}
			if k.arrive != nil {
				k.arrive(h, &a)
			}
			r := h.ask(a)
			if r.OK || r.Reason != k.want.String() || r.Sentence == "" {
				t.Errorf("got %+v, want %s with a sentence", r, k.want)
			}
			h.run(10 * time.Second)
			if len(h.wire) != 0 {
				t.Errorf("reached the lock: %v", h.wire)
			}
			if !h.wrote("fact arrived-refused " + k.want.String()) {
				t.Errorf("not on record: %q", h.words(ledger.KindFact))
			}
		})
	}
}

// A grant for another door of the same hub, a grant of a hub that is not this one, a grant of another epoch (T12, T24, T29).
func TestWrongDoorAndHub(t *testing.T) {
	h := newHome(t)
	h.run(4 * time.Second)
	h.pair()
	for _, k := range []struct {
		name string
		set  func()
		want interlock.Reason
	}{
		{"door", func() { h.who.Delivery.Door, h.who.Consent.Door = "back", "back" }, interlock.WrongDoor},
		{"door that the consent does not name", func() { h.who.Consent.Door = "front" }, interlock.NoConsent},
		{"hub", func() { h.who.Delivery.Door, h.who.Consent.Hub, h.who.Delivery.Hub = "front", "hub-b", "hub-b" }, interlock.NoConsent},
		{"epoch", func() {
			h.who.Consent.Hub, h.who.Delivery.Hub, h.who.Consent.Epoch, h.who.Delivery.Epoch = "hub-a", "hub-a", 2, 2
		}, interlock.NoConsent},
		{"a delivery's epoch alone", func() { h.who.Consent.Epoch, h.who.Delivery.Epoch = 1, 2 }, interlock.GrantRevoked},
	} {
		k.set()
		if r := h.ask(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()}); r.OK || r.Reason != k.want.String() {
			t.Errorf("%s: got %+v, want %s", k.name, r, k.want)
		}
	}
}

// Before pairing nobody's consent counts (T16); a wrong code pairs nobody.
func TestUnpaired(t *testing.T) {
	h := newHome(t)
	h.run(4 * time.Second)
	if r := h.ask(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()}); r.OK || r.Reason != "no-consent" {
		t.Errorf("unpaired hub took a grant: %+v", r)
	}
	code := h.code
	h.code = "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A"
	req, _ := h.pairing().Encode()
	if r := h.ask(bus.Ask{What: bus.AskPair, Pairing: req}); r.OK {
		t.Error("paired by a wrong code")
	}
	h.code = code
	h.pair()
	req, _ = h.pairing().Encode()
	if r := h.ask(bus.Ask{What: bus.AskPair, Pairing: req}); r.OK {
		t.Error("one code paired twice")
	}
}

// T16: the service was taken over and makes a consent up, signed by a passkey of its own, with the carrier's real keys, which it
// holds. The paired hub takes no such grant, neither by itself nor with an arrival, and nothing reaches the lock.
func TestServiceTakenOver(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.who.Resident = granttest.NewPasskey("service", "resident", h.who.RP)
	h.who.Consent.ID, h.who.Delivery.ID = "consent-made-up", "delivery-made-up"
	forged := h.who.Bytes()
	if r := h.ask(bus.Ask{What: bus.AskGrant, Grant: forged}); r.OK || r.Reason != interlock.NoConsent.String() {
		t.Errorf("the grant alone: %+v, want %s", r, interlock.NoConsent)
	}
	if r := h.ask(bus.Ask{What: bus.AskArrive, Grant: forged, GrantID: "delivery-made-up", Parcel: "PARCEL-1"}); r.OK || r.Reason != interlock.NoConsent.String() {
		t.Errorf("with an arrival: %+v, want %s", r, interlock.NoConsent)
	}
	h.run(10 * time.Second)
	if len(h.wire) != 0 {
		t.Errorf("reached the lock: %v", h.wire)
	}
}

// S2: the slide. Wrong passkey, no user verification, an old nonce, another visit's: each its reason, and no decision.
func TestSlideRefused(t *testing.T) {
	tests := []struct {
		name  string
		slide func(h *home) []byte
		want  interlock.Reason
	}{
		{"wrong courier", func(h *home) []byte {
			return granttest.NewPasskey("b", "courier", h.who.RP).Sign(h.view.Nonce)
		}, interlock.WrongCourier},
		{"no user verification", func(h *home) []byte {
			h.who.Courier.Flags = 1
			return h.who.Courier.Sign(h.view.Nonce)
		}, interlock.SlideForged},
		{"other site", func(h *home) []byte {
			h.who.Courier.Origin = "http://evil.example"
			return h.who.Courier.Sign(h.view.Nonce)
		}, interlock.SlideForged},
		{"nonce before", func(h *home) []byte {
			old := h.view.Nonce
			for slices.Equal(old, h.view.Nonce) {
				h.run(time.Second)
			}
			return h.who.Courier.Sign(old)
		}, interlock.SlideStale},
		{"made-up nonce", func(h *home) []byte { return h.who.Courier.Sign(make([]byte, 32)) }, interlock.SlideStale},
		{"garbage", func(*home) []byte { return []byte("{}") }, interlock.SlideForged},
		{"window over meanwhile", func(h *home) []byte {
			h.c.mem.used[""] = false
			v := h.c.doors[0].visit
			v.grant.Delivery.Until = noon.Add(time.Second)
			return h.who.Courier.Sign(h.view.Nonce)
		}, interlock.TooLate},
	}
	for _, k := range tests {
		t.Run(k.name, func(t *testing.T) {
			h := ready(t)
			r := h.ask(bus.Ask{What: bus.AskSlide, Visit: h.view.Visit, Assertion: k.slide(h)})
			if r.OK || r.Reason != k.want.String() {
				t.Errorf("got %+v, want %s", r, k.want)
			}
			h.run(2 * time.Second)
			if h.count("unlock") != 0 || h.count("durable") != 0 {
				t.Errorf("wire %v, want neither decision nor unlock", h.wire)
			}
			if !h.wrote("fact slide-refused " + k.want.String()) {
				t.Errorf("not on record: %q", h.words(ledger.KindFact))
			}
		})
	}
}

// T12, S3: a grant that opened once opens never again: not later, not after a restart.
func TestUsedGrant(t *testing.T) {
	h := ready(t)
	h.slide()
	h.through()
	h.until("secured")
	h.out()
	h.until("idle")
	h.run(time.Second)
	again := func() {
		t.Helper()
		r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
		if r.OK || r.Reason != interlock.GrantUsed.String() {
			t.Errorf("got %+v, want grant-used", r)
		}
	}
	again()
	h.boot([]string{"hall"}, 2)
	h.run(4 * time.Second)
	again()
	if r := h.ask(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()}); r.OK || r.Reason != "grant-used" {
		t.Errorf("the used grant given again: %+v", r)
	}
	if n := h.count("unlock"); n != 1 {
		t.Errorf("%d unlocks, want 1", n)
	}
}

// T30: two arrivals at one door.
func TestTwoArrivals(t *testing.T) {
	h := ready(t)
	visit := h.view.Visit
	if r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: "delivery-other", Parcel: "PARCEL-1"}); r.OK || r.Reason != "another-visit" {
		t.Errorf("second arrival: %+v", r)
	}
	// The same courier's phone asks again: its visit goes on.
	if r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}); !r.OK || r.Visit != visit {
		t.Errorf("the same arrival again: %+v", r)
	}
	if h.view.Visit != visit || h.view.Phase != "ready" {
		t.Errorf("the visit was disturbed: %+v", h.view)
	}
}

// T23: the same ask twice is taken once and answered twice, also while the first still waits for the disk.
func TestDuplicateAsks(t *testing.T) {
	h := ready(t)
	a := bus.Ask{ID: "slide-1", What: bus.AskSlide, Door: h.who.Door, Visit: h.view.Visit, Assertion: h.who.Courier.Sign(h.view.Nonce)}
	first, second := h.ask(a), h.ask(a)
	if !first.OK || first != second {
		t.Errorf("answers %+v and %+v, want the same yes", first, second)
	}
	h.through()
	h.until("secured")
	if n := h.count("unlock"); n != 1 {
		t.Errorf("%d unlocks, want 1", n)
	}
	if r := h.ask(a); r != first {
		t.Errorf("after the visit: %+v, want the remembered answer", r)
	}

	h.stuck = true
	hold := bus.Ask{ID: "hold-1", What: bus.AskHold, Text: "pets", On: true}
	h.in(Asked{Ref: 900, Ask: hold})
	h.in(Asked{Ref: 901, Ask: hold})
	if len(h.answers) > 0 && (h.answers[900].OK || h.answers[901].OK) {
		t.Error("T18: acknowledged before it was durable")
	}
	h.stuck = false
	h.flush()
	if !h.answers[900].OK || !h.answers[901].OK {
		t.Errorf("answers %+v and %+v, want both yes", h.answers[900], h.answers[901])
	}
}

// S4, T18: the disk hangs for a quarter of an hour and the same block is sent again and again. It holds from the first time
// on, and everybody who asked is answered: those too many at once, the others when it is on disk.
func TestAskedAgainAndAgain(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.stuck = true
	const n = 900
	for ref := range uint64(n) {
		h.in(Asked{Ref: 1000 + ref, Ask: bus.Ask{ID: "block", What: bus.AskBlock, Door: h.who.Door, Count: 1}})
		h.run(time.Second)
	}
	if !h.view.Blocked {
		t.Error("S4: not blocked while the disk hangs")
	}
	h.stuck = false
	h.flush()
	var yes, no, never int
	for ref := range uint64(n) {
		switch r, ok := h.answers[1000+ref]; {
		case !ok:
			never++
		case r.OK:
			yes++
		default:
			no++
		}
	}
	if never != 0 || yes != 2*maxWaiting || yes+no != n { // after ten minutes the ask is taken anew
		t.Errorf("%d yes, %d no, %d never answered", yes, no, never)
	}
}

// S1, S4, T23: orders have numbers. While hub and service do not agree on them nothing opens; old ones change nothing.
func TestBlockCounter(t *testing.T) {
	h := ready(t)
	h.blocks[h.who.Door] = 1 // the service has taken a block that is still on its way
	h.run(time.Second)
	if h.view.Phase != "arming" || h.view.Reason != "service-silent" {
		t.Errorf("S1: a block is in flight, yet %s (%s)", h.view.Phase, h.view.Reason)
	}
	h.blocks[h.who.Door] = 2 // and the unblock after it, which arrives first
	h.must(bus.Ask{What: bus.AskUnblock, Count: 2})
	if r := h.ask(bus.Ask{What: bus.AskBlock, Count: 1}); r.OK {
		t.Error("T23: an overtaken block was taken")
	}
	h.run(time.Second)
	if h.view.Blocked || h.view.BlockCount != 2 {
		t.Errorf("T23: blocked %v count %d, want not blocked, 2", h.view.Blocked, h.view.BlockCount)
	}
	h.until("ready")
	h.blocks[h.who.Door] = 3
	h.must(bus.Ask{What: bus.AskBlock, Count: 3})
	if r := h.ask(bus.Ask{What: bus.AskUnblock, Count: 2}); r.OK {
		t.Error("T23: an old unblock lifted a newer block")
	}
	h.run(time.Second)
	if !h.view.Blocked {
		t.Error("S4: the block did not win")
	}
	h.boot([]string{"hall"}, 2)
	h.run(time.Second)
	if !h.view.Blocked || h.view.BlockCount != 3 {
		t.Errorf("after a restart: blocked %v count %d, want 3", h.view.Blocked, h.view.BlockCount)
	}
}

// S1, S14: a silent service opens nothing.
func TestSilentService(t *testing.T) {
	h := ready(t)
	h.silent = true
	h.run(6 * time.Second)
	if r := h.slide(); r.OK {
		t.Errorf("slid with the service silent for 6 s: %+v", r)
	}
	h.run(2 * time.Second)
	if h.count("unlock") != 0 {
		t.Error("S1: unlocked without the service")
	}
}

// S1, S14: until a beat that names the visit was answered, the service does not watch it: nothing opens, however lately it
// answered another beat.
func TestServiceKnowsVisit(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.silent = true
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	unnamed := func() {
		h.seq++
		h.in(Answered{Seq: h.seq, Sent: h.mono, Reply: bus.BeatReply{Blocks: h.blocks, Time: noon.Add(h.away + h.mono)}})
	}
	for range 50 {
		h.run(100 * time.Millisecond)
		unnamed()
		if h.view.Phase != "arming" || h.view.Reason != "service-silent" && h.view.Reason != "not-recorded" {
			t.Fatalf("%s (%s) without a beat that names the visit", h.view.Phase, h.view.Reason)
		}
	}
	h.silent = false
	h.until("ready")
}

// S1, S4: an answer counts from when its beat left: one that was two seconds on its way keeps a door ready for three more, since a block that
// the service has taken meanwhile must end that in five.
func TestAnswerCountsFromItsBeat(t *testing.T) {
	for _, trip := range []time.Duration{0, 1900 * time.Millisecond} {
		h := ready(t)
		h.silent = true
		h.run(200 * time.Millisecond)
		h.seq++
		h.in(Answered{Seq: h.seq, Visits: h.named, Sent: h.mono - trip, Trip: trip, Reply: bus.BeatReply{Blocks: h.blocks, Time: noon.Add(h.away + h.mono)}})
		came := h.mono
		h.until("arming")
		if lasted := h.mono - came; h.view.Reason != "service-silent" || lasted < 4900*time.Millisecond-trip || lasted > 5100*time.Millisecond-trip {
			t.Errorf("trip %v: ready for %v, then %s", trip, lasted, h.view.Reason)
		}
	}
}

// S1, T23: an answer that was overtaken by a newer one says nothing: its block counter is older.
func TestOvertakenAnswer(t *testing.T) {
	h := ready(t)
	h.silent = true
	answer := func(seq, blocks uint64) {
		h.in(Answered{Seq: seq, Visits: h.named, Sent: h.mono, Reply: bus.BeatReply{Blocks: map[string]uint64{h.who.Door: blocks}, Time: noon.Add(h.away + h.mono)}})
	}
	answer(h.seq+2, 1) // a block is on its way
	answer(h.seq+1, 0)
	h.run(time.Second)
	if h.view.Phase != "arming" || h.view.Reason != "service-silent" {
		t.Errorf("S1: a block is in flight, yet %s (%s)", h.view.Phase, h.view.Reason)
	}
}

// S12: an order that provably never left ends without an opening, and the grant is spent all the same.
func TestNotSent(t *testing.T) {
	h := ready(t)
	h.deaf = true
	h.slide()
	h.run(20 * time.Millisecond)
	for range 50 {
		if h.count("unlock") == 1 {
			break
		}
		h.run(20 * time.Millisecond)
	}
	h.in(Carried{Door: h.who.Door, Do: "unlock", N: h.c.doors[0].visit.n, Err: errors.Join(errors.New("broker"), lock.ErrNotSent)})
	h.run(5 * time.Second)
	if h.view.PossiblyOpen || h.view.Alarm != "" {
		t.Errorf("not sent, yet possibly open %v, alarm %q", h.view.PossiblyOpen, h.view.Alarm)
	}
	if !h.wrote("command not-sent lock-offline") {
		t.Error("not on record")
	}
}
