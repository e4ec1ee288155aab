package run

import (
	"cmp"
	"errors"
	"fmt"
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

// What the disk may owe is bounded; decisions are never owed, nor is what is no entry.
func TestOwed(t *testing.T) {
	var o owed
	fact := func(n int) ledger.Entry { return ledger.Entry{Kind: ledger.KindFact, Word: fmt.Sprintf("n-%d", n)} }
	failed, bad := fmt.Errorf("%w: x", ledger.ErrFailed), fmt.Errorf("%w: x", ledger.ErrEntry)
	o.put(failed, nil, []ledger.Entry{fact(1), {Kind: ledger.KindDecision, Word: "unlock"}})
	o.put(failed, nil, []ledger.Entry{fact(2)})
	again := o.take()
	if len(again) != 2 || again[0].Word != "n-1" || again[1].Word != "n-2" || o.owes() {
		t.Fatalf("took %v", words(again))
	}
	o.put(bad, again, []ledger.Entry{fact(3)})
	if got := words(o.take()); !slices.Equal(got, words(again)) {
		t.Errorf("beside one that is none: %q", got)
	}
	if n, _ := o.put(ledger.ErrClosed, again, nil); n != 0 {
		t.Error("owed to a ledger that is closed")
	}
	if n, lost := o.put(errors.Join(failed), nil, make([]ledger.Entry, maxOwed+3)); n != maxOwed || lost != 3 {
		t.Errorf("%d owed, %d lost; want %d, 3", n, lost, maxOwed)
	}
	o.take()
	if n, lost := o.put(failed, nil, []ledger.Entry{{Data: make([]byte, maxOwedBytes)}, {Data: make([]byte, 1)}}); n != 1 || lost != 4 {
		t.Errorf("%d owed, %d lost; want 1, 4", n, lost)
	}
}
