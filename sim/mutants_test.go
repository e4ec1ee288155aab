package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fault is one that a person might make. In an edit's new text HAND is true while the fault is switched on.
type fault struct {
	what     string
	rules    string // whose judges may find it
	edits    []swap
	pictures bool // it is seen picture by picture alone
}

type swap struct{ file, old, new string }

// one is an edit that switches a condition: of text, the part old is replaced.
func one(file, old, new string) []swap { return []swap{{file, old, new}} }

var faults = []fault{
	// interlock
	{"unlock while lagging", "S1", one("interlock/checks.go", "if s.watch != WatchLive {", "if s.watch != WatchLive && !(HAND && s.watch == WatchLagging) {"), false},
	{"unlock before the watch is armed", "S1", one("interlock/checks.go", "s.live >= s.lim.Arming", "HAND || s.live >= s.lim.Arming"), false},
	{"a break does not start the arming anew", "S1", one("interlock/take.go", "if t.s.watch != WatchLive {", "if t.s.watch != WatchLive && !HAND {"), false},
	{"unlock without a recording", "S1", one("interlock/checks.go", "unless(s.recorded,", "unless(HAND || s.recorded,"), false},
	{"nothing is asked again when the decision is durable", "S1 S2 S4", one("interlock/take.go", "	r := s.refusal()\n	switch {\n	case r != NoReason:\n	case s.in", "	r := s.refusal()\n	if HAND {\n		r = NoReason\n	}\n	switch {\n	case r != NoReason:\n	case s.in"), false},
	{"any slide opens", "S2 S3", one("interlock/take.go", "s.phase != Ready || f.N != s.n || s.nonce > s.lim.Slide", "!HAND && (s.phase != Ready || f.N != s.n || s.nonce > s.lim.Slide)"), false},
	{"a second opening with one grant", "S3 S6", one("interlock/settle.go", "case !s.moved && !s.rearmed && fresh:", "case (HAND || !s.moved) && !s.rearmed && fresh:"), false},
	{"re-armed without end", "S3", one("interlock/settle.go", "!s.rearmed && fresh:", "(HAND || !s.rearmed) && fresh:"), false},
	{"a block is forgotten", "S4", one("interlock/take.go", "		s.blocked = true\n", "		s.blocked = !HAND\n"), false},
	{"unlock before it is written", "S5", one("interlock/take.go", "		t.do(Command{Do: DoWrite,", "		if HAND {\n			t.do(Command{Do: DoUnlock, N: s.n})\n		}\n		t.do(Command{Do: DoWrite,"), false},
	{"lagging leaves the door unlocked", "S6", one("interlock/settle.go", "if s.watch != WatchLive && (s.phase", "if !HAND && s.watch != WatchLive && (s.phase"), false},
	{"a lapse alarms nobody", "S6 S7", one("interlock/settle.go", "		t.leaveNow(r)\n		t.breach(r)", "		t.leaveNow(r)\n		if HAND {\n			return\n		}\n		t.breach(r)"), false},
	{"the door is not bolted as it closes", "S6", []swap{
		{"interlock/settle.go", "		t.enter(Closing, DoorHasClosed)\n		t.lock(DoorHasClosed)\n	case Unproven:", "		t.enter(Closing, DoorHasClosed)\n		if !HAND {\n			t.lock(DoorHasClosed)\n		}\n	case Unproven:"},
		{"interlock/settle.go", "|| t.closes ||", "|| !HAND && t.closes ||"},
		{"interlock/take.go", "s.mark = min(s.mark, f.Age)", "if !HAND {\n			s.mark = min(s.mark, f.Age)\n		}"},
	}, false},
	{"a door that is open for ever", "S8", one("interlock/settle.go", "if s.opened == s.lim.Open {", "if !HAND && s.opened == s.lim.Open {"), false},
	{"the reply is taken for the report", "S9", one("interlock/state.go", "s.boltAge < s.mark &&", "(HAND || s.boltAge < s.mark) &&"), false},
	{"secured by the clock", "S8 S9", one("interlock/settle.go", "	if s.in == s.lim.Close {\n", "	if HAND && s.in == s.lim.Close {\n		t.enter(Secured, ProvenSecured)\n		return\n	}\n	if s.in == s.lim.Close {\n"), false},
	{"a re-entry is only noticed", "S10", one("interlock/settle.go", "		t.breach(ReEntry)\n", "		if HAND {\n			t.say(DoNotice, ReEntry)\n		} else {\n			t.breach(ReEntry)\n		}\n"), false},
	{"lock on an open door", "S11", []swap{{"interlock/step.go", "if s.ajar() || s.smoke {", "if !HAND && s.ajar() || s.smoke {"}, {"interlock/take.go", "	if s.ajar() {\n		t.refuse(DoorNotClosed)", "	if s.ajar() && !HAND {\n		t.refuse(DoorNotClosed)"}}, false},
	{"a restart forgets the visit", "S4 S8 S12", one("interlock/take.go", "	if !unfinished {", "	if !unfinished || HAND {"), false},
	{"a late effect is not bolted", "S12", one("interlock/settle.go", "	t.enter(Closing, r)\n	t.breach(r)\n	t.lock(r)\n}", "	if HAND {\n		t.alarm(r)\n		return\n	}\n	t.enter(Closing, r)\n	t.breach(r)\n	t.lock(r)\n}"), false},
	{"a report of a minute ago is believed", "S1 S9 S12", one("interlock/words.go", "BoltStale: 12_000,", "BoltStale: 12_000 + map[bool]Millis{true: 60_000}[HAND],"), false},
	{"released without \"I am out\"", "S19", one("interlock/settle.go", "	if s.out && s.Secured() &&", "	if (HAND || s.out) && s.Secured() &&"), false},
	{"nobody asks who is still inside", "S8 S19", one("interlock/settle.go", "s.outIn == s.lim.Out {", "s.outIn == s.lim.Out && !HAND {"), false},
	{"a second arrival takes the visit over", "T30 S3 S2 S8 S1", []swap{
		{"interlock/take.go", "	case s.Visit():\n		t.refuse(AnotherVisit)\n	case !f.OK:", "	case s.Visit() && !HAND:\n		t.refuse(AnotherVisit)\n	case !f.OK:"},
		{"hub/courier.go", "	if d.state.Visit() {\n		c.step(d, interlock.Fact{Kind: interlock.Arrive, Reason", "	if d.state.Visit() && !HAND {\n		c.step(d, interlock.Fact{Kind: interlock.Arrive, Reason"},
	}, false},
	// hub
	{"an order that holds for ten seconds", "S12", one("hub/core.go", "NotAfter: c.at.Mono + time.Second}", "NotAfter: c.at.Mono + map[bool]time.Duration{false: 1, true: 10}[HAND]*time.Second}"), false},
	{"the bolt waits behind the record", "S5", one("hub/core.go", "	out = append(out, c.first...)\n", "	if HAND {\n		out = append(out, c.rest...)\n		c.rest = nil\n	}\n	out = append(out, c.first...)\n"), false},
	{"another block counter is no matter", "S1 S4", one("hub/service.go", "ok := known && count == d.blocks", "ok := known && (HAND || count == d.blocks)"), false},
	{"a used grant is good", "S3", []swap{{"hub/courier.go", "return c.mem.used[id] && !v.ordered", "return !HAND && c.mem.used[id] && !v.ordered"}, {"hub/trust.go", "	case c.mem.used[k.ID]:", "	case !HAND && c.mem.used[k.ID]:"}}, false},
	{"a stale slide is taken for a fresh one", "S2 S3", one("hub/courier.go", "proof, err, f.N = p, nil, v.n-1", "proof, err, f.N = p, nil, v.n-map[bool]uint32{false: 1}[HAND]"), false},
	{"whoever signs is out", "S19", one("hub/courier.go", "	why := interlock.NoReason\n	proof, err := c.assert(v, grant.OutChallenge(d.cfg.Name, v.id, v.out), v.out, a.Assertion)\n", "	why := interlock.NoReason\n	proof, err := c.assert(v, grant.OutChallenge(d.cfg.Name, v.id, v.out), v.out, a.Assertion)\n	if HAND {\n		err = nil\n	}\n"), false},
	{"a block does not outlive a restart", "S4", one("hub/door.go", "		case \"block\":\n			d.blocked = true\n", "		case \"block\":\n			d.blocked = !HAND\n"), false},
	{"an alarm of before a restart is not told", "S16", one("hub/core.go", "	for _, a := range c.mem.untold {", "	for _, a := range c.mem.untold[:map[bool]int{false: len(c.mem.untold)}[HAND]] {"), false},
	{"what nobody saw is not counted", "S7", one("hub/gaps.go", "		v.unwatched += v.exposure.within(span{g.from, to})", "		if !HAND {\n			v.unwatched += v.exposure.within(span{g.from, to})\n		}"), false},
	{"a lapse found behind the secured door is none of before", "S7", one("hub/gaps.go", "	return v.exposure.within(span{d.gap.from, c.at.Mono}) > 0", "	return !HAND && v.exposure.within(span{d.gap.from, c.at.Mono}) > 0"), false},
	{"an end that a full disk refused is forgotten", "S18 S7 S16", one("hub/owed.go", "		if e.Kind == ledger.KindDecision {", "		if HAND || e.Kind == ledger.KindDecision {"), false},
	{"a grant that was taken back is good", "S2", []swap{{"hub/trust.go", "		if v := d.visit; v != nil && (c.mem", "		if v := d.visit; !HAND && v != nil && (c.mem"}, {"hub/service.go", "return c.behind() || c.mem.revoked[id]", "return c.behind() || !HAND && c.mem.revoked[id]"}}, false},
	{"a disk of an earlier day is not found out", "S3 T29 S18 S4 S1 S2", one("hub/service.go", "	if held <= wrote || held <= c.mem.floor {", "	if HAND || held <= wrote || held <= c.mem.floor {"), false},
	{"a disk put back by a few entries is not found out", "T29 S3", one("hub/service.go", "		c.compare(in.Reply.Cursor, c.found)", "		if !HAND {\n			c.compare(in.Reply.Cursor, c.found)\n		}"), false},
	// grant
	{"any parcel will do", "S2", one("grant/attempt.go", "if p != \"\" && p == a.Parcel {", "if HAND || p != \"\" && p == a.Parcel {"), false},
	{"the window does not close, nor does the courier's word", "S2", []swap{
		{"grant/attempt.go", "case !a.Now.Before(g.Delivery.Until):", "case !HAND && !a.Now.Before(g.Delivery.Until):"},
		{"grant/attempt.go", "|| !a.Now.Before(g.CourierUntil) {", "|| !HAND && !a.Now.Before(g.CourierUntil) {"},
	}, false},
	{"nobody verified who held the phone", "S2", one("grant/assertion.go", "flags&flagVerified == 0 {", "!HAND && flags&flagVerified == 0 {"), false},
	{"any site's passkey", "S2", one("grant/assertion.go", "if !slices.Contains(rp.Origins, origin) {", "if !HAND && !slices.Contains(rp.Origins, origin) {"), false},
	{"a signature that does not verify", "S2 S19", one("grant/assertion.go", "	if !ok {\n		return ErrBadSignature", "	if !ok && !HAND {\n		return ErrBadSignature"), false},
	// liveness
	{"pictures that were shown before are live", "S6", one("liveness/replay.go", "	return r.run >= replayRun || p.Key && all >= replayKey\n", "	return !HAND && (r.run >= replayRun || p.Key && all >= replayKey)\n"), true},
	{"a lost camera lags for a while", "S6", []swap{{"liveness/decide.go", "if seeing && age > j.cfg.A2 &&", "if seeing && age > j.cfg.A2+map[bool]time.Duration{true: time.Second}[HAND] &&"}}, true},
	{"an old picture is live", "S1 S6", []swap{{"liveness/decide.go", "	if seeing && age > j.cfg.A1 {\n		j.spoil()", "	if seeing && age > j.cfg.A1+map[bool]time.Duration{true: time.Second}[HAND] {\n		j.spoil()"}, {"liveness/picture.go", "inTime := age <= j.cfg.A1 &&", "inTime := age <= j.cfg.A1+map[bool]time.Duration{true: time.Second}[HAND] &&"}}, true},
	{"the base delay follows a slow lag", "S6 S18", one("liveness/picture.go", "j.delay.picture(p.Media, at, j.arrived, first, j.cfg.Skew)", "j.delay.picture(p.Media, at, j.arrived, first, j.cfg.Skew*map[bool]float64{false: 1, true: 1e5}[HAND])"), true},
	{"an alarm ends by an acknowledgement of an older one", "S16", one("hub/resident.go", "	if d.alarm.ID != \"\" && !slices.Contains(a.Alarms, d.alarm.ID) {", "	if !HAND && d.alarm.ID != \"\" && !slices.Contains(a.Alarms, d.alarm.ID) {"), false},
}

