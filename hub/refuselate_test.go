package hub

import (
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/liveness"
)

// S6: the hub's own late clockwork forbids Unlock and blames no camera.
func TestHubLate(t *testing.T) {
	h := ready(t)
	h.in(Tick{Late: true})
	if r := h.slide(); r.OK {
		t.Error("slid while the hub was late")
	}
	h.run(5 * time.Second)
	if h.view.Phase != "ready" || len(h.alarms) != 0 {
		t.Errorf("in time again: %s, alarms %v", h.view.Phase, h.alarms)
	}
}

// S5, S6: the hub stands still while a decision is on its way to the disk. The disk's word is taken before the next tick, and
// nothing that was seen before it counts: no Unlock.
func TestStallThenDurable(t *testing.T) {
	h := ready(t)
	h.stuck = true
	h.slide()
	h.mono += 900 * time.Millisecond
	h.stuck = false
	h.flush()
	if n := h.count("unlock"); n != 0 {
		t.Error("S6: unlocked 900 ms after the newest tick")
	}
	h.run(5 * time.Second)
	if h.view.Phase != "ready" || len(h.alarms) != 0 {
		t.Errorf("in time again: %s, alarms %v", h.view.Phase, h.alarms)
	}
}

// S6, S13: verdicts stop while everything else goes on. The last one, "live", is worth nothing after a second, and in a
// visit that is unlocked it is a lapse after three.
func TestSilentJudge(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.mute = true
	h.run(time.Second + 40*time.Millisecond)
	if h.view.Watch != "hub-late" {
		t.Errorf("S13: %s a second after the newest verdict", h.view.Watch)
	}
	h.run(2 * time.Second)
	if h.view.Watch != "lost" || !h.wrote("command incident lapse-lost") {
		t.Errorf("S6: %s three seconds after the newest verdict; record %v", h.view.Watch, h.words(ledger.KindCommand))
	}
	h.mute = false
	h.run(time.Second)
	if len(h.view.Incidents) != 1 || len(h.view.Incidents[0].Gaps) != 1 || h.view.Incidents[0].Gaps[0].Second < 2.9 {
		t.Errorf("S7: incidents %+v, want one with a gap of 3 s", h.view.Incidents)
	}
}

// S18: the watch is live while either camera is; a lapse needs both, and its gap is what neither saw.
func TestTwoCameras(t *testing.T) {
	h := ready(t, "hall", "porch")
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.cams["hall"].blind = true
	h.run(5 * time.Second)
	if h.view.Watch != "live" || h.view.Alarm != "" {
		t.Fatalf("one of two cameras lost: watch %s alarm %q", h.view.Watch, h.view.Alarm)
	}
	h.cams["porch"].blind = true
	from := h.mono
	h.run(4 * time.Second)
	if h.view.Watch != "lost" {
		t.Fatalf("both lost: watch %s", h.view.Watch)
	}
	h.cams["porch"].blind = false
	h.run(time.Second)
	if len(h.view.Incidents) != 1 || len(h.view.Incidents[0].Gaps) != 1 {
		t.Fatalf("incidents %+v", h.view.Incidents)
	}
	g := h.view.Incidents[0].Gaps[0]
	if d := g.From.Sub(noon.Add(from)).Abs(); d > 20*time.Millisecond || g.Second < 4.0 || g.Second > 4.1 {
		t.Errorf("gap from %v of %.1f s, want from %v of 4.0 s", g.From, g.Second, noon.Add(from))
	}
}

// combine is total over every pair of verdicts, does not look at the order of cameras, and is live exactly if one is.
func TestCombine(t *testing.T) {
	for a := liveness.State(0); a <= liveness.HubLate+1; a++ {
		for b := liveness.State(0); b <= liveness.HubLate+1; b++ {
			x := combine([]sight{{verdict: liveness.Verdict{State: a}}, {verdict: liveness.Verdict{State: b}}})
			y := combine([]sight{{verdict: liveness.Verdict{State: b}}, {verdict: liveness.Verdict{State: a}}})
			if x != y {
				t.Errorf("%v and %v: %v or %v", a, b, x, y)
			}
			if live := x == interlock.WatchLive; live != (a == liveness.Live || b == liveness.Live) {
				t.Errorf("%v and %v: %v", a, b, x)
			}
			if one := combine([]sight{{verdict: liveness.Verdict{State: a}}}); one != word(a) {
				t.Errorf("alone %v: %v", a, one)
			}
			lapsed := word(a).Lapse() || word(b).Lapse()
			if lapsed && (word(a).Lapse() || word(a) == interlock.WatchUnknown) && (word(b).Lapse() || word(b) == interlock.WatchUnknown) && !x.Lapse() {
				t.Errorf("%v and %v: %v, want a lapse", a, b, x)
			}
		}
	}
}

// T20: an acknowledgement where nothing stands is answered and leaves nothing on disk; one of an alarm is on record.
func TestAcknowledgeNothing(t *testing.T) {
	h := ready(t)
	h.run(time.Second)
	at := len(h.disk)
	for range 50 {
		h.must(bus.Ask{What: bus.AskAck})
	}
	h.run(time.Second)
	for _, e := range h.disk[at:] {
		if e.Word == "acknowledged" {
			t.Fatalf("entry %d tells of an acknowledgement of nothing", e.Index)
		}
	}
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.deaf = true
	h.move(false)
	h.run(12 * time.Second)
	if h.view.Alarm != "not-secured" {
		t.Fatalf("alarm %q, want not-secured", h.view.Alarm)
	}
	h.must(bus.Ask{What: bus.AskAck})
	h.run(100 * time.Millisecond)
	if !slices.ContainsFunc(h.disk, func(e ledger.Entry) bool { return e.Word == "acknowledged" }) {
		t.Error("an alarm's acknowledgement is not on record")
	}
}

// S1: what was confirmed of the visit before, and is heard of only now, confirms nothing of this one.
func TestRecordedIsOfItsVisit(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	first := h.view.Visit
	h.run(time.Second)
	h.must(bus.Ask{What: bus.AskCannot, Visit: first, Text: "nobody"})
	h.cams["hall"].blind, h.mute = true, true // nothing is confirmed from here on, and the last verdict was live
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	h.in(Recorded{Door: h.who.Door, Camera: "hall", Visit: first, OK: true})
	for _, k := range h.view.Checks {
		if k.Name == "recording" && k.OK {
			t.Error("pictures of the visit before count for this one")
		}
	}
	h.in(Recorded{Door: h.who.Door, Camera: "hall", Visit: h.view.Visit, OK: true})
	for _, k := range h.view.Checks {
		if k.Name == "recording" && !k.OK {
			t.Errorf("pictures of this visit do not count: %+v", k)
		}
	}
}

// S1, S13: a service that answers, but says nothing of this door's block counter, has not said that there is no block.
func TestCounterNotSaid(t *testing.T) {
	h := ready(t)
	delete(h.blocks, h.who.Door)
	h.run(6 * time.Second)
	if h.view.Phase != "arming" || h.view.Reason != "service-silent" {
		t.Errorf("%s (%s), want arming (service-silent)", h.view.Phase, h.view.Reason)
	}
	h.blocks[h.who.Door] = 0
	h.until("ready")
}
