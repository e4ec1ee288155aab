// Package rtsp reads a camera over RTSP (RFC 2326): H.264 (RFC 6184) and H.265 (RFC 7798), over TCP or UDP, with basic or
// digest passwords, and over TLS with a pinned certificate.
//
// Only complete pictures are handed over, and only pictures count as life: keep-alives, reports, audio and bytes do not. A
// picture's media time is its RTP timestamp. That is its presentation time: with B-frames the times do not rise from
// picture to picture, so a watching camera is best set to use none.
//
// A picture is handed over when its last packet has been read, which its marker bit tells. A camera that sets no markers,
// or sets them within pictures, is found out, and its pictures are handed over when the next one begins, one period later;
// Arrival stays when the last packet was read.
package rtsp

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"eyebolt/camera"
)

// Open is a [camera.Open]. It refuses a Config that can never work. A picture's Sink must not call Close.
func Open(ctx context.Context, cfg camera.Config, sink camera.Sink) (camera.Camera, error) {
	return open(ctx, cfg, sink, defaults)
}

// limits are the driver's spans; tests shorten them.
type limits struct {
	handshake time.Duration // from dialling to PLAY
	request   time.Duration // for one answer
	silence   time.Duration // without a complete picture: the connection is given up
	noKey     time.Duration // pictures, but none that decoding can begin with
	first     time.Duration // the first wait before trying again
	most      time.Duration // the longest one
	refused   time.Duration // the longest one after a refused password: many cameras lock an account after a few tries
}

// The silence is longer than any stall that TCP heals by itself and shorter than the back-off of a sender that has been
// jammed for long: a fresh connection is then the faster way.
var defaults = limits{
	handshake: 10 * time.Second,
	request:   5 * time.Second,
	silence:   5 * time.Second,
	noKey:     20 * time.Second,
	first:     200 * time.Millisecond,
	most:      5 * time.Second,
	refused:   60 * time.Second,
}

// driver is one camera. Its run goroutine owns it; a session's reader calls the sink while run waits for the session's end.
type driver struct {
	cfg    camera.Config
	addr   address
	sink   camera.Sink
	lim    limits
	log    *slog.Logger
	rng    *rand.Rand // run's
	cancel context.CancelFunc
	done   chan struct{}
	life   atomic.Int64         // cfg.Now of the newest complete picture
	line   atomic.Pointer[line] // where Ask can send; nil: nowhere
}

func open(ctx context.Context, cfg camera.Config, sink camera.Sink, lim limits) (*driver, error) {
	addr, err := parse(cfg)
	if err != nil {
		return nil, err
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &driver{
		cfg: cfg, addr: addr, sink: sink, lim: lim,
		log: log.With("camera", cfg.Name), rng: jitter(cfg.Name, addr.host),
		cancel: cancel, done: make(chan struct{}),
	}
	go d.run(ctx)
	return d, nil
}

// Close ends the driver. It returns when no method of the sink will be called again, in 2 s at the most.
func (d *driver) Close() error {
	d.cancel()
	<-d.done
	return nil
}

// run connects, and connects again, until ctx ends.
func (d *driver) run(ctx context.Context) {
	defer close(d.done)
	var wait backoff
	for ctx.Err() == nil {
		began := d.cfg.Now()
		s := newSession(d)
		err := s.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if s.pictures > 0 && d.cfg.Now()-began >= d.lim.steady() {
			wait.reset()
		}
		pause := wait.next(err, d.lim, d.rng)
		// Whoever takes the pictures says what is wrong, where a person reads it.
		d.log.Debug("camera connection ended", "error", err, "again_in", pause.Round(time.Millisecond))
		d.sink.Closed(err)
		sleep(ctx, pause)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
