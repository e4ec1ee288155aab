// Package lock says what a lock can do and what it tells. Drivers are its sub-folders; locktest holds each of them
// to what it claims.
package lock

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// VisitID names one visit: ULID or UUID text, at most 64 bytes.
type VisitID string

// Order is the permission to draw a bolt once. A driver sends it at most once, never queued, never retained, never
// repeated, and never after NotAfter (S12).
type Order struct {
	Visit    VisitID
	NotAfter time.Duration // on the clock of Config.Now; at most one second after the order was made
}

// Lock drives one door's lock. Methods may be called from several goroutines.
type Lock interface {
	// Lock asks for the bolt to be thrown. It may be repeated. nil means "sent", never "done": only a Report tells (S9).
	Lock(context.Context) error
	// Unlock sends the order. An error does not mean that the bolt did not draw, unless it is ErrNotSent.
	Unlock(context.Context, Order) error
	// Retract draws a bolt that is out while the door stands open (S11). The same words about errors hold.
	Retract(context.Context, Order) error
	// Poll asks for a fresh report; the answer comes as a Report with Solicited true. ErrCannotPoll if the lock has no way.
	Poll(context.Context) error
	// Can says what this lock claims.
	Can() Can
	// Close ends the driver; no Report follows.
	Close() error
}

// Can is what a lock claims; locktest holds it to each.
type Can struct {
	Bolt, Door, Jam, By, Battery, Poll, AutoLock, Expiry bool
}

// What a Report is about.
type What uint8

const (
	OfBolt    What = iota + 1 // Bolt, By
	OfDoor                    // Door
	OfBattery                 // Percent
	OfHealth                  // OK, Err: can commands reach the lock, as far as the driver knows
	OfSmoke                   // OK false: smoke or CO alarm
	OfFailure                 // Err: a command failed, as the peer says; the bolt may have moved all the same
)

// Bolt, Door and By are the driver's words; they mean what interlock's mean.
type (
	Bolt uint8
	Door uint8
	By   uint8
)

const (
	BoltUnknown Bolt = iota
	BoltThrown
	BoltDrawn
	BoltJammed
)

const (
	DoorUnknown Door = iota
	DoorClosed
	DoorOpen
	DoorAjar
)

const (
	ByUnknown By = iota
	ByRemote
	ByInside
	ByResident
	ByItself
)

// Report is one thing that a lock or a sensor told. What is old, retained or cached is told as unknown, or not at all.
type Report struct {
	What      What
	Bolt      Bolt
	Door      Door
	By        By
	Who       string // user name or slot, when the lock says one
	Percent   int    // battery, 0 to 100
	OK        bool
	Err       error
	At        time.Duration // when it reached the hub, on the clock of Config.Now
	Age       time.Duration // how old it was by then, as far as the driver can tell
	Solicited bool          // the answer to a Poll
}

// Config is what a driver needs. Secrets come by file path and never reach a log.
type Config struct {
	Name string
	Now  func() time.Duration
	Log  *slog.Logger
	// Settings are the driver's own, decoded from the door's configuration; each driver documents its type.
	Settings any
}

// Open starts a driver. It returns at once; what the lock says comes through report, which is called by one goroutine,
// never two at a time, and must not block. An error means that Config can never work.
type Open func(ctx context.Context, cfg Config, report func(Report)) (Lock, error)

var (
	ErrNotSent    = errors.New("command provably not sent: the lock was not reached")
	ErrTooLate    = errors.New("order is past its not-after: never sent")
	ErrCannotPoll = errors.New("this lock cannot be asked for its state")
	ErrOffline    = errors.New("lock or its broker is offline: check the bridge and its power")
)
