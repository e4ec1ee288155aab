// Package run gives the hub's core its hands: goroutines, devices, ledger and bus. It decides nothing. Devices are handed
// in as constructors; the package imports no technology.
//
// State that cmd keeps in the hub's folder and hands in opened:
//
//	ledger.db         the record (ledger/sqlite): also all that the hub remembers; replayed whole at start
//	hub.key, hub.pub  the hub's Ed25519 key: ledger checkpoints, live answers (S17), the bus connection
//	checkpoints.log   signed checkpoints, for a stranger's verify
//	clips/            the recorder's store (record/fmp4)
package run

import (
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

	// Pairing is called with each new pairing code: print it where only the household reads it.
	Pairing func(code string)

	// Watching, if set, is called at each change of a door's watch and each order on its way to a lock, from inside the hub's
	// goroutines; it must not block. For metrics and benchmarks.
	Watching func(Event)
}

// Door is one door's devices.
type Door struct {
	Name    string
	Limits  hub.Limits  // interlock.DefaultLimits() when zero
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

	// Recorder makes the camera's recorder. confirmed tells that everything seen until then is on disk (or that it is not);
	// it may be called from any goroutine. Required: what is not recorded is not watched.
	Recorder func(confirmed func(ok bool)) (Recorder, error)

	// Live shows the camera to the household; nil: no live view.
	Live Live
}

// Recorder keeps a camera's pictures. Opened, Picture and Closed come from the camera's goroutine and must not wait for a
// disk; the rest may come from any goroutine.
type Recorder interface {
	camera.Sink
	// Start keeps the pictures for this visit from now on, pre-roll included.
	Start(visit string)
	// Stop ends the visit's clip; done is called once, when it is durable or lost.
	Stop(visit string, done func(record.Clip, error))
	Close() error
}

// Live shows a camera's pictures to the household.
type Live interface {
	camera.Sink
	// SetAge tells the newest evidence age and the watch's word, several times a second.
	SetAge(live.Age)
	// Answer answers an offer (JSON of live.Offer) with the JSON of live.Answer.
	Answer(offer live.Offer) (live.Answer, error)
}

// Event is something that benchmarks time.
type Event struct {
	Door, Camera string
	What         string        // "lagging", "lost", …, "live", "lock", "unlock", "alarm"
	At           time.Duration // on Config.Now
}
