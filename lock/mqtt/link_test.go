package mqtt

import (
	"net"
	"testing"
	"time"

	"eyebolt/lock"
)

// S12: a broker whose window is shut when an order's turn comes at the end of its second: the order is given up by its not-after, and
// does not wait for the window.
func TestOrderLeavesInTime(t *testing.T) {
	here, there := net.Pipe() // nothing is taken before somebody reads
	defer func() { _ = there.Close() }()
	began := time.Now()
	l := &link{Conn: here}
	d := &driver{now: func() time.Duration { return time.Since(began) }, link: l}
	err := d.commandOn(t.Context(), l, say{"z/l/set", "UNLOCK"}, lock.OrderLife, d.inTime(l, lock.Order{NotAfter: 50 * time.Millisecond}))
	if took := time.Since(began); err == nil || took > writeLimit-100*time.Millisecond {
		t.Errorf("%v after %v, want it given up after 50ms", err, took)
	}
}
