package hub

import (
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
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
// that does not answer, a camera that shows nothing, a contact that is silent for longer than it may (S12, S13). Since when, and gone when it is gone.
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

	h.cams["hall"].blind = true
	h.run(10 * time.Second)
	want("not-live")
	h.cams["hall"].blind = false
	h.run(10 * time.Second)
	want()

	h = unwalkedHome(t)
	h.run(4 * time.Second)
	want("not-walked")
}

// Since when is said by the clock that the service vouched for, even if it began before: a machine that boots with a clock far ahead, or
// in 1970, would else be told of never, or at once.
func TestUnreadySinceByTheSureClock(t *testing.T) {
	for _, wrong := range []time.Duration{365 * 24 * time.Hour, -50 * 365 * 24 * time.Hour} {
		h := newHome(t)
		h.wrong, h.silent, h.unwalked = wrong, true, true
		h.boot([]string{"hall"}, 2)
		h.run(4 * time.Second)
		if got := h.unready(); !slices.Contains(got, "not-walked") {
			t.Fatalf("got %q", got)
		}
		h.silent = false
		h.run(10 * time.Second)
		now := h.at().Wall.Add(-wrong)
		for _, u := range h.c.View(h.at(), h.who.Door).Unready {
			if ago := now.Sub(u.Since); ago < 10*time.Second || ago > 20*time.Second {
				t.Errorf("a clock wrong by %v at boot: %s since %v, %v ago; it is so for 14 s", wrong, u.Reason, u.Since, ago)
			}
		}
	}
}

// An alarm or an incident that nobody has closed refuses the next courier, so it is said early like the rest (S7), until it is closed.
func TestUnreadyIsAnOpenIncident(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	visit := h.view.Visit
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	h.cams["hall"].blind = false
	h.run(2 * time.Minute)
	if got := h.unready(); !slices.Contains(got, "standing-alarm") {
		t.Errorf("got %q, want standing-alarm", got)
	}
	h.must(bus.Ask{ID: "read", What: bus.AskClose, Visit: visit})
	if got := h.unready(); slices.Contains(got, "standing-alarm") {
		t.Errorf("closed, and still %q", got)
	}
}