// mutant is what each changed package is given beside its sources.
const mutantSource = `package %s

import "os"

var mutant = func() string { return os.Getenv("EYEBOLT_SIM_MUTANT") }()
`

// buildMutants makes one program of this package's tests in which each fault can be switched on. Nothing in the sources is changed.
func buildMutants(t *testing.T) (program string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sources := map[string]string{}
	for i, f := range faults {
		for _, e := range f.edits {
			src, ok := sources[e.file]
			if !ok {
				b, err := os.ReadFile(filepath.Join(root, e.file))
				if err != nil {
					t.Fatal(err)
				}
				src = string(b)
			}
			if n := strings.Count(src, e.old); n != 1 {
				t.Fatalf("%s: %q stands %d times in %s, want once", f.what, e.old, n, e.file)
			}
			sources[e.file] = strings.Replace(src, e.old, strings.ReplaceAll(e.new, "HAND", fmt.Sprintf("(mutant == %q)", strconv.Itoa(i))), 1)
		}
	}
	for p := range packagesOf(sources) {
		sources[filepath.Join(p, "mutant_overlay.go")] = fmt.Sprintf(mutantSource, filepath.Base(p))
	}
	return buildChanged(t, dir, sources)(".")
}

// packagesOf are the folders of sources.
func packagesOf(sources map[string]string) map[string]bool {
	all := map[string]bool{}
	for file := range sources {
		all[filepath.Dir(file)] = true
	}
	return all
}

