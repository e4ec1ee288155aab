package control_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// T20, T24: a hub that shows more than a hub has to show is refused, and one whose views are as long as they may be takes no more than its
// part of the memory: the readers of other households are told to fetch anew, as those who fell behind.
func TestViewsAreBounded(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	seq := uint64(0)
	show := func(change func(*bus.View)) error {
		seq++
		v := bus.View{Hub: w.a.hub, Door: "front", Seq: seq, At: w.now, Phase: "idle"}
		change(&v)
		return w.s.View(ctx, w.now, w.a.hub, v)
	}
	for name, change := range map[string]func(*bus.View){
		"checks":    func(v *bus.View) { v.Checks = make([]bus.Check, 65) },
		"holds":     func(v *bus.View) { v.Holds = make([]string, 65) },
		"cameras":   func(v *bus.View) { v.Cameras = make([]bus.Camera, 65) },
		"incidents": func(v *bus.View) { v.Incidents = make([]bus.Incident, 65) },
		"unready":   func(v *bus.View) { v.Unready = make([]bus.Unready, 65) },
		"gaps":      func(v *bus.View) { v.Incidents = []bus.Incident{{Gaps: make([]bus.Gap, 65)}} },
	} {
		if err := show(change); err == nil {
			t.Errorf("65 %s are taken", name)
		}
	}
	long := strings.Repeat("x", 1<<20) // one text for all: this test must not hold them either
	if err := show(func(v *bus.View) { v.Sentence = "honest" }); err != nil {
		t.Fatal(err)
	}
	_, from, _ := w.s.Events(w.a.resident, "")
	for range 63 {
		if err := show(func(v *bus.View) { v.AlarmText = long }); err != nil {
			t.Fatal(err)
		}
	}
	if all, _, _ := w.s.Events(w.a.resident, from); len(all) != 63 {
		t.Fatalf("%d events of 63 are kept: %s", len(all), all[0].Type)
	}
	for range 63 {
		if err := show(func(v *bus.View) { v.AlarmText = long }); err != nil {
			t.Fatal(err)
		}
	}
	if all, _, _ := w.s.Events(w.a.resident, from); len(all) != 1 || all[0].Type != control.EventReset {
		t.Errorf("126 MiB of events are kept: %d", len(all))
	}
}

// T20: what a hub answers is kept beside orders and deliveries, and shown to people: no more of it than a hub has to say.
func TestAnswersAreBounded(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	for _, o := range w.due(w.a.hub) {
		if o.Ask.What != bus.AskGrant {
			continue
		}
		if err := w.s.Answered(ctx, w.now, o, bus.AskReply{Reason: strings.Repeat("é", 1<<19), Sentence: strings.Repeat("s", 1<<20), Visit: strings.Repeat("v", 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	ops, err := w.s.Ops(ctx, w.now, w.a.operator)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ops.Deliveries, func(k control.Delivery) bool { return k.ID == d.ID })
	if i < 0 || ops.Deliveries[i].Reason == "" || len(ops.Deliveries[i].Reason) > 100 {
		t.Errorf("delivery %d of %d: a reason of %d bytes", i, len(ops.Deliveries), len(ops.Deliveries[max(i, 0)].Reason))
	}
}

// T24: what is booked for another day is told to its courier on that day and not before, by Stops alone: his events say only that something
// changed, and one from whom a delivery was taken is not told to whom it was given.
func TestCourierHearsNoOtherDay(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	w.screen(w.a)
	w.consent(w.a, w.a.carrier)
	_, from, _ := w.s.Events(w.a.courier, "")
	b := w.booking(w.a)
	b.From, b.Until = w.now.Add(10*24*time.Hour), w.now.Add(10*24*time.Hour+time.Hour)
	b.Courier, b.Instructions = w.a.courierID, "the key is under the mat"
	d, err := w.s.Book(ctx, w.now, w.a.operator, b)
	if err != nil {
		t.Fatal(err)
	}
	events, _, _ := w.s.Events(w.a.courier, from)
	if len(events) != 1 || events[0].Type != control.EventDelivery {
		t.Fatalf("heard %+v", events)
	}
	said, err := json.Marshal(events[0].Data)
	if err != nil || string(said) != `{"id":"`+d.ID+`"}` {
		t.Errorf("heard %s, %v", said, err)
	}
}
