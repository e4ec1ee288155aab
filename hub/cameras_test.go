package hub

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/liveness"
)

// entry finds the newest entry of this kind and word.
func (h *home) entry(kind ledger.Kind, word string) (ledger.Entry, bool) {
	for i := len(h.disk) - 1; i >= 0; i-- {
		if e := h.disk[i]; e.Kind == kind && e.Word == word {
			return e, true
		}
	}
	return ledger.Entry{}, false
}

func (h *home) camera(name string) bus.Camera {
	for _, k := range h.view.Cameras {
		if k.Name == name {
			return k
		}
	}
	return bus.Camera{}
}

// S18: while one of two cameras watches, the other's lapse locks nothing and alarms nobody; S7: it stays on record all the same, and
// the resident sees which one it is. When both are gone, it is a lapse.
func TestOneOfTwoCamerasLapses(t *testing.T) {
	h := ready(t, "hall", "porch")
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	locks := h.count("lock")
	h.cams["porch"].blind = true
	h.run(3 * time.Second)
	if h.view.Watch != "live" || h.view.Alarm != "" || h.view.Leave || len(h.alarms) != 0 || h.count("lock") != locks {
		t.Fatalf("S18: one of two is lost: watch %s, alarm %q, alarms %v, locks %d → %d", h.view.Watch, h.view.Alarm, h.alarms, locks, h.count("lock"))
	}
	if k := h.camera("porch"); k.Watch != "lost" || k.Say == "" || k.AgeMs < 1500 {
		t.Errorf("the resident sees of the lost one: %+v", k)
	}
	if k := h.camera("hall"); k.Watch != "live" || k.Say != "" {
		t.Errorf("the resident sees of the live one: %+v", k)
	}
	e, ok := h.entry(ledger.KindWatch, "camera-lost")
	var d ledger.WatchData
	if !ok || json.Unmarshal(e.Data, &d) != nil || d.Camera != "porch" || len(d.Evidence) != 1 || d.Evidence[0].State != "lost" || d.Evidence[0].Score < 1.5 {
		t.Errorf("S7: on record %v: %s", ok, e.Data)
	}
	if e.Visit == "" {
		t.Error("S7: the entry names no visit")
	}
	h.cams["porch"].blind = false
	h.run(time.Second)
	if !h.wrote("watch camera-live") {
		t.Errorf("that it is back is not on record: %v", h.words(ledger.KindWatch))
	}
	h.cams["hall"].blind, h.cams["porch"].blind = true, true
	h.run(3 * time.Second)
	if h.view.Watch != "lost" || h.view.Alarm != "lapse-lost" || !h.view.Leave {
		t.Errorf("S6: both are lost: watch %s, alarm %q, leave %v", h.view.Watch, h.view.Alarm, h.view.Leave)
	}
	e, _ = h.entry(ledger.KindWatch, "lost")
	d = ledger.WatchData{}
	_ = json.Unmarshal(e.Data, &d)
	if len(d.Evidence) == 0 {
		t.Errorf("S7: the door's lapse has no evidence: %s", e.Data)
	}
}

// S6: a camera that lags for good, since a detector that it needs has no word, hides the loss of the other one for seconds, not for
// ever: nobody watches, so it is a lapse.
func TestOneLagsForGoodAndTheOtherIsLost(t *testing.T) {
	h := ready(t, "hall", "porch")
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.cams["porch"].mute = true
	h.run(20 * time.Second)
	if h.view.Watch != "live" || h.view.Alarm != "" {
		t.Fatalf("S18: the hall watches: %s, alarm %q", h.view.Watch, h.view.Alarm)
	}
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	if h.view.Watch != "lost" || h.view.Alarm != "lapse-lost" || !h.view.Leave {
		t.Errorf("the hall is lost, the porch lags for good: watch %s, alarm %q, leave %v", h.view.Watch, h.view.Alarm, h.view.Leave)
	}
	last := h.cams["hall"].last
	h.cams["porch"].mute = false
	h.run(time.Second)
	if h.view.Watch != "live" {
		t.Errorf("the porch has its detector's word again: watch %s", h.view.Watch)
	}
	e, ok := h.entry(ledger.KindGap, wordGap)
	var g ledger.GapData
	if !ok || json.Unmarshal(e.Data, &g) != nil || g.Seconds < 2.8 || g.From.Sub(noon.Add(h.away+last)).Abs() > 250*time.Millisecond {
		t.Errorf("S7: the gap, from the hall's last picture at %v on: %v %s", last, ok, e.Data)
	}
}

