package control_test

import (
	"context"
	"slices"
	"testing"

	"eyebolt/bus"
	"eyebolt/control"
)

// S16, T23: an acknowledgement carries what the resident can have seen: the alarms that stand at the service, and the one that the door's
// newest view shows. One that is kept for a silent hub takes no earlier one's place.
func TestAcknowledgementNamesWhatWasSeen(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	alarm := func(id, door string) {
		t.Helper()
		if err := w.s.Alarm(ctx, w.now, w.a.hub, bus.Alarm{ID: id, Hub: w.a.hub, Door: door, Reason: "re-entry", Text: "x", At: w.now}); err != nil {
			t.Fatal(err)
		}
	}
	ack := func() control.Order {
		t.Helper()
		o, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskAck})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	alarm("A1", "front")
	if o := ack(); !slices.Equal(o.Ask.Alarms, []string{"A1"}) {
		t.Errorf("names %q, want A1", o.Ask.Alarms)
	}
	if err := w.s.View(ctx, w.now, w.a.hub, bus.View{Hub: w.a.hub, Door: "front", Seq: 1, At: w.now, Phase: "idle", Alarm: "re-entry", AlarmID: "A2"}); err != nil {
		t.Fatal(err)
	}
	if o := ack(); !slices.Equal(o.Ask.Alarms, []string{"A2"}) {
		t.Errorf("names %q, want what the view shows", o.Ask.Alarms)
	}
	alarm("A3", "front")
	alarm("B1", "back")
	if o := ack(); !slices.Equal(o.Ask.Alarms, []string{"A3", "A2"}) {
		t.Errorf("names %q, want the new one and what the view shows, and nothing of another door", o.Ask.Alarms)
	}
	waits := 0
	for _, o := range w.due(w.a.hub) {
		if o.Ask.What == bus.AskAck {
			waits++
		}
	}
	if waits != 3 {
		t.Errorf("%d acknowledgements wait for the hub, want all three: each names others", waits)
	}
}
