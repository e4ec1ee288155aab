package run

import (
	"context"
	"errors"
	"sync"

	"eyebolt/bus"
	"eyebolt/hub"
)

// near is who waits for the answer to a block that was pressed in the home. Its refs have nearRef set; those of the bus count from 1.
type near struct {
	mu    sync.Mutex
	waits map[uint64]chan bus.AskReply
	last  uint64
}

const (
	nearRef = 1 << 63
	// maxNear bounds who waits: more than a household presses, fewer than a queue of asks.
	maxNear = 256
)

// ErrBusy says that a block was not taken, because too much waits. Press again.
var ErrBusy = errors.New("the hub has too much to do: try again in a moment")

// Block blocks a door as a resident does, from the home's own network (S4), and says as what it was pressed, for the record. It
// returns when the block is on disk, or with why it may not be; it holds in the hub from the moment that the core has taken
// it. An answer that is not OK comes without an error. It may be called from any goroutine, while the hub runs.
func (h *Hub) Block(ctx context.Context, door, by string) (bus.AskReply, error) {
	ref, answer, ok := h.near.wait()
	if !ok {
		return bus.AskReply{}, ErrBusy
	}
	defer h.near.forget(ref)
	if !h.queue.press(hub.Pressed{Ref: ref, Door: door, By: by}) {
		return bus.AskReply{}, ErrBusy
	}
	select {
	case r := <-answer:
		return r, nil
	case <-ctx.Done():
		return bus.AskReply{}, ctx.Err()
	}
}

func (n *near) wait() (uint64, <-chan bus.AskReply, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waits) >= maxNear {
		return 0, nil, false
	}
	if n.waits == nil {
		n.waits = map[uint64]chan bus.AskReply{}
	}
	n.last++
	ref, c := n.last|nearRef, make(chan bus.AskReply, 1)
	n.waits[ref] = c
	return ref, c, true
}

func (n *near) forget(ref uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.waits, ref)
}

// answer says whether the ref is one of these.
func (n *near) answer(ref uint64, r bus.AskReply) bool {
	if ref&nearRef == 0 {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if c, ok := n.waits[ref]; ok {
		c <- r // holds one, and is answered once
		delete(n.waits, ref)
	}
	return true
}
