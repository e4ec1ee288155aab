package run

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/ledger"
)

// T18, S7: the disk takes nothing while the door stands open and is closed. When it takes entries again, the record tells all of it, in
// order.
func TestRecordCatchesUp(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	h.unlock()
	h.broken.Store(true)
	h.lock.Door(true)
	h.until("open")
	h.lock.Door(false)
	h.until("secured")
	if r := h.out(); r.OK {
		t.Errorf("T18: acknowledged what is not on disk: %+v", r)
	}
	size := h.ledger.Size()
	h.broken.Store(false)
	h.wait("what happened meanwhile to be on record, and at the service", func() bool {
		return has(h.log, ledger.KindReport, "door-open") && has(h.log, ledger.KindReport, "door-closed") && has(h.log, ledger.KindFact, "secured")
	})
	h.until("idle")
	h.wait("the visit's end", func() bool { return has(h.log, ledger.KindVisit, ledger.WordEnded) })
	got, err := h.ledger.Read(t.Context(), size, h.ledger.Size())
	if err != nil || !slices.IsSortedFunc(got, func(a, b ledger.Entry) int { return cmp.Compare(a.Mono, b.Mono) }) {
		t.Errorf("from the failure on the record is %q, %v", words(got), err)
	}
}

// T18: a disk that takes nothing is tried again once a second, however much it refused before: a hub with a full disk is not busy with
// that.
func TestFullDiskIsTriedOnceASecond(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.broken.Store(true)
	for i := range 40 {
		if r := h.ask(bus.Ask{ID: fmt.Sprint("hold-", i), What: bus.AskHold, Text: "pets", On: i%2 == 0}); r.OK {
			t.Fatalf("T18: acknowledged what is not on disk: %+v", r)
		}
	}
	began, before := time.Now(), h.tried.Load()
	h.wait("four more tries, and four seconds", func() bool { return h.tried.Load() >= before+4 && time.Since(began) > 4*owedAgain })
	n, most := h.tried.Load()-before, int32(time.Since(began)/owedAgain)+6
	if n > most {
		t.Errorf("%d tries in %v, want at most %d", n, time.Since(began), most)
	}
}
