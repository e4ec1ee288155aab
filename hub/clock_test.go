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

// S2, T15: the service's clock is turned back while the hub runs, until a window that is over seems to be now. However long
// it stays so, the hub knows that this time has passed.
func TestClockTurnedBack(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.skew = 24 * time.Hour // a day goes by: the service's clock says so, and the hub follows it after a while
	h.run(10 * time.Second)
	arrive := bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}
	if r := h.ask(arrive); r.OK || r.Reason != "too-late" {
		t.Fatalf("a day later: %+v, want too-late", r)
	}
	h.skew = 0
	h.run(time.Minute)
	if r := h.ask(arrive); r.OK || r.Reason != "clock-unsure" {
		t.Errorf("the clock turned back by a day: %+v, want clock-unsure", r)
	}
	h.skew = 24 * time.Hour
	h.run(time.Minute)
	if r := h.ask(arrive); r.OK || r.Reason != "too-late" {
		t.Errorf("the clock put right: %+v, want too-late", r)
	}
}

// S18: answers take their time on the way, now this way and now that: the clock stays sure.
func TestClockJitter(t *testing.T) {
	k := clock{}
	for i := range 1000 {
		mono := time.Duration(i) * 500 * time.Millisecond
		off := time.Duration(i%5-2) * 500 * time.Millisecond
		k.answer(At{Mono: mono + 2*time.Second}, mono, 2*time.Second, noon.Add(mono+time.Second+off))
		if i > 0 && !k.sure {
			t.Fatalf("answer %d, off by %v: unsure", i, off)
		}
	}
}
