package mqtt

import "sync"

// inboxRoom is how many messages may wait for the witness: at its speed some 5 ms of work, and far more than a home says.
const inboxRoom = 512

// controlRoom bounds waiting changes of the connection; they come at most every reconnect delay.
const controlRoom = 64

// inbox stands between the connection, which must never wait, and the witness. When it is full, what waits is dropped
// and the loss is told.
type inbox struct {
	mu    sync.Mutex
	queue []message
	lost  bool
	ready chan struct{}
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) put(m message) {
	b.mu.Lock()
	if len(b.queue) >= inboxRoom {
		b.lost = true
		b.queue = keepControl(b.queue)
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take empties the inbox. lost says that messages before these were dropped.
func (b *inbox) take() (queue []message, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, lost = b.queue, b.lost
	b.queue, b.lost = nil, false
	return queue, lost
}

// keepControl drops the devices' messages and keeps what tells of the connection and the bridge.
func keepControl(queue []message) []message {
	kept := make([]message, 0, controlRoom)
	for _, m := range queue {
		if m.about <= bridgeDevices && len(kept) < controlRoom {
			kept = append(kept, m)
		}
	}
	return kept
}
