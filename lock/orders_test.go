package lock

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// S12: an order is taken once, and only if it is short; the memory of them is bounded.
func TestOrderIsTakenOnce(t *testing.T) {
	var o Orders
	now := time.Hour
	first := Order{Visit: "a", NotAfter: now + time.Second}
	if err := o.Take(first, now); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.Take(first, now); !errors.Is(err, ErrUsed) {
			t.Errorf("S12: the same order again: %v, want ErrUsed", err)
		}
	}
	long := Order{Visit: "b", NotAfter: now + time.Second + 1}
	if err := o.Take(long, now); !errors.Is(err, ErrNotSent) {
		t.Errorf("S12: an order for more than a second: %v, want ErrNotSent", err)
	}
	if err := o.Take(long, now+1); err != nil {
		t.Errorf("what was refused as too long is not used up: %v", err)
	}
	for i := range maxOrders - 1 {
		if err := o.Take(Order{Visit: VisitID(fmt.Sprint(i)), NotAfter: now}, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.used) != maxOrders {
		t.Errorf("%d orders are remembered, want %d", len(o.used), maxOrders)
	}
	if err := o.Take(long, now+1); !errors.Is(err, ErrUsed) {
		t.Errorf("S12: one of the newest %d: %v, want ErrUsed", maxOrders, err)
	}
}

func TestOutcomeOfAWrite(t *testing.T) {
	broke := errors.New("broke")
	for _, c := range []struct {
		sent    bool
		err     error
		is, not error
	}{
		{false, broke, ErrNotSent, nil},
		{true, broke, broke, ErrNotSent},
		{false, ErrTooLate, ErrTooLate, ErrNotSent},
	} {
		if got := Outcome(c.sent, c.err); !errors.Is(got, c.is) || (c.not != nil && errors.Is(got, c.not)) {
			t.Errorf("sent %v, %v: got %v", c.sent, c.err, got)
		}
	}
	if got := Outcome(true, nil); got != nil {
		t.Errorf("sent: got %v", got)
	}
}
