package run

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/interlock"
	"eyebolt/liveness"
)

// clocked is cameras with their judges and the judges' clock, in logical time.
type clocked struct {
	h     *Hub
	start time.Time

	mu    sync.Mutex
	words []Event
}

func newClocked(names ...string) *clocked {
	c := &clocked{start: time.Now()}
	now := func() time.Duration { return time.Since(c.start) }
	c.h = &Hub{cfg: Config{Now: now, Log: slog.New(slog.DiscardHandler)}, queue: newQueue(), remind: newReminder()}
	for _, name := range names {
		e := &eye{
			door: name, name: name, rec: noRecorder{}, now: now, push: c.h.queue.push, later: c.h.queue.later, remind: c.h.remind,
			note: c.note, log: c.h.cfg.Log, link: liveness.NewLink(true), says: &saying{log: c.h.cfg.Log, now: now},
			judge: liveness.New(liveness.Config{A1: 250 * time.Millisecond}),
		}
		c.h.eyes = append(c.h.eyes, e)
	}
	return c
}

func (c *clocked) note(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.words = append(c.words, e)
}

// since gives what was said after at, with the time from then.
func (c *clocked) since(at time.Duration) (out map[string]time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out = map[string]time.Duration{}
	for _, e := range c.words {
		if _, told := out[e.What]; !told && e.At > at {
			out[e.What] = e.At - at
		}
	}
	return out
}

// film gives 15 pictures a second to a camera for a while; the newest comes at its end.
func (c *clocked) film(e *eye, n int, from time.Duration) {
	for range n {
		time.Sleep(time.Second / 15)
		now := e.now()
		e.Picture(camera.Picture{Media: now - from, Arrival: now, NALs: [][]byte{{0x41, byte(now >> 10), byte(now >> 18), byte(now >> 26), 1}}})
	}
}

// S6: a clock that sleeps until something is due notices a lapse at the same instant as one that ticks all the time, wherever between
// its instants the pictures stop.
func TestLapsesAreNoticedAtTheirInstant(t *testing.T) {
	for shift := time.Duration(0); shift < 70*time.Millisecond; shift += 7*time.Millisecond + 13*time.Microsecond {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			c := newClocked("hall")
			e := c.h.eyes[0]
			time.Sleep(shift)
			e.tick(e.now())
			go c.h.watch(ctx)
			e.Opened(camera.Params{Codec: camera.H264})
			c.film(e, 75, 0)
			last := e.now()
			e.mu.Lock()
			told := e.told.State
			e.mu.Unlock()
			if told != liveness.Live {
				t.Fatalf("%v after five seconds of pictures", told)
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			got := c.since(last)
			if d := got["lagging"]; d <= 250*time.Millisecond || d > 250*time.Millisecond+time.Microsecond {
				t.Errorf("shift %v: lagging after %v, want right after 250 ms", shift, d)
			}
			if d := got["lost"]; d <= 1500*time.Millisecond || d > 1500*time.Millisecond+time.Microsecond {
				t.Errorf("shift %v: lost after %v, want right after 1.5 s", shift, d)
			}
		})
	}
}

// The clock of the judges sleeps while pictures come, and is woken for a camera that needs it sooner.
func TestTheClockSleepsWhilePicturesCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		c := newClocked("hall", "yard")
		var looks atomic.Int64
		c.h.looked = func() { looks.Add(1) }
		for _, e := range c.h.eyes {
			e.tick(e.now())
			e.Opened(camera.Params{Codec: camera.H264})
		}
		go c.h.watch(ctx)
		hall, yard := c.h.eyes[0], c.h.eyes[1]
		both := func(n int) {
			var wg sync.WaitGroup
			wg.Go(func() { c.film(hall, n, 0) })
			c.film(yard, n, 0)
			wg.Wait()
		}
		both(75)
		looks.Store(0)
		both(150)
		if n := looks.Load(); n > 150 {
			t.Errorf("the clock went %d times in 10 s of pictures, want 15 a second at the most", n)
		}
		at := yard.now()
		yard.Closed(camera.ErrStreamEnded)
		synctest.Wait()
		if due := yard.needs(); due > at+tickEvery || c.h.remind.armed.Load() > int64(due) {
			t.Errorf("a camera that is gone at %v is looked at again at %v, and the clock goes at %v", at, due, time.Duration(c.h.remind.armed.Load()))
		}
	})
}

// S6: an input that waited while the judges' clock stood still is taken by a hub that is late.
func TestAStalledClockIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClocked("hall")
		e := c.h.eyes[0]
		core, err := hub.New(hub.Config{ID: "hub-a", Epoch: 1, Random: rand.Reader, Doors: []hub.Door{{Name: "hall", Cameras: []string{"hall"}, Limits: interlock.DefaultLimits()}}})
		if err != nil {
			t.Fatal(err)
		}
		c.h.core = core
		take := func(in hub.Input) { core.Take(hub.At{Mono: e.now(), Wall: time.Now()}, in) }
		take(hub.Boot{})
		e.tick(e.now())
		e.Opened(camera.Params{Codec: camera.H264})
		for range 75 {
			c.film(e, 1, 0)
			e.tick(e.now())
			take(hub.Tick{})
		}
		if by := c.h.late(e.now()); by != 0 {
			t.Fatalf("late by %v with everything in time", by)
		}
		take(hub.Tick{})
		time.Sleep(150*time.Millisecond + lateAfter - time.Millisecond)
		take(hub.Tick{}) // the core's own clock goes on
		if by := c.h.late(e.now()); by != 0 {
			t.Errorf("late by %v though the picture is not older than A1", by)
		}
		time.Sleep(2 * time.Millisecond)
		if by := c.h.late(e.now()); by == 0 {
			t.Error("not late, though nobody has judged the camera since its picture grew older than A1")
		}
	})
}
