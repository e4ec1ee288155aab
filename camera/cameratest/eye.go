package cameratest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/camera"
)

// patience is how long a test waits for what must come. It only bounds a failing test.
const patience = 20 * time.Second

// Seen is a picture as it was handed over.
type Seen struct {
	camera.Picture
	When time.Duration // on the Eye's clock, when it was handed over
}

// Eye is a sink that keeps everything and checks the order that package camera promises.
type Eye struct {
	tb    testing.TB
	start time.Time

	mu        sync.Mutex
	change    chan struct{} // closed at each call
	inside    bool
	open      bool
	over      bool
	opened    []camera.Params
	closed    []error
	seen      []Seen
	fresh     int // index in seen of this connection's first
	log       strings.Builder
	Keep      bool // keep the NAL units too
	OnPicture func(camera.Picture)
}

// NewEye starts a clock.
func NewEye(tb testing.TB) *Eye {
	return &Eye{tb: tb, start: time.Now(), change: make(chan struct{})}
}

// Now is the Eye's clock.
func (e *Eye) Now() time.Duration { return time.Since(e.start) }

// Watch opens a camera until the test ends.
func (e *Eye) Watch(open camera.Open, cfg camera.Config) camera.Camera {
	e.tb.Helper()
	cfg.Now = e.Now
	if cfg.Name == "" {
		cfg.Name = "door"
	}
	cfg.Log = slog.New(slog.NewTextHandler(lockedWriter{e}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cam, err := open(context.Background(), cfg, e)
	if err != nil {
		e.tb.Fatalf("open: %v", err)
	}
	e.tb.Cleanup(func() { e.Over(cam) })
	return cam
}

// Over closes the camera; after it the sink must stay silent.
func (e *Eye) Over(cam camera.Camera) {
	if err := cam.Close(); err != nil {
		e.tb.Errorf("close: %v", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
}

func (e *Eye) call(what string, f func()) {
	e.mu.Lock()
	if e.inside {
		e.tb.Errorf("%s while another call is going on", what)
	}
	if e.over {
		e.tb.Errorf("%s after Close", what)
	}
	e.inside = true
	e.mu.Unlock()

	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	e.inside = false
	close(e.change)
	e.change = make(chan struct{})
}

// Opened is camera.Sink's.
func (e *Eye) Opened(p camera.Params) {
	e.call("Opened", func() {
		if !e.open {
			e.fresh = len(e.seen)
		}
		e.open = true
		e.opened = append(e.opened, p)
	})
}

// Picture is camera.Sink's.
func (e *Eye) Picture(p camera.Picture) {
	if e.OnPicture != nil {
		e.OnPicture(p)
	}
	e.call("Picture", func() {
		now := e.Now()
		switch {
		case !e.open:
			e.tb.Errorf("picture before Opened")
		case len(p.NALs) == 0:
			e.tb.Errorf("picture without a NAL unit")
		case p.Arrival > now:
			e.tb.Errorf("arrival %v is after its own handing over at %v", p.Arrival, now)
		case len(e.seen) == e.fresh && (p.Media != 0 || !p.Key || p.Missing != 0):
			e.tb.Errorf("first picture of a connection: media %v, key %v, missing %d; want 0, true, 0", p.Media, p.Key, p.Missing)
		case len(e.seen) > e.fresh && p.Arrival < e.seen[len(e.seen)-1].Arrival:
			e.tb.Errorf("arrival went back from %v to %v", e.seen[len(e.seen)-1].Arrival, p.Arrival)
		}
		if e.Keep {
			nals := make([][]byte, len(p.NALs))
			for i, n := range p.NALs {
				nals[i] = append([]byte(nil), n...)
			}
			p.NALs = nals
		} else {
			p.NALs = nil
		}
		e.seen = append(e.seen, Seen{p, now})
	})
}

// Closed is camera.Sink's.
func (e *Eye) Closed(err error) {
	e.call("Closed", func() {
		if err == nil {
			e.tb.Errorf("Closed without an error")
		}
		e.open = false
		e.closed = append(e.closed, err)
	})
}

// until waits for a condition, which is looked at after each call.
func (e *Eye) until(what string, ok func() bool) {
	e.tb.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		e.mu.Lock()
		done, change := ok(), e.change
		e.mu.Unlock()
		if done {
			return
		}
		select {
		case <-change:
		case <-limit.C:
			e.tb.Fatalf("no %s in %v; log:\n%s", what, patience, e.Log())
		}
	}
}

// Pictures waits until n were seen, ever, and gives all of them.
func (e *Eye) Pictures(n int) []Seen {
	e.tb.Helper()
	e.until(fmt.Sprintf("%d pictures", n), func() bool { return len(e.seen) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Seen(nil), e.seen...)
}

// Openings waits until Opened was called n times, and gives what it was told.
func (e *Eye) Openings(n int) []camera.Params {
	e.tb.Helper()
	e.until(fmt.Sprintf("opening %d", n), func() bool { return len(e.opened) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]camera.Params(nil), e.opened...)
}

// Closings waits until Closed was called n times, and gives the errors.
func (e *Eye) Closings(n int) []error {
	e.tb.Helper()
	e.until(fmt.Sprintf("closing %d", n), func() bool { return len(e.closed) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]error(nil), e.closed...)
}

// Count is how many pictures were seen so far.
func (e *Eye) Count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.seen)
}

// Log is what the driver has logged.
func (e *Eye) Log() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

type lockedWriter struct{ e *Eye }

func (w lockedWriter) Write(b []byte) (int, error) {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	return w.e.log.Write(b)
}
