package hub

import (
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// jammedOnAFullDisk is a visit whose camera went blind and whose disk took nothing from then until after its end.
func jammedOnAFullDisk(t *testing.T) (h *home, visit string) {
	h = ready(t)
	h.slide()
	h.through()
	h.broken = true
	h.cams["hall"].blind = true
	h.move(true)
	h.run(3 * time.Second)
	h.move(false)
	h.run(3 * time.Second)
	h.cams["hall"].blind = false
	h.until("secured")
	visit = h.view.Visit
	h.out()
	h.until("idle")
	return h, visit
}

// S7, T18: a visit that lapsed ends while the disk is full. Its end is on record as soon as the disk takes anything again, so that the
// service hears of the incident and a resident can close it; after a restart it is closed once and for all.
func TestTheEndOfAVisitOutlivesAFullDisk(t *testing.T) {
	h, visit := jammedOnAFullDisk(t)
	ended := func() (n int) {
		for _, e := range h.disk {
			if e.Kind == ledger.KindVisit && e.Word == ledger.WordEnded && e.Visit == visit {
				n++
			}
		}
		return n
	}
	h.run(20 * time.Second)
	if n := ended(); n != 0 {
		t.Fatalf("%d ends on a full disk", n)
	}
	h.broken = false
	h.run(6 * time.Second)
	if n := ended(); n != 1 {
		t.Fatalf("S7: %d ends on record once the disk takes them, want 1", n)
	}
	h.run(time.Minute)
	if n := ended(); n != 1 {
		t.Errorf("%d ends on record a minute later, want 1", n)
	}
	if !h.wrote("gap gap " + interlock.LapseLost.String()) {
		t.Errorf("S7: what nobody saw is not on record: %v", h.words(ledger.KindGap))
	}
	h.must(bus.Ask{What: bus.AskClose, Visit: visit})
	h.boot([]string{"hall"}, 2)
	h.run(time.Second)
	if n := len(h.view.Incidents); n != 0 {
		t.Errorf("%d incidents after a restart, want none: it was closed", n)
	}
}

// S7: an end that was written although the disk said no is written once more, and that opens no second incident, nor the closed one.
func TestAnEndThatIsWrittenTwice(t *testing.T) {
	h, visit := jammedOnAFullDisk(t)
	h.run(20 * time.Millisecond)
	again := h.c.owed.entries
	if len(again) == 0 {
		t.Fatal("nothing is owed")
	}
	for _, e := range again { // they reached the disk after all
		e.Index = uint64(len(h.disk))
		h.disk = append(h.disk, e)
	}
	h.broken = false
	h.must(bus.Ask{What: bus.AskClose, Visit: visit})
	h.run(10 * time.Second)
	h.boot([]string{"hall"}, 3)
	h.run(time.Second)
	if n := len(h.view.Incidents); n != 0 {
		t.Errorf("%d incidents after a restart, want none: it was closed", n)
	}
}
