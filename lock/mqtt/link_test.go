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

// quickLock is a lock that has answered before the write has returned.
type quickLock struct {
	net.Conn
	answer func()
}

func (q quickLock) Write(p []byte) (int, error)    { q.answer(); return len(p), nil }
func (quickLock) SetWriteDeadline(time.Time) error { return nil }

// S9: what a quick lock says is the answer to the question, and the effect of the order, that it follows: otherwise a lock that answers
// each question within a millisecond counts as silent, and an order that was carried out as failed.
func TestAnswerIsNotAheadOfItsQuestion(t *testing.T) {
	s, err := strike().shape()
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(*driver, *link) error{
		"poll": func(d *driver, _ *link) error { return d.Poll(t.Context()) },
		"lock": func(d *driver, _ *link) error { return d.Lock(t.Context()) },
		"unlock": func(d *driver, l *link) error {
			return d.commandOn(t.Context(), l, s.unlock, lock.OrderLife, d.inTime(l, lock.Order{NotAfter: time.Hour}))
		},
	} {
		d := &driver{now: func() time.Duration { return time.Second }, plan: plan{shape: s}, inbox: newInbox()}
		d.link = &link{Conn: quickLock{answer: func() { d.put(message{about: plainSays, topic: "s/bolt"}) }}}
		if err := do(d, d.link); err != nil {
			t.Fatal(err)
		}
		queue, _ := d.inbox.Take()
		if len(queue) != 2 || queue[1].about != plainSays {
			t.Errorf("%s: got %+v, want what we did first, then what the lock said", name, queue)
		}
	}
}
