package run

import (
	"sync"

	"eyebolt/camera"
	"eyebolt/liveness"
)

// Watcher judges one camera beside its Judge, or makes what is judged: decoded stills, signatures in the stream, the camera's own
// alarms. Opened, Picture and Closed come from the camera's goroutine, one at a time, and must not wait; a Watcher that has much to
// do clones what it needs and does it elsewhere. The rest may come from any goroutine.
type Watcher interface {
	Opened(camera.Params)
	Picture(camera.Picture)
	Closed()
	// Visit tells that a visit is going on at the camera's door, from its arming to its end: costly work may be left to visits.
	Visit(on bool)
	// Close ends it; when it returns, it tells nothing more.
	Close() error
}

// Hears is what a Watcher tells through, from any goroutine.
type Hears struct {
	// Found takes what it found: a lapse stands until the same Finding.By says Live (package liveness).
	Found func(liveness.Finding)
	// Still takes a decoded picture, for the freeze and loop detectors. It is copied before Still returns; if the detectors do not
	// keep up, the oldest that waits is dropped.
	Still func(camera.Still)
}

// Prints judges decoded pictures (liveness.Prints). One goroutine calls it.
type Prints interface {
	Opened() // another connection: what comes is not compared with what came last
	Still(camera.Still) []liveness.Finding
}

// maxStills is how many decoded pictures wait for the detectors: with one every two seconds in a visit, none ever should.
const maxStills = 4

// darkroom judges stills off the picture's path.
type darkroom struct {
	prints Prints
	found  func(liveness.Finding)
	done   chan struct{}
	wake   chan struct{}

	mu      sync.Mutex
	waiting []camera.Still // oldest first
	dropped uint64
	fresh   bool // another connection since the newest still
	closed  bool
}

func newDarkroom(p Prints, found func(liveness.Finding)) *darkroom {
	d := &darkroom{prints: p, found: found, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	go d.run()
	return d
}

// still takes a copy. What has not room drops the oldest.
func (d *darkroom) still(s camera.Still) {
	s.Luma = append([]byte(nil), s.Luma...)
	d.mu.Lock()
	if len(d.waiting) >= maxStills {
		d.waiting = append(d.waiting[:0], d.waiting[1:]...)
		d.dropped++
	}
	d.waiting = append(d.waiting, s)
	d.mu.Unlock()
	signal(d.wake)
}

// opened tells of another connection. What waits is of the one before.
func (d *darkroom) opened() {
	d.mu.Lock()
	d.waiting, d.fresh = d.waiting[:0], true
	d.mu.Unlock()
}

func (d *darkroom) run() {
	defer close(d.done)
	for range d.wake {
		for {
			d.mu.Lock()
			if d.closed {
				d.mu.Unlock()
				return
			}
			if len(d.waiting) == 0 {
				d.mu.Unlock()
				break
			}
			s := d.waiting[0]
			d.waiting = append(d.waiting[:0], d.waiting[1:]...)
			fresh := d.fresh
			d.fresh = false
			d.mu.Unlock()
			if fresh {
				d.prints.Opened()
			}
			for _, f := range d.prints.Still(s) {
				d.found(f)
			}
		}
	}
}

func (d *darkroom) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	signal(d.wake)
	<-d.done
}
