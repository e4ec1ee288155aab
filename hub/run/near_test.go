package run

import (
	"sync"
	"testing"

	"eyebolt/bus"
)

// S4: a block that is pressed in the home is taken with no service at all, ends a visit before the bolt draws, and is shown to those in
// the home.
func TestBlockInTheHome(t *testing.T) {
	var mu sync.Mutex
	var shown bus.View
	h := newHouse(t, func(h *house) {
		h.rewire = func(cfg *Config) {
			cfg.Shown = func(v bus.View) {
				mu.Lock()
				defer mu.Unlock()
				shown = v
			}
		}
	})
	h.prepare()
	h.arrive()
	r, err := h.hub.Block(t.Context(), h.who.Door, "Home Assistant")
	if err != nil || !r.OK {
		t.Fatalf("got %+v, %v", r, err)
	}
	h.until("idle")
	h.wait("the block is shown in the home", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return shown.Blocked && shown.Phase == "idle"
	})
	if u, _ := h.wired(); u != 0 {
		t.Errorf("S4: %d unlocks", u)
	}
	if r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}); r.OK || r.Reason != "blocked" {
		t.Errorf("S4: an arrival at a blocked door: %+v", r)
	}
	if r, err := h.hub.Block(t.Context(), "nowhere", "Home Assistant"); err != nil || r.OK {
		t.Errorf("a door that there is not: %+v, %v", r, err)
	}
}
