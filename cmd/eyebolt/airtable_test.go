package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAirTables(t *testing.T) {
	run := func(round int, lagging, lock float64, peer float64) airResult {
		r := airResult{
			Story: "flood", Label: "pmf0", Round: round, Outcome: "incident", GapS: 3.1, QuietS: 5, Quiet: spread{N: 49, P50: 100, P99: 110, Max: 120 + float64(round)},
			Frames: 100 * round, Times: map[string]float64{"lagging": lagging, "lock": lock, "lost": 1.46}, Peers: map[string]string{"ffmpeg": "said nothing"},
		}
		if peer > 0 {
			r.Times["ffmpeg"], r.Peers["ffmpeg"] = peer, "timed out"
		}
		return r
	}
	all := []airResult{run(1, 0.463, 0.460, 0), run(2, 0.470, 0.465, 19), run(3, 0.450, 0.455, 0), {Story: airHonest, Label: "pmf0", QuietS: 120, Quiet: spread{N: 1199, P50: 100, P99: 109, Max: 117}, QuietLags: 1}}
	all[2].Failed = "S6: too late"
	out := &strings.Builder{}
	if err := airTables(out, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| flood pmf0 | 3 | 200 (100 … 300) |",
		"+0.463 (+0.450 … +0.470)",
		"| never |",
		"incident 2/3, unwatched 3.1 s (3.1 … 3.1); incident, NOT AS IT MUST BE 1/3, unwatched 3.1 s",
		"2 of 3: Lock on the wire → lagging → lost",
		"1 of 3: lagging → Lock on the wire → lost",
		`ffmpeg +19.000, 1/3: "timed out"`,
		"| after all, pmf0 | 120 s | 1199 | 100 | 109 | 117 | 1 | 0 |",
		"| before flood pmf0 | 15 s | 147 | 100 | 110 | 123 | 0 | 0 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	path := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&AirTableCmd{Results: []string{path}}).Run(); err == nil || !strings.Contains(err.Error(), "x.json is no result") {
		t.Errorf("%v", err)
	}
}

// What a story must bring is what the rules say: each that is broken is named.
func TestAirMustBe(t *testing.T) {
	good := func(story string) airResult {
		at := map[string]time.Duration{"lagging": 500 * time.Millisecond, "lock": 500 * time.Millisecond, "lost": 1500 * time.Millisecond, "alarm": 1500 * time.Millisecond, "thrown": 3 * time.Second}
		for k := range at {
			at[k] += time.Minute
		}
		if story != "flood" && story != "outage" {
			at["door_closed"], at["lock"] = time.Minute+100*time.Millisecond, time.Minute+101*time.Millisecond
		}
		return airResult{Story: story, Outcome: "incident", GapS: 3, marks: at, gap: airGap{time.Minute, 20 * time.Second}, Held: true, Out: true}
	}
	b := &airBench{}
	for _, story := range []string{"flood", "reentry", "return", "bystander", "outage"} {
		if err := b.mustBe(good(story)); err != nil {
			t.Errorf("%s: %v", story, err)
		}
	}
	for want, spoil := range map[string]func(*airResult){
		"S6: lagging came": func(r *airResult) { r.marks["lagging"] += 200 * time.Millisecond },
		"S6: lost came":    func(r *airResult) { r.marks["lost"] = 0 },
		"S6: alarm came":   func(r *airResult) { r.marks["alarm"] += time.Second },
		"S6: lock came":    func(r *airResult) { r.marks["lock"] += 300 * time.Millisecond },
		"S11: Lock before": func(r *airResult) { r.marks["lock"] = r.marks["door_closed"] - 1 },
		"S7: the visit is": func(r *airResult) { r.Outcome = "done" },
		"was not thrown":   func(r *airResult) { delete(r.marks, "thrown") },
		"pictures came":    func(r *airResult) { r.gap.length = 100 * time.Millisecond },
		"T1: the door":     func(r *airResult) { r.Held = false },
	} {
		r := good("return")
		spoil(&r)
		if err := b.mustBe(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	r := good("bystander")
	r.Out = false
	if err := b.mustBe(r); err == nil || !strings.Contains(err.Error(), "T2") {
		t.Errorf("%v", err)
	}
	b.Protected = true
	if err := b.mustBe(good("flood")); err == nil || strings.Count(err.Error(), "S18") != 2 {
		t.Errorf("%v", err)
	}
	if err := b.mustBe(good("outage")); err != nil {
		t.Errorf("a radio that is silent is silent with protection, too: %v", err)
	}
}
