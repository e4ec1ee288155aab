package zwavejs

import (
	"time"

	"eyebolt/lock"
)

// item is one thing that the witness weighs.
type item struct {
	what     what
	at       time.Duration // Config.Now on arrival
	network  network       // of connected; of learned: the smoke sensor alone
	ids      ids           // of connected
	err      error         // of disconnected, misfit: why; of answered, carried, learned: what went wrong
	answer   operation     // of answered
	sent     time.Duration // of answered, learned: the question left no sooner. of cleared: when the one to the stick left
	session  *session      // of cleared
	asking   bool          // of said: a question was under way
	event    *event        // of said
	deadline time.Duration // of carried: the order's not-after; 0: a Lock
}

type what uint8

const (
	connected what = iota
	disconnected
	misfit     // connected, but the settings do not fit what is there
	cleared    // the stick answered: what it had to tell from before is told, and the lock can be asked
	answered   // the lock answered a question, or did not
	carried    // what became of a command
	learned    // the server told, as asked, what it knows of the smoke sensor
	said       // an event
	unreadable // a message that may have been about the door
)

// newInbox keeps, in a flood, what tells of the connection and of commands.
func newInbox() *lock.Inbox[item] { return lock.NewInbox(func(m item) bool { return m.what < said }) }
