package homeassistant

import (
	"time"

	"eyebolt/lock"
)

// item is one thing that the witness weighs.
type item struct {
	what     what
	at       time.Duration // Config.Now on arrival
	wall     time.Time     // likewise, by the machine's clock
	ids      ids           // of connected
	err      error         // of disconnected, misfit, asked, carried: why, or what went wrong
	sent     time.Duration // of asked, ordered: when it left
	deadline time.Duration // of carried, ordered: the order's not-after; 0: a Lock
	id       string        // of changed: the entity
	was, is  entity        // likewise
}

type what uint8

const (
	connected what = iota
	disconnected
	misfit  // connected, but the settings do not fit what is there
	asked   // Home Assistant passed the question on, or did not
	ordered // a command is about to leave
	unsent  // it did not
	carried // what became of a command
	changed // an entity
	unreadable
)

// newInbox keeps, in a flood, what tells of the connection and of commands.
func newInbox() *lock.Inbox[item] {
	return lock.NewInbox(func(m item) bool { return m.what < changed })
}
