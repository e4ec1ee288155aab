package hub

import (
	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/lock"
)

// Effect is one thing to do. A list of effects is carried out in its order; those that throw a bolt come first and are
// never held up by those behind them (S5). The concrete types are those of this file.
type Effect interface{ effect() }

type (
	// Lock throws the bolt, at once.
	Lock struct {
		Door   string
		Reason interlock.Reason
	}

	// Unlock draws the bolt, once, not after its order's NotAfter. It is made only by the step that took "durable" (S5). Its end is
	// told with [Carried] and N.
	Unlock struct {
		Door  string
		Order lock.Order
		N     uint32
	}

	// Retract draws a bolt that is out while the door stands open (S11).
	Retract struct {
		Door  string
		Order lock.Order
	}

	// Poll asks the lock for a fresh report.
	Poll struct{ Door string }

	// Append writes entries to the ledger, in order. Done is not 0 if the core waits for them, or without entries for those
	// before: answer with [Written].
	Append struct {
		Done    uint64
		Entries []ledger.Entry
	}

	// Record keeps what this camera sees for this visit from now on, pre-roll included.
	Record struct{ Door, Camera, Visit string }

	// Keep ends the visit's recording; the clip's end is told with [Filed].
	Keep struct{ Door, Camera, Visit string }

	// Show is a door's new view. Only the newest matters; a runner may leave out those between.
	Show struct{ View bus.View }

	// Alarm tells the service, until it answers ([Told]).
	Alarm struct{ Alarm bus.Alarm }

	// Answer answers an ask.
	Answer struct {
		Ref   uint64
		Reply bus.AskReply
	}

	// BeatNow asks for a beat at once instead of at the next turn.
	BeatNow struct{}

	// Beats tells which visits are going on: while there is one, the service is asked twice a second (S14).
	Beats struct{ Visits []string }

	// Pairing shows a new pairing code on the hub's own screen or log.
	Pairing struct{ Code string }
)

func (Lock) effect()    {}
func (Unlock) effect()  {}
func (Retract) effect() {}
func (Poll) effect()    {}
func (Append) effect()  {}
func (Record) effect()  {}
func (Keep) effect()    {}
func (Show) effect()    {}
func (Alarm) effect()   {}
func (Answer) effect()  {}
func (BeatNow) effect() {}
func (Beats) effect()   {}
func (Pairing) effect() {}
