package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/proof"
	"eyebolt/sim"
)

// Two files of the town, played by the shipped program in homes of real protocols, say the same there: a flood by a thieving courier, and a
// recording that is played in (T1, T5, S6, S7, S9). What is asserted is the verdict and the order, never a time; both end with a gap on record,
// as everything does on a machine that is too small. `make attacks REAL=1` plays all of them.
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
	out, err := exec.CommandContext(ctx, binary, "bench", "attacks", "--at-once", "2", "--keep", keep, from+"t01.json", from+"t05.json").CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%v: see the table above", err)
	}
	b, err := os.ReadFile(keep)
	if err != nil {
		t.Fatal(err)
	}
	var all []sim.Compared
	if err := json.Unmarshal(b, &all); err != nil || len(all) != 2 {
		t.Fatalf("%d results (%v), want 2", len(all), err)
	}
	for _, k := range all {
		e := k.Real
		if !k.Same || e.Noticed == 0 || e.Told < e.Noticed || e.Ordered == 0 || e.Bolted < e.Ordered || e.Unlocked != 0 {
			t.Errorf("%s: %+v; want the town's verdict; noticed, then told; Lock, then bolted; and no Unlock after the attack began", k.File, e)
		}
	}
}

// What the pretend home cannot play is refused with its reason, never left out in silence; what it can is not refused.
func TestScenariosThatTheRealHomeRefuses(t *testing.T) {
	files, err := filepath.Glob("../../sim/testdata/attacks/*.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := sim.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		root := strings.HasSuffix(f, "t15.json") && noClock() != "" || strings.HasSuffix(f, "t18.json") && os.Geteuid() != 0
		if why := attackRefusal(sc); (why != "") != root {
			t.Errorf("%s: refused with %q; want only what this machine lets root alone do", filepath.Base(f), why)
		}
	}
	one := func(v sim.Visit, p sim.Plan) sim.Scenario {
		p.Visit = []sim.Visit{v}
		return sim.Scenario{Homes: []sim.Plan{p}}
	}
	for want, sc := range map[string]sim.Scenario{
		"in 2 homes":   {Homes: []sim.Plan{{Visit: make([]sim.Visit, 1)}, {Visit: make([]sim.Visit, 1)}}},
		"rough":        one(sim.Visit{}, sim.Plan{Rough: true}),
		"hold":         one(sim.Visit{Moves: []sim.Move{{Attack: 0, At: "ready"}}}, sim.Plan{}),
		"T13, way 1":   one(sim.Visit{Moves: []sim.Move{{Attack: 13, At: "ready", How: 1}}}, sim.Plan{}),
		"T18, way 4":   one(sim.Visit{Moves: []sim.Move{{Attack: 18, At: "ready", How: 4}}}, sim.Plan{}),
		"T24, way 0":   one(sim.Visit{Moves: []sim.Move{{Attack: 24, At: "ready"}}}, sim.Plan{}),
		"visit before": one(sim.Visit{Moves: []sim.Move{{Attack: 29, At: "tail"}}}, sim.Plan{}),
		"chance":       one(sim.Visit{Resident: sim.Orders}, sim.Plan{}),
		"coded anew":   one(sim.Visit{Moves: []sim.Move{{Attack: 5, At: "open", How: 1}}}, sim.Plan{}),
		"T17, way 2":   one(sim.Visit{Moves: []sim.Move{{Attack: 17, At: "open", How: 2}}}, sim.Plan{}),
		"cable":        one(sim.Visit{Moves: []sim.Move{{Attack: 26, At: "open", How: 1}}}, sim.Plan{}),
	} {
		if got := attackRefusal(sc); !strings.Contains(got, want) {
			t.Errorf("%+v: refused with %q, want %q", sc, got, want)
		}
	}
}

// T19: a record that is changed in any of the town's ways, with hashes that fit and with the hub's own key or without it, is disowned by
// whoever holds one checkpoint; unchanged it is whole.
func TestRewrittenRecordIsDisowned(t *testing.T) {
	whole := t.TempDir()
	if err := makeRecord(t, whole); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(whole, ledger.FileCheckpoints))
	if err != nil {
		t.Fatal(err)
	}
	notes, _ := ledger.SplitNotes(kept)
	held := filepath.Join(t.TempDir(), "held")
	if err := os.WriteFile(held, notes[len(notes)-2], 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner("example.org/hub/1", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	check := func(dir string) proof.Report {
		t.Helper()
		r, err := (&VerifyCmd{Dir: dir, Checkpoint: []string{held}}).check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	size := check(whole).Entries
	for how := range uint32(8 * 3) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		if r := check(dir); !r.OK || r.Held != 1 {
			t.Fatalf("before it is changed: %+v", r.First)
		}
		if err := rewriteRecord(t.Context(), dir, signer, how, size); err != nil {
			t.Fatal(err)
		}
		if r := check(dir); r.OK || r.First == nil {
			t.Errorf("way %d: a record that was changed is called whole", how)
		}
	}
}
