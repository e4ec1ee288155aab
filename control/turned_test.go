package control_test

import (
	"context"
	"testing"
	"time"

	"eyebolt/bus"
)

// T15, S15: the service's clock was a day ahead for a while, the hub followed it, and both were put right; the hub was started anew
// meanwhile. Its doors are shown as they are, not as they were when the clock was wrong, though the hub counts its views anew.
func TestViewsOfAClockThatWasPutRight(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	show := func(seq uint64, at time.Time, phase string) {
		t.Helper()
		if err := w.s.View(ctx, w.now, w.a.hub, bus.View{Hub: w.a.hub, Door: "front", Seq: seq, At: at, Phase: phase}); err != nil {
			t.Fatal(err)
		}
	}
	shown := func() string {
		t.Helper()
		h, err := w.s.Home(ctx, w.now, w.a.resident)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range h.Doors {
			if d.View != nil {
				return d.View.Phase
			}
		}
		return ""
	}
	show(900, w.now.Add(24*time.Hour), "closing")
	show(3, w.now, "idle")
	if got := shown(); got != "idle" {
		t.Errorf("a view out of the future hides what is: %q is shown, want idle", got)
	}
	show(2, w.now.Add(-time.Second), "ready")
	if got := shown(); got != "idle" {
		t.Errorf("T23: an older view took the newer one's place: %q", got)
	}
}

// S14, T23: a beat that was overtaken on the way names the visits of before: the hub is not watched for a visit that is over, and nobody
// is alarmed because it beats slowly again.
func TestOvertakenBeatNamesNoVisit(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	beat := func(seq uint64, visits ...string) {
		t.Helper()
		if _, _, err := w.s.Beat(w.now, w.a.hub, bus.Beat{Hub: w.a.hub, Nonce: []byte("n"), Seq: seq, Visits: visits}); err != nil {
			t.Fatal(err)
		}
	}
	beat(1, "v")
	beat(3)
	beat(2, "v")
	w.now = w.now.Add(4 * time.Second)
	if err := w.s.Tick(ctx, w.now, false); err != nil {
		t.Fatal(err)
	}
	if all, err := w.s.Standing(ctx); err != nil || len(all) != 0 {
		t.Errorf("%d alarms (%v) of a hub that beats slowly, as it may: %v", len(all), err, all)
	}
}