// buildChanged gives what makes the program of a package's tests, its folder named from here, with sources in place of the real ones,
// which stay as they are. A source's path begins at the module's root.
func buildChanged(t *testing.T, dir string, sources map[string]string) func(pkg string) (program string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for path, text := range sources {
		to := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, path)] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(pkg string) string {
		program := filepath.Join(dir, filepath.Base(pkg)+".tests")
		cmd := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", program, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the changed sources do not build: %v\n%s", err, out)
		}
		return program
	}
}

// someFaults is how many faults there are to one that is tried in every run of the tests.
const someFaults = 8

// mostSeeds is how many towns a fault may take to be found: each has two homes and sixteen visits.
const mostSeeds = 400

// Every fault that a person might make in the shipped packages is found by the town's judges, by a rule that it breaks, within a stated
// number of seeds (S1 to S19). A fault that nobody finds is a judge that is missing.
func TestEachHandMadeFaultIsFound(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("with -short or -race the shipped town alone is played")
	}
	all := os.Getenv("EYEBOLT_SIM_MUTANTS") != ""
	if !all {
		t.Logf("one fault in %d; all of them: make mutants", someFaults)
	}
	program := buildMutants(t)
	found, seeds := 0, 0
	t.Logf("%-58s %-6s %6s %7s  %s", "fault", "rule", "seeds", "visits", "what the judge says")
	for i, f := range faults {
		if !all && i%someFaults != 0 {
			continue
		}
		if only := os.Getenv("EYEBOLT_SIM_ONLY"); only != "" && !strings.Contains(","+only+",", ","+strconv.Itoa(i)+",") {
			continue
		}
		cmd := exec.Command(program, "-test.run", "^TestMutantWorker$", "-test.v", "-test.timeout", "10m")
		cmd.Env = append(os.Environ(), "EYEBOLT_SIM_MUTANT="+strconv.Itoa(i), "EYEBOLT_SIM_WORK=1")
		if f.pictures {
			cmd.Env = append(cmd.Env, "EYEBOLT_SIM_PICTURES=1")
		}
		out, _ := cmd.CombinedOutput() // what it found is in what it says
		p := foundIn(out)
		if p == nil {
			t.Errorf("%d %s: not found in %d towns: %.3000s", i, f.what, mostSeeds, out)
			continue
		}
		t.Logf("%-58s %-6s %6s %7s  %.110s", f.what, p[0], p[1], p[2], p[3])
		if !strings.Contains(" "+f.rules+" ", " "+p[0]+" ") {
			t.Errorf("%d %s: found by %s, want one of %s", i, f.what, p[0], f.rules)
			continue
		}
		n, _ := strconv.Atoi(p[1])
		seeds = max(seeds, n)
		found++
	}
	t.Logf("hand-made faults: %d of %d found, each in at most %d towns", found, len(faults), seeds)
}

