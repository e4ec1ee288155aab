package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"eyebolt/liveness"
	"eyebolt/virtual/clip"
)

func needsCoders(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("codes minutes of pictures")
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
}

// TestTrialsFindWhatWasDone: the bench's own trial, on clips made here: a loop of coded pictures is known by its first one, after a
// day of others too (T5), a sensor that sticks is found, and the honest minute is not called anything.
func TestTrialsFindWhatWasDone(t *testing.T) {
	needsCoders(t)
	dir, ctx := t.TempDir(), context.Background()
	m, err := clip.Make(ctx, dir, []clip.Take{{
		Split: "train", View: clip.View{Room: "hallway", Condition: "indoor", Width: 640, Height: 360, Seed: 3},
		Encoders: []string{"x264-cbr-g30"}, Kinds: []string{clip.Live, clip.Frozen, clip.Copied, clip.Replayed},
	}}, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	tape := &tapes{dir: dir}
	for _, c := range m.Clips {
		r, err := tape.run(ctx, c, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.falsely) > 0 || r.spoiled {
			t.Errorf("%s: called %+v while it was live", c.Kind, r.falsely)
		}
		switch c.Kind {
		case clip.Live:
			if r.honest.Round(time.Millisecond) != time.Minute-learning*2*time.Second {
				t.Errorf("%v of the live minute is counted, want what comes after learning", r.honest)
			}
		case clip.Frozen:
			if !r.found || r.state != liveness.Frozen || r.after > 30*time.Second {
				t.Errorf("frozen: found %v as %s after %v", r.found, stateName[r.state], r.after)
			}
		default:
			if !r.found || r.state != liveness.Replayed || r.after != 0 {
				t.Errorf("%s: found %v as %s after %v, and not with the first repeated picture", c.Kind, r.found, stateName[r.state], r.after)
			}
		}
	}
}

// TestNothingToJudge: a bench without clips and hours says what to do, and gives no table of nothing.
func TestNothingToJudge(t *testing.T) {
	c := &LivenessCmd{Clips: t.TempDir(), Have: true, Split: "heldout", JSON: true}
	if err := c.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "Leave out --have") {
		t.Errorf("%v", err)
	}
}

// TestHourIsLikeTheWhole: the key pictures of an hour have the bytes that they have in the whole coding, and each is judged.
func TestHourIsLikeTheWhole(t *testing.T) {
	needsCoders(t)
	ctx := context.Background()
	h := hourPlan(0, "heldout", 1)
	e, err := h.likeWhole(ctx)
	if err != nil {
		t.Fatal(err)
	}
	eye, err := clip.NewEye(h.view)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := h.encode(ctx, h.encoder, hourFPS, h.encoder.GOP, 6*h.encoder.GOP, func(i int) ([]byte, int) { return eye.Picture(float64(i) / hourFPS), i / hourFPS })
	if err != nil {
		t.Fatal(err)
	}
	keys, err := h.encode(ctx, e, 1, 1, 6, func(i int) ([]byte, int) { return eye.Key(20 + 2*float64(i)), 20 + 2*i })
	if err != nil {
		t.Fatal(err)
	}
	if a, b := keyBytesOf(whole), keyBytesOf(keys); b < a*0.85 || b > a*1.15 {
		t.Errorf("a key has %.0f bytes in the whole coding, and %.0f alone", a, b)
	}
	out, err := h.run(ctx, 30)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Duration(30-learning-1) * 2 * time.Second; out.watched < want-time.Second || out.watched > want+2*time.Second {
		t.Errorf("%v were watched, want %v", out.watched, want)
	}
	if len(out.falsely) > 0 {
		t.Errorf("an honest half minute was called %+v", out.falsely)
	}
	if len(out.near) < 3 {
		t.Errorf("only %d detectors said anything", len(out.near))
	}
}

func TestCoversCountsSpans(t *testing.T) {
	s, n := covers([]span{{1, 3}, {5, 1e9}}, 2, 10)
	if s != 6 || n != 2 {
		t.Errorf("spans cover %v s, %d of them, want 6 s and 2", s, n)
	}
}
