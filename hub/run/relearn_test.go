package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/liveness"
)

type forgetful struct{ what []string }

func (f *forgetful) Save() ([]byte, error) { return []byte("{}"), nil }
func (f *forgetful) Load([]byte) error     { return nil }
func (f *forgetful) Relearn(what string)   { f.what = append(f.what, what) }

// S7, T7: whoever may write into the hub's folder can have a camera learned anew, gets its answer, and leaves an entry on record; in a
// visit it is refused, and an old request is not taken.
func TestRelearn(t *testing.T) {
	f, d := newFilm(), &forgetful{}
	dir := t.TempDir()
	f.e.kept, f.e.learned, f.e.wall = keptAt(dir, "front", "hall"), map[string]Learned{"sensor": d}, time.Now
	var told []hub.Relearned
	f.e.push = func(in any) {
		if r, ok := in.(hub.Relearned); ok {
			told = append(told, r)
		}
	}
	f.e.sees = liveness.NewDoor(liveness.DoorConfig{})
	f.run(30)
	ask := func(what string) (say string, err error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			say, err = AskToLearn(t.Context(), dir, "front", "hall", what)
		}()
		for {
			select {
			case <-done:
				return say, err
			case <-time.After(10 * time.Millisecond):
				f.e.asked()
			}
		}
	}
	f.e.start("v1")
	if _, err := ask(RelearnAll); !errors.Is(err, ErrNotLearned) || !strings.Contains(err.Error(), "a visit is going on") || len(d.what)+len(told) != 0 {
		t.Fatalf("in a visit: %v, %v, %v", err, d.what, told)
	}
	f.e.keep("v1")
	for i, what := range []string{RelearnAll, RelearnInfrared} {
		say, err := ask(what)
		if err != nil || say == "" || len(d.what) != i+1 || d.what[i] != what || len(told) != i+1 || told[i] != (hub.Relearned{Door: "front", Camera: "hall", What: what}) {
			t.Fatalf("%s: %q, %v, %v, %v", what, say, err, d.what, told)
		}
	}
	if _, err := ask("the password"); !errors.Is(err, ErrNotLearned) {
		t.Errorf("something else: %v", err)
	}
	for _, b := range []string{`{"token":"x","what":"all"}`, `{`, strings.Repeat(" ", maxRelearn+1)} {
		if err := os.WriteFile(f.e.kept.asks(), []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-time.Minute)
		if err := os.Chtimes(f.e.kept.asks(), then, then); err != nil {
			t.Fatal(err)
		}
		f.e.asked()
		if left, _ := filepath.Glob(filepath.Join(dir, "*.learn*")); len(d.what) != 2 || len(left) != 0 {
			t.Errorf("%.20q: an old or bad request: %v, left %v", b, d.what, left)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := AskToLearn(ctx, dir, "front", "hall", RelearnAll); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody there: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.learn*")); len(left) != 0 {
		t.Errorf("left behind, for a hub that starts later: %v", left)
	}
}

// S1, T7: what a needed detector said of the scene that is forgotten is worth nothing for the new one: nobody is let in before it has
// judged that.
func TestNobodyIsLetInOnAForgottenScene(t *testing.T) {
	f := newFilm()
	f.e.kept, f.e.wall = &kept{}, time.Now
	f.e.judge = liveness.New(liveness.Config{Need: []liveness.Need{{By: "freeze", Within: SensorWithin}}})
	f.e.Opened(camera.Params{Codec: camera.H264})
	f.run(30)
	f.e.found(liveness.Finding{By: "freeze", State: liveness.Live, At: f.now})
	f.run(2)
	if got := f.e.judge.Verdict().State; got != liveness.Live {
		t.Fatalf("state %v before", got)
	}
	if say, ok := f.e.relearn(RelearnAll); !ok {
		t.Fatal(say)
	}
	f.e.found(liveness.Finding{By: "freeze", State: liveness.Unknown, At: f.now, Say: "learning"})
	f.run(15)
	if got := f.e.judge.Verdict().State; got == liveness.Live {
		t.Errorf("live by a word about a scene that was forgotten")
	}
	f.e.found(liveness.Finding{By: "freeze", State: liveness.Live, At: f.now})
	f.run(15)
	if got := f.e.judge.Verdict().State; got != liveness.Live {
		t.Errorf("state %v after it has judged anew", got)
	}
}
