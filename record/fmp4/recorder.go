// Package fmp4 keeps what a camera shows: the last seconds in memory (the pre-roll), and each visit on disk as one fMP4
// file that plays in a browser, is whole after a power cut up to its last fragment, and is hashed run by run.
package fmp4

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
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
	// Default 10 s. While a visit is recorded, only what is not yet written and the newest group of pictures stay in memory: a
	// visit that follows at once begins with the newest key picture of the one before, whose film has what came earlier.
	PreRoll time.Duration
	// Memory bounds pictures in memory: pre-roll and what waits for the disk. Past it the oldest go first; what had not
	// been written is lost and told. Default 32 MiB: 10 s at 8 Mbit/s three times over.
	Memory int64
	Now    func() time.Duration // monotonic, the hub's clock
	Wall   func() time.Time     // wall clock, for the record only
	// Confirmed is called from a visit's Start to its Stop, by one goroutine at a time, and must not block: ok true after
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
	ErrFiles   = errors.New("fmp4: the camera changes its parameter sets all the time: restart it, and check who else can reach it")
	ErrVisit   = errors.New("fmp4: a visit's name is 1 to 128 bytes")
	ErrAltered = errors.New("fmp4: what was read back is not what was written: check the disk")
)

// Recorder keeps one camera's pictures. Methods may be called from several goroutines; Opened, Picture and Closed belong
// to the camera's goroutine, and never wait for the disk.
type Recorder struct {
	cfg     Config
	disk    disk
	rel     string // folder of this door and camera, relative to the store
	orphans []record.Clip
	gone    []record.Clip
	wake    chan struct{} // one token: the writer has something to do
	look    chan struct{} // one token: the watch has something to tell
	quit    chan struct{}
	ended   sync.WaitGroup
	telling sync.Mutex // Confirmed is called by one goroutine at a time

	mu      sync.Mutex // guards all below
	ring    ring
	conn    uint64 // counts connections
	open    bool   // the newest connection lives
	params  *camera.Params
	keyless bool   // what follows cannot be decoded before the next key picture
	jobs    []*job // in order; only the last may still be growing
	calls   []func()
	closed  bool
	watched bool // a goroutine watches the jobs
}

// job is a visit from Start until it is filed. The recorder's mutex guards it.
type job struct {
	visit   string
	next    uint64 // first picture that the writer has not taken
	end     uint64 // where the visit ends, once stopped
	stopped bool
	until   time.Duration // when the writer gives up on a disk that does not take the rest
	done    func(record.Clip, error)
	began   time.Duration
	waiting time.Duration // arrival of the oldest picture that the writer holds and that is not on disk
	holds   bool
	through time.Duration // media time of the newest picture on disk
	lost    uint64
	overrun bool // lost pictures since this was last told
	overran bool // ever
	noKey   bool // pictures came that cannot be decoded, since this was last told
	told    time.Duration
}

// maxJobs bounds the visits that wait for the writer to file them, with the one that is recorded: more than a few
// means that the disk takes nothing.
const maxJobs = 4

// New opens the store, closes what a crash left open (see Orphans) and starts the writer.
func New(cfg Config) (*Recorder, error) { return open(cfg, osDisk{}) }

func open(cfg Config, d disk) (*Recorder, error) {
	if cfg.Now == nil || cfg.Wall == nil || cfg.Confirmed == nil || cfg.Log == nil || cfg.Dir == "" {
		return nil, errors.New("fmp4: Dir, Now, Wall, Confirmed and Log must be given")
	}
	cfg.PreRoll = cmp.Or(cfg.PreRoll, 10*time.Second)
	cfg.Memory = cmp.Or(cfg.Memory, 32<<20)
	door, err := folder(cfg.Door)
	if err != nil {
		return nil, fmt.Errorf("fmp4: door: %w", err)
	}
	cam, err := folder(cfg.Camera)
	if err != nil {
		return nil, fmt.Errorf("fmp4: camera: %w", err)
	}
	r := &Recorder{
		cfg: cfg, disk: d, rel: filepath.Join(door, cam), keyless: true,
		wake: make(chan struct{}, 1), look: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, r.rel), 0o700); err != nil {
		return nil, wrap(err)
	}
	if r.orphans, r.gone, err = recoverAll(d, cfg.Dir, r.rel); err != nil {
		// New visits can be recorded all the same.
		cfg.Log.Error("recordings that a crash left could not all be closed", "door", cfg.Door, "camera", cfg.Camera, "err", err)
	}
	r.ended.Add(1)
	go r.write()
	return r, nil
}

// Orphans are the clips of visits that a crash or power cut had left open when New was called, now closed and playable up
// to their last whole fragment; and clips that were filed since the newest Sweep, by Close perhaps: that they were may not be on
// record, and telling it twice does no harm.
func (r *Recorder) Orphans() []record.Clip { return r.orphans }

// Gone are clips that the newest Sweep before New was called took out of the store: likewise.
func (r *Recorder) Gone() []record.Clip { return r.gone }

