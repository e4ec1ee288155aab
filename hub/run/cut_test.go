package run

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/bus"
	"eyebolt/hub"
)

// cutting is a service that answers beats at once, and takes alarms as long as take says.
type cutting struct {
	echoing
	take  func(n int) time.Duration // how long the nth try takes; 0: it is lost
	tries []time.Time
	busy  int
	most  int
}

func (c *cutting) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	if !strings.HasSuffix(subject, "alarm") {
		return c.echoing.Request(ctx, subject, body)
	}
	c.mu.Lock()
	c.tries = append(c.tries, time.Now())
	c.busy++
	c.most = max(c.most, c.busy)
	long := c.take(len(c.tries))
	c.mu.Unlock()
	defer func() { c.mu.Lock(); c.busy--; c.mu.Unlock() }()
	if long == 0 {
		<-ctx.Done()
		return nil, bus.ErrNoAnswer
	}
	select {
	case <-ctx.Done():
		return nil, bus.ErrNoAnswer
	case <-time.After(long):
		return []byte("{}"), nil
	}
}

// S16, T10: an alarm that was lost is sent again as soon as a later beat is answered, not when its own time is over: whoever cuts the uplink for
// moments, too short for the hub to be called silent, puts the alarm off by the beats that he cuts and no more. A service that is slow to
// store one has four tries at the most to store, and the core hears once that it was told.
func TestAnAnsweredBeatHurriesTheAlarm(t *testing.T) {
	for _, c := range []struct {
		name  string
		take  func(n int) time.Duration
		tries int
		told  time.Duration // from the alarm on, at the latest
	}{
		{"taken", func(int) time.Duration { return time.Millisecond }, 1, 10 * time.Millisecond},
		{"the first is lost", func(n int) time.Duration { return time.Duration(n-1) * time.Millisecond }, 2, beatInVisit + 10*time.Millisecond},
		{"three are lost", func(n int) time.Duration { return time.Duration(n/4) * time.Millisecond }, 4, 3*beatInVisit + 10*time.Millisecond},
		{"the service is slow", func(int) time.Duration { return 1900 * time.Millisecond }, 4, 1910 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var wg sync.WaitGroup
				var told []time.Time
				var mu sync.Mutex
				conn := &cutting{take: c.take}
				p := &post{
					id: "hub-1", conn: conn, now: func() time.Duration { return time.Since(began) }, random: rand.Reader,
					push: func(e any) {
						if _, ok := e.(hub.Told); ok {
							mu.Lock()
							told = append(told, time.Now())
							mu.Unlock()
						}
					},
					took: func(any) bool { return false }, size: func() uint64 { return 0 }, log: slog.New(slog.DiscardHandler), wg: &wg,
					beatNow: make(chan struct{}, 1), alarmNow: make(chan struct{}, 1), visits: []string{"V1"},
				}
				ctx, cancel := context.WithCancel(t.Context())
				wg.Go(func() { p.beats(ctx) })
				wg.Go(func() { p.alarming(ctx) })
				time.Sleep(10*time.Second + 200*time.Millisecond)
				at := time.Now()
				p.alarm(bus.Alarm{ID: "A1", Hub: "hub-1", Reason: "lapse-lost"})
				time.Sleep(20 * time.Second)
				synctest.Wait()
				cancel()
				wg.Wait()
				if len(told) != 1 || told[0].Sub(at) > c.told {
					t.Errorf("told %v after %v, want once within %v", told, at, c.told)
				}
				if len(conn.tries) != c.tries || conn.most > maxBeats || len(p.alarms) != 0 {
					t.Errorf("%d tries, want %d; %d at once; %d wait", len(conn.tries), c.tries, conn.most, len(p.alarms))
				}
			})
		})
	}
}
