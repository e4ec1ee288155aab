package modbus

import (
	"errors"
	"fmt"
	"time"

	"eyebolt/lock"
)

var (
	errSpare  = errors.New("the spare input reads as connected: check inverted and the board, no input is believed")
	errHeld   = errors.New("the board did not end its pulse, so the door would stay open if the hub died: set the output up as a pulse in the board, then start the hub again")
	errOn     = errors.New("an output of the lock is on, and not by us: nobody is let in until it is off")
	errUnseen = errors.New("the lock's output cannot be read: check its address")
	errMute   = errors.New("the board did not answer a command, which may have been carried out")
)

// reading is what the inputs say at one instant.
type reading struct {
	bolt  lock.Bolt
	door  lock.Door
	smoke bool
}

// read says what the bits of p.inputs mean. A wire that is broken makes nothing safer than it is.
func (p plan) read(bits []bool) (reading, error) {
	says := func(c contact) bool { return c.used && (bits[c.at-p.inputs.address] == p.inverted) == c.open }
	if p.spare.used && !says(p.spare) {
		return reading{}, errSpare
	}
	r := reading{bolt: lock.BoltDrawn, door: lock.DoorOpen, smoke: says(p.smoke)}
	switch {
	case says(p.jam):
		r.bolt = lock.BoltJammed
	case says(p.thrown):
		r.bolt = lock.BoltThrown
	}
	if says(p.closed) {
		r.door = lock.DoorClosed
	}
	return r, nil
}

// witness turns what the board answered into reports. It has no clock and no I/O; one goroutine owns it.
type witness struct {
	say   func(lock.Report)
	smoke bool // there is an alarm to tell of

	known   bool // the last reading still holds
	last    reading
	again   bool     // tell the next reading though it says nothing new
	refused error    // the board answers, and its answer cannot be believed
	outputs [2]error // what is wrong with the one that draws and the one that throws
	healthy string   // as last told
}

// took weighs a reading of a question that left at sent. Door and bolt are of one instant; the door is told first, so that the bolt's
// report is never the older one (S9).
func (w *witness) took(r reading, sent, at time.Duration, solicited bool) {
	if solicited || w.again || !w.known || r.bolt != w.last.bolt || r.door != w.last.door {
		w.say(lock.Report{What: lock.OfDoor, Door: r.door, At: at, Age: at - sent, Solicited: solicited})
		w.say(lock.Report{What: lock.OfBolt, Bolt: r.bolt, At: at, Age: at - sent, Solicited: solicited})
	}
	if w.smoke && (!w.known || r.smoke != w.last.smoke) {
		w.say(lock.Report{What: lock.OfSmoke, OK: !r.smoke, At: at})
	}
	w.known, w.last, w.again, w.refused = true, r, false, nil
	w.sayHealth(nil, at)
}

// refuse: the board lives, and what it says of the inputs is nothing to believe (S13).
func (w *witness) refuse(err error, at time.Duration) {
	w.refused = err
	w.forget(at)
	w.sayHealth(nil, at)
}

// lost: the connection is over, so nothing is known (S13).
func (w *witness) lost(err error, at time.Duration) {
	w.refused = nil
	w.forget(at)
	w.sayHealth(fmt.Errorf("%w: %w", lock.ErrOffline, err), at)
}

// looked says what a look at an output found; nil: it is off, as it must be. A pulse that did not end is never forgiven.
func (w *witness) looked(output int, err error, at time.Duration) {
	if errors.Is(w.outputs[output], errHeld) {
		return
	}
	if err != nil && w.outputs[output] == nil {
		w.failed(err, at)
	}
	w.outputs[output] = err
	w.sayHealth(nil, at)
}

// failed tells of a command that failed; the next reading shows where the bolt is.
func (w *witness) failed(err error, at time.Duration) {
	w.say(lock.Report{What: lock.OfFailure, Err: err, At: at})
	w.again = true
}

func (w *witness) forget(at time.Duration) {
	if w.known {
		w.known = false
		w.say(lock.Report{What: lock.OfBolt, At: at})
		w.say(lock.Report{What: lock.OfDoor, At: at})
	}
}

func (w *witness) sayHealth(offline error, at time.Duration) {
	err := offline
	switch {
	case err != nil:
	case w.refused != nil:
		err = w.refused
	case w.outputs[0] != nil:
		err = w.outputs[0]
	case w.outputs[1] != nil:
		err = w.outputs[1]
	case !w.known:
		err = fmt.Errorf("%w: the board has not answered yet", lock.ErrOffline)
	}
	text := "well"
	if err != nil {
		text = err.Error()
	}
	if text != w.healthy {
		w.healthy = text
		w.say(lock.Report{What: lock.OfHealth, OK: err == nil, Err: err, At: at})
	}
}