// Opened tells a connection's parameter sets. Pictures follow.
func (r *Recorder) Opened(p camera.Params) {
	kept := &camera.Params{
		Codec: p.Codec, VPS: bytes.Clone(p.VPS), SPS: bytes.Clone(p.SPS), PPS: bytes.Clone(p.PPS),
		Width: p.Width, Height: p.Height,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.params, r.open, r.keyless = kept, true, true
	r.conn++
}

// Picture takes a picture; it keeps its Sample, or a copy if it has none.
func (r *Recorder) Picture(p camera.Picture) {
	r.mu.Lock()
	params, conn := r.params, r.conn
	r.mu.Unlock()
	if params == nil {
		return // no Opened: nothing can decode it
	}
	data := p.Sample
	if data == nil {
		data = camera.Pack(params.Codec, p.NALs)
	}
	if data == nil {
		return
	}
	wall := r.cfg.Wall().Add(p.Arrival - r.cfg.Now())
	r.mu.Lock()
	r.take(picture{conn: conn, params: params, media: p.Media, arrival: p.Arrival, wall: wall, key: p.Key, data: data})
	ends := false // a fragment ends with it
	for _, j := range r.jobs {
		oldest, ok := r.oldest(j)
		ends = ends || p.Key || ok && p.Arrival-oldest >= partLength
		if j.overrun || j.noKey {
			signal(r.look)
		}
	}
	r.mu.Unlock()
	if ends {
		r.poke()
	}
}

// take puts a picture into memory and keeps memory in its bounds.
func (r *Recorder) take(p picture) {
	if r.keyless && !p.key {
		if n := len(r.jobs); n > 0 && !r.jobs[n-1].stopped {
			r.jobs[n-1].lost++
			r.jobs[n-1].noKey = true
		}
		return
	}
	r.keyless = false
	r.ring.push(p)
	held := r.ring.next
	for _, j := range r.jobs {
		held = min(held, j.next)
	}
	from, keyless := r.ring.shrink(r.cfg.Memory, held)
	r.keyless = keyless
	for _, j := range r.jobs {
		if to := min(r.ring.first(), j.last(r.ring.next)); to > max(from, j.next) {
			j.lost += to - max(from, j.next)
			j.next, j.overrun, j.overran = to, true, true
		}
	}
	span := r.cfg.PreRoll
	if n := len(r.jobs); n > 0 && !r.jobs[n-1].stopped {
		span = 0 // what the writer has taken is in this visit's film: memory need not hold it too
	}
	r.ring.trim(span, held)
}

// last is where a visit's pictures end, so far.
func (j *job) last(next uint64) uint64 {
	if j.stopped {
		return j.end
	}
	return next
}

// Closed tells that the connection is gone.
func (r *Recorder) Closed() {
	r.mu.Lock()
	r.open, r.keyless = false, true
	r.mu.Unlock()
	r.poke()
}

func (r *Recorder) poke() { signal(r.wake) }

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Start keeps everything from now on, pre-roll included, as the visit's. It returns at once; Confirmed tells when pictures
// are on disk. Starting the visit that is being recorded does nothing; another one gives ErrBusy. A visit that was filed
// before (the hub crashed in between) is continued in a further file.
func (r *Recorder) Start(visit string) error {
	if _, err := folder(visit); err != nil {
		return err
	}
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	if n := len(r.jobs); n > 0 && !r.jobs[n-1].stopped {
		if r.jobs[n-1].visit == visit {
			return nil
		}
		return fmt.Errorf("%w: %q", ErrBusy, r.jobs[n-1].visit)
	} else if n >= maxJobs {
		return fmt.Errorf("%w: the disk has not taken the last %d visits", ErrBusy, n)
	}
	j := &job{visit: visit, began: now, told: now, next: r.ring.preroll(now, r.cfg.PreRoll, r.conn, r.open)}
	if j.next == r.ring.next {
		r.keyless = true // nothing in memory begins with a key picture
	}
	r.jobs = append(r.jobs, j)
	if !r.watched {
		r.watched = true
		r.ended.Add(1)
		go r.watch()
	}
	r.poke()
	return nil
}

// Stop ends the visit and files its clip: done is called by the writer's goroutine with what was filed. The error
// says what could not be kept; the clip still names what was.
func (r *Recorder) Stop(visit string, done func(record.Clip, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.poke()
	if n := len(r.jobs); n > 0 && !r.jobs[n-1].stopped && r.jobs[n-1].visit == visit && !r.closed {
		r.stop(r.jobs[n-1], done)
		return
	}
	err := fmt.Errorf("%w: %q is not being recorded", ErrUnknown, visit)
	if r.closed {
		go done(record.Clip{}, ErrClosed) // the writer has gone
		return
	}
	r.calls = append(r.calls, func() { done(record.Clip{}, err) })
}

// giveUp is how long a stopped visit waits for a disk that refuses; then what is on disk is its clip.
const giveUp = 5 * time.Second

func (r *Recorder) stop(j *job, done func(record.Clip, error)) {
	j.stopped, j.end, j.done, j.until = true, r.ring.next, done, r.cfg.Now()+giveUp
}

// recording says whether a visit is being recorded or filed.
func (r *Recorder) recording(visit string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.jobs, func(j *job) bool { return j.visit == visit })
}

// closeIn is how long Close waits for a disk that hangs. What is on it is found at the next start.
const closeIn = 2 * giveUp

// Close files what is being recorded, then ends the writer. ErrSlow says that the disk hangs and the writer with it.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		if n := len(r.jobs); n > 0 && !r.jobs[n-1].stopped {
			r.stop(r.jobs[n-1], func(record.Clip, error) {})
		}
		close(r.quit)
	}
	r.mu.Unlock()
	r.poke()
	ended := make(chan struct{})
	go func() {
		r.ended.Wait()
		close(ended)
	}()
	limit := time.NewTimer(closeIn)
	defer limit.Stop()
	select {
	case <-ended:
		return nil
	case <-limit.C:
		return ErrSlow
	}
}
