package sim

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An honest visit, as its story: what each step is answered by, in order. It is the town's own picture of docs/ARCHITECTURE.md's flow.
func TestHonestDay(t *testing.T) {
	r := Run(Scenario{Seed: 1, Homes: []Plan{{Visit: make([]Visit, 1)}}}, Options{Story: true})
	for _, v := range r.Violations {
		t.Error(v)
	}
	if r.Tally.Visits != 1 || r.Tally.Done != 1 || r.Tally.Honest[0] != 1 || r.Tally.False[0] != 0 {
		t.Errorf("want one visit, done, without a false alarm: %+v", r.Tally)
	}
	rest := r.Story
	for _, want := range []string{
		"is at the door", "is ready (all-checks-hold)", "slides to open", "is deciding", "Unlock, not after 1000 ms", "draws the bolt", "is unlocked",
		"opens", "comes out", "closes", "Lock (door-has-closed)", "throws the bolt", "is secured (proven-secured)", "signs that he is out", "is tail", "is idle (delivered)",
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("%q does not follow in\n%s", want, r.Story)
		}
		rest = after
	}
}

// The same seed gives the same town, event by event, with and without a story; another seed gives another.
func TestSameSeedSameTown(t *testing.T) {
	p := Profile{Homes: 2, Visits: 4, Calm: 0.2}
	for _, pictures := range []bool{false, true} {
		seen := map[uint64]uint64{}
		for seed := uint64(1); seed <= 8; seed++ {
			a := Run(Generate(seed, p), Options{Pictures: pictures})
			b := Run(Generate(seed, p), Options{Pictures: pictures, Story: true})
			if a.Hash != b.Hash {
				t.Errorf("two runs of seed %d differ (pictures %t)", seed, pictures)
			}
			if other, ok := seen[a.Hash]; ok {
				t.Errorf("seeds %d and %d are one town", other, seed)
			}
			seen[a.Hash] = seed
		}
	}
}

// Towns in which every attack is tried keep every rule (S1 to S19, T1 to T30): at the level of verdicts, and picture by picture. The
// command plays more of them.
func TestTowns(t *testing.T) {
	towns := map[bool]int{false: 60, true: 12}
	if testing.Short() || raceEnabled {
		towns = map[bool]int{false: 8, true: 2}
	}
	for pictures, n := range towns {
		var sum Tally
		for seed := range uint64(n) {
			r := Run(Generate(1000+seed, Profile{Homes: 2, Visits: 8, Calm: 0.1}), Options{Pictures: pictures})
			sum.Add(r.Tally)
			for _, v := range r.Violations {
				t.Errorf("seed %d, pictures %t: %v", 1000+seed, pictures, v)
			}
		}
		if sum.Opened == 0 || sum.Incidents == 0 || sum.Done == 0 {
			t.Errorf("towns in which nothing happens prove nothing: %+v", sum)
		}
		t.Logf("pictures %t: %d visits, %d opened, %d incidents; worst %v", pictures, sum.Visits, sum.Opened, sum.Incidents, sum.Worst)
	}
}

// Scenarios that once broke a rule are kept, and break none any more. Each file's name says what was found by it.
func TestKeptScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/kept/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no kept scenarios (%v)", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for _, pictures := range []bool{false, true} {
			for _, v := range Run(sc, Options{Pictures: pictures}).Violations {
				t.Errorf("%s, pictures %t: %v", f, pictures, v)
			}
		}
	}
}

// A scenario's file is read back as it was; one with an attack, a phase or a size that there is not is refused with what there is.
func TestScenarioFile(t *testing.T) {
	sc := Generate(7, Profile{Homes: 2, Visits: 3})
	back, err := Decode(sc.Encode())
	if err != nil || string(back.Encode()) != string(sc.Encode()) {
		t.Fatalf("not read back: %v", err)
	}
	for text, want := range map[string]string{
		`{"homes":[]}`: "1 to 64 homes",
		`{"homes":[{"visits":[{"moves":[{"attack":25,"at":"open"}]}]}]}`:   "no attack 25",
		`{"homes":[{"visits":[{"moves":[{"attack":1,"at":"opened"}]}]}]}`:  `no phase "opened"`,
		`{"homes":[{"visits":[{"moves":[{"attack":-1,"at":"open"}]}]}]}`:   "no attack -1",
		`{"homes":[{"visits":[{"moves":[{"attack":1,"att":"open"}]}]}]}`:   "unknown field",
		`{"homes":[{"visits":[{"moves":[{"attack":1,"at":"open"}]}]}]} {}`: "more",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
}

// The searcher finds longer times unwatched and untold than the scenarios that it begins with, and never a broken rule.
func TestSearch(t *testing.T) {
	found := Search(context.Background(), 1, 300, Options{}, nil)
	for _, f := range found {
		t.Logf("%-12s %v", f.Kind, f.Untold)
		if f.Violated {
			t.Errorf("a rule is broken in %s", f.Scenario.Encode())
		}
	}
	if len(found) < 3 {
		t.Errorf("a search that came upon %d kinds of blindness proves nothing", len(found))
	}
}
