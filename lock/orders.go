package lock

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// OrderLife is the longest that an Order may be good for.
	OrderLife = time.Second
	// maxOrders is how many orders are remembered as used: a visit has one or two, and whatever is older is too late by itself.
	maxOrders = 64
)

// ErrUsed says that this order was given before. It was not sent again.
var ErrUsed = errors.New("order was given before: each is sent at most once")

// Orders remembers the orders that a driver was given, so that none is sent twice (S12). Its owner sees to it that one goroutine at a
// time uses it.
type Orders struct{ used []Order }

// Take takes an order for the first time. One that is good for more than OrderLife is ErrNotSent, one that was taken before ErrUsed.
// Whether it is too late is the driver's to ask, right before it writes.
func (o *Orders) Take(order Order, now time.Duration) error {
	switch {
	case order.NotAfter-now > OrderLife:
		return fmt.Errorf("%w: the order is good for more than %v", ErrNotSent, OrderLife)
	case slices.Contains(o.used, order):
		return ErrUsed
	case len(o.used) == maxOrders:
		o.used = append(o.used[:0], o.used[1:]...)
	}
	o.used = append(o.used, order)
	return nil
}

// Outcome is what a driver's method returns of a write: nil if all of it left, ErrTooLate as it is, ErrNotSent if the peer provably
// cannot have it, and otherwise that it may have been sent.
func Outcome(sent bool, err error) error {
	switch {
	case err == nil || errors.Is(err, ErrTooLate):
		return err
	case !sent:
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return fmt.Errorf("command may have been sent: %w", err)
}
