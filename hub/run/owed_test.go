package run

import (
	"cmp"
	"slices"
	"testing"

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
