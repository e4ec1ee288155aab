package hub

import (
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// T13: a passkey whose counter goes back has a copy (WebAuthn section 6.1.1): it opens nothing, and the record says why; also after
// a restart. One that keeps no counter, as passkeys that wander between devices, is taken as before.
func TestCopiedPasskey(t *testing.T) {
	for _, k := range []struct {
		name   string
		count  uint32 // before the second visit's slide
		frozen bool
		boot   bool
		want   interlock.Reason
	}{
		{"it goes on", 9, false, false, interlock.NoReason},
		{"it goes on, after a restart", 9, false, true, interlock.NoReason},
		{"it goes back", 3, false, false, interlock.SlideForged},
		{"it goes back, after a restart", 3, false, true, interlock.SlideForged},
		{"it stands still", 6, true, false, interlock.SlideForged},
		{"it keeps none", 0, true, true, interlock.NoReason},
	} {
		t.Run(k.name, func(t *testing.T) {
			h := ready(t)
			h.who.Courier.Count = 4
			h.slide() // 5
			h.through()
			h.until("secured")
			if r := h.out(); !r.OK { // 6
				t.Fatalf("out: %+v", r)
			}
			h.until("idle")
			h.run(time.Second)
			if k.boot {
				h.boot([]string{"hall"}, 2)
				h.run(4 * time.Second)
			}
			h.who.Delivery.ID = "delivery-2"
			h.must(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()})
			h.must(bus.Ask{ID: "second", What: bus.AskArrive, GrantID: "delivery-2", Parcel: "PARCEL-1"})
			h.until("ready")
			h.who.Courier.Count, h.who.Courier.Frozen = k.count, k.frozen
			r := h.slide()
			if got := r.Reason; r.OK != (k.want == interlock.NoReason) || !r.OK && got != k.want.String() {
				t.Fatalf("got %+v, want %q", r, k.want)
			}
			h.run(2 * time.Second)
			unlocks := 1
			if k.want == interlock.NoReason {
				unlocks = 2
			}
			if n := h.count("unlock"); n != unlocks {
				t.Errorf("%d unlocks, want %d", n, unlocks)
			}
			if k.want == interlock.NoReason {
				return
			}
			said := false
			for _, e := range h.disk {
				said = said || e.Kind == ledger.KindFact && e.Word == "slide-refused" && strings.Contains(string(e.Data), "counter")
			}
			if !said {
				t.Error("the record does not say that the counter went back")
			}
			h.who.Courier.Count, h.who.Courier.Frozen = 40, false // the true one still opens
			if r := h.slide(); !r.OK {
				t.Errorf("the true passkey: %+v", r)
			}
		})
	}
}
