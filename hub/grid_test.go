package hub

import (
	"testing"
	"time"

	"eyebolt/interlock"
	"eyebolt/lock"
)

// S9, S18: one message of a lock says where door and bolt are. Whenever between two milliseconds it comes, and however long
// the hub takes between the two, the bolt's report is not older than the door's: closed and thrown is secured.
func TestAgesAreCountedAlike(t *testing.T) {
	for first := range 2 {
		testAges(t, first)
	}
}

// S13: a report of an absurd age is old, not new.
func TestAbsurdAge(t *testing.T) {
	h := newHome(t)
	h.run(time.Minute)
	for _, r := range []lock.Report{{Age: 1<<63 - 1, At: h.mono}, {Age: 1<<63 - 1, At: -1 << 63}, {At: -1 << 63}} {
		r.What, r.Bolt = lock.OfBolt, lock.BoltDrawn
		h.in(Reported{Door: h.who.Door, Report: r})
		if b := h.c.doors[0].state.Bolt(); b == interlock.BoltDrawn {
			t.Errorf("%+v was believed", r)
		}
	}
}

func testAges(t *testing.T, first int) {
	for from := time.Duration(0); from < 2*time.Millisecond; from += 50 * time.Microsecond {
		for took := time.Duration(0); took < 2*time.Millisecond; took += 50 * time.Microsecond {
			h := newHome(t)
			h.run(time.Second)
			say := func(at time.Duration, r lock.Report) {
				r.At = at
				h.in(Reported{Door: h.who.Door, Report: r})
			}
			at := h.mono + from
			h.mono = at + 900*time.Microsecond
			both := []lock.Report{{What: lock.OfDoor, Door: lock.DoorClosed}, {What: lock.OfBolt, Bolt: lock.BoltThrown}}
			say(at, both[first])
			h.mono += took
			say(at, both[1-first])
			if !h.c.doors[0].state.Secured() {
				t.Fatalf("not secured: %v into a millisecond, %v between the reports, report %d first", from, took, first)
			}
		}
	}
}
