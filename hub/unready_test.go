package hub

import (
	"slices"
	"testing"
	"time"

	"eyebolt/lock"
)

// unready are the reasons that the newest view gives.
func (h *home) unready() (out []string) {
	for _, u := range h.c.View(h.at(), h.who.Door).Unready {
		if u.Say == "" || u.Since.IsZero() {
			h.Errorf("%+v says nothing", u)
		}
		out = append(out, u.Reason)
	}
	return out
}

// What would keep the next courier out is said long before he comes: no walk test, a battery that runs low (while it still opens), a lock
// that does not answer, a contact that is silent for longer than it may (S12, S13). Since when, and gone when it is gone.
func TestUnreadyIsSaidEarly(t *testing.T) {
	h := newHome(t)
	h.run(4 * time.Second)
	want := func(words ...string) {
		t.Helper()
		if got := h.unready(); !slices.Equal(got, words) {
			t.Errorf("got %q, want %q", got, words)
		}
	}
	want()
	report := func(r lock.Report) {
		r.At = h.mono
		h.in(Reported{Door: h.who.Door, Report: r})
	}
	report(lock.Report{What: lock.OfBattery, Percent: 24})
	want("battery-low")
	if h.c.doors[0].held[batteryCondition] {
		t.Error("24 % refuses already")
	}
	report(lock.Report{What: lock.OfBattery, Percent: 90})
	want()
	report(lock.Report{What: lock.OfHealth})
	want("lock-offline")
	began := h.c.View(h.at(), h.who.Door).Unready[0].Since
	h.run(30 * time.Second)
	if got := h.c.View(h.at(), h.who.Door).Unready[0].Since; !got.Equal(began) {
		t.Errorf("since %v, then since %v", began, got)
	}
	report(lock.Report{What: lock.OfHealth, OK: true})
	want()
	report(lock.Report{What: lock.OfDoor}) // its driver has not heard the contact for too long
	want("went-stale")
	h.reportDoor()
	want()

	h = unwalkedHome(t)
	h.run(4 * time.Second)
	want("not-walked")
}
