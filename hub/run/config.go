// Package run gives the hub's core its hands: goroutines, devices, ledger and bus. It decides nothing. Devices are handed
// in as constructors; the package imports no technology.
//
// State that cmd keeps in the hub's folder and hands in opened:
//
//	ledger.db         the record (ledger/sqlite): also all that the hub remembers; replayed whole at start
//	hub.key, hub.pub  the hub's Ed25519 key: ledger checkpoints, live answers (S17), the bus connection
//	checkpoints.log   signed checkpoints, for a stranger's verify
//	clips/            the recorder's store (record/fmp4)
//	cameras/          what detectors have learned of each camera (Config.Dir); no evidence, and learned anew if it is lost
package run

import (
	"context"
	"io"
	"log/slog"
	"time"

	"eyebolt/bus"
	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/ledger"
	"eyebolt/live"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/record"
)

// Config is a hub's whole wiring. Ledger and Bus stay the caller's: Stop does not close them.
type Config struct {
	ID     string               // the hub's name
	RP     hub.RP               // relying party of the passkeys
	Epoch  uint32               // 1 for a new hub
	Doors  []Door               // in a fixed order
	Ledger ledger.Log           // opened
	Bus    bus.Conn             // may be disconnected for as long as it likes; nil: no service at all
	Log    *slog.Logger         // required
	Random io.Reader            // crypto/rand.Reader when nil
	Now    func() time.Duration // monotonic, the same clock that Camera and Lock drivers get; required
	Wall   func() time.Time     // time.Now when nil

	// Radios are where signs of an attack on the air are heard; none is needed.
	Radios []Radio

	// Live shows every door's first camera; nil: no live view.
	Live Live

	// Dir is a folder for what is learned of each camera, made if need be; empty: it is learned anew at each start.
	Dir string

	// AddResident makes one more pairing code at start, for a further resident of a hub that is paired already.
	AddResident bool

	// Pairing is called with each new pairing code: print it where only the household reads it.
	Pairing func(code string)

	// Shown, if set, is called with each new view of a door, and with the present one at least every 5 s, from the core's own
	// goroutine: it must not wait. For those in the home who show doors, beside the service.
	Shown func(bus.View)

	// Watching, if set, is called at each change of a door's watch and each order on its way to a lock, from inside the hub's
	// goroutines; it must not block. For metrics and benchmarks.
	Watching func(Event)
}

// Door is one door's devices.
type Door struct {
	Name    string
	Limits  hub.Limits  // interlock.DefaultLimits() when zero
	Walk    hub.Walk    // what was proven of its devices (S9, S11)
	Lock    lock.Open   // driver
	LockCfg lock.Config // Now and Log are filled in
	Cameras []Camera    // at least one
}

// Camera is one camera, its judge and who else sees its pictures.
type Camera struct {
	Name   string
	Open   camera.Open
	Config camera.Config   // Now, Log and Name are filled in
	Judge  liveness.Config // zero fields: liveness's defaults
	// Second is a second stream of this camera for viewers alone, where browsers cannot play the watched one; nil: they see the
	// watched one. It is neither judged nor recorded.
	Second *camera.Config

	// Wired says that the camera is on a cable: its link certificate is stricter (S18).
	Wired bool
	// NeedLink refuses unattended entry until the link is graded, too; else only a link that was measured to be unfit is refused.
	NeedLink bool
	// Door compares the picture's change with the contact's reports; its zero value has the defaults. NoDoor leaves it out, for a
	// camera that is not meant to see the door's leaf itself.
	Door   liveness.DoorConfig
	NoDoor bool
	// Challenge asks the camera for key pictures at random moments of a visit, once it has proven to answer. Nil asks nothing. By
	// is how it asks: its own driver (RTCP), if nil.
	Challenge *Challenge

	// Beside are what judges or decodes this camera's pictures beside its Judge. Each is opened with the camera and closed after it.
	Beside []func(Hears) (Watcher, error)
	// Prints judges what they decode; nil: nothing does.
	Prints Prints
	// Learned is what detectors keep over a restart, by a name that is never changed.
	Learned map[string]Learned

	// Recorder makes the camera's recorder; confirmed is what it calls while a visit is recorded, from any goroutine: ok,
	// with the media time of the newest picture on disk, or not, with why. Required: what is not recorded is not watched.
	Recorder func(confirmed func(ok bool, through time.Duration, err error)) (Recorder, error)

	// Refill fetches what the camera kept on its own storage of a time that nobody watched and gives it to sink; whole says that
	// it was all of it. It is called after visits, from one goroutine; its context ends when a visit begins. The Recorder must
	// be a Filer. nil: nothing is fetched.
	Refill func(ctx context.Context, from, to time.Time, sink RefillSink) (whole bool, err error)
}

// Challenge is how a camera is asked for key pictures.
type Challenge struct {
	By camera.Asker
}

// Recorder keeps a camera's pictures (record/fmp4). Opened, Picture and Closed come from the camera's goroutine and must not
// wait for a disk; the rest may come from any goroutine.
type Recorder interface {
	Opened(camera.Params)
	Picture(camera.Picture)
	Closed()
	// Start keeps the pictures for this visit from now on, pre-roll included.
	Start(visit string) error
	// Stop ends the visit's clip; done is called once, when it is durable, or with what could not be kept.
	Stop(visit string, done func(record.Clip, error))
	// Orphans are clips that a crash had left open, or whose filing it may have kept from the record.
	Orphans() []record.Clip
	// Gone are clips that went, which a crash may have kept from the record.
	Gone() []record.Clip
	// Sweep takes out what retention no longer covers and keep does not hold. What the Sweep before took out is on record by then.
	Sweep(now time.Time, keep func(visit string) bool) ([]record.Clip, error)
	Close() error
}

// Live shows pictures to the household (live/webrtc). Opened, Picture and Closed must not wait for a viewer. A door's
// first camera is the one that is shown.
type Live interface {
	Opened(door string, p camera.Params)
	Picture(door string, p camera.Picture)
	Closed(door string)
	// SetAge tells the newest evidence age in milliseconds (negative: unknown) and the watch's word.
	SetAge(door string, ms int64, watch string)
	Answer(ctx context.Context, o live.Offer) (live.Answer, error)
}

// Event is something that benchmarks time.
type Event struct {
	Door, Camera string
	What         string        // "lagging", "lost", …, "live", "lock", "unlock", "alarm"
	At           time.Duration // on Config.Now
}
