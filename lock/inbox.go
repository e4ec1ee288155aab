package lock

import "sync"

const (
	// InboxRoom is how many items may wait for a driver's witness: at its speed some milliseconds of work, and far more than a home says.
	InboxRoom = 512
	// inboxControl is how many items that tell of the connection and of commands stay when a flood is dropped: both come at a bounded pace.
	inboxControl = 128
)

// Inbox stands between a driver's connection, which must never wait, and its witness. When it is full, what waits is dropped and the
// loss is told: what was said meanwhile is not known, so nothing is (S13, T20). It is safe for several goroutines.
type Inbox[T any] struct {
	keep  func(T) bool
	ready chan struct{}

	mu    sync.Mutex
	queue []T
	lost  bool
}

// NewInbox makes an inbox. keep says which items are of the connection or a command, and stay when the rest is dropped.
func NewInbox[T any](keep func(T) bool) *Inbox[T] {
	return &Inbox[T]{keep: keep, ready: make(chan struct{}, 1)}
}

// Put adds an item; it never waits.
func (b *Inbox[T]) Put(m T) {
	b.mu.Lock()
	if len(b.queue) >= InboxRoom {
		b.lost = true
		kept := make([]T, 0, inboxControl)
		for _, m := range b.queue {
			if len(kept) < inboxControl && b.keep(m) {
				kept = append(kept, m)
			}
		}
		b.queue = kept
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
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
