package ws

import (
	"slices"
	"sync"
	"time"
)

// MaxCalls bounds the commands of one connection of which nothing was heard: a hub sends one Lock in three seconds.
const MaxCalls = 64

// Call is a command that waits for its answer.
type Call[T any] struct {
	ID   int // its number on this connection, from 1
	Sent time.Duration
	What T // the driver's
}

// Calls are the commands of one connection of which nothing was heard yet, oldest first. The zero value is ready; it is safe for
// several goroutines.
type Calls[T any] struct {
	mu      sync.Mutex
	next    int
	waiting []Call[T]
}

// Send writes one command, as encode makes it of its number, through Conn.Send. What was not written does not wait for an answer; with
// MaxCalls waiting, the oldest is given up and returned in lost.
func (c *Calls[T]) Send(k *Conn, what T, at, within time.Duration, encode func(id int) ([]byte, error), check func() error) (sent bool, lost []Call[T], err error) {
	call, lost := c.add(what, at)
	payload, err := encode(call.ID)
	if err == nil {
		sent, err = k.Send(payload, within, check)
	}
	if err != nil {
		c.Take(call.ID)
	}
	return sent, lost, err
}

func (c *Calls[T]) add(what T, at time.Duration) (call Call[T], lost []Call[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == MaxCalls {
		lost = append(lost, c.waiting[0])
		c.waiting = slices.Delete(c.waiting, 0, 1)
	}
	c.next++
	call = Call[T]{ID: c.next, Sent: at, What: what}
	c.waiting = append(c.waiting, call)
	return call, lost
}

// Take gives the command that has this number, and waits for its answer no more. false: none does.
func (c *Calls[T]) Take(id int) (Call[T], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.waiting, func(w Call[T]) bool { return w.ID == id })
	if i < 0 {
		return Call[T]{}, false
	}
	call := c.waiting[i]
	c.waiting = slices.Delete(c.waiting, i, i+1)
	return call, true
}

// Overdue gives up, and gives, the commands that were sent longer ago than limit allows.
func (c *Calls[T]) Overdue(at time.Duration, limit func(T) time.Duration) []Call[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var old []Call[T]
	c.waiting = slices.DeleteFunc(c.waiting, func(w Call[T]) bool {
		if at-w.Sent <= limit(w.What) {
			return false
		}
		old = append(old, w)
		return true
	})
	return old
}
