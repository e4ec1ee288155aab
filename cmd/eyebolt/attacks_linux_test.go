package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/sim"
)

// Two files of the town, played by the shipped program in homes of real protocols, say the same there: a flood by a thieving courier, and a
// recording that is played in (T1, T5, S6, S7, S9). What is asserted is the verdict and the order, never a time. `make attacks REAL=1` plays
// all of them.
func TestScenariosInTheRealHome(t *testing.T) {
	if os.Getenv("EYEBOLT_REAL") == "" {
		t.Skip("whole houses for a minute or more, which starve beside others: EYEBOLT_REAL=1")
	}
	dir := t.TempDir()
	binary, keep := filepath.Join(dir, "eyebolt"), filepath.Join(dir, "result.json")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	const from = "../../sim/testdata/attacks/"
	out, err := exec.CommandContext(ctx, binary, "bench", "attacks", "--at-once", "2", "--keep", keep, from+"t01.json", from+"t05.json", from+"t16.json").CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%v: see the table above", err)
	}
	b, err := os.ReadFile(keep)
	if err != nil {
		t.Fatal(err)
	}
	var all []sim.Compared
	if err := json.Unmarshal(b, &all); err != nil || len(all) != 3 {
		t.Fatalf("%d results (%v), want 3", len(all), err)
	}
	for _, k := range all[:2] {
		e := k.Real
		if !k.Same || e.Noticed == 0 || e.Told < e.Noticed || e.Ordered == 0 || e.Bolted < e.Ordered || e.Unlocked != 0 {
			t.Errorf("%s: %+v; want the town's verdict; noticed, then told; Lock, then bolted; and no Unlock after the attack began", k.File, e)
		}
	}
	if !strings.Contains(all[2].Refused, "taken over") || all[2].Same {
		t.Errorf("%+v, want a refusal that says why", all[2])
	}
}

// What the pretend home cannot play is refused with its reason, never left out in silence; what it can is not refused.
func TestScenariosThatTheRealHomeRefuses(t *testing.T) {
	files, err := filepath.Glob("../../sim/testdata/attacks/*.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	played := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := sim.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if why := attackRefusal(sc); why != "" {
			t.Logf("%s: %s", filepath.Base(f), why)
			continue
		}
		played++
	}
	if played < 19 {
		t.Errorf("the real home plays %d files, want 19 at the least", played)
	}
	one := func(v sim.Visit, p sim.Plan) sim.Scenario {
		p.Visit = []sim.Visit{v}
		return sim.Scenario{Homes: []sim.Plan{p}}
	}
	for want, sc := range map[string]sim.Scenario{
		"homes":         {Homes: make([]sim.Plan, 2)},
		"loses nothing": one(sim.Visit{}, sim.Plan{Rough: true}),
		"chance":        one(sim.Visit{Resident: sim.Orders}, sim.Plan{}),
		"coded anew":    one(sim.Visit{Moves: []sim.Move{{Attack: 5, At: "open", How: 1}}}, sim.Plan{}),
		"T17, way 2":    one(sim.Visit{Moves: []sim.Move{{Attack: 17, At: "open", How: 2}}}, sim.Plan{}),
		"cable":         one(sim.Visit{Moves: []sim.Move{{Attack: 26, At: "open", How: 1}}}, sim.Plan{}),
	} {
		if got := attackRefusal(sc); !strings.Contains(got, want) {
			t.Errorf("%+v: refused with %q, want %q", sc, got, want)
		}
	}
}
