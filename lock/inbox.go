package lock

import (
	"slices"
	"sync"
)

const (
	// InboxRoom is how many items may wait for a driver's witness: at its speed some milliseconds of work, and far more than a home says.
	InboxRoom = 512
	// inboxKept is how many items of one kind stay when a flood is dropped, the newest: connections and commands come at a bounded
	// pace, and of what a peer says of itself the newest counts.
	inboxKept = 64
)

// Inbox stands between a driver's connection, which must never wait, and its witness. When it is full, what waits is dropped and the
// loss is told: what was said meanwhile is not known, so nothing is (S13, T20). It is safe for several goroutines.
type Inbox[T any] struct {
	kinds []func(T) bool
	ready chan struct{}

	mu    sync.Mutex
	queue []T
	lost  bool
}

// NewInbox makes an inbox. kinds say which items stay when the rest is dropped, first those of the connection and of commands. Each kind
// has room of its own, so that what others can flood pushes nothing else out. At most four.
func NewInbox[T any](kinds ...func(T) bool) *Inbox[T] {
	return &Inbox[T]{kinds: kinds, ready: make(chan struct{}, 1)}
}

// Put adds an item; it never waits.
func (b *Inbox[T]) Put(m T) {
	b.mu.Lock()
	if len(b.queue) >= InboxRoom {
		b.lost = true
		b.queue = b.kept()
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// kept is the newest of each kind, in order.
func (b *Inbox[T]) kept() []T {
	left := make([]int, len(b.kinds))
	for i := range left {
		left[i] = inboxKept
	}
	var kept []T
	for i := len(b.queue) - 1; i >= 0; i-- {
		k := slices.IndexFunc(b.kinds, func(is func(T) bool) bool { return is(b.queue[i]) })
		if k >= 0 && left[k] > 0 {
			left[k]--
			kept = append(kept, b.queue[i])
		}
	}
	slices.Reverse(kept)
	return kept
}

// Ready gives a value when there is something to take.
func (b *Inbox[T]) Ready() <-chan struct{} { return b.ready }

// Take empties the inbox. lost says that items before these were dropped.
func (b *Inbox[T]) Take() (queue []T, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, lost = b.queue, b.lost
	b.queue, b.lost = nil, false
	return queue, lost
}
