// Package locktest holds any lock driver to what it claims (lock.Can), and to the rules that every driver keeps: an
// unlock reaches the wire once, in time, or never; what is old is not told as new; what cannot be known is unknown.
//
// A driver's own test builds a [Harness] around a real or pretend lock and calls [Run]. [Fake] is a lock in memory, with
// a physical truth and the same lies; it passes the same suite.
package locktest

import (
	"testing"
	"time"

	"eyebolt/lock"
)

// Harness is one door for one test: a driver to open, and the world behind it. At the start the bolt is thrown, the
// door closed, nothing lies.
type Harness struct {
	Open   lock.Open
	Config lock.Config // complete, with Now on the clock of the test
	World  World
	// Patience is how long anything that must happen may take here, at most; it is waited for, never slept. Default 10 s.
	Patience time.Duration
	// Refusals is how many orders in a row the driver may refuse with ErrNotSent, because its peer is busy and does not show in time
	// that it lives: each is made anew, as a hub would. The wire must show that none of them was sent. Default 0.
	Refusals int
}

// World is the truth behind a driver, and the hands that change it. What it does takes effect before it returns, except
// that reports travel at their own pace.
type World interface {
	// Truth is where the bolt really is (BoltUnknown while it moves), and the door.
	Truth() (lock.Bolt, lock.Door)
	// Hand turns the knob inside until the bolt is there.
	Hand(lock.Bolt)
	// Door opens or closes the door, whatever the bolt does.
	Door(open bool)
	// Battery sets the lock's charge and has it reported.
	Battery(percent int)
	// Lie says how the lock treats commands from now on.
	Lie(Lie)
	// Path cuts or heals the path between the driver and its peer (the broker, the bridge's server).
	Path(up bool)
	// Peer ends or starts the peer behind the path (the bridge). A peer that starts may remember old values.
	Peer(up bool)
	// Plant leaves an old state where a newcomer finds it, true or not: a retained message, a cache.
	Plant(lock.Bolt)
	// Wire is every command that an observer, independent of the driver, has seen so far, in order.
	Wire() []Sent
}

// Lie is how a lock treats a command.
type Lie uint8

const (
	Honest       Lie = iota
	AckedNotDone     // acknowledged; nothing moves, nothing is said (T3)
	DoneNotAcked     // done; the acknowledgement and the report are lost
	Late             // done after a while; reported when done
	Twice            // done, and after a while done again
	Failed           // not done; the peer says that it failed, if it ever says such a thing
	Jammed           // a throw ends half way; reported as a jam
)

// Sent is one command on the wire.
type Sent struct {
	At       time.Duration // when the observer saw it, on Config.Now
	Unlock   bool          // else it is a Lock
	Retained bool          // the peer would keep it for newcomers
	QoS      byte          // above 0 a broker may repeat it, or keep it for a sleeper
}

// Run holds the driver that build makes to the suite, and logs what it kept as a table (Table). build is called once for each
// part; it registers its own clean-up. A part that is about what the driver does not claim (lock.Can) is "not claimed", never
// passed over in silence.
func Run(t *testing.T, build func(t *testing.T) Harness) {
	table := Table{Driver: t.Name()}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			outcome := NotKept
			defer func() { table.add(p.name, outcome) }()
			d := newDoor(t, build(t))
			table.Can = d.l.Can()
			if p.claim != nil && !p.claim(table.Can) {
				outcome = NotClaimed
				t.Log("not claimed by this driver")
				return
			}
			p.run(d)
			if !t.Failed() {
				outcome = Kept
			}
		})
	}
	table.keep(t)
}

var parts = []struct {
	name  string
	run   func(*door)
	claim func(lock.Can) bool // nil: every driver is held to it
}{
	{"commands are reported when done (S9)", commands, nil},
	{"an acknowledged lock that did not move is never reported thrown (S9, T3)", ackedNotDone, nil},
	{"an unlock that was done in silence is found out (S12, T17)", doneInSilence, nil},
	{"a failure is told (T17)", failure, nil},
	{"a jam is told (T17)", jam, func(c lock.Can) bool { return c.Jam }},
	{"a late effect is reported (S12, T17)", late, nil},
	{"a second effect is reported (S12, T17)", twice, nil},
	{"a hand from inside is told apart (S10)", byHand, func(c lock.Can) bool { return c.By }},
	{"the door is reported (S9)", doorReports, func(c lock.Can) bool { return c.Door }},
	{"the battery is reported", battery, func(c lock.Can) bool { return c.Battery }},
	{"a late order never reaches the wire (S12)", tooLate, nil},
	{"an order is sent once (S12)", usedOrder, nil},
	{"a cut path: unknown, not sent, not queued (S12, S13)", cutPath, nil},
	{"a cut at any moment of an unlock (S12)", cutAnyMoment, nil},
	{"a peer that goes and comes: unknown, then fresh (S13)", peerGone, nil},
	{"an old retained state is never believed (S12)", planted, nil},
	{"a restarted driver repeats nothing (S12)", restarted, nil},
	{"after Close there is silence", silence, nil},
	{"many callers at once", crowd, nil},
}
