package hub

import (
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// T15, T16: a service that turns its clock back does not open a window that is over, however often it says so: what this hub
// once knew surely does not become untrue by being contradicted. The right time is believed again.
func TestClockTurnedBackAtWork(t *testing.T) {
	for _, k := range []struct {
		name string
		turn func(h *home)
	}{
		{"at one stroke", func(h *home) { h.skew = -10 * time.Minute }},
		{"little by little", func(h *home) {
			for range 300 { // each step is within what two answers may differ by
				h.skew -= 2 * time.Second
				h.run(500 * time.Millisecond)
			}
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			h := newHome(t)
			h.who.Delivery.Until = noon.Add(time.Minute)
			h.prepare()
			h.run(time.Minute)
			arrive := bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}
			if r := h.ask(arrive); r.Reason != interlock.TooLate.String() {
				t.Fatalf("after the window: %+v", r)
			}
			k.turn(h)
			h.run(30 * time.Second)
			if _, sure := h.c.Clock(h.at()); sure {
				t.Error("a clock that was turned back is believed")
			}
			arrive.ID = "again"
			if r := h.ask(arrive); r.Reason != interlock.ClockUnsure.String() {
				t.Errorf("in the past: %+v", r)
			}
			h.run(10 * time.Second)
			if len(h.wire) != 0 {
				t.Errorf("reached the lock: %v", h.wire)
			}
			h.skew = 0
			h.run(10 * time.Second)
			if _, sure := h.c.Clock(h.at()); !sure {
				t.Error("the right time, vouched for again and again, is not believed")
			}
		})
	}
}
