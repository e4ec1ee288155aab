package run

import (
	"context"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// source is a camera of 15 pictures a second, in memory.
type source struct {
	now   func() time.Duration
	seed  uint64
	mu    sync.Mutex
	off   bool
	asked int // questions ever
	asks  int // questions for a key picture that wait for their answer
	deaf  bool
	last  time.Duration // own time of the newest picture
	stop  func()
}

func (s *source) open(ctx context.Context, _ camera.Config, sink camera.Sink) (camera.Camera, error) {
	ctx, s.stop = context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		src := cameratest.Noise(camera.H264, s.seed)
		sink.Opened(src.Params())
		tick := time.NewTicker(time.Second / 15)
		defer tick.Stop()
		first, n := time.Duration(-1), 0
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			nals := src.Next()
			s.mu.Lock()
			off, at, asked := s.off, s.now(), s.asks > 0 && !s.deaf
			if asked {
				s.asks = 0
			}
			if !off {
				s.last = at
			}
			s.mu.Unlock()
			if first < 0 {
				first = at
			}
			if !off {
				sink.Picture(camera.Picture{Media: at - first, Arrival: at, Key: n%60 == 0 || asked, NALs: nals})
			}
			n++
		}
	}()
	return &opened{closer(func() { s.stop(); <-done }), s}, nil
}

// opened is the source's driver.
type opened struct {
	closer
	s *source
}

func (o *opened) Ask(context.Context) error {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	o.s.asks++
	o.s.asked++
	return nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

func (s *source) set(off bool) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = off
	return s.last
}
