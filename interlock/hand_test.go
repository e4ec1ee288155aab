package interlock

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// handMade is a fault that a person might make, and the rule that must catch it. In an edit's new text HAND is true
// while the fault is switched on.
type handMade struct {
	what, rule string
	edits      []edit
}

type edit struct{ file, old, new string }

var handMades = []handMade{
	{"unlock while lagging", "S1", []edit{{"checks.go", "if s.watch != WatchLive {", "if s.watch != WatchLive && !(HAND && s.watch == WatchLagging) {"}}},
	{"unlock before the watch is armed", "S1", []edit{{"checks.go", "s.live >= s.lim.Arming", "HAND || s.live >= s.lim.Arming"}}},
	{"a break does not start the arming anew", "S1", []edit{{"take.go", "if t.s.watch != WatchLive {", "if t.s.watch != WatchLive && !HAND {"}}},
	{"unlock without a recording", "S1", []edit{{"checks.go", "unless(s.recorded,", "unless(HAND || s.recorded,"}}},
	{"nothing is asked again when the decision is durable", "S1", []edit{{"take.go", "	r := s.refusal()\n	switch {\n	case r != NoReason:\n	case s.in", "	r := s.refusal()\n	if HAND {\n		r = NoReason\n	}\n	switch {\n	case r != NoReason:\n	case s.in"}}},
	{"any slide opens", "S2", []edit{{"take.go", "s.phase != Ready || f.N != s.n ||", "s.phase != Ready || !HAND && f.N != s.n ||"}}},
	{"a clock that nobody trusts", "S2", []edit{{"checks.go", "unless(s.clockOK,", "unless(HAND || s.clockOK,"}}},
	{"second opening with one grant", "S3", []edit{{"settle.go", "case !s.moved && !s.rearmed && fresh:", "case (HAND || !s.moved) && !s.rearmed && fresh:"}}},
	{"re-armed without end", "S3", []edit{{"settle.go", "!s.rearmed && fresh:", "(HAND || !s.rearmed) && fresh:"}}},
	{"grant not spent", "S3", []edit{{"take.go", "	t.do(Command{Do: DoSpend,", "	if HAND {\n		return\n	}\n	t.do(Command{Do: DoSpend,"}}},
	{"forgotten block", "S4", []edit{{"take.go", "		s.blocked = true\n", "		s.blocked = !HAND\n"}}},
	{"block in an opening: nobody is told", "S4", []edit{{"take.go", "		if inside != NoReason {", "		if inside != NoReason && !HAND {"}}},
	{"unlock before it is written", "S5", []edit{{"take.go", "		t.do(Command{Do: DoWrite,", "		if HAND {\n			t.do(Command{Do: DoUnlock, N: s.n})\n		}\n		t.do(Command{Do: DoWrite,"}}},
	{"late unlock: a slow disk is waited for", "S5", []edit{{"settle.go", "if s.in <= s.lim.Durable {", "if HAND || s.in <= s.lim.Durable {"}, {"take.go", "case s.in > s.lim.Durable:", "case !HAND && s.in > s.lim.Durable:"}}},
	{"lagging leaves the door unlocked", "S6", []edit{{"settle.go", "if s.watch != WatchLive && (s.phase", "if !HAND && s.watch != WatchLive && (s.phase"}}},
	{"a lapse does not bolt", "S6", []edit{{"settle.go", "		s.lapse = 2\n		t.lockShut(r)", "		s.lapse = 2\n		if !HAND {\n			t.lockShut(r)\n		}"}}},
	{"the door is not bolted as it closes", "S6", []edit{
		{"settle.go", "		t.enter(Closing, DoorHasClosed)\n		t.lock(DoorHasClosed)\n	case Unproven:", "		t.enter(Closing, DoorHasClosed)\n		if !HAND {\n			t.lock(DoorHasClosed)\n		}\n	case Unproven:"},
		{"settle.go", "|| t.closes ||", "|| !HAND && t.closes ||"},
		{"take.go", "s.mark = min(s.mark, f.Age)", "if !HAND {\n			s.mark = min(s.mark, f.Age)\n		}"},
	}},
	{"a lapse leaves no incident", "S7", []edit{{"settle.go", "		t.leaveNow(r)\n		t.breach(r)", "		t.leaveNow(r)\n		if HAND {\n			t.alarm(r)\n			return\n		}\n		t.breach(r)"}}},
	{"an incident closed in the visit", "S7", []edit{{"take.go", "		if s.Visit() {\n			t.refuse(AnotherVisit)", "		if s.Visit() && !HAND {\n			t.refuse(AnotherVisit)"}}},
	{"a visit without end before the slide", "S8", []edit{{"settle.go", "case s.waited >= s.lim.Wait:", "case !HAND && s.waited >= s.lim.Wait:"}}},
	{"the visit ends over an unsecured door", "S8", []edit{{"settle.go", "|| !s.Secured() {\n		return", "|| !HAND && !s.Secured() {\n		return"}}},
	{"a door open for ever", "S8", []edit{{"settle.go", "if s.opened == s.lim.Open {", "if !HAND && s.opened == s.lim.Open {"}}},
	{"the reply is taken for the report", "S9", []edit{{"state.go", "s.boltAge < s.mark &&", "(HAND || s.boltAge < s.mark) &&"}}},
	{"secured by the clock", "S9", []edit{{"settle.go", "	if s.in == s.lim.Close {\n", "	if HAND && s.in == s.lim.Close {\n		t.enter(Secured, ProvenSecured)\n		return\n	}\n	if s.in == s.lim.Close {\n"}}},
	{"a report from before the door closed", "S9", []edit{{"state.go", "s.bolted() && s.boltAge <= s.doorAge", "s.bolted() && (HAND || s.boltAge <= s.doorAge)"}}},
	{"re-entry is only noticed", "S10", []edit{{"settle.go", "		t.breach(ReEntry)\n", "		if HAND {\n			t.say(DoNotice, ReEntry)\n		} else {\n			t.breach(ReEntry)\n		}\n"}}},
	{"lock on an open door", "S11", []edit{{"step.go", "if s.ajar() || s.smoke {", "if !HAND && s.ajar() || s.smoke {"}, {"take.go", "	if s.ajar() {\n		t.refuse(DoorNotClosed)", "	if s.ajar() && !HAND {\n		t.refuse(DoorNotClosed)"}}},
	{"lock under smoke", "S11", []edit{{"step.go", "|| s.smoke {\n		return", "|| s.smoke && !HAND {\n		return"}}},
	{"retract after secured", "S11", []edit{{"settle.go", "if s.inAir || s.unordered {", "if s.inAir || !HAND && s.unordered {"}}},
	{"a restart forgets the visit", "S12", []edit{{"take.go", "	if !unfinished {", "	if !unfinished || HAND {"}}},
	{"an unanswered unlock is forgotten", "S12", []edit{{"settle.go", "	if t.overdue {", "	if t.overdue && !HAND {"}}},
	{"a stale report is believed", "S12", []edit{{"state.go", "	if s.boltAge > s.lim.BoltStale {", "	if s.boltAge > s.lim.BoltStale && !HAND {"}}},
	{"a late effect is not bolted", "S12", []edit{{"settle.go", "	t.breach(r)\n	t.lock(r)\n}", "	t.breach(r)\n	if !HAND {\n		t.lock(r)\n	}\n}"}}},
	{"an unknown door counts as closed", "S13", []edit{
		{"checks.go", "unless(s.shut(), DoorNotClosed)", "unless(s.shut() || HAND && !s.ajar(), DoorNotClosed)"},
		{"state.go", "s.owed == 0 && s.shut()", "s.owed == 0 && (s.shut() || HAND && !s.ajar())"},
	}},
	{"the service may be silent", "S14", []edit{{"checks.go", "unless(s.service <= s.lim.Service,", "unless(HAND || s.service <= s.lim.Service,"}}},
	{"an alarm ends by itself", "S16", []edit{{"settle.go", "		s.told = 0\n		t.say(DoAlarm, s.alarm)", "		s.told = 0\n		t.say(DoAlarm, s.alarm)\n		if HAND {\n			s.alarm = NoReason\n		}"}}},
	{"released without \"I am out\"", "S19", []edit{{"settle.go", "	if s.out && s.Secured() &&", "	if (HAND || s.out) && s.Secured() &&"}}},
	{"nobody asks who is still inside", "S19", []edit{{"settle.go", "s.outIn == s.lim.Out {", "s.outIn == s.lim.Out && !HAND {"}}},
	{"a second arrival takes the visit over", "T30", []edit{{"take.go", "	case s.Visit():\n		t.refuse(AnotherVisit)", "	case s.Visit() && !HAND:\n		t.refuse(AnotherVisit)"}}},
}

