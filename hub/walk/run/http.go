package run

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"eyebolt/hub/walk"
)

// View is what a page shows: the walk's own view, and when it was made.
type View struct {
	walk.View
	Seq  uint64 `json:"seq"`   // grows with each change
	AtMs int64  `json:"at_ms"` // on the walk's clock; a press names it
	Kept string `json:"kept,omitempty"`
	Lost bool   `json:"lost,omitempty"` // the certificate could not be kept
	Over bool   `json:"over,omitempty"` // the walk was ended: nothing can be pressed any more
}

// lookWait is how long a look waits for something new. Ages and limits go on meanwhile, so a page looks again at once.
const lookWait = 400 * time.Millisecond

// View is what there is now.
func (r *Run) View() View {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Now()
	return View{View: r.walk.View(now), Seq: r.seq, AtMs: now.Milliseconds(), Kept: r.kept, Lost: r.lost, Over: r.over}
}

// Look waits a moment for a view that is newer than after.
func (r *Run) Look(ctx context.Context, after uint64) View {
	r.mu.Lock()
	seq, changed := r.seq, r.changed
	r.mu.Unlock()
	if seq == after {
		end := time.NewTimer(lookWait)
		defer end.Stop()
		select {
		case <-ctx.Done():
		case <-r.ctx.Done():
		case <-changed:
		case <-end.C:
		}
	}
	return r.View()
}

// Why a press is not taken.
var (
	ErrLate = errors.New("this page was out of date: look, and press again")
	ErrOver = errors.New("the walk test was ended: start it again")
)

// Press takes the person's press on the view of this turn, which was made at seen (View.AtMs). A press on what is no longer shown does
// nothing, and neither does one on a view that is too old (S12).
func (r *Run) Press(p walk.Press, turn uint32, seen time.Duration) error {
	now := r.cfg.Now()
	r.mu.Lock()
	over, current := r.over, r.walk.View(now).Turn
	if !over {
		r.pressed = now
	}
	r.mu.Unlock()
	switch {
	case over:
		return ErrOver
	case turn != current || seen > now || now-seen > seenLimit:
		return ErrLate
	}
	r.take(walk.Fact{Kind: walk.Pressed, Press: p, Turn: turn})
	return nil
}

// Handler answers GET /walk/api/view?after=SEQ with a View, and POST /walk/api/press {press, turn, at_ms} with the View after it. Who may
// ask is somebody else's to know (package gate); it must not be served without that.
func (r *Run) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /walk/api/view", func(w http.ResponseWriter, q *http.Request) {
		after, err := strconv.ParseUint(q.URL.Query().Get("after"), 10, 64)
		if err != nil {
			answer(w, http.StatusOK, r.View())
			return
		}
		answer(w, http.StatusOK, r.Look(q.Context(), after))
	})
	mux.HandleFunc("POST /walk/api/press", func(w http.ResponseWriter, q *http.Request) {
		var in struct {
			Press string `json:"press"`
			Turn  uint32 `json:"turn"`
			AtMs  int64  `json:"at_ms"`
		}
		d := json.NewDecoder(http.MaxBytesReader(w, q.Body, 1<<10))
		d.DisallowUnknownFields()
		kind, _, _ := strings.Cut(q.Header.Get("Content-Type"), ";")
		p, known := walk.Nothing, false
		if err := d.Decode(&in); err == nil {
			p, known = walk.ParsePress(in.Press)
		}
		if !known || strings.TrimSpace(kind) != "application/json" || in.AtMs < 0 || in.AtMs > 1<<40 {
			problem(w, http.StatusBadRequest, "press", "That is not what this page sends. Load the page again.")
			return
		}
		if err := r.Press(p, in.Turn, time.Duration(in.AtMs)*time.Millisecond); err != nil {
			say := err.Error()
			problem(w, http.StatusConflict, "late", strings.ToUpper(say[:1])+say[1:]+".")
			return
		}
		answer(w, http.StatusOK, r.View())
	})
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody to tell
}

func problem(w http.ResponseWriter, status int, reason, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "reason": reason, "detail": detail})
}

// At is when the view was made, on the walk's clock.
func (v View) At() time.Duration { return time.Duration(v.AtMs) * time.Millisecond }