// S7: with a lapse, what every detector found goes into the record in numbers, and the resident reads the sentence.
func TestLapseKeepsItsEvidence(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.mute = true
	why := []liveness.Finding{
		{By: "freeze", State: liveness.Frozen, At: h.mono - 2*time.Second, Score: 0.41, Limit: 0.15, Say: "The sensor's noise repeats: 0.41 alike, 0.15 is the limit."},
		{By: "cover", State: liveness.Live, At: h.mono, Score: math.NaN(), Limit: 0.65, Say: "\xffthe lens is free"},
		{By: "signature", State: liveness.Unknown},
	}
	v := h.cams["hall"].verdict
	v.State, v.GapFrom, v.GapTo = liveness.Frozen, h.mono-8*time.Second, h.mono
	h.in(Seen{Door: h.who.Door, Camera: "hall", At: h.mono, Verdict: v, Why: why})
	h.run(100 * time.Millisecond)
	e, ok := h.entry(ledger.KindWatch, "frozen")
	if !ok {
		t.Fatalf("no entry: %v", h.words())
	}
	var d ledger.WatchData
	if err := json.Unmarshal(e.Data, &d); err != nil {
		t.Fatalf("%v: %s", err, e.Data)
	}
	if ago := d.Evidence[0].AgoMs; ago != 2000 {
		t.Errorf("S7: found %d ms before the verdict, want 2000", ago)
	}
	if len(d.Evidence) != 2 || d.Evidence[0].By != "freeze" || d.Evidence[0].Score != 0.41 || d.Evidence[0].Limit != 0.15 || d.Evidence[0].Camera != "hall" || d.Evidence[1].Say != "The lens is free." {
		t.Errorf("S7: evidence %+v", d.Evidence)
	}
	if k := h.camera("hall"); k.Say != why[0].Say {
		t.Errorf("the resident reads %q", k.Say)
	}
}

// S18: nobody is let in while no camera of the door has a link that may be relied on; one good one is enough; the person at the door
// is told, and so is the resident, with what to do.
func TestUnfitLink(t *testing.T) {
	bad := liveness.Certificate{Grade: liveness.GradeD, Refused: true, Watched: time.Hour, Say: "37 gaps over 500 ms in 60 min: too unsteady. To do: wire this camera."}
	good := liveness.Certificate{Grade: liveness.GradeA, Watched: time.Hour, Say: "Steady."}
	arrive := func(h *home) bus.AskReply {
		return h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	}
	t.Run("the only camera", func(t *testing.T) {
		h := newHome(t)
		h.prepare()
		h.in(Linked{Door: h.who.Door, Camera: "hall", Certificate: bad})
		if r := arrive(h); r.OK || r.Reason != "link-unfit" {
			t.Errorf("S18: arrival on an unfit link: %+v", r)
		}
		if k := h.camera("hall"); k.Link == nil || k.Link.Grade != "D" || !k.Link.Refused || !strings.Contains(k.Link.Say, "wire this camera") {
			t.Errorf("the resident is told %+v", k.Link)
		}
		h.in(Linked{Door: h.who.Door, Camera: "hall", Certificate: good})
		if r := arrive(h); !r.OK {
			t.Errorf("a good link again: %+v", r)
		}
	})
	t.Run("one of two", func(t *testing.T) {
		h := newHome(t, "hall", "porch")
		h.prepare()
		h.in(Linked{Door: h.who.Door, Camera: "hall", Certificate: bad})
		h.in(Linked{Door: h.who.Door, Camera: "porch", Certificate: good})
		if r := arrive(h); !r.OK {
			t.Errorf("S18: one good link is enough: %+v", r)
		}
	})
	t.Run("in a visit", func(t *testing.T) {
		h := ready(t)
		h.in(Linked{Door: h.who.Door, Camera: "hall", Certificate: bad})
		if r := h.slide(); r.OK || h.count("unlock") != 0 {
			t.Errorf("S18: opened on a link that became unfit: %+v", r)
		}
		found := false
		for _, k := range h.view.Checks {
			if k.Name == "watch" {
				found = k.Reason == "link-unfit"
			}
			if k.Name == "household" && !k.OK {
				t.Errorf("the household is blamed: %+v", k)
			}
		}
		if !found {
			t.Errorf("the courier's list: %+v", h.view.Checks)
		}
	})
	t.Run("with the door open it changes nothing", func(t *testing.T) {
		h := ready(t)
		h.slide()
		h.until("unlocked")
		h.move(true)
		h.until("open")
		h.in(Linked{Door: h.who.Door, Camera: "hall", Certificate: bad})
		h.run(time.Second)
		if h.view.Phase != "open" || h.view.Alarm != "" {
			t.Errorf("phase %s, alarm %q", h.view.Phase, h.view.Alarm)
		}
	})
	t.Run("nobody sets or lifts it", func(t *testing.T) {
		h := newHome(t)
		h.prepare()
		if r := h.ask(bus.Ask{What: bus.AskHold, Text: "link", On: false}); r.OK {
			t.Error("S18: the certificate was lifted by an ask")
		}
	})
}

