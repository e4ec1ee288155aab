package home

import (
	"container/heap"
	"time"
)

// agenda is what is going to happen, by time and, at one time, in the order in which it was planned: two reports with
// the same delay never overtake each other.
type agenda []plan

type plan struct {
	at  time.Time
	seq int
	do  func()
}

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(plan)) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].seq < a[j].seq
	}
	return a[i].at.Before(a[j].at)
}

func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = plan{}
	*a = old[:len(old)-1]
	return last
}

// after has f run under the mutex when d has passed, unless the home is closed by then.
func (h *Home) after(d time.Duration, f func()) {
	h.seq++
	heap.Push(&h.agenda, plan{at: time.Now().Add(d), seq: h.seq, do: f})
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// live runs the agenda until the home is closed.
func (h *Home) live() {
	defer close(h.dead)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next, ok := h.runDue()
		if !ok {
			return
		}
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-h.wake:
		}
	}
}

// runDue runs what is due and says how long until the next plan; false once the home is closed.
func (h *Home) runDue() (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.closed {
		if len(h.agenda) == 0 {
			return time.Hour, true
		}
		if wait := time.Until(h.agenda[0].at); wait > 0 {
			return wait, true
		}
		heap.Pop(&h.agenda).(plan).do()
	}
	return 0, false
}
