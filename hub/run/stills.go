package run

import (
	"context"
	"time"

	"eyebolt/camera"
)

// Stills makes decoded pictures while it is on, which costs something: a decoder, or questions to the camera. Opened, Picture and
// Closed come from the camera's goroutine and must not wait; Begin, End and Close come from another one.
type Stills interface {
	Opened(camera.Params)
	Picture(camera.Picture)
	Closed()
	Begin()
	End()
	Close() error
}

const (
	// glanceEvery is how often one still is taken while nothing goes on: a camera that froze at noon is known before the
	// courier comes. Each costs a decoder's start, 0.1 s of a core.
	glanceEvery = time.Minute
	// glanceMost is how long that may take: a camera's key pictures are rarely more than 10 s apart.
	glanceMost = 15 * time.Second
	// learnMost is how long the scene may be learned in one go: 20 stills, with one every 10 s.
	learnMost = 4 * time.Minute
	// schedule is how often it is looked what is wanted.
	schedule = 250 * time.Millisecond
	// SensorWithin is how old the sensor's newest word may be for a watch that needs it (liveness.Need): two glances may fail.
	SensorWithin = 3*glanceEvery + glanceMost
)

// sparing has stills taken when they are worth their cost: all through a visit, until the scene is learned on each connection,
// and one a minute besides. It is a Watcher.
type sparing struct {
	src    Stills
	sensor *Sensor
	end    context.CancelFunc
	done   chan struct{}
	visit  chan bool
	opened chan bool
}

// Sparing gives the Watcher that has src make stills for sensor.
func Sparing(src Stills, sensor *Sensor, now func() time.Duration) Watcher {
	ctx, end := context.WithCancel(context.Background())
	s := &sparing{src: src, sensor: sensor, end: end, done: make(chan struct{}), visit: make(chan bool, 16), opened: make(chan bool, 16)}
	go s.run(ctx, now)
	return s
}

func (s *sparing) Opened(p camera.Params) {
	s.src.Opened(p)
	s.tell(s.opened, true)
}

func (s *sparing) Picture(p camera.Picture) { s.src.Picture(p) }

func (s *sparing) Closed() {
	s.src.Closed()
	s.tell(s.opened, false)
}

func (s *sparing) Visit(on bool) { s.tell(s.visit, on) }

// tell passes the newest on and never waits: of many changes that nobody has looked at yet the oldest is forgotten.
func (s *sparing) tell(c chan bool, on bool) {
	for {
		select {
		case c <- on:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}

func (s *sparing) Close() error {
	s.end()
	<-s.done
	return s.src.Close()
}

func (s *sparing) run(ctx context.Context, now func() time.Duration) {
	defer close(s.done)
	tick := time.NewTicker(schedule)
	defer tick.Stop()
	p := plan{}
	for {
		at := now()
		select {
		case <-ctx.Done():
			return
		case on := <-s.visit:
			p.visit = on
		case on := <-s.opened:
			if on && !p.open {
				s.sensor.unjudged()
			}
			p.connected(on, at)
		case <-tick.C:
		}
		judged, stills := s.sensor.state()
		if on := p.wanted(at, judged, stills); on != p.on {
			if p.on = on; on {
				s.src.Begin()
			} else {
				s.src.End()
			}
		}
	}
}

// plan says when stills are wanted.
type plan struct {
	on, open, visit bool
	since           time.Duration // of this connection
	glance          time.Duration // when the newest glance began
	seen            uint64        // stills before it
}

func (p *plan) connected(on bool, at time.Duration) {
	if on && !p.open {
		p.since = at
	}
	p.open = on
}

// wanted says whether stills are wanted at this instant.
func (p *plan) wanted(at time.Duration, judged bool, stills uint64) bool {
	switch {
	case !p.open:
		return false
	case p.visit, !judged && at-p.since < learnMost:
		p.glance, p.seen = at, stills
		return true
	case at-p.glance >= glanceEvery:
		p.glance, p.seen = at, stills
		return true
	default:
		return at-p.glance < glanceMost && stills == p.seen && p.on
	}
}
