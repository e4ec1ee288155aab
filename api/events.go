package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"eyebolt/control"
)

const (
	// keepAlive is how often a quiet stream says that it lives, and looks whether its account may still listen: below the 30 s
	// after which middle boxes cut.
	keepAlive = 15 * time.Second
	// writeWait bounds one write: a phone in a tunnel comes back and resumes.
	writeWait = 10 * time.Second
	// maxStreams bounds one account's streams: phones, tablets, and forgotten windows.
	maxStreams = 32
)

// listeners counts each account's streams.
type listeners struct {
	mu sync.Mutex
	by map[string]int
}

func newListeners() *listeners { return &listeners{by: map[string]int{}} }

func (l *listeners) enter(account string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[account] >= maxStreams {
		return false
	}
	l.by[account]++
	return true
}

func (l *listeners) leave(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[account]--; l.by[account] <= 0 {
		delete(l.by, account)
	}
}

// events is GET /api/events: server-sent events (WHATWG HTML, section 9.2), resumed by Last-Event-ID. It lasts until the
// request's context ends, the reader is stuck, or the account may no longer listen.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	who, err := s.who(r.Context())
	if err == nil && !s.listeners.enter(who.ID) {
		err = &control.Error{Reason: "too-many-streams", Sentence: "This account listens in too many windows. Close some.", Class: control.TooMany}
	}
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	defer s.listeners.leave(who.ID)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if err := s.stream(r, w, who); err != nil && r.Context().Err() == nil {
		s.Log.Debug("event stream ended", "account", who.ID, "err", err)
	}
}

func (s *server) stream(r *http.Request, w http.ResponseWriter, who control.Account) error {
	ctx, last := r.Context(), r.Header.Get("Last-Event-ID")
	out := http.NewResponseController(w)
	write := func(text string) error {
		// Each write has its own deadline, over the server's. A writer that knows none is a test's.
		_ = out.SetWriteDeadline(time.Now().Add(writeWait))
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
		return out.Flush()
	}
	all, next, wait := s.Service.Events(who, last)
	// The stream's place is told at once: a reader that is cut off before the first event resumes from here. Where there is
	// something to catch up with, its place is before that.
	head := "retry: 1000\n\n"
	if len(all) == 0 {
		head = "retry: 1000\nid: " + next + "\n\n"
	}
	if err := write(head); err != nil {
		return err
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		for _, e := range all {
			data, err := json.Marshal(e.Data)
			if err != nil {
				return err
			}
			if err := write(fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, data)); err != nil {
				return err
			}
		}
		all = nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait:
			all, next, wait = s.Service.Events(who, next)
		case <-alive.C:
			if again, err := s.still(r); err != nil || again != who {
				return err // signed out, revoked or changed: the page asks again, and is told
			}
			// An event, not a comment: a page in a browser is told of events alone, and must know a stream that hangs.
			if err := write("id: " + next + "\nevent: here\ndata: {}\n\n"); err != nil {
				return err
			}
		}
	}
}

// still is who the request's session is for now: a session that was ended elsewhere ends its streams (T13).
func (s *server) still(r *http.Request) (control.Account, error) {
	c, err := r.Cookie(s.CookieName)
	if err != nil {
		return control.Account{}, err
	}
	// The request's own context holds the session as it was when the stream began.
	ctx, err := s.sessions.Load(context.Background(), c.Value)
	if err != nil {
		return control.Account{}, err
	}
	return s.who(ctx)
}
