package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func clip(visit string, hoursAgo float64, bytes int64) Clip {
	return Clip{Visit: visit, To: noon.Add(-time.Duration(hoursAgo * float64(time.Hour))), Files: []File{{Bytes: bytes}}}
}

func names(clips []Clip) string {
	var all []string
	for _, c := range clips {
		all = append(all, c.Visit)
	}
	return strings.Join(all, " ")
}

func TestSweep(t *testing.T) {
	four := []Clip{clip("c", 2, 30), clip("a", 48, 10), clip("d", 1, 40), clip("b", 24, 20)}
	more := clip("m", 3, 10)
	more.Files = append(more.Files, File{Bytes: 90})
	open := Clip{Visit: "open", Files: []File{{Bytes: 1000}}}
	for _, tc := range []struct {
		name  string
		r     Retention
		clips []Clip
		keep  string
		drop  string
		over  int64
	}{
		{name: "no limit", clips: four},
		{name: "nothing there", r: Retention{Age: time.Hour, Bytes: 1}},
		{name: "age", r: Retention{Age: 12 * time.Hour}, clips: four, drop: "a b"},
		{name: "age to the hour stays", r: Retention{Age: 24 * time.Hour}, clips: four, drop: "a"},
		{name: "bytes, oldest first", r: Retention{Bytes: 75}, clips: four, drop: "a b"},
		{name: "bytes exactly", r: Retention{Bytes: 100}, clips: four},
		{name: "one byte over", r: Retention{Bytes: 99}, clips: four, drop: "a"},
		{name: "all", r: Retention{Bytes: 1}, clips: four, drop: "a b c d"},
		{name: "both limits", r: Retention{Age: 30 * time.Hour, Bytes: 40}, clips: four, drop: "a b c"},
		{name: "an open incident stays, the next goes", r: Retention{Bytes: 75}, clips: four, keep: "b", drop: "a c"},
		{name: "an open incident is never too old", r: Retention{Age: time.Minute}, clips: four, keep: "a", drop: "b c d"},
		{name: "kept clips over the limit are told", r: Retention{Bytes: 15}, clips: four, keep: "a b", drop: "c d", over: 15},
		{name: "a clip's further files count", r: Retention{Bytes: 99}, clips: []Clip{more}, drop: "m"},
		{name: "what is being written stays", r: Retention{Age: time.Hour, Bytes: 1000}, clips: []Clip{open, clip("a", 2, 1)}, drop: "a"},
		{name: "the future is not old", r: Retention{Age: time.Hour}, clips: []Clip{clip("f", -72, 1)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := names(tc.clips)
			drop, over := tc.r.Sweep(tc.clips, noon, func(v string) bool { return slices.Contains(strings.Fields(tc.keep), v) })
			if names(drop) != tc.drop || over != tc.over {
				t.Errorf("drops %q, over by %d; want %q, %d", names(drop), over, tc.drop, tc.over)
			}
			if names(tc.clips) != before {
				t.Error("the caller's clips were reordered")
			}
		})
	}
}

// Every combination of four clips' ages, sizes and keeps under small limits, against what the contract says in words.
func TestSweepExhaustive(t *testing.T) {
	n := 0
	for code := range 3 * 3 * 3 * 3 * 16 {
		var clips []Clip
		kept := map[string]bool{}
		for i, c := 0, code%81; i < 4; i, c = i+1, c/3 {
			v := fmt.Sprint(i)
			clips = append(clips, clip(v, float64(c%3), int64(i+1)))
			kept[v] = code/81>>i&1 == 1
		}
		for limit := range int64(12) {
			for age := range time.Duration(4) {
				r := Retention{Age: age * 45 * time.Minute, Bytes: limit}
				checkSweep(t, r, clips, kept)
				n++
			}
		}
	}
	t.Logf("%d combinations", n)
}

func TestSweepAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var clips []Clip
		kept := map[string]bool{}
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			v := fmt.Sprint(i)
			clips = append(clips, clip(v, float64(rapid.IntRange(-5, 100).Draw(t, "age")), rapid.Int64Range(0, 50).Draw(t, "bytes")))
			kept[v] = rapid.Bool().Draw(t, "kept")
		}
		checkSweep(t, Retention{Age: time.Duration(rapid.IntRange(0, 50).Draw(t, "limit")) * time.Hour, Bytes: rapid.Int64Range(0, 200).Draw(t, "limit")}, clips, kept)
	})
}

type failer interface{ Fatalf(string, ...any) }

// checkSweep says what must hold of any sweep.
func checkSweep(t failer, r Retention, clips []Clip, kept map[string]bool) {
	drop, over := r.Sweep(clips, noon, func(v string) bool { return kept[v] })
	gone := map[string]bool{}
	var left int64
	for i, c := range drop {
		if kept[c.Visit] {
			t.Fatalf("%+v drops %s, which must stay", r, c.Visit)
		}
		if i > 0 && drop[i-1].To.After(c.To) {
			t.Fatalf("%+v: not oldest first: %s", r, names(drop))
		}
		gone[c.Visit] = true
	}
	for _, c := range clips {
		if !gone[c.Visit] {
			left += c.Size()
		}
	}
	for _, c := range clips {
		old := r.Age > 0 && noon.Sub(c.To) > r.Age
		if old && !kept[c.Visit] && !gone[c.Visit] {
			t.Fatalf("%+v leaves %s, which is too old", r, c.Visit)
		}
		if r.Bytes > 0 && left > r.Bytes && !kept[c.Visit] && !gone[c.Visit] {
			t.Fatalf("%+v leaves %s with %d bytes", r, c.Visit, left)
		}
		// Nothing goes without a reason: with it and all younger dropped ones back, the limit would be broken.
		if gone[c.Visit] && !old {
			back := left
			for _, d := range drop {
				if !d.To.Before(c.To) {
					back += d.Size()
				}
			}
			if r.Bytes == 0 || back <= r.Bytes && c.Size() > 0 {
				t.Fatalf("%+v drops %s without need: %d bytes with it", r, c.Visit, back)
			}
		}
	}
	if want := max(left-r.Bytes, 0); r.Bytes > 0 && over != want || r.Bytes == 0 && over != 0 {
		t.Fatalf("%+v: over by %d, %d are left", r, over, left)
	}
}