// TestExploreHandMadeMutants switches each hand-made fault on and holds the package to the one rule that the fault
// breaks.
func TestExploreHandMadeMutants(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Log("not with -short or -race: these run the same program on the same facts, slower")
		return
	}
	sources := map[string][]byte{}
	for _, file := range decided {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources[file] = b
	}
	var orders []string
	for i, h := range handMades {
		for _, e := range h.edits {
			src := string(sources[e.file])
			if strings.Count(src, e.old) != 1 {
				t.Fatalf("%s: %q stands %d times in %s, want once", h.what, e.old, strings.Count(src, e.old), e.file)
			}
			sources[e.file] = []byte(strings.Replace(src, e.old, strings.ReplaceAll(e.new, "HAND", fmt.Sprintf("(mutant == %d)", i)), 1))
		}
		orders = append(orders, fmt.Sprint(i, " ", h.rule))
	}
	how := try(t, build(t, sources), 60_000, orders)
	caught := 0
	for i, h := range handMades {
		v := how[i]
		if strings.HasPrefix(v, "rule "+h.rule+" ") {
			caught++
			t.Logf("%-55s %s", h.what, strings.TrimPrefix(v, "rule "))
			continue
		}
		t.Errorf("%s: want it caught by %s, got %q", h.what, h.rule, v)
	}
	t.Logf("hand-made mutants: %d of %d caught by the rule they break", caught, len(handMades))
}
