package hub

import (
	"testing"
	"time"

	"eyebolt/bus"
)

// S7: the camera goes blind as the door closes, and the bolt is proven thrown before that is a lapse. What nobody watched began while
// the door was not secured: an incident that shows it, whenever it was noticed, though the courier has said that he is out.
func TestBlindBeforeSecured(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.run(time.Second)
	h.move(true)
	h.until("open")
	h.run(5 * time.Second)
	h.cams["hall"].blind = true
	h.run(700 * time.Millisecond)
	h.move(false)
	h.until("secured")
	h.out()
	h.run(5 * time.Second)
	if h.view.Alarm != "lapse-lost" || h.count("lock") != 1 {
		t.Errorf("alarm %q, wire %v: want lapse-lost, and the bolt left as it is proven", h.view.Alarm, h.wire)
	}
	h.cams["hall"].blind = false
	h.until("idle")
	if len(h.view.Incidents) != 1 || h.view.Incidents[0].Total < 0.5 || h.view.Incidents[0].Reason != "lapse-lost" {
		t.Fatalf("S7: incidents %+v, want one with the gap; %v", h.view.Incidents, h.words())
	}
	if r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}); r.OK {
		t.Error("a new visit began over an open incident")
	}
}

// S7: the same, while a door that was never opened waits for its second slide: there is none.
func TestBlindBeforeTheRearm(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.cams["hall"].blind = true
	h.until("arming")
	h.run(3 * time.Second)
	if h.view.Alarm != "lapse-lost" {
		t.Errorf("alarm %q in %s", h.view.Alarm, h.view.Phase)
	}
	h.cams["hall"].blind = false
	h.until("idle")
	if len(h.view.Incidents) != 1 || h.view.Incidents[0].Total < 0.5 {
		t.Errorf("S7: incidents %+v, want one with the gap; %v", h.view.Incidents, h.words())
	}
	if h.count("unlock") != 1 {
		t.Errorf("wire %v, want one unlock", h.wire)
	}
}

// S18: a lapse that began after the door was proven secured is told, and is no incident.
func TestBlindAfterSecured(t *testing.T) {
	h := ready(t)
	h.slide()
	h.through()
	h.until("secured")
	h.run(time.Second)
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	h.cams["hall"].blind = false
	h.out()
	h.until("idle")
	if len(h.view.Incidents) != 0 || h.view.Alarm != "lapse-lost" {
		t.Errorf("incidents %+v, alarm %q; want an alarm alone", h.view.Incidents, h.view.Alarm)
	}
}
