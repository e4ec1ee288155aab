// Package fmp4 keeps what a camera shows: the last seconds in memory (the pre-roll), and each visit on disk as one fMP4
// file that plays in a browser, is whole after a power cut up to its last fragment, and is hashed run by run.
package fmp4

import (
	"errors"
	"io"
	"log/slog"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

// Config is what a Recorder needs. One Recorder serves one camera at one door.
type Config struct {
	Dir    string // the store; made if absent. Clips lie in Dir/<door>/<camera>/<visit>/
	Door   string
	Camera string
	// PreRoll is how much is kept in memory and filed in front of a visit, at least, counted back to a key picture.
	// Default 10 s.
	PreRoll time.Duration
	// Memory bounds pictures in memory: pre-roll and what waits for the disk. Past it the oldest go first; what had not
	// been written is lost and told. Default 32 MiB: 10 s at 8 Mbit/s three times over.
	Memory int64
	Now    func() time.Duration // monotonic, the hub's clock
	Wall   func() time.Time     // wall clock, for the record only
	// Confirmed is called while a visit is being recorded, by one goroutine at a time, and must not block: ok true after
	// each fsync, with the media time (camera.Picture.Media) of the newest picture on disk; ok false, with the reason,
	// when pictures do not reach the disk (error, full, slower than a second, memory overrun, no key picture yet).
	// When the camera gives nothing there is nothing to confirm: then it is not called, and the caller lets the newest
	// confirmation grow old.
	Confirmed func(ok bool, through time.Duration, err error)
	// Segmented, if not nil, is called by the writer's goroutine when a segment of the visit is complete and on disk.
	Segmented func(visit string, s record.Segment)
	Log       *slog.Logger
	Retention record.Retention
}

// What Confirmed, Start, Stop and Clip may say. They are wrapped with what happened.
var (
	ErrBusy    = errors.New("fmp4: another visit is being recorded: stop it first")
	ErrClosed  = errors.New("fmp4: the recorder is closed")
	ErrSlow    = errors.New("fmp4: pictures wait for the disk longer than 1 s: check the disk")
	ErrOverrun = errors.New("fmp4: pictures were lost because the disk did not keep up: check the disk")
	ErrNoKey   = errors.New("fmp4: no key picture yet: set the camera's key-picture interval to 4 s or less")
	ErrUnknown = errors.New("fmp4: no clip of this visit here")
	ErrVisit   = errors.New("fmp4: a visit's name is 1 to 128 bytes")
	ErrAltered = errors.New("fmp4: what was read back is not what was written: check the disk")
)

var _ camera.Sink = (*sink)(nil)

type sink struct{ *Recorder }

func (s sink) Closed(error) { s.Recorder.Closed() }

// Recorder keeps one camera's pictures. Methods may be called from several goroutines; Opened, Picture and Closed belong
// to the camera's goroutine, and never wait for the disk.
type Recorder struct{}

// New opens the store, closes what a crash left open (see Orphans) and starts the writer.
func New(cfg Config) (*Recorder, error) { return nil, ErrClosed }

// Orphans are the clips of visits that a crash or power cut had left open, now closed and playable up to their last whole
// fragment.
func (r *Recorder) Orphans() []record.Clip { return nil }

// Opened tells a connection's parameter sets. Pictures follow.
func (r *Recorder) Opened(p camera.Params) {}

// Picture takes a picture; it clones what it keeps.
func (r *Recorder) Picture(p camera.Picture) {}

// Closed tells that the connection is gone.
func (r *Recorder) Closed() {}

// Start keeps everything from now on, pre-roll included, as the visit's. It returns at once; Confirmed tells when pictures
// are on disk. Starting the visit that is being recorded does nothing; another one gives ErrBusy. A visit that was filed
// before (the hub crashed in between) is continued in a further file.
func (r *Recorder) Start(visit string) error { return ErrClosed }

// Stop ends the visit and files its clip: done is called by the writer's goroutine with what was filed. The error
// says what could not be kept; the clip still names what was.
func (r *Recorder) Stop(visit string, done func(record.Clip, error)) {}

// Clip gives a filed clip and a reader of its file, which the caller closes.
func (r *Recorder) Clip(visit string) (record.Clip, io.ReadSeekCloser, error) {
	return record.Clip{}, nil, ErrUnknown
}

// Clips lists what is filed, oldest first.
func (r *Recorder) Clips() ([]record.Clip, error) { return nil, ErrClosed }

// Sweep deletes what Retention no longer covers and keep does not hold, and says what went. Call it with an authenticated
// wall clock only: a clock that runs ahead deletes too much.
func (r *Recorder) Sweep(now time.Time, keep func(visit string) bool) ([]record.Clip, error) {
	return nil, ErrClosed
}

// Close files what is being recorded, then ends the writer.
func (r *Recorder) Close() error { return nil }
