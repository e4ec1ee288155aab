package hub

import (
	"time"

	"eyebolt/ledger"
)

// owed are entries that must be on record, however long the disk takes none: how a visit ended, and what nobody saw in it (S7). A
// full disk at that moment must neither erase an incident nor leave it where no resident can read and close it (T18).
type owed struct {
	entries []ledger.Entry
	again   time.Duration // when they are written again
}

const (
	// owedEvery is the pause between two tries.
	owedEvery = 5 * time.Second
	// maxOwed bounds them: a visit has at most maxGaps and one end, and while a door has an incident nobody is let in there.
	maxOwed = 4096
)

// musts are those of entries that must be on record.
func musts(entries []ledger.Entry) (out []ledger.Entry) {
	for _, e := range entries {
		if e.Kind == ledger.KindGap || e.Kind == ledger.KindVisit && e.Word == ledger.WordEnded {
			out = append(out, e)
		}
	}
	return out
}

// refused takes back what the disk did not take.
func (o *owed) refused(now time.Duration, entries []ledger.Entry) {
	if room := maxOwed - len(o.entries); len(entries) > room {
		entries = entries[len(entries)-room:] // the end of a visit stands behind its gaps, and says their sum
	}
	o.entries, o.again = append(o.entries, entries...), now+owedEvery
}

// pay gives what is to be written again now.
func (o *owed) pay(now time.Duration) []ledger.Entry {
	if len(o.entries) == 0 || now < o.again {
		return nil
	}
	out := o.entries
	o.entries = nil
	return out
}
