package interlock

import (
	"testing"

	"pgregory.net/rapid"
)

// TestRandomFacts gives random facts, likely ones and nonsense, to a door with default limits and holds every step to
// every rule of rules_test.go.
func TestRandomFacts(t *testing.T) {
	spans := []Millis{0, 0, 1, 20, 20, 20, 100, 999, 1000, 1001, 3000, 5000, 12_001, 30_000, 120_000, 301_000, 7_300_000}
	ages := []Millis{0, 0, 0, 1, 100, 4000, 11_999, 12_001, 7_200_001, 1<<32 - 1}
	likely := append(append([]Fact(nil), prepared...), toUnlocking...)
	rapid.Check(t, func(t *rapid.T) {
		l := DefaultLimits()
		at := pair{New(l), newJudge(l)}
		var m move
		take := func(f Fact) {
			m.step(at, f)
			if broken := m.broken(); broken != "" {
				t.Fatalf("%s\n%s → %s%v", broken, factString(f), commandsString(m.out), m.next.Phase())
			}
			at = pair{m.next, m.then}
		}
		if rapid.Bool().Draw(t, "prepared") {
			for _, f := range toReady {
				take(f)
			}
			take(Fact{Kind: Tick, Dt: 3000})
		}
		for range rapid.IntRange(1, 80).Draw(t, "facts") {
			var f Fact
			if rapid.IntRange(0, 3).Draw(t, "nonsense") > 0 {
				f = rapid.SampledFrom(likely).Draw(t, "likely")
			} else {
				f = Fact{
					Kind: Kind(rapid.IntRange(0, int(kinds)).Draw(t, "kind")), OK: rapid.Bool().Draw(t, "ok"),
					Watch: Watch(rapid.IntRange(0, 12).Draw(t, "watch")), Bolt: Bolt(rapid.IntRange(0, 5).Draw(t, "bolt")),
					Door: Door(rapid.IntRange(0, 5).Draw(t, "door")), By: By(rapid.IntRange(0, 5).Draw(t, "by")),
					Reason: Reason(rapid.IntRange(0, 255).Draw(t, "reason")), Age: rapid.SampledFrom(ages).Draw(t, "age"),
				}
			}
			f.N = at.j.made - uint32(rapid.IntRange(0, 1).Draw(t, "n"))
			f.Dt = rapid.SampledFrom(spans).Draw(t, "dt")
			take(f)
		}
	})
}

// TestZeroIsSafe: whatever happens to a State of no or broken limits, it never unlocks and never says secured without
// a report (S13).
func TestZeroIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Limits
		if rapid.Bool().Draw(t, "one missing") {
			l = DefaultLimits()
			spoil := []*Millis{
				&l.Arming, &l.Slide, &l.Service, &l.Durable, &l.Answer, &l.Enter, &l.Open, &l.Close, &l.Out, &l.Tail,
				&l.Wait, &l.Hold, &l.Poll, &l.BoltStale, &l.DoorStale, &l.RetryLock, &l.AlarmAgain,
			}
			*rapid.SampledFrom(spoil).Draw(t, "which") = rapid.SampledFrom([]Millis{0, longest + 1, 1<<32 - 1}).Draw(t, "to")
		}
		s := New(l)
		if rapid.Bool().Draw(t, "zero") {
			s = State{}
		}
		for range rapid.IntRange(1, 60).Draw(t, "facts") {
			f := rapid.SampledFrom(toUnlocking).Draw(t, "fact")
			f.N = s.n
			f.Dt = rapid.SampledFrom([]Millis{0, 1, 20, 3000, 400_000, 1<<32 - 1}).Draw(t, "dt")
			var out []Command
			s, out = Step(s, f)
			if count(out, DoUnlock)+count(out, DoWrite)+count(out, DoMakeNonce) > 0 || s.Phase() == Ready {
				t.Fatalf("%s → %s", factString(f), commandsString(out))
			}
		}
	})
}
