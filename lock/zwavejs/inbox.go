package zwavejs

import (
	"sync"
	"time"
)

// item is one thing that the witness weighs.
type item struct {
	what     what
	at       time.Duration // Config.Now on arrival
	network  network       // of connected
	ids      ids           // of connected
	err      error         // of disconnected, misfit: why; of answered, carried: what went wrong
	answer   operation     // of answered
	sent     time.Duration // of answered: when the question left
	asking   bool          // of said: a question was under way
	event    *event        // of said
	deadline time.Duration // of carried: the order's not-after; 0: a Lock
}

type what uint8

const (
	connected what = iota
	disconnected
	misfit     // connected, but the settings do not fit what is there
	answered   // the lock answered a question, or did not
	carried    // what became of a command
	said       // an event
	unreadable // a message that may have been about the door
)

// inboxRoom is how many items may wait for the witness: far more than a home says.
const inboxRoom = 512

// inbox stands between the connection, which must not wait, and the witness. When it is full, events that wait are dropped and
// the loss is told; what tells of the connection and of commands is few and stays.
type inbox struct {
	mu    sync.Mutex
	queue []item
	lost  bool
	ready chan struct{}
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) put(m item) {
	b.mu.Lock()
	if len(b.queue) >= inboxRoom {
		b.lost = true
		b.queue = keepControl(b.queue)
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) wake() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take empties the inbox. lost says that events before these were dropped.
func (b *inbox) take() (queue []item, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, lost = b.queue, b.lost
	b.queue, b.lost = nil, false
	return queue, lost
}

// controlRoom bounds what stays of a full inbox: pending commands are bounded, connections come with a delay.
const controlRoom = 2 * maxPending

func keepControl(queue []item) []item {
	kept := make([]item, 0, controlRoom)
	for _, m := range queue {
		if m.what < said && len(kept) < controlRoom {
			kept = append(kept, m)
		}
	}
	return kept
}
