package run_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/hub/walk"
	"eyebolt/hub/walk/run"
	"eyebolt/lock"
	"eyebolt/lock/locktest"
)

// blind is a camera that never gives a picture.
type blind struct{}

func (blind) Close() error { return nil }

func openBlind(context.Context, camera.Config, camera.Sink) (camera.Camera, error) {
	return blind{}, nil
}

type house struct {
	*run.Run
	fake *locktest.Fake
	now  func() time.Duration
	mu   sync.Mutex
	kept []walk.Certificate
	fail error
}

func newHouse(t *testing.T) *house {
	t.Helper()
	begin := time.Now()
	h := &house{now: func() time.Duration { return time.Since(begin) }}
	h.fake = locktest.NewFake(locktest.FakeConfig{Now: h.now, Travel: 10 * time.Millisecond})
	t.Cleanup(h.fake.Close)
	var err error
	h.Run, err = run.Start(t.Context(), run.Config{
		Walk: walk.Config{Door: "front", For: "x", Cameras: []string{"hall"}}, Lock: h.fake.Open, LockCfg: lock.Config{Name: "front"},
		Cameras: []run.Camera{{Name: "hall", Open: openBlind}}, Now: h.now, Log: slog.New(slog.DiscardHandler),
		Keep: func(c walk.Certificate) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.kept = append(h.kept, c)
			return h.fail
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Stop() })
	return h
}

// S12: a press on a page that is too old, or that shows something else by now, is not taken, and neither is one after the end. No bolt
// moves without a press, and none when the walk ends.
func TestOldPressMovesNothing(t *testing.T) {
	h := newHouse(t)
	v := h.View()
	for name, k := range map[string]struct {
		turn uint32
		seen time.Duration
	}{"another turn": {v.Turn + 1, v.At()}, "from the future": {v.Turn, h.now() + time.Hour}, "four seconds old": {v.Turn, h.now() - 4*time.Second}} {
		if err := h.Press(walk.Go, k.turn, k.seen); !errors.Is(err, run.ErrLate) {
			t.Errorf("%s: %v, want ErrLate", name, err)
		}
	}
	if err := h.Press(walk.Go, v.Turn, h.View().At()); err != nil {
		t.Errorf("a press in time: %v", err)
	}
	if v := h.View(); v.Number != 0 || !strings.Contains(v.Hint, "hall") && v.Hint == "" {
		t.Errorf("without a live picture it began: %+v", v)
	}
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := h.Press(walk.Go, v.Turn, h.View().At()); !errors.Is(err, run.ErrOver) {
		t.Errorf("after the end: %v, want ErrOver", err)
	}
	if !h.View().Over || len(h.kept) != 0 {
		t.Errorf("over %v, kept %d certificates of a walk that proved nothing", h.View().Over, len(h.kept))
	}
}

// T20: what no page sends is refused with a sentence, in bounded memory.
func TestHandlerRefusesNonsense(t *testing.T) {
	h := newHouse(t)
	s := httptest.NewServer(h.Handler())
	defer s.Close()
	for name, k := range map[string]struct{ kind, body string }{
		"empty":      {"application/json", ""},
		"no press":   {"application/json", `{"turn":0,"at_ms":1}`},
		"unknown":    {"application/json", `{"press":"open sesame","turn":0,"at_ms":1}`},
		"more":       {"application/json", `{"press":"go","turn":0,"at_ms":1,"door":"back"}`},
		"negative":   {"application/json", `{"press":"go","turn":-1,"at_ms":1}`},
		"huge":       {"application/json", `{"press":"` + strings.Repeat("g", 1<<20) + `"}`},
		"form":       {"application/x-www-form-urlencoded", `press=go`},
		"plain text": {"text/plain", `{"press":"go","turn":0,"at_ms":1}`},
	} {
		r, err := http.Post(s.URL+"/walk/api/press", k.kind, strings.NewReader(k.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", name, r.StatusCode)
		}
	}
	r, err := http.Get(s.URL + "/walk/api/view")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a look: %d %v", r.StatusCode, r.Header)
	}
}
