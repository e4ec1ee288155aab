package home

import "time"

// Bolt is where the bolt really is.
type Bolt uint8

const (
	Thrown Bolt = iota + 1 // out: the door is held, or cannot close
	Drawn                  // in
	Half                   // stuck between: holds nothing reliably, and keeps the door from closing
	Moving                 // travelling
)

func (b Bolt) String() string {
	switch b {
	case Thrown:
		return "thrown"
	case Drawn:
		return "drawn"
	case Half:
		return "half"
	case Moving:
		return "moving"
	default:
		return "?"
	}
}

// Truth is the physical state of the home: what an eye would see, whatever the devices say.
type Truth struct {
	At       time.Duration // when it was looked at, on Config.Now
	Bolt     Bolt
	DoorOpen bool
	Inside   int // people inside
	Blocked  bool
	Silent   bool // no radio at all
	Battery  int  // percent
	Commands int  // lock and unlock commands that reached the lock
	Draws    int  // times that the bolt went in
}

// What names one Event.
type What string

// What can happen. A command event is named when the bridge takes it from the broker.
const (
	CommandLock   What = "command-lock"
	CommandUnlock What = "command-unlock"
	CommandGet    What = "command-get"
	CommandBad    What = "command-bad"
	BoltMoves     What = "bolt-moves"
	BoltThrown    What = "bolt-thrown"
	BoltDrawn     What = "bolt-drawn"
	BoltStuck     What = "bolt-stuck"
	DoorOpens     What = "door-opens"
	DoorForced    What = "door-forced"
	DoorCloses    What = "door-closes"
	SomebodyIn    What = "somebody-in"
	SomebodyOut   What = "somebody-out"
	BridgeUp      What = "bridge-up"
	BridgeDown    What = "bridge-down"
)

// Event is one thing that happened.
type Event struct {
	At   time.Duration // on Config.Now
	What What
	Door string // Config.Base, so that many homes can share one listener
}
