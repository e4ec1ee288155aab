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

	mu sync.Mutex
	c  *websocket.Conn
}

func (h *hostile) now() time.Duration { return time.Since(h.start) }

func (h *hostile) say(ctx context.Context, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.c.Write(ctx, websocket.MessageText, []byte(text))
}

func locked(state, word string) string {
	return fmt.Sprintf(`{"id":2,"type":"event","event":{"c":{"lock.front":{"+":{"s":%q,"a":{"lock_state":%q,"last_seen":%q}}}}}}`, state, word, time.Now().UTC().Format(time.RFC3339Nano))
}

// newHostile greets as the real one does; its lock is always thrown when asked. begin runs once events come.
func newHostile(t testing.TB, begin func(context.Context, *hostile)) *hostile {
	t.Helper()
	h := &hostile{start: time.Now(), heard: make(chan time.Time, 10_000)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		h.mu.Lock()
		h.c = ws
		h.mu.Unlock()
		h.say(r.Context(), `{"type":"auth_required","ha_version":"2024.3.3"}`)
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
				h.say(r.Context(), `{"type":"auth_ok"}`)
			case m.Type == "get_states":
				h.say(r.Context(), fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":[{"entity_id":"lock.front","state":"locked","attributes":{"lock_state":"locked","last_seen":"2020-01-01T00:00:00Z"}}]}`, m.ID))
			case m.Type == "subscribe_entities":
				h.say(r.Context(), done)
				if begin != nil {
					go begin(r.Context(), h)
				}
			case m.Type == "ping":
				h.say(r.Context(), fmt.Sprintf(`{"id":%d,"type":"pong"}`, m.ID))
			case m.Service == "lock":
				select {
				case h.heard <- time.Now():
				default:
				}
				h.say(r.Context(), done)
			case m.Service == "publish":
				h.say(r.Context(), done)
				h.say(r.Context(), locked("locked", "locked"))
			default:
				h.say(r.Context(), done)
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
	h := newHostile(t, func(ctx context.Context, h *hostile) {
		begin, n := time.Now(), 0
		for time.Since(begin) < seconds*time.Second && ctx.Err() == nil {
			for due := int(time.Since(begin).Seconds() * perSecond); n < due; n++ {
				h.say(ctx, locked([2]string{"unlocked", "locked"}[n%2], [2]string{"unlocked", "locked"}[n%2]))
			}
			time.Sleep(2 * time.Millisecond)
		}
		sent <- n
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l, e := open(t, h.now, h.settings(t))
	e.wait(t, 0, "health", well)
	var took []time.Duration
	for begin := time.Now(); time.Since(begin) < seconds*time.Second; {
		at := time.Now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatalf("lock in a flood: %v", err)
		}
		took = append(took, (<-h.heard).Sub(at))
		time.Sleep(20 * time.Millisecond)
	}
	n, reports := <-sent, e.count()
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	t.Logf("%d changes in %d s; %d locks, to the server: median %v, p99 %v, max %v; %d reports passed on; heap %d KiB more",
		n, seconds, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], reports, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if half := took[len(took)/2]; half > 50*time.Millisecond {
		t.Errorf("half of the lock commands in a flood: within %v, want 50ms", half)
	}
	if limit := 4 * (seconds*60 + 100); reports > limit {
		t.Errorf("reports passed on: got %d, want at most %d", reports, limit)
	}
	from := e.count()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "the truth after the flood", bolt(lock.BoltThrown))
}

// T20: what cannot be read makes everything unknown, what is huge ends the connection, and the driver comes back from both.
func TestMalformedAndHuge(t *testing.T) {
	for _, c := range []struct{ name, text, health string }{
		{"no JSON", `{"id":2,`, ""},
		{"another type", `[1,2,3]`, ""},
		{"an event that is none", `{"id":2,"type":"event","event":7}`, ""},
		{"a result of nothing", `{"type":"result"}`, ""},
		{"too large", strings.Repeat(" ", 33<<20), "beyond every limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			once := make(chan struct{}, 1)
			once <- struct{}{}
			h := newHostile(t, func(ctx context.Context, h *hostile) {
				select {
				case <-once:
					time.Sleep(200 * time.Millisecond) // the first answers are out
					h.say(ctx, c.text)
				default:
				}
			})
			_, e := open(t, h.now, h.settings(t))
			_, from := e.wait(t, 0, "thrown", bolt(lock.BoltThrown))
			e.wait(t, from, "unknown", bolt(lock.BoltUnknown))
			if c.health != "" {
				e.wait(t, 0, "why", ill(c.health))
			}
			e.wait(t, from, "thrown again", bolt(lock.BoltThrown))
		})
	}
}
