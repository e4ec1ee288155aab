package hub

import (
	"errors"
	"fmt"
	"slices"
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
	again := h.owed.Take()
	if len(again) == 0 {
		t.Fatal("nothing is owed")
	}
	h.owed.Put(errors.New("input/output error"), nil, again)
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

// What the disk may owe is bounded; decisions are never owed, nor is what is no entry.
func TestOwed(t *testing.T) {
	var o Owed
	fact := func(n int) ledger.Entry { return ledger.Entry{Kind: ledger.KindFact, Word: fmt.Sprintf("n-%d", n)} }
	failed, bad := fmt.Errorf("%w: x", ledger.ErrFailed), fmt.Errorf("%w: x", ledger.ErrEntry)
	o.Put(failed, nil, []ledger.Entry{fact(1), {Kind: ledger.KindDecision, Word: "unlock"}})
	o.Put(failed, nil, []ledger.Entry{fact(2)})
	again := o.Take()
	if len(again) != 2 || again[0].Word != "n-1" || again[1].Word != "n-2" || o.Owes() {
		t.Fatalf("took %v", wordsOf(again))
	}
	o.Put(bad, again, []ledger.Entry{fact(3)})
	if got := wordsOf(o.Take()); !slices.Equal(got, wordsOf(again)) {
		t.Errorf("beside one that is none: %q", got)
	}
	if n, _ := o.Put(ledger.ErrClosed, again, nil); n != 0 {
		t.Error("owed to a ledger that is closed")
	}
	if n, lost := o.Put(errors.Join(failed), nil, make([]ledger.Entry, maxOwed+3)); n != maxOwed || lost != 3 {
		t.Errorf("%d owed, %d lost; want %d, 3", n, lost, maxOwed)
	}
	o.Take()
	if n, lost := o.Put(failed, nil, []ledger.Entry{{Data: make([]byte, maxOwedBytes)}, {Data: make([]byte, 1)}}); n != 1 || lost != 4 {
		t.Errorf("%d owed, %d lost; want 1, 4", n, lost)
	}
}

func wordsOf(entries []ledger.Entry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Word)
	}
	return out
}
