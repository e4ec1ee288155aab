package lock

import (
	"slices"
	"testing"
)

// T20: a flood costs bounded memory, is told as a loss, and drops nothing of the connection or of commands.
func TestInboxIsBounded(t *testing.T) {
	b := NewInbox(func(n int) bool { return n < 0 })
	b.Put(-1)
	for i := range 100_000 {
		b.Put(i)
		if len(b.queue) > InboxRoom {
			t.Fatalf("%d items wait, want at most %d", len(b.queue), InboxRoom)
		}
	}
	<-b.Ready()
	queue, lost := b.Take()
	if !lost || queue[0] != -1 || queue[len(queue)-1] != 99_999 {
		t.Errorf("after a flood: lost %v, first %d, last %d; want the loss told, the connection's word and the newest kept", lost, queue[0], queue[len(queue)-1])
	}
	for range 10 * InboxRoom {
		b.Put(-1)
	}
	if len(b.queue) > InboxRoom {
		t.Errorf("of what stays, %d items wait, want at most %d", len(b.queue), InboxRoom)
	}
	if _, lost := b.Take(); !lost {
		t.Error("what stays overflowed, and nobody is told")
	}
	if queue, lost := b.Take(); len(queue) != 0 || lost {
		t.Errorf("empty inbox: %v, lost %v", queue, lost)
	}
}

// T20: of what stays, the newest does, and a flood of one kind pushes nothing of another out: the end of a connection is not lost behind
// what somebody says of himself.
func TestInboxKeepsEachKind(t *testing.T) {
	b := NewInbox(func(n int) bool { return n < 0 }, func(n int) bool { return n >= 1000 })
	b.Put(-1)
	for n := range 10 * InboxRoom {
		b.Put(1000 + n)
	}
	b.Put(-2)
	for n := range 10 * InboxRoom {
		b.Put(n % 1000)
	}
	queue, _ := b.Take()
	if queue[0] != -1 || queue[1] >= queue[2] || !slices.Contains(queue, -2) || !slices.Contains(queue, 1000+10*InboxRoom-1) {
		t.Errorf("kept %v, want -1, -2 and the newest of the rest, in order", queue[:min(len(queue), 200)])
	}
}
