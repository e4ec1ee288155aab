package still

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"eyebolt/camera"
)

// KeyframesConfig is one camera's.
type KeyframesConfig struct {
	Name   string
	FFmpeg string        // the program; "ffmpeg" if empty
	Within time.Duration // how long one picture may take, 4 s if not set: more than that, and the decoder is started anew
	Log    *slog.Logger
}

// Keyframes decodes a camera's key pictures while it is on, in one ffmpeg process, one picture at a time. Opened and Picture
// never wait: a key picture that comes while another is being decoded replaces the one that waits. A decoder that dies, gives
// nothing, or gives more than it was asked for is killed and, after a pause that grows, started anew; the next key picture is
// then the first.
//
// All methods may be called from any goroutine. The sink is called from one, never two at a time.
type Keyframes struct {
	cfg    KeyframesConfig
	sink   Sink
	wake   chan struct{} // holds one
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	params camera.Params
	on     bool
	wait   *job // the newest key picture, not begun
	spare  *job // its buffer is used again
	stats  Stats
}

// Stats counts since the start.
type Stats struct {
	Stills   uint64        // given
	Dropped  uint64        // key pictures that a newer one replaced, or that came in a pause
	Failed   uint64        // key pictures that gave no still
	Started  uint64        // decoders
	Latency  time.Duration // of the newest still, from the key picture's being handed over
	CPU      time.Duration // of decoders that are gone
	LastFail error         // nil once a still was given again
}

type job struct {
	params         camera.Params
	unit           []byte
	media, arrival time.Duration
	taken          time.Time
}

const (
	pauseFirst = 250 * time.Millisecond
	pauseMost  = 30 * time.Second
)

// NewKeyframes starts; nothing is decoded before Begin. ErrNoFFmpeg tells that it never can be.
func NewKeyframes(cfg KeyframesConfig, sink Sink) (*Keyframes, error) {
	if cfg.FFmpeg == "" {
		cfg.FFmpeg = "ffmpeg"
	}
	program, err := exec.LookPath(cfg.FFmpeg)
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	cfg.FFmpeg = program
	if cfg.Within == 0 {
		cfg.Within = 4 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keyframes{cfg: cfg, sink: sink, wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go k.run(ctx)
	return k, nil
}

// Begin lets key pictures be decoded from now on: a visit begins.
func (k *Keyframes) Begin() { k.set(true) }

// End ends the decoder: the visit is over. A picture that is being decoded may still come out.
func (k *Keyframes) End() { k.set(false) }

func (k *Keyframes) set(on bool) {
	k.mu.Lock()
	k.on = on
	if !on {
		k.wait = nil
	}
	k.mu.Unlock()
	k.nudge()
}

// Close ends everything. When it returns, the process is gone and the sink will not be called again.
func (k *Keyframes) Close() error {
	k.cancel()
	<-k.done
	return nil
}

// Stats gives them.
func (k *Keyframes) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}

// Opened tells a connection's parameter sets.
func (k *Keyframes) Opened(p camera.Params) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.params = p
}

// Closed tells that the connection is gone; what waits is of no use any more.
func (k *Keyframes) Closed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wait, k.params = nil, camera.Params{}
}

// Picture takes a picture; all but key pictures are ignored.
func (k *Keyframes) Picture(p camera.Picture) {
	if !p.Key {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.on || k.params.Codec == camera.NoCodec {
		return
	}
	j := k.wait
	if j != nil {
		k.stats.Dropped++
	} else if j = k.spare; j == nil {
		j = &job{}
	}
	k.wait, k.spare = nil, nil
	var err error
	if j.unit, err = annexB(j.unit[:0], k.params, p.NALs); err != nil {
		k.stats.Failed, k.stats.LastFail, k.spare = k.stats.Failed+1, err, j
		return
	}
	j.params, j.media, j.arrival, j.taken = k.params, p.Media, p.Arrival, time.Now()
	k.wait = j
	k.nudge()
}

func (k *Keyframes) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// take gives the key picture that waits.
func (k *Keyframes) take() (j *job, on bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, k.wait = k.wait, nil
	return j, k.on
}

// run owns the decoder.
func (k *Keyframes) run(ctx context.Context) {
	defer close(k.done)
	var d decoder
	defer func() { k.stop(&d) }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		}
		j, on := k.take()
		if !on {
			k.stop(&d)
			d.pause, d.until = 0, time.Time{}
			continue
		}
		if j == nil {
			continue
		}
		if time.Now().Before(d.until) {
			k.count(j, func(s *Stats) { s.Dropped++ })
			continue
		}
		// The end of ctx, or of the visit, must not wait for a decoder that hangs.
		err := k.decode(ctx, &d, j)
		if err == nil {
			d.pause = 0
			continue
		}
		k.stop(&d)
		d.pause = min(max(2*d.pause, pauseFirst), pauseMost)
		d.until = time.Now().Add(d.pause)
		k.count(j, func(s *Stats) { s.Failed, s.LastFail = s.Failed+1, err })
		k.cfg.Log.Debug("a key picture could not be decoded", "camera", k.cfg.Name, "err", err, "again_in", d.pause)
	}
}

// decoder is the process with what it was made for, and the buffers beside it.
type decoder struct {
	c      *child
	params camera.Params
	full   []byte
	small  []byte
	pause  time.Duration
	until  time.Time
}

var errEnded = errors.New("the visit is over")

func (k *Keyframes) decode(ctx context.Context, d *decoder, j *job) error {
	if d.c != nil && (d.params.Codec != j.params.Codec || d.params.Width != j.params.Width || d.params.Height != j.params.Height) {
		k.stop(d)
	}
	if d.c == nil {
		c, err := spawn(k.cfg.FFmpeg, j.params)
		if err != nil {
			return err
		}
		d.c, d.params = c, j.params
		if n := j.params.Width * j.params.Height; len(d.full) != n {
			d.full = make([]byte, n)
		}
		k.count(nil, func(s *Stats) { s.Started++ })
	}
	stop := context.AfterFunc(ctx, d.c.end)
	err := d.c.decode(j.unit, d.full, k.cfg.Within)
	if !stop() {
		return errEnded
	}
	if err != nil {
		return err
	}
	p := j.params
	s := camera.Still{Media: j.media, Arrival: j.arrival}
	d.small, s.Width, s.Height = shrink(d.small, d.full, p.Width, p.Width, p.Height, Factor(p.Width, p.Height))
	s.Luma = d.small
	latency := time.Since(j.taken)
	k.count(j, func(t *Stats) { t.Stills, t.Latency, t.LastFail = t.Stills+1, latency, nil })
	k.sink(s)
	return nil
}

// stop ends the process, if there is one.
func (k *Keyframes) stop(d *decoder) {
	if d.c == nil {
		return
	}
	d.c.kill()
	spent := d.c.spent()
	d.c = nil
	k.count(nil, func(s *Stats) { s.CPU += spent })
}

// count changes the counters and gives a job's buffer back.
func (k *Keyframes) count(j *job, change func(*Stats)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(&k.stats)
	if j != nil && k.spare == nil {
		k.spare = j
	}
}
