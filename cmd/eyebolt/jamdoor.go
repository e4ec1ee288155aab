package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"eyebolt/virtual"
	"eyebolt/virtual/eye"
	"eyebolt/virtual/home"
)

// jamDoor is one door and what is seen of it from outside.
type jamDoor struct {
	i    int
	name string
	cam  *eye.Camera
	dev  *home.Home
	rng  *rand.Rand

	mu     sync.Mutex
	view   virtual.View
	bell   chan struct{}
	armed  bool // times are taken
	jammed time.Duration
	at     map[string]time.Duration
	visit  string // the newest; owned by the door's own goroutine
}

// saw takes a sign's time, once a jam.
func (d *jamDoor) saw(sign string, at time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.armed || at < d.jammed {
		return
	}
	if _, ok := d.at[sign]; !ok {
		d.at[sign] = at
	}
	d.ring()
}

// ring needs d.mu.
func (d *jamDoor) ring() {
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// until waits for a view or a sign.
func (d *jamDoor) until(ctx context.Context, what string, limit time.Duration, ok func(v virtual.View, at map[string]time.Duration) bool) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		d.mu.Lock()
		yes, v := ok(d.view, d.at), d.view
		d.mu.Unlock()
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return fmt.Errorf("door %s: waited %v for %s; it is %s, watch %s, bolt %s: %s", d.name, limit, what, v.Phase, v.Watch, v.Bolt, v.Reason)
		case <-d.bell:
		}
	}
}
