package hub

import (
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// unwalkedHome is a home whose door nobody has walked.
func unwalkedHome(t *testing.T) *home {
	t.Helper()
	h := &home{T: t, who: granttest.New("a", noon), thrown: true, plug: true, unwalked: true, blocks: map[string]uint64{}, answers: map[uint64]bus.AskReply{}, cams: map[string]*cam{"hall": {}}}
	h.blocks[h.who.Door] = 0
	h.boot([]string{"hall"}, 1)
	return h
}

// S9, S11, S13: a door whose walk test is missing, failed or made for other devices opens to nobody; the courier, the resident and the
// record have the reason; nobody can lift it. Once it was walked, the same grant opens it.
func TestUnwalkedDoorOpensToNobody(t *testing.T) {
	h := unwalkedHome(t)
	h.prepare()
	arrive := bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}
	if r := h.ask(arrive); r.OK || r.Reason != interlock.NotWalked.String() || r.Sentence == "" {
		t.Errorf("got %+v, want not-walked with a sentence", r)
	}
	if w := h.view.Walk; w == nil || w.Passed || w.Say == "" {
		t.Errorf("the resident reads %+v", w)
	}
	if r := h.ask(bus.Ask{What: bus.AskHold, Text: "walk", On: false}); r.OK {
		t.Error("somebody lifted it")
	}
	h.run(10 * time.Second)
	if r := h.ask(arrive); r.OK || len(h.wire) != 0 {
		t.Errorf("reached the lock: %v, %+v", h.wire, r)
	}
	if !h.wrote("report not-walked not-walked") || !h.wrote("fact arrived-refused not-walked") {
		t.Errorf("not on record: %q", h.words(ledger.KindReport))
	}

	h.unwalked = false
	h.boot([]string{"hall"}, 2)
	h.run(4 * time.Second)
	if !h.wrote("report walked") {
		t.Errorf("the walk is not on record: %q", h.words(ledger.KindReport))
	}
	if r := h.ask(arrive); !r.OK {
		t.Errorf("walked, and still %+v", r)
	}
	n := len(h.words(ledger.KindReport))
	h.boot([]string{"hall"}, 3)
	h.run(time.Second)
	for _, w := range h.words(ledger.KindReport)[n:] {
		if w == "report walked" {
			t.Error("the same walk is on record twice")
		}
	}
}
