package hub

import (
	"time"

	"eyebolt/bus"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/record"
)

// Input is one thing that happened. The concrete types are those of this file.
type Input interface{ input() }

type (
	// Boot is the first input after the ledger was replayed.
	Boot struct{}

	// Tick tells that time passed; at Core.Due, or earlier. Late is set when the hub's own clockwork came more than 100 ms late: then
	// nobody is judged, and no door unlocks (S6).
	Tick struct{ Late bool }

	// Seen is a camera's verdict, and when it was made. It is told when its state changes, and at least every second for its
	// age. Why is what its detectors found, and comes with each change of its state; nil changes nothing.
	Seen struct {
		Door, Camera string
		At           time.Duration // on the hub's monotonic clock
		Verdict      liveness.Verdict
		Why          []liveness.Finding
	}

	// Linked is the certificate of a camera's link (S18), whenever it has changed.
	Linked struct {
		Door, Camera string
		Certificate  liveness.Certificate
	}

	// Relearned tells that somebody had a camera's usual pictures forgotten and learned anew.
	Relearned struct{ Door, Camera, What string }

	// Recorded tells whether a visit's pictures of one camera are confirmed on disk.
	Recorded struct {
		Door, Camera, Visit string
		OK                  bool
	}

	// Filed tells that a visit's clip is closed and lies in the store, or why not.
	Filed struct {
		Door, Camera, Visit string
		Clip                record.Clip
		Err                 error
	}

	// Removed tells that retention deleted a clip.
	Removed struct {
		Door, Camera string
		Clip         record.Clip
	}

	// Reported is what a door's lock or sensor told.
	Reported struct {
		Door   string
		Report lock.Report
	}

	// Carried is how an order to a lock ended, as far as the driver knows. Only lock.ErrNotSent and lock.ErrTooLate prove that
	// the bolt did not move (S9, S12).
	Carried struct {
		Door string
		Do   string // "lock", "unlock", "retract" or "poll"
		N    uint32 // the order's number, for "unlock"
		Err  error
	}

	// Written answers an [Append] that carried a Done number: the entries are durable, or Err says that they are not.
	Written struct {
		Done uint64
		Err  error
	}

	// Answered is the service's answer to a beat whose nonce the runner has compared with the one it sent.
	Answered struct {
		Seq    uint64        // the beat's number, from 1; an answer to an older beat than the newest answered one is dropped
		Visits []string      // the visits that the beat named: for those the service watches this hub (S14)
		Sent   time.Duration // when the beat left, on the hub's monotonic clock
		Trip   time.Duration // from then until the answer came
		Size   uint64        // entries of the record that were durable when the answer came: the service can hold no more (T29)
		Reply  bus.BeatReply
	}

	// Silence tells that a beat was not answered.
	Silence struct{}

	// Asked is an order or a request that came over the bus. Ref is the runner's handle on whoever waits for the answer.
	Asked struct {
		Ref uint64
		Ask bus.Ask
	}

	// Pressed is a block that came on the home's own network (S4) and not over the bus. Nobody proves there who he is, so that it can
	// be set from there and not lifted. By names what it was pressed on, for the record. Ref is as in Asked.
	Pressed struct {
		Ref      uint64
		Door, By string
	}

	// Told tells that the service has stored an alarm.
	Told struct{ ID string }

	// Shipped tells that the service holds the ledger's first Cursor entries, under a signed checkpoint.
	Shipped struct{ Cursor uint64 }
)

func (Boot) input()      {}
func (Tick) input()      {}
func (Seen) input()      {}
func (Linked) input()    {}
func (Relearned) input() {}
func (Recorded) input()  {}
func (Filed) input()     {}
func (Removed) input()   {}
func (Reported) input()  {}
func (Carried) input()   {}
func (Written) input()   {}
func (Answered) input()  {}
func (Silence) input()   {}
func (Asked) input()     {}
func (Pressed) input()   {}
func (Told) input()      {}
func (Shipped) input()   {}
