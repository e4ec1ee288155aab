package control_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"eyebolt/bus"
	"eyebolt/control"
)

// S16, T23: an acknowledgement ends what the resident names, who alone knows what his page showed him: not what stands at the service besides,
// nor what the door's newest view shows. His household's other pages hear of it. One that is kept for a silent hub takes no earlier one's
// place.
func TestAcknowledgementNamesWhatWasSeen(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	alarm := func(hub, id, door string) {
		t.Helper()
		if err := w.s.Alarm(ctx, w.now, hub, bus.Alarm{ID: id, Hub: hub, Door: door, Reason: "re-entry", Text: "x", At: w.now}); err != nil {
			t.Fatal(err)
		}
	}
	ack := func(ids ...string) {
		t.Helper()
		o, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskAck, Alarms: ids})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(o.Ask.Alarms, ids) {
			t.Errorf("the hub is told of %q, want %q", o.Ask.Alarms, ids)
		}
	}
	stand := func(want ...string) {
		t.Helper()
		var got []string
		all, err := w.s.Standing(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			got = append(got, a.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q stand, want %q", got, want)
		}
	}
	alarm(w.a.hub, "A1", "front")
	alarm(w.a.hub, "A2", "front")
	alarm(w.a.hub, "B1", "back")
	alarm(w.a.hub, "H1", "")
	alarm(w.b.hub, "A1", "front")
	if err := w.s.View(ctx, w.now, w.a.hub, bus.View{Hub: w.a.hub, Door: "front", Seq: 1, At: w.now, Phase: "idle", Alarm: "re-entry", AlarmID: "A3"}); err != nil {
		t.Fatal(err)
	}
	_, from, _ := w.s.Events(w.a.resident, "")
	ack("A1", "B1", "unknown")
	stand("A1", "A2", "B1", "H1") // A1: the other household's
	ack("H1", "A3")
	stand("A1", "A2", "B1")
	acked := func(who control.Account) (ids []string) {
		events, _, _ := w.s.Events(who, from)
		for _, e := range events {
			if a, ok := e.Data.(control.Acked); ok && e.Type == control.EventAcked {
				ids = append(ids, a.IDs...)
			}
		}
		return ids
	}
	if got := acked(w.a.resident); !slices.Equal(got, []string{"A1", "H1"}) {
		t.Errorf("the household's pages hear of %q", got)
	}
	if got := acked(w.b.resident); got != nil {
		t.Errorf("another household's pages hear of %q", got)
	}
	ack("A2")
	waits := 0
	for _, o := range w.due(w.a.hub) {
		if o.Ask.What == bus.AskAck {
			waits++
		}
	}
	if waits != 3 {
		t.Errorf("%d acknowledgements wait for the hub, want all three: each names others", waits)
	}
	for _, ids := range [][]string{nil, {""}, make([]string, 33), {strings.Repeat("x", 201)}} {
		if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskAck, Alarms: ids}); control.AsError(err).Class != control.Invalid {
			t.Errorf("%d IDs, %q: %v, want a refusal", len(ids), ids, err)
		}
	}
}

// S7, S16: who closes a visit's incident has read of the visit, and acknowledges none of its alarms at the service: one may have come since,
// as that the hub fell silent while its yes was on the way.
func TestClosingAcknowledgesNothing(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	l := newHubLog(w, w.a)
	l.visit("V1", w.ready(w.a), control.OutcomeIncident, 1.7)
	l.send(0)
	o, err := w.s.Close(ctx, w.now, w.a.resident, "V1")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.s.Alarm(ctx, w.now, w.a.hub, bus.Alarm{ID: "A1", Hub: w.a.hub, Door: "front", Visit: "V1", Reason: "re-entry", Text: "x", At: w.now}); err != nil {
		t.Fatal(err)
	}
	if err := w.s.Answered(ctx, w.now, o, bus.AskReply{OK: true}); err != nil {
		t.Fatal(err)
	}
	home, err := w.s.Home(ctx, w.now, w.a.resident)
	if err != nil || len(home.Incidents) != 0 || len(home.Alarms) != 1 {
		t.Errorf("%d incidents, %d alarms, %v; want none and one", len(home.Incidents), len(home.Alarms), err)
	}
}
