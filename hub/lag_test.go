package hub

import (
	"slices"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/liveness"
)

// S7: pictures are kept just short of a lapse from the opening on until the visit has ended. Nothing heals, so no lag ends;
// what was not seen in time while the door was unlocked is on record all the same.
func TestLagToTheEnd(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.mute = true
	lag := func(d time.Duration) {
		for end := h.mono + d; h.mono < end && h.view.Phase != "idle"; h.run(240 * time.Millisecond) {
			h.in(Seen{Door: h.who.Door, Camera: "hall", At: h.mono, Verdict: liveness.Verdict{State: liveness.Lagging, Age: 700 * time.Millisecond, Pictures: 9}})
		}
	}
	lag(5 * time.Second)
	h.move(false)
	lag(3 * time.Second)
	if h.view.Phase != "secured" {
		t.Fatalf("%s, want secured", h.view.Phase)
	}
	h.out()
	lag(40 * time.Second)
	if h.view.Phase != "idle" {
		t.Fatalf("%s, want idle", h.view.Phase)
	}
	h.run(100 * time.Millisecond)
	i := slices.IndexFunc(h.disk, func(e ledger.Entry) bool { return e.Kind == ledger.KindVisit && e.Word == ledger.WordEnded })
	k, _ := decode[ledger.VisitData](h.disk[i].Data)
	if k.GapSeconds < 5 || k.GapSeconds > 8 || !slices.Contains(h.words(ledger.KindGap), "gap gap lapse-lagging") {
		t.Errorf("S7: %.1f s on record, want the 5 s and a little in which the door was not secured; gaps %v", k.GapSeconds, h.words(ledger.KindGap))
	}
}

// S7: the pictures lag and leave a hole; as they come again, the hub's own clockwork comes late once. The hole is on record
// all the same: why the watch was last not live does not change what nobody saw.
func TestHoleEndsInAHubLate(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.run(time.Second)
	h.mute = true
	door, from := h.who.Door, h.mono
	h.run(600 * time.Millisecond)
	h.in(Seen{Door: door, Camera: "hall", At: h.mono, Verdict: liveness.Verdict{State: liveness.Lagging, Age: h.mono - from, Pictures: 100, GapFrom: from, GapTo: h.mono}})
	h.run(300 * time.Millisecond)
	h.in(Tick{Late: true})
	h.in(Seen{Door: door, Camera: "hall", At: h.mono, Verdict: liveness.Verdict{State: liveness.Live, Pictures: 101, GapFrom: from, GapTo: h.mono}})
	if h.view.Watch != "hub-late" {
		t.Fatalf("watch %s, want hub-late", h.view.Watch)
	}
	h.run(100 * time.Millisecond)
	if h.view.Watch != "live" {
		t.Fatalf("watch %s, want live", h.view.Watch)
	}
	if !h.wrote("gap gap lapse-lagging") {
		t.Errorf("a hole of 0.9 s is not on record: %v", h.words(ledger.KindGap, ledger.KindWatch))
	}
}

// S7: a lag that is no lapse, and whose pictures did not all come, leaves its hole on record, under its own name; when the hub itself was
// late first, under the camera's, which was it in the end.
func TestHoleOfALag(t *testing.T) {
	for _, late := range []bool{false, true} {
		h := ready(t)
		h.slide()
		h.until("unlocked")
		h.move(true)
		h.until("open")
		h.run(time.Second)
		h.mute = true
		door, from := h.who.Door, h.mono
		h.run(580 * time.Millisecond)
		if late {
			h.in(Tick{Late: true})
			if h.view.Watch != "hub-late" {
				t.Fatalf("watch %s, want hub-late", h.view.Watch)
			}
		}
		h.in(Seen{Door: door, Camera: "hall", At: h.mono, Verdict: liveness.Verdict{State: liveness.Lagging, Age: h.mono - from, Pictures: 100}})
		h.run(20 * time.Millisecond)
		if h.view.Watch != "lagging" {
			t.Fatalf("watch %s, want lagging", h.view.Watch)
		}
		h.run(300 * time.Millisecond)
		h.in(Seen{Door: door, Camera: "hall", At: h.mono, Verdict: liveness.Verdict{State: liveness.Live, Pictures: 101, GapFrom: from, GapTo: h.mono}})
		h.run(20 * time.Millisecond)
		if got := h.words(ledger.KindGap); h.view.Watch != "live" || !slices.Equal(got, []string{"gap gap lapse-lagging"}) {
			t.Errorf("hub late first %t: watch %s, gaps %v", late, h.view.Watch, got)
		}
	}
}
