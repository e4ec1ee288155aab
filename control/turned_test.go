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

// S14, T23, T9: beats that were kept back while the hub lived do not stand for it when it is dead: neither one of a minute ago, nor one of
// seconds ago, nor the first of a start that was long ago, which has no answer to show.
func TestLateBeatDoesNotStandForADeadHub(t *testing.T) {
	ctx := context.Background()
	for name, late := range map[string]func(sent, newest time.Time) bus.Beat{
		"of a minute ago, before its start":      func(sent, _ time.Time) bus.Beat { return bus.Beat{Seq: 900, Told: sent.Add(-time.Minute)} },
		"of a second ago":                        func(sent, _ time.Time) bus.Beat { return bus.Beat{Seq: 1, Told: sent.Add(-time.Second)} },
		"of twenty beats ago, all of one answer": func(_, newest time.Time) bus.Beat { return bus.Beat{Seq: 1, Told: newest} },
		"the very same":                          func(_, newest time.Time) bus.Beat { return bus.Beat{Seq: 21, Told: newest, Visits: []string{"V1"}} },
		"the first of a start":                   func(time.Time, time.Time) bus.Beat { return bus.Beat{Seq: 1} },
		"out of the future":                      func(sent, _ time.Time) bus.Beat { return bus.Beat{Seq: 3, Told: sent.Add(time.Hour)} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			beat := func(b bus.Beat) {
				t.Helper()
				b.Hub, b.Nonce = w.a.hub, []byte("n")
				if r, _, err := w.s.Beat(w.now, w.a.hub, b); err != nil || !r.Time.Equal(w.now) {
					t.Fatalf("%+v, %v: every beat is answered", r, err)
				}
			}
			newest := w.now
			beat(bus.Beat{Seq: 21, Told: newest, Visits: []string{"V1"}})
			w.now = w.now.Add(1500 * time.Millisecond)
			beat(late(newest, newest))
			w.now = w.now.Add(501 * time.Millisecond)
			if err := w.s.Tick(ctx, w.now, false); err != nil {
				t.Fatal(err)
			}
			if all, err := w.s.Standing(ctx); err != nil || len(all) != 1 || all[0].Reason != "hub-silent" {
				t.Errorf("%v, %v; want the alarm two seconds after the newest beat that was sent", all, err)
			}
		})
	}
}

// S14: a service whose clock was turned back hears its hubs again with their next beat.
func TestBeatsAfterTheServicesClockWasTurnedBack(t *testing.T) {
	w := newTown(t)
	w.beat(w.a)
	echo := w.now
	w.now = w.now.Add(-time.Hour)
	for seq := range uint64(2) {
		r, _, err := w.s.Beat(w.now, w.a.hub, bus.Beat{Hub: w.a.hub, Nonce: []byte("n"), Seq: 10 + seq, Visits: []string{"V1"}, Told: echo})
		if err != nil {
			t.Fatal(err)
		}
		echo = r.Time
		w.now = w.now.Add(500 * time.Millisecond)
	}
	w.now = w.now.Add(2 * time.Second)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 1 {
		t.Errorf("%q; want the alarm for the visit that the second beat named", got)
	}
}

// S14, T23: a beat that was overtaken on the way names the visits of before: the hub is not watched for a visit that is over, and nobody
// is alarmed because it beats slowly again.
func TestOvertakenBeatNamesNoVisit(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	beat := func(seq uint64, visits ...string) {
		t.Helper()
		if _, _, err := w.s.Beat(w.now, w.a.hub, bus.Beat{Hub: w.a.hub, Nonce: []byte("n"), Seq: seq, Visits: visits, Told: w.now}); err != nil {
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