// S7: that a hub was late, or the other camera lagging, at the very moment of a camera's lapse does not keep it from the record.
func TestCameraLapseWhileTheHubIsLate(t *testing.T) {
	h := ready(t, "hall", "porch")
	h.mute = true
	h.in(Tick{Late: true})
	v := h.cams["porch"].verdict
	v.State = liveness.Untrusted
	h.in(Seen{Door: h.who.Door, Camera: "porch", At: h.mono, Verdict: v, Why: []liveness.Finding{{By: "door", State: liveness.Untrusted, At: h.mono, Score: 14, Limit: 13.8, Say: "it does not see its door"}}})
	h.mute = false
	h.run(100 * time.Millisecond)
	if e, ok := h.entry(ledger.KindWatch, "camera-untrusted"); !ok || !strings.Contains(string(e.Data), "It does not see its door.") {
		t.Errorf("S7: on record: %v", h.words(ledger.KindWatch))
	}
}

// T18: a visit in which the watch flaps on and on writes less of what was fine, and always what speaks against the camera.
func TestEvidenceBecomesBrief(t *testing.T) {
	s := sight{name: "hall", verdict: liveness.Verdict{State: liveness.Frozen}, why: []liveness.Finding{
		{By: "freeze", State: liveness.Frozen, Score: 1, Say: "frozen"}, {By: "age", State: liveness.Live, Say: "young"},
	}}
	d := &door{visit: &visit{budget: visitEntries}, sights: []sight{s}}
	if d.brief() || len(s.evidence(0, d.brief())) != 2 {
		t.Error("the first lapses are brief")
	}
	d.visit.budget -= wholeEntries + 1
	if got := s.evidence(0, d.brief()); len(got) != 1 || got[0].By != "freeze" {
		t.Errorf("T18: after %d entries: %+v", wholeEntries, got)
	}
}

// S7: a camera that never gave a picture is said to be lost, without an age that nobody measured. A lapse of both cameras is one entry of
// the door's, not one of each beside it.
func TestWhatIsSaidOfALostCamera(t *testing.T) {
	s := sight{verdict: liveness.Verdict{State: liveness.Lost}}
	if got := s.say(); got != interlock.LapseLost.What() {
		t.Errorf("of one that never gave a picture: %q", got)
	}
	s.verdict.Age = 2500 * time.Millisecond
	if got := s.say(); got != interlock.LapseLost.What()+" Its newest picture was 2.5 s old." {
		t.Errorf("of one whose picture is 2.5 s old: %q", got)
	}
	h := ready(t, "hall", "porch")
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.cams["porch"].blind = true
	h.run(3 * time.Second)
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	alone := 0
	for _, w := range h.words(ledger.KindWatch) {
		if strings.HasPrefix(w, "watch camera-lost") {
			alone++
		}
	}
	if alone != 1 || !h.wrote("watch lost lapse-lost") {
		t.Errorf("on record: %v", h.words(ledger.KindWatch))
	}
}
