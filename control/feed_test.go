package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"eyebolt/bus"
	"eyebolt/control"
)

func (w *town) show(s side, v bus.View) {
	w.t.Helper()
	v.Hub, v.Door, v.At = s.hub, "front", w.now
	if err := w.s.View(context.Background(), w.now, s.hub, v); err != nil {
		w.t.Fatal(err)
	}
}

// T24, S17: everybody hears what is theirs, in their own measure.
func TestEventsByRole(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	people := []struct {
		name string
		who  control.Account
		from string
	}{{"resident a", w.a.resident, ""}, {"courier a", w.a.courier, ""}, {"operator a", w.a.operator, ""}, {"resident b", w.b.resident, ""}, {"courier b", w.b.courier, ""}, {"operator b", w.b.operator, ""}, {"nobody", control.Account{}, ""}}
	for i := range people {
		_, people[i].from, _ = w.s.Events(people[i].who, "")
	}
	w.show(w.a, bus.View{Seq: 1, Phase: "idle", Home: true, Holds: []string{"pets"}, Battery: 77})
	w.show(w.a, bus.View{Seq: 2, Phase: "ready", Visit: "V1", GrantID: d.Grant, Home: true, Holds: []string{"pets"}, Battery: 77, Watch: "live", Nonce: []byte("n"), Alarm: "re-entry"})
	if err := w.s.Alarm(ctx, w.now, w.a.hub, bus.Alarm{ID: "A1", Hub: w.a.hub, Door: "front", Reason: "re-entry", At: w.now}); err != nil {
		t.Fatal(err)
	}
	l := newHubLog(w, w.a)
	l.visit("V1", d, control.OutcomeIncident, 1.7)
	l.send(0)
	heard := map[string]string{}
	for _, p := range people {
		events, _, _ := w.s.Events(p.who, p.from)
		var kinds []string
		for _, e := range events {
			if n := len(kinds); n == 0 || kinds[n-1] != e.Type {
				kinds = append(kinds, e.Type)
			}
			b, err := json.Marshal(e.Data)
			if err != nil {
				t.Fatal(err)
			}
			heard[p.name] += string(b)
		}
		want := map[string]string{
			"resident a": "view visit delivery alarm visit incident delivery",
			"courier a":  "view delivery",
			"operator a": "view visit delivery visit incident delivery",
		}[p.name]
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("%s heard %q, want %q", p.name, got, want)
		}
	}
	for _, word := range []string{"pets", `"battery":77`, `"home":true`, `"alarm"`} {
		if !strings.Contains(heard["resident a"], word) {
			t.Errorf("the resident did not hear %s", word)
		}
		for _, p := range []string{"courier a", "operator a"} {
			if strings.Contains(heard[p], word) {
				t.Errorf("%s heard %s", p, word)
			}
		}
	}
	if strings.Contains(heard["operator a"], `"nonce"`) || strings.Contains(heard["operator a"], `"gaps":[{`) || strings.Contains(heard["operator a"], `"watch":"live"`) {
		t.Errorf("the operator heard of the inside: %s", heard["operator a"])
	}
	if !strings.Contains(heard["courier a"], `"nonce"`) {
		t.Error("the courier did not hear the nonce")
	}
}

func TestEventsResume(t *testing.T) {
	w := newTown(t)
	_, start, wait := w.s.Events(w.a.resident, "")
	select {
	case <-wait:
		t.Fatal("woken by nothing")
	default:
	}
	for i := range 5 {
		w.show(w.a, bus.View{Seq: uint64(i + 1), Phase: "idle", AgeMs: int64(i)})
	}
	<-wait
	all, end, _ := w.s.Events(w.a.resident, start)
	if len(all) != 5 {
		t.Fatalf("%d events", len(all))
	}
	for i, e := range all {
		if e.Data.(control.View).AgeMs != int64(i) {
			t.Errorf("event %d: %+v", i, e.Data)
		}
		rest, next, _ := w.s.Events(w.a.resident, e.ID)
		if len(rest) != 4-i || next != end {
			t.Errorf("resumed after %s: %d events", e.ID, len(rest))
		}
	}
	// What cannot be resumed is told to fetch anew: an ID out of reach, of another instance, or nonsense.
	for i := range 2000 {
		w.show(w.a, bus.View{Seq: uint64(i + 10), Phase: "idle"})
	}
	for _, id := range []string{start, "other-3", "-", "x", fmt.Sprint(end, "0000")} {
		all, next, _ := w.s.Events(w.a.resident, id)
		if len(all) != 1 || all[0].Type != control.EventReset || all[0].ID != next {
			t.Errorf("after %q: %+v", id, all)
		}
		if again, _, _ := w.s.Events(w.a.resident, next); len(again) != 0 {
			t.Errorf("after the reset: %+v", again)
		}
	}
}

// BenchmarkShow is one view of one of many doors, to a feed that is full: what a town of hubs in visits costs.
func BenchmarkShow(b *testing.B) {
	w := newTown(b)
	ctx := context.Background()
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		if err := w.s.View(ctx, w.now, w.a.hub, bus.View{Hub: w.a.hub, Door: "front", Seq: seq, At: w.now}); err != nil {
			b.Fatal(err)
		}
	}
}
