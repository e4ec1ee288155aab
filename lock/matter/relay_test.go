package matter_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// relay passes every message between a driver and the real server on, and calls a hook before, or after, it passes one of the driver's on.
type relay struct {
	url string

	mu            sync.Mutex
	word          string // the hooks are for the next message that holds it
	before, after func()
}

func newRelay(t testing.TB, server string) *relay {
	t.Helper()
	r := &relay{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		near, err := websocket.Accept(w, q, nil)
		if err != nil {
			return
		}
		defer func() { _ = near.CloseNow() }()
		far, resp, err := websocket.Dial(q.Context(), "ws://"+server+"/ws", nil)
		if err != nil {
			return
		}
		if resp != nil && resp.Body != nil {
			defer func() { _ = resp.Body.Close() }()
		}
		defer func() { _ = far.CloseNow() }()
		far.SetReadLimit(32 << 20)
		go func() {
			defer func() { _ = near.CloseNow() }()
			for {
				kind, b, err := far.Read(q.Context())
				if err != nil || near.Write(q.Context(), kind, b) != nil {
					return
				}
			}
		}()
		for {
			kind, b, err := near.Read(q.Context())
			if err != nil {
				return
			}
			before, after := r.hooks(string(b))
			before()
			if far.Write(q.Context(), kind, b) != nil {
				return
			}
			after()
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	r.url = "ws" + strings.TrimPrefix(s.URL, "http")
	return r
}

// next sets the hooks for the next message that holds word.
func (r *relay) next(word string, before, after func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.word, r.before, r.after = word, before, after
}

func (r *relay) hooks(message string) (before, after func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, after = func() {}, func() {}
	if r.word == "" || !strings.Contains(message, r.word) {
		return before, after
	}
	r.word = ""
	if r.before != nil {
		before = r.before
	}
	if r.after != nil {
		after = r.after
	}
	return before, after
}
