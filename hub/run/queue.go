package run

import (
	"slices"
	"sync"

	"eyebolt/hub"
)

// maxQueue bounds what waits for the core: at the 20 µs that an input takes it is a sixth of a second of work. A hub that is
// further behind has stalled; then it is late, which forbids every unlock (S6).
const maxQueue = 8192

// queue is what waits for the core, in order. Pushing never blocks: cameras, locks and the ledger push from goroutines of
// their own that must go on.
type queue struct {
	mu       sync.Mutex
	items    []any // hub.Input, or func() to run beside the core
	overflow bool
	unheard  []string      // doors of which a report was dropped; bounded by the doors there are
	ready    chan struct{} // holds one
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// push adds an input. Past the bound it is dropped and the queue says so to the core.
func (q *queue) push(in any) { q.add(in, maxQueue) }

// took is push for what somebody else goes on from: it says whether the core will hear of it.
func (q *queue) took(in any) bool { return q.add(in, maxQueue) }

// later adds an input that need not be taken before the core wakes by itself, which it does five times a second at the least.
func (q *queue) later(in any) { q.put(in, maxQueue) }

// ask adds what somebody outside wants; half of the queue is kept for what the house itself tells.
func (q *queue) ask(in hub.Asked) bool { return q.add(in, maxQueue/2) }

// press adds a block from the home's own network, under the same bound.
func (q *queue) press(in hub.Pressed) bool { return q.add(in, maxQueue/2) }

func (q *queue) add(in any, limit int) bool {
	ok := q.put(in, limit)
	signal(q.ready)
	return ok
}

func (q *queue) put(in any, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	ok := len(q.items) < limit
	if ok {
		q.items = append(q.items, in)
	} else if limit == maxQueue {
		q.overflow = true
		if r, isReport := in.(hub.Reported); isReport && !slices.Contains(q.unheard, r.Door) {
			q.unheard = append(q.unheard, r.Door)
		}
	}
	return ok
}

// take gives everything that waits, whether something was dropped since the last call, and the doors of which a report was:
// what they are is not known any more (S13).
func (q *queue) take(into []any) (items []any, overflow bool, unheard []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, q.items = q.items, into[:0]
	overflow, q.overflow = q.overflow, false
	unheard, q.unheard = q.unheard, nil
	return items, overflow, unheard
}
