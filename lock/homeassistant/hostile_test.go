package homeassistant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/homeassistant"

	"github.com/coder/websocket"
)

// A hostile server says what the real one would not: the rest of this package's tests speak to the real one.
type hostile struct {
	url   string
	start time.Time
	heard chan time.Time // Locks
}

// hostileConn is one connection to it.
type hostileConn struct {
	mu sync.Mutex
	c  *websocket.Conn
}

func (h *hostile) now() time.Duration { return time.Since(h.start) }

func (h *hostileConn) say(ctx context.Context, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.c.Write(ctx, websocket.MessageText, []byte(text))
}

func locked(state, word string) string {
	return fmt.Sprintf(`{"id":2,"type":"event","event":{"c":{"lock.front":{"+":{"s":%q,"a":{"lock_state":%q,"last_seen":%q}}}}}}`, state, word, time.Now().UTC().Format(time.RFC3339Nano))
}

// newHostile greets as the real one does; its lock is always thrown when asked. begin runs once events come.
func newHostile(t testing.TB, begin func(context.Context, *hostileConn)) *hostile {
	t.Helper()
	h := &hostile{start: time.Now(), heard: make(chan time.Time, 10_000)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		k := &hostileConn{c: ws}
		k.say(r.Context(), `{"type":"auth_required","ha_version":"2024.3.3"}`)
		for {
			_, b, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			var m struct {
				ID            int
				Type, Service string
			}
			if err := json.Unmarshal(b, &m); err != nil {
				t.Errorf("the driver says what is no JSON: %q", b)
				return
			}
			done := fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":null}`, m.ID)
			switch {
			case m.Type == "auth":
				k.say(r.Context(), `{"type":"auth_ok"}`)
			case m.Type == "get_states":
				k.say(r.Context(), fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":[{"entity_id":"lock.front","state":"locked","attributes":{"lock_state":"locked","last_seen":"2020-01-01T00:00:00Z"}}]}`, m.ID))
			case m.Type == "subscribe_entities":
				k.say(r.Context(), done)
				if begin != nil {
					go begin(r.Context(), k)
				}
			case m.Type == "ping":
				k.say(r.Context(), fmt.Sprintf(`{"id":%d,"type":"pong"}`, m.ID))
			case m.Service == "lock":
				select {
				case h.heard <- time.Now():
				default:
				}
				k.say(r.Context(), done)
			case m.Service == "publish":
				k.say(r.Context(), done)
				k.say(r.Context(), locked("locked", "locked"))
			default:
				k.say(r.Context(), done)
			}
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	h.url = "ws" + strings.TrimPrefix(server.URL, "http")
	return h
}

func (h *hostile) settings(t testing.TB) homeassistant.Settings {
	return homeassistant.Settings{URL: h.url, TokenFile: writeFile(t, "token", "t\n"), Lock: "lock.front", Ask: homeassistant.Ask{Service: "mqtt.publish"}}
}

// T20: ten thousand changes a second, each saying the other thing of the bolt. A Lock reaches the server within 50 ms all the same,
// the hub is given a bounded number of reports, and memory stays.
func TestFlood(t *testing.T) {
	const perSecond, seconds = 10_000, 3
	sent := make(chan int, 1)
	var once sync.Once
	h := newHostile(t, func(ctx context.Context, h *hostileConn) {
		once.Do(func() {
			begin, n := time.Now(), 0
			for time.Since(begin) < seconds*time.Second && ctx.Err() == nil {
				for due := int(time.Since(begin).Seconds() * perSecond); n < due; n++ {
					h.say(ctx, locked([2]string{"unlocked", "locked"}[n%2], [2]string{"unlocked", "locked"}[n%2]))
				}
				time.Sleep(2 * time.Millisecond)
			}
			sent <- n
		})
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l, e := open(t, h.now, h.settings(t))
	e.Wait(t, 0, "health", well)
	var took []time.Duration
	for begin := time.Now(); time.Since(begin) < seconds*time.Second; {
		at := time.Now()
		if err := l.Lock(t.Context()); err != nil {
			t.Logf("lock in a flood: %v", err) // a starved machine answers no pings
			time.Sleep(100 * time.Millisecond)
			continue
		}
		took = append(took, (<-h.heard).Sub(at))
		time.Sleep(20 * time.Millisecond)
	}
	n, reports := <-sent, e.Count()
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatal("no Lock reached the server")
	}
	t.Logf("%d changes in %d s; %d locks, to the server: median %v, p99 %v, max %v; %d reports passed on; heap %d KiB more",
		n, seconds, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], reports, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if half := took[len(took)/2]; half > 50*time.Millisecond {
		t.Errorf("half of the lock commands in a flood: within %v, want 50ms", half)
	}
	if limit := 4 * (seconds*60 + 100); reports > limit {
		t.Errorf("reports passed on: got %d, want at most %d", reports, limit)
	}
	from := e.Count()
	for err := l.Poll(t.Context()); err != nil; err = l.Poll(t.Context()) { // a starved machine may have lost the connection
		time.Sleep(100 * time.Millisecond)
	}
	e.Wait(t, from, "the truth after the flood", bolt(lock.BoltThrown))
}

// T20: what cannot be read makes everything unknown, what is huge ends the connection, and the driver comes back from both.
func TestMalformedAndHuge(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ends       bool
	}{
		{"no JSON", `{"id":2,`, false},
		{"another type", `[1,2,3]`, false},
		{"an event that is none", `{"id":2,"type":"event","event":7}`, false},
		{"a result of nothing", `{"type":"result"}`, false},
		{"too large", strings.Repeat(" ", 33<<20), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := make(chan struct{}, 1)
			h := newHostile(t, func(ctx context.Context, h *hostileConn) {
				select {
				case <-now: // once
					h.say(ctx, c.text)
				case <-ctx.Done():
				}
			})
			_, e := open(t, h.now, h.settings(t))
			_, from := e.Wait(t, 0, "thrown", bolt(lock.BoltThrown))
			now <- struct{}{}
			e.Wait(t, from, "unknown", bolt(lock.BoltUnknown))
			if c.ends {
				e.Wait(t, from, "why", func(r lock.Report) bool { // a starved machine reads so long that no ping is answered meanwhile
					return ill("beyond every limit")(r) || ill("does not answer pings")(r)
				})
			}
			e.Wait(t, from, "thrown again", bolt(lock.BoltThrown))
		})
	}
}
