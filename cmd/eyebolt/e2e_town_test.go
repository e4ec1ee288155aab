package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/virtual"
	"eyebolt/virtual/home"
	"eyebolt/virtual/spy"
)

// patience bounds every wait for a condition: two loaded cores, the race detector, a browser that starts renderers.
const patience = 90 * time.Second

// e2e is a whole town in this process and what an outsider sees of it: the MQTT wire and the physical home.
type e2e struct {
	*town
	t   *testing.T
	ctx context.Context
	dir string

	mu     sync.Mutex
	orders []order      // on the wire to the lock, guarded by mu
	events []home.Event // in the physical home, guarded by mu
}

// order is one message to the lock, as the broker passed it on.
type order struct {
	at   time.Duration
	what string // LOCK, UNLOCK
}

// newTown starts a town with one door. It ends with the test.
func newTown(t *testing.T, change func(*townConfig)) *e2e {
	t.Helper()
	e := &e2e{t: t, ctx: t.Context(), dir: t.TempDir()}
	log := &testLog{t: t}
	cfg := townConfig{
		Dir: e.dir, Doors: 1, Width: 640, Height: 360, Travel: 700 * time.Millisecond, Strangers: true,
		Limits:     LimitConfig{Tail: 3 * time.Second}, // the rest as published
		Log:        slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		HomeEvents: e.happened,
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if e.town, err = startTown(e.ctx, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.Close()
		log.end()
	})
	wire, err := spy.Start(e.ctx, e.house.broker.URL(), "zigbee2mqtt/front_lock/set", e.now, e.heard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wire.Close)
	e.until("the hub to connect to the service", func() bool {
		var ops struct{ Hubs []struct{ Online bool } }
		err := e.cast.Operator.Call(e.ctx, http.MethodGet, "/api/ops", nil, &ops)
		return err == nil && len(ops.Hubs) == 1 && ops.Hubs[0].Online
	})
	return e
}

// testLog hands warnings to the test as long as it runs.
type testLog struct {
	mu sync.Mutex
	t  *testing.T
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.t != nil {
		l.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t = nil
}

func (e *e2e) heard(m spy.Message) {
	var set struct{ State string }
	if json.Unmarshal([]byte(m.Payload), &set) != nil || set.State == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.orders = append(e.orders, order{m.At, set.State})
}

func (e *e2e) happened(h home.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, h)
}

// sent gives when an order was on the wire, each time.
func (e *e2e) sent(what string) (at []time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.orders {
		if o.what == what {
			at = append(at, o.at)
		}
	}
	return at
}

// when gives the moments at which something happened in the physical home.
func (e *e2e) when(what home.What) (at []time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.events {
		if h.What == what {
			at = append(at, h.At)
		}
	}
	return at
}

func (e *e2e) truth() home.Truth { return e.house.homes[0].Truth() }

// until polls a condition.
func (e *e2e) until(what string, ok func() bool) {
	e.t.Helper()
	if err := waitEvery(e.ctx, patience, 100*time.Millisecond, ok); err != nil {
		e.t.Fatalf("waited %v for %s: %v", patience, what, err)
	}
}

// do does what a person in the world does; it must work.
func (e *e2e) do(what func() error) {
	e.t.Helper()
	if err := what(); err != nil {
		e.t.Fatal(err)
	}
}

// lockedOutside holds the home to its physical truth: bolted, closed, empty, and the bolt drawn but once.
func (e *e2e) lockedOutside(draws int) {
	e.t.Helper()
	got := e.truth()
	if got.Bolt != home.Thrown || got.DoorOpen || got.Inside != 0 {
		e.t.Errorf("the home: bolt %v, open %v, %d inside; want thrown, closed, nobody", got.Bolt, got.DoorOpen, got.Inside)
	}
	if n := len(e.when(home.BoltDrawn)); n != draws {
		e.t.Errorf("the bolt was drawn %d times, want %d", n, draws)
	}
}

// verified checks the record as a stranger does (T19): whole, with so many visits and clips.
func (e *e2e) verified(visits, clips int) {
	e.t.Helper()
	var last error
	e.until("the record to be whole", func() bool {
		r, err := (&VerifyCmd{Dir: e.dir}).check(e.ctx)
		if last = err; err != nil {
			return false
		}
		if !r.OK {
			e.t.Fatalf("the record is not whole: %+v", *r.First)
		}
		return len(r.Visits) == visits && r.Clips.Whole == clips && r.Clips.Wrong == 0
	})
	if last != nil {
		e.t.Error(last)
	}
}

// shots says whether screenshots of the real pages are renewed: EYEBOLT_SHOTS=1 go test ./cmd/eyebolt
var shots = os.Getenv("EYEBOLT_SHOTS") == "1"

// demoTown is a town as the demo starts it, with the world's page and links that sign in.
func demoTown(t *testing.T) (*e2e, *demo) {
	t.Helper()
	d := &demo{ctx: t.Context(), tokens: map[string]string{"resident": rand.Text(), "courier": rand.Text()}}
	e := newTown(t, func(c *townConfig) {
		c.Strangers, c.Limits, c.API = false, demoLimits, d.options
	})
	d.begun(e.town)
	return e, d
}

// watcher follows the door as its resident's app does.
func (e *e2e) watcher() *virtual.Watcher {
	return virtual.Watch(e.ctx, e.cast.Resident, hubID, doorName(0))
}
