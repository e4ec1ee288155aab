package liveness

import "time"

// had takes what a quiet window showed.
func (d *Door) had(x float64, at time.Duration) {
	d.quiet[d.quietAt] = x
	d.quietAt = (d.quietAt + 1) % doorKept
	d.quiets = min(d.quiets+1, doorKept)
	d.rested = at
}

// stretches puts quiet stretches together until they are as long as a window. Where a door moves again and again there is no other quiet,
// and what was learned before would be held against a camera whose rate control has changed since (S18). What is looked at lies
// doorBefore behind, so that a report that follows has been heard.
func (d *Door) stretches(at time.Duration) {
	n := 0 // of the newest ones that were not looked at yet
	for ; n < d.filled && d.at[(d.head-1-n+2*doorSamples)%doorSamples] > d.looked; n++ {
	}
	for i := n - 1; i >= 0; i-- {
		k := (d.head - 1 - i + 2*doorSamples) % doorSamples
		s := d.at[k]
		if s > at-doorBefore {
			return
		}
		step := min(s-d.looked, time.Second)
		if d.looked = s; s < d.busy || at-d.rested < doorWindow+doorEvery {
			continue
		}
		if d.piece.end == 0 || d.change[k] > d.piece.max {
			d.piece.max = d.change[k]
		}
		if d.piece.end += step; d.piece.end >= doorWindow {
			d.had(d.piece.max, at)
			d.piece = quietMax{}
		}
	}
}

// settleQuiet takes a window as quiet once it is known that no report was near it.
func (d *Door) settleQuiet(at time.Duration) {
	for d.waits > 0 && d.waiting[0].end+doorBefore <= at {
		d.had(d.waiting[0].max, at)
		copy(d.waiting[:], d.waiting[1:d.waits])
		d.waits--
	}
	if at < d.next || at-doorWindow < d.busy || d.pending || d.waits == len(d.waiting) {
		return
	}
	every := doorEvery
	if d.quiets < d.cfg.Quiet {
		every = doorEveryFirst
	}
	d.next = at + every
	if w := d.window(at-doorWindow, at); w.whole {
		d.waiting[d.waits] = quietMax{end: at, max: w.max}
		d.waits++
	}
}
