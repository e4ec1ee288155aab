package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// keepAlive is how often a quiet stream says that it lives, and how often it looks whether its account still may listen.
const keepAlive = 15 * time.Second

// events is GET /api/events: server-sent events (WHATWG HTML, section 9.2), resumed by Last-Event-ID.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	who, err := s.who(ctx)
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{})  // else the server's limit on reading a request ends the stream
	_ = out.SetWriteDeadline(time.Time{}) // the stream has no end; a dead reader ends with its connection
	w.WriteHeader(http.StatusOK)
	if _, err := fmt.Fprint(w, "retry: 1000\n\n"); err != nil {
		return
	}
	after := r.Header.Get("Last-Event-ID")
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	for {
		all, next, wait := s.Service.Events(who, after)
		after = next
		for _, e := range all {
			raw, err := json.Marshal(e.Data)
			if err != nil {
				s.Log.Error("event", "type", e.Type, "err", err)
				continue
			}
			if _, err := fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, raw); err != nil {
				return
			}
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-wait:
		case <-beat.C:
			if _, err := s.Service.Account(ctx, who.ID); err != nil {
				return
			}
			if _, err := fmt.Fprint(w, ": here\n\n"); err != nil {
				return
			}
		}
	}
}