// foundIn is what a worker found: the rule, the number of towns and of visits, and what the judge says; nil if it found nothing.
func foundIn(out []byte) []string {
	for l := range bytes.Lines(out) {
		if s, ok := strings.CutPrefix(string(l), "FOUND "); ok {
			if p := strings.SplitN(strings.TrimSpace(s), " ", 4); len(p) == 4 {
				return p
			}
		}
	}
	return nil
}

// TestMutantWorker plays towns until a judge finds something. It is the program that TestEachHandMadeFaultIsFound starts.
func TestMutantWorker(t *testing.T) {
	if os.Getenv("EYEBOLT_SIM_WORK") == "" {
		t.Skip("it is started by TestEachHandMadeFaultIsFound")
	}
	visits, most, generated := 0, uint64(mostSeeds), false
	if n, err := strconv.ParseUint(os.Getenv("EYEBOLT_SIM_TOWNS"), 10, 64); err == nil {
		most, generated = n, true
	}
	began := time.Now()
	for seed := uint64(1); seed <= most && time.Since(began) < 5*time.Minute; seed++ {
		calm := 0.1
		if generated && seed%4 == 0 {
			calm = 0.9 // what only keeps honest couriers out is a fault, too (S18)
		}
		r := Run(Generate(seed, Profile{Homes: 2, Visits: 8, Calm: calm}), Options{Pictures: os.Getenv("EYEBOLT_SIM_PICTURES") != ""})
		visits += r.Tally.Visits
		if len(r.Violations) > 0 {
			v := r.Violations[0]
			fmt.Printf("FOUND %s %d %d %s\n", v.Rule, seed, visits, v.Say)
			return
		}
	}
}
