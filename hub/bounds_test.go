package hub

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// T20: what the hub remembers is bounded: grants (the oldest that are over go first), residents, incidents on an old record, and what a
// disk owes that fails again and again.
func TestMemoryIsBounded(t *testing.T) {
	h := newHome(t)
	g := func(n int, until time.Time) grant.Grant {
		return grant.Grant{Delivery: grant.Delivery{ID: fmt.Sprintf("d-%d", n), Until: until}}
	}
	m := &h.c.mem
	for n := range maxGrants {
		if !m.hold(g(n, noon.Add(time.Duration(n+1)*time.Minute)), noon) {
			t.Fatalf("grant %d of %d is refused", n+1, maxGrants)
		}
	}
	if m.hold(g(maxGrants, noon.Add(time.Hour)), noon) || len(m.grants) != maxGrants {
		t.Errorf("one more than %d is held: %d", maxGrants, len(m.grants))
	}
	if !m.hold(g(0, noon.Add(2*time.Hour)), noon) || len(m.order) != maxGrants {
		t.Error("one that is held is not held anew")
	}
	if !m.hold(g(maxGrants, noon.Add(time.Hour)), noon.Add(10*time.Minute)) || m.grants["d-5"].Delivery.ID != "" || len(m.grants) != maxGrants-8 {
		t.Errorf("those that are over do not go: %d are held", len(m.grants))
	}

	for n := range maxResidents + 3 {
		m.pair("home", grant.Passkey{ID: fmt.Append(nil, n)})
	}
	if len(m.residents) != maxResidents {
		t.Errorf("%d residents, want %d", len(m.residents), maxResidents)
	}

	d := h.c.doors[0]
	for n := range maxIncidents + 3 {
		end := encode(ledger.VisitData{Outcome: interlock.Incident.String()})
		d.replayVisit(h.c, ledger.Entry{Kind: ledger.KindVisit, Word: ledger.WordEnded, Visit: fmt.Sprint(n), Data: end})
	}
	if len(d.incidents) != maxIncidents {
		t.Errorf("%d incidents are open after a replay, want %d", len(d.incidents), maxIncidents)
	}

	var o Owed
	fresh := []ledger.Entry{{Kind: ledger.KindFact, Data: make([]byte, maxOwedBytes*2/3)}}
	for range 5 {
		n, lost := o.Put(errors.New("disk full"), o.Take(), fresh)
		if n != 1 || lost != 0 {
			t.Fatalf("%d owed, %d lost: what is taken and put again is not counted twice", n, lost)
		}
		fresh = nil
	}
}

// Names of hubs and doors stand in subjects, paths and challenges: letters, digits and - alone.
func TestNamesOfHubsAndDoors(t *testing.T) {
	for _, good := range []string{"a", "z", "0", "9", "front-door-2", strings.Repeat("x", 64)} {
		if !nameOK(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 65), "a.b", "a/b", "a b", "A", "a_", "a:", "a`", "a{", "a*", "ä", "a\x00"} {
		if nameOK(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

// S4: the household asks the courier to leave: he is told, and it is on record. Outside a visit there is nobody to ask.
func TestLeaveNow(t *testing.T) {
	h := newHome(t)
	h.prepare()
	if r := h.ask(bus.Ask{What: bus.AskLeave}); r.OK || r.Reason != "no-visit" {
		t.Errorf("without a visit: %+v", r)
	}
	h.reach("open")
	if h.view.Leave {
		t.Fatal("he is asked to leave before anybody asked")
	}
	h.must(bus.Ask{What: bus.AskLeave, By: "ann"})
	h.run(100 * time.Millisecond)
	if !h.view.Leave || !h.wrote("fact leave-asked resident-asked") {
		t.Errorf("S4: leave %t, on record %v", h.view.Leave, h.words(ledger.KindFact))
	}
}

// S4: each of the household's conditions holds the door until it is lifted; what the hub finds by itself is nobody's to set.
func TestEachConditionHoldsTheDoor(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	h.until("ready")
	for i, k := range conditions {
		own := i == batteryCondition || i == linkCondition || i == walkCondition
		r := h.ask(bus.Ask{What: bus.AskHold, Text: k.name, On: true})
		if r.OK == own {
			t.Errorf("%s is set: %+v", k.name, r)
		}
		if own {
			continue
		}
		h.run(100 * time.Millisecond)
		if h.view.Phase != "held" || h.view.Reason != k.reason.String() || len(h.view.Nonce) != 0 {
			t.Errorf("S4: with %s the door is %s (%s)", k.name, h.view.Phase, h.view.Reason)
		}
		h.must(bus.Ask{What: bus.AskHold, Text: k.name, On: false})
		h.until("ready")
	}
}

// S19: "I am out" before the door is proven secured is refused with its reason, and taken when it is. One that the record has no room
// for is refused, and asked for again.
func TestOutTooEarly(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.reach("open")
	if r := h.ask(bus.Ask{What: bus.AskOut, Visit: h.view.Visit, Assertion: h.who.Courier.Sign([]byte("early"))}); r.OK || r.Reason != "door-not-closed" {
		t.Errorf("with the door open: %+v, want door-not-closed", r)
	}
	h.move(false)
	h.until("secured")
	h.stuck = true
	for n := 0; len(h.c.waits) < maxWaits; n++ {
		h.ref++
		h.in(Asked{Ref: h.ref, Ask: bus.Ask{ID: fmt.Sprint("fill-", n), What: bus.AskHold, Door: h.who.Door, Text: "pets", On: n%2 == 0}})
	}
	nonce := h.view.OutNonce
	if r := h.out(); r.OK || r.Reason != "ledger-slow" {
		t.Errorf("with %d that wait for the disk: %+v", len(h.c.waits), r)
	}
	h.stuck = false
	h.flush()
	h.run(time.Second)
	if len(nonce) == 0 || len(h.view.OutNonce) == 0 {
		t.Errorf("S19: he is not asked for it again")
	}
}

// S3: a decision on record uses its grant up, whether or not anything else of that visit was written before the power went.
func TestADecisionAloneUsesTheGrant(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.reach("deciding")
	h.stuck = false
	h.flush()
	c, err := New(h.c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	decided := false
	for _, e := range h.disk {
		if e.Kind != ledger.KindConfig || e.Word != "spent" {
			c.Replay(e)
		}
		decided = decided || e.Kind == ledger.KindDecision
	}
	if !decided || !c.mem.used[h.who.Delivery.ID] {
		t.Errorf("S3: decision on record %t, its grant is used %t", decided, c.mem.used[h.who.Delivery.ID])
	}
}
