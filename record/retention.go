package record

import (
	"cmp"
	"slices"
	"time"
)

// Retention is how long clips stay. Whatever breaks either limit goes, oldest first; a clip that keep names stays until
// told otherwise (an open incident's).
type Retention struct {
	Age   time.Duration // since the clip's end; 0: no limit
	Bytes int64         // of all clips together; 0: no limit
}

// Size is what a clip takes on disk, in bytes.
func (c Clip) Size() int64 {
	var n int64
	for _, f := range c.Files {
		n += f.Bytes
	}
	return n
}

// Sweep says which of clips must go now, oldest first, and by how many bytes what stays is still over the limit (because
// keep holds it). A clip that ends after now is not old: a clock that was set back deletes nothing. A clip without an
// end (zero To) is still being written and stays.
func (r Retention) Sweep(clips []Clip, now time.Time, keep func(visit string) bool) (drop []Clip, over int64) {
	sorted := slices.Clone(clips)
	slices.SortStableFunc(sorted, func(a, b Clip) int {
		return cmp.Or(a.To.Compare(b.To), cmp.Compare(a.Visit, b.Visit))
	})
	var total int64
	for _, c := range sorted {
		total += c.Size()
	}
	for _, c := range sorted {
		old := r.Age > 0 && now.Sub(c.To) > r.Age
		full := r.Bytes > 0 && total > r.Bytes
		if c.To.IsZero() || !old && !full || keep != nil && keep(c.Visit) {
			continue
		}
		drop = append(drop, c)
		total -= c.Size()
	}
	if r.Bytes > 0 && total > r.Bytes {
		over = total - r.Bytes
	}
	return drop, over
}
