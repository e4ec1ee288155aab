package hub

import (
	"errors"
	"slices"

	"eyebolt/ledger"
)

// maxOwed and maxOwedBytes bound what the disk may owe: some ten visits.
const maxOwed, maxOwedBytes = 4096, 4 << 20

// Owed are the entries that the disk did not take, in their order. They are written again before whatever comes next, so that a disk
// that failed for an hour leaves no hole in the record: how a visit went and ended, its gaps and its alarms (S7, T18). A decision is not
// among them: one that was not durable in time was dropped, and opened nothing (S5). What a hub that is ended meanwhile owed is lost; its
// visit is then unfinished on the record, which alarms at the next start. Whoever carries out Append keeps one; it guards nothing itself.
type Owed struct {
	entries []ledger.Entry
	bytes   int
	lost    int // over the bound
}

// Take gives what is owed, and owes nothing.
func (o *Owed) Take() []ledger.Entry {
	all := o.entries
	o.entries, o.bytes = nil, 0
	return all
}

// Owes says whether anything is.
func (o *Owed) Owes() bool {
	return len(o.entries) > 0
}

// Put takes back what the disk refused with err: again are entries that were owed before, fresh those that it saw for the first time.
// It says how many it owes, and how many were too many and are lost. Fresh ones that are no entries at all are not owed (ledger.ErrEntry);
// nothing is to a ledger that is closed.
func (o *Owed) Put(err error, again, fresh []ledger.Entry) (owes, lost int) {
	switch {
	case errors.Is(err, ledger.ErrClosed):
		again, fresh = nil, nil
	case errors.Is(err, ledger.ErrEntry):
		fresh = nil
	}
	// Appends that were under way together fail in their order, and each puts its own behind those of the one before.
	for _, e := range slices.Concat(again, fresh) {
		if e.Kind == ledger.KindDecision {
			continue
		}
		if len(o.entries) >= maxOwed || o.bytes+len(e.Data) > maxOwedBytes {
			o.lost++
			continue
		}
		o.entries = append(o.entries, e)
		o.bytes += len(e.Data)
	}
	return len(o.entries), o.lost
}
