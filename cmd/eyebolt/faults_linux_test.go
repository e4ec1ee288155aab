package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/proof"
	"eyebolt/virtual/home"
)

// One fault of each family on the shipped hub, as a program runs it that knows nothing of the tests: killed, stopped, a disk that fails
// and one that is full, a power cut, a clock that is put back. `eyebolt bench faults` is the long form (S5, S6, S12, S14, T9, T15, T18).
func TestFaultsOnTheShippedHub(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of whole houses")
	}
	binary := filepath.Join(t.TempDir(), "eyebolt")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "bench", "faults", "-n", "6", "--at-once", "6", "--seed", "7",
		"--only", "kill9,stop-3s,fsync-eio,disk-full,power-cut,clock-back-1h")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "; 0 broke a rule") {
		t.Errorf("%v: see the runs above", err)
	}
}

// Every judge of the runs says so when its rule is broken, and is silent when it is kept (S2, S3, S5, S6, S12, S14, S19, T18).
func TestFaultJudges(t *testing.T) {
	const s = time.Second
	begin := time.Now()
	entry := func(at time.Duration, kind ledger.Kind, word, visit string) ledger.Entry {
		return ledger.Entry{Time: begin.Add(at), Kind: kind, Word: word, Visit: visit}
	}
	type scene struct {
		*faultRun
		entries []ledger.Entry
		downs   []faultSpan
	}
	honest := func() *scene {
		h := &faultHome{town: &town{begin: begin}}
		h.orders = []faultOrder{{5 * s, "UNLOCK"}, {9 * s, "LOCK"}}
		h.events = []home.Event{{At: 6 * s, What: home.BoltDrawn}, {At: 7 * s, What: home.DoorOpens}, {At: 9 * s, What: home.DoorCloses}}
		h.acks = []faultAck{{s, "arrive", "V"}, {2 * s, "home", ""}, {11 * s, "out", "V"}, {12 * s, "close", "V"}}
		h.says = []faultLine{{3 * s, "hub", "WARN the hub's own clockwork came late"}}
		return &scene{
			&faultRun{home: h, visit: "V", slides: []time.Duration{5*s - 100*time.Millisecond}, released: true, phase: "ready", hitAt: 2 * s},
			[]ledger.Entry{
				entry(s, ledger.KindVisit, ledger.WordBegan, "V"), entry(2*s, ledger.KindConfig, "away", ""), entry(5*s-50*time.Millisecond, ledger.KindDecision, "unlock", "V"),
				entry(11*s, ledger.KindFact, "out", "V"), entry(11*s, ledger.KindCommand, "release", "V"), entry(12*s, ledger.KindVisit, "closed", "V"),
			},
			nil,
		}
	}
	without := func(k *scene, word string) {
		k.entries = slices.DeleteFunc(k.entries, func(e ledger.Entry) bool { return e.Word == word })
	}
	for _, c := range []struct {
		name, want string // want empty: silent
		spoil      func(*scene)
	}{
		{"honest", "", func(*scene) {}},
		{"no decision", "S5: 1 unlocks on the wire, 0 decisions", func(k *scene) { without(k, "unlock") }},
		{"decided afterwards", "S5, S12: the unlock at 5.00 s", func(k *scene) { k.entries[2].Time = begin.Add(6 * s) }},
		{"decided long before", "S5, S12: the unlock at 5.00 s", func(k *scene) { k.entries[2].Time = begin.Add(2 * s) }},
		{"of another clock", "", func(k *scene) { k.entries[2].Time, k.stepped = begin.Add(time.Hour), time.Hour }},
		{"no slide", "S2: the unlock at 5.00 s", func(k *scene) { k.slides = nil }},
		{"one slide, two unlocks", "S2: the unlock at 5.50 s", func(k *scene) { k.home.orders = append(k.home.orders, faultOrder{5500 * time.Millisecond, "UNLOCK"}) }},
		{"while the door stands open", "", func(k *scene) { k.home.orders = append(k.home.orders, faultOrder{8 * s, "UNLOCK"}) }},
		{"after it was open", "S3: an unlock at 10.00 s", func(k *scene) { k.home.orders = append(k.home.orders, faultOrder{10 * s, "UNLOCK"}) }},
		{"dead between slide and unlock", "S12: the unlock at 5.00 s is of a slide", func(k *scene) { k.downs = []faultSpan{{4950 * time.Millisecond, 4990 * time.Millisecond}} }},
		{"dead before", "", func(k *scene) { k.downs = []faultSpan{{2 * s, 3 * s}} }},
		{"drawn by nobody", "S12: the bolt of the closed door was drawn 2 times", func(k *scene) { k.home.events = append(k.home.events, home.Event{At: 10 * s, What: home.BoltDrawn}) }},
		{"nothing is durable", "S5: an unlock at 5.00 s, while nothing", func(k *scene) { k.fault.nothing, k.moment, k.hitAt, k.overAt = true, "slide", 4*s, 8*s }},
		{"nothing was durable later", "", func(k *scene) { k.fault.nothing, k.moment, k.hitAt, k.overAt = true, "open", 7*s, 8*s }},
		{"a visit is lost", "T18: the courier was told", func(k *scene) { without(k, ledger.WordBegan) }},
		{"out is lost", "T18, S19: the courier's signed", func(k *scene) { without(k, "out") }},
		{"closing is lost", "T18, S7: the incident", func(k *scene) { without(k, "closed") }},
		{"away is lost", "T18: 1 times", func(k *scene) { without(k, "away") }},
		{"release is lost", "T18, S19: the courier was shown", func(k *scene) { without(k, "release") }},
		{"silent, and nobody alarms", "S14: the hub was silent", func(k *scene) { k.fault.silent = true }},
		{"silent, and alarmed late", "S14: the service alarmed 4.00 s", func(k *scene) { k.fault.silent, k.silentAt = true, 6*s }},
		{"silent, and alarmed", "", func(k *scene) { k.fault.silent, k.silentAt = true, 4*s }},
		{"silent between visits", "", func(k *scene) { k.fault.silent, k.phase = true, "idle" }},
		{"stood still, and knows it", "", func(k *scene) { k.fault.wakes, k.wokeAt = true, 3*s }},
		{"stood still, and does not know it", "S6: the hub stood still and did not notice", func(k *scene) { k.fault.wakes, k.wokeAt = true, 4*s }},
		{"stood still, and leaves the bolt drawn", "S6: the hub stood still with the bolt", func(k *scene) { k.fault.wakes, k.wokeAt, k.woken.Bolt = true, 3*s, home.Drawn }},
		{"stood still at an open door", "", func(k *scene) {
			k.fault.wakes, k.wokeAt, k.woken = true, 3*s, home.Truth{Bolt: home.Drawn, DoorOpen: true}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := honest()
			c.spoil(k)
			var report faultReport
			k.rules(&report, k.entries, k.downs)
			if got := strings.Join(report.Broke, "\n"); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("judged %q, want %q", got, c.want)
			}
		})
	}
}

// A record that is not whole is broken (S7, T19); of a disk that lies it must be said which entries it has dropped.
func TestFaultJudgeOfTheRecord(t *testing.T) {
	cut := verdict{say: "NOT OK: entries 3–4 are missing", report: proof.Report{First: &proof.Finding{What: proof.Cut}}}
	changed := verdict{say: "NOT OK: entry 3", report: proof.Report{First: &proof.Finding{What: proof.Unreadable}}}
	for _, c := range []struct {
		lies bool
		v    verdict
		want string
	}{
		{false, verdict{ok: true}, ""}, {false, cut, "S7, T19"}, {true, verdict{ok: true}, ""}, {true, cut, ""}, {true, changed, "T19"},
	} {
		r := &faultRun{fault: fault{lies: c.lies}}
		var report faultReport
		r.judgeRecord(&report, c.v)
		if got := fmt.Sprint(report.Broke); (c.want == "") != (len(report.Broke) == 0) || !strings.Contains(got, c.want) {
			t.Errorf("lies %v, %q: judged %s, want %q", c.lies, c.v.say, got, c.want)
		}
	}
}
