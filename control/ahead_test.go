package control_test

import (
	"context"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// notices are what an account heard since an event.
func (w *town) notices(who control.Account, from string) (out []control.Alarm, next string) {
	w.t.Helper()
	events, next, _ := w.s.Events(who, from)
	for _, e := range events {
		if a, ok := e.Data.(control.Alarm); ok && e.Type == control.EventNotice {
			out = append(out, a)
		}
	}
	return out, next
}

func (w *town) foresee() {
	w.t.Helper()
	if err := w.s.Foresee(context.Background(), w.now); err != nil {
		w.t.Fatal(err)
	}
}

// A door that would refuse its courier (no walk test, a low battery, a lock or a contact that is silent) is told of a day ahead, not at
// the door: to the household with what to do, to the carrier with the reason alone (S17), to nobody else (T24); once for each delivery;
// not for a moment's silence, and not when no delivery comes.
func TestForeseenRefusal(t *testing.T) {
	w := newTown(t)
	w.screen(w.a)
	w.consent(w.a, w.a.carrier)
	say := "The lock's battery is at 20 %, and below 15 % nobody is let in. Change it."
	low := func() {
		w.show(w.a, bus.View{Seq: 1, Phase: "idle", Unready: []bus.Unready{{Reason: "battery-low", Say: say, Since: w.now.Add(-time.Hour)}}})
	}
	w.beat(w.a)
	low()
	_, mine := w.notices(w.a.resident, "")
	_, ops := w.notices(w.a.operator, "")
	_, other := w.notices(w.b.resident, "")
	w.foresee()
	if got, _ := w.notices(w.a.resident, mine); len(got) != 0 {
		t.Errorf("no delivery comes, and %+v was told", got)
	}
	b := w.booking(w.a)
	b.From, b.Until, b.Courier = w.now.Add(20*time.Hour), w.now.Add(21*time.Hour), w.a.courierID
	d, err := w.s.Book(context.Background(), w.now, w.a.operator, b)
	if err != nil {
		t.Fatal(err)
	}
	late := b
	late.From, late.Until, late.Parcels = w.now.Add(60*time.Hour), w.now.Add(61*time.Hour), []string{"P2"}
	if _, err := w.s.Book(context.Background(), w.now, w.a.operator, late); err != nil {
		t.Fatal(err)
	}
	w.foresee()
	w.foresee()
	got, next := w.notices(w.a.resident, mine)
	if len(got) != 1 || got[0].Reason != "battery-low" || got[0].ID != "ahead-"+d.ID+"-battery-low" || got[0].Text == say || !got[0].Notice {
		t.Fatalf("the household heard %+v, want one notice of the battery", got)
	}
	seen, _ := w.notices(w.a.operator, ops)
	if len(seen) != 1 || seen[0].Reason != "battery-low" || seen[0].Text == got[0].Text {
		t.Errorf("the carrier heard %+v, want the reason alone", seen)
	}
	if got, _ := w.notices(w.b.resident, other); len(got) != 0 {
		t.Errorf("another household heard %+v", got)
	}
	if got := w.alarms(w.a); len(got) != 0 {
		t.Errorf("a notice stands as an alarm: %q", got)
	}
	// A lock that is out of reach for a moment is nobody's business; for ten minutes it is.
	offline := func(since time.Time) {
		w.now = w.now.Add(time.Second)
		w.show(w.a, bus.View{Seq: 2, Phase: "idle", Unready: []bus.Unready{{Reason: "lock-offline", Say: "x", Since: since}}})
	}
	since := w.now
	offline(since)
	w.foresee()
	if got, _ := w.notices(w.a.resident, next); len(got) != 0 {
		t.Errorf("after a second: %+v", got)
	}
	w.now = w.now.Add(11 * time.Minute)
	offline(since)
	w.foresee()
	if got, _ := w.notices(w.a.resident, next); len(got) != 1 || got[0].Reason != "lock-offline" {
		t.Errorf("after eleven minutes: %+v, want lock-offline", got)
	}
}
