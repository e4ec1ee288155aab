package hub

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
)

// days are visits in which time itself decides much: what is owed, what grows old, what is told again.
var days = map[string]func(h *home){
	"honest": func(h *home) {
		h.until("ready")
		h.run(31 * time.Second) // the nonce runs out
		h.slide()
		h.through()
		h.until("secured")
		h.out()
		h.until("idle")
	},
	"never opened, nobody out, the lock silent": func(h *home) {
		h.until("ready")
		h.slide()
		h.until("unlocked")
		h.run(70 * time.Second)
		h.deaf = true
		h.run(90 * time.Second)
	},
	"stays inside": func(h *home) {
		h.until("ready")
		h.slide()
		h.through()
		h.until("secured")
		h.run(3 * time.Minute)
	},
	"stands open": func(h *home) {
		h.until("ready")
		h.slide()
		h.until("unlocked")
		h.move(true)
		h.run(7 * time.Minute)
	},
	"jammed": func(h *home) {
		h.until("ready")
		h.slide()
		h.until("unlocked")
		h.cams["hall"].blind = true
		h.run(20 * time.Second)
	},
	"the judge falls silent": func(h *home) {
		h.until("ready")
		h.slide()
		h.until("unlocked")
		h.mute = true
		h.run(20 * time.Second)
	},
	"the service falls silent": func(h *home) {
		h.until("ready")
		h.silent = true
		h.run(20 * time.Second)
		h.silent = false
		h.until("ready")
		h.slide()
		h.until("unlocked")
		h.silent = true
		h.run(40 * time.Second)
	},
	"nobody slides": func(h *home) { h.run(12 * time.Minute) },
}

// S6, S8: a core whose clock goes when it is due writes the same record, to the instant, and gives the same orders as one whose clock
// goes every 20 ms; and where nothing hangs on it, it goes a fifth as often.
func TestTheClockMayWaitUntilItIsDue(t *testing.T) {
	for name, day := range days {
		t.Run(name, func(t *testing.T) {
			tell := func(sleepy bool) (told []string, wire []string, ticks int) {
				h := newHome(t)
				h.sleepy = sleepy
				h.prepare()
				h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
				day(h)
				for _, e := range h.disk {
					told = append(told, fmt.Sprintf("%v %s %s %s", time.Duration(e.Mono)*time.Microsecond, e.Kind, e.Word, e.Reason))
				}
				return told, h.wire, h.ticks
			}
			want, orders, all := tell(false)
			got, done, few := tell(true)
			for i := range min(len(want), len(got)) {
				if want[i] != got[i] {
					t.Fatalf("entry %d: %s, with a clock that always goes %s", i, got[i], want[i])
				}
			}
			if len(got) != len(want) || !slices.Equal(orders, done) {
				t.Errorf("%d entries and %v, with a clock that always goes %d and %v", len(got), done, len(want), orders)
			}
			if few >= all {
				t.Errorf("%d ticks of %d", few, all)
			}
			t.Logf("%d entries, %d ticks instead of %d", len(got), few, all)
		})
	}
}

// S6, S8: a hole in the core's list of deadlines leaves nothing for long: its clock goes five times a second whatever the list says,
// and every 20 ms from where a courier may slide until the door is proven secured.
func TestTheClockGoesWithoutDeadlines(t *testing.T) {
	h := ready(t)
	for range 200 {
		h.run(20 * time.Millisecond)
		if due := h.c.Due(); due > h.mono+tickSoon {
			t.Fatalf("ready: due in %v", due-h.mono)
		}
	}
	h.slide()
	for h.view.Phase != "secured" {
		h.run(20 * time.Millisecond)
		if h.view.Phase == "unlocked" {
			h.move(true)
			h.move(false)
		}
		if due := h.c.Due(); h.view.Phase != "secured" && due > h.mono+tickSoon {
			t.Fatalf("%s: due in %v", h.view.Phase, due-h.mono)
		}
	}
}

// S6: a hub that stood still for longer than a tick and 100 ms while a courier may slide counts itself as late: what he slid meanwhile
// opens nothing.
func TestAStallWhileReadyOpensNothing(t *testing.T) {
	h := ready(t)
	h.sleepy = true
	for n := h.ticks; h.ticks == n; {
		h.run(20 * time.Millisecond) // it has just ticked
	}
	h.mono += 140 * time.Millisecond
	if r := h.slide(); r.OK {
		t.Error("slid after a stall of 140 ms")
	}
	h.run(200 * time.Millisecond)
	if h.count("unlock") != 0 {
		t.Errorf("wire %v", h.wire)
	}
	h.until("ready")
	if len(h.alarms) != 0 {
		t.Errorf("alarms %v: the camera is blamed", h.alarms)
	}
}
