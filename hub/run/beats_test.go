package run

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/bus"
)

// echoing is a service that answers beats, unless it is away, and keeps what it was sent.
type echoing struct {
	bus.Conn
	mu    sync.Mutex // guards what follows
	away  bool
	beats []bus.Beat
	at    []time.Time
}

func (e *echoing) Connected() bool { return true }

func (e *echoing) goes(away bool) (beats int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away = away
	return len(e.beats)
}

func (e *echoing) Request(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var b bus.Beat
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.beats, e.at = append(e.beats, b), append(e.at, time.Now())
	away := e.away
	e.mu.Unlock()
	if away {
		<-ctx.Done()
		return nil, bus.ErrNoAnswer
	}
	return json.Marshal(bus.BeatReply{Nonce: b.Nonce, Time: time.Now()})
}

// S14, T23: a hub that has just started, and one whose uplink was away, prove that they live at once: the answer to a beat that proved
// nothing is echoed by the next, a tenth of a second later; from then on each echoes the answer before it, at the pace that there is.
func TestABeatThatProvedNothingIsFollowedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var wg sync.WaitGroup
		conn := &echoing{}
		p := &post{
			id: "hub-1", conn: conn, now: func() time.Duration { return time.Since(began) }, random: rand.Reader, push: func(any) {},
			took: func(any) bool { return false }, size: func() uint64 { return 0 }, log: slog.New(slog.DiscardHandler), wg: &wg, beatNow: make(chan struct{}, 1),
		}
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { p.beats(ctx) })
		time.Sleep(30*time.Second - time.Millisecond)
		synctest.Wait()
		if n := len(conn.beats); n != 7 { // at 0, 0.1, 5.1, … 25.1 s
			t.Fatalf("%d beats in 30 s, want 7: %v", n, conn.at)
		}
		if !conn.beats[0].Told.IsZero() || conn.at[1].Sub(conn.at[0]) != beatGap {
			t.Errorf("the first echoes %v, the second comes after %v; want nothing, and %v", conn.beats[0].Told, conn.at[1].Sub(conn.at[0]), beatGap)
		}
		for i, b := range conn.beats[1:] {
			if !b.Told.Equal(conn.at[i]) {
				t.Errorf("beat %d echoes %v, want the answer before it, %v", i+1, b.Told, conn.at[i])
			}
		}
		conn.goes(true)
		time.Sleep(20 * time.Second)
		back := conn.goes(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(conn.beats) < back+2 || conn.at[back+1].Sub(conn.at[back]) > beatGap || !conn.beats[back+1].Told.Equal(conn.at[back]) {
			t.Errorf("after an outage: %v, echoing %v; want the second %v after the first", conn.at[back:], conn.beats[back:], beatGap)
		}
		cancel()
		wg.Wait()
	})
}
