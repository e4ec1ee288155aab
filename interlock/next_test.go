package interlock

import (
	"math/rand/v2"
	"testing"
)

// shows is everything that a State tells, but for what Left counts down.
func shows(s State) any {
	n, ok := s.Nonce()
	return struct {
		phase             Phase
		why, alarm, incid Reason
		watch             Watch
		bolt              Bolt
		door              Door
		is                [8]bool
		n                 uint32
		nonce             bool
		checks            [NChecks]Check
	}{
		s.Phase(), s.Why(), s.Alarm(), s.Incident(), s.Watch(), s.Bolt(), s.Door(),
		[8]bool{s.Secured(), s.PossiblyOpen(), s.Blocked(), s.Home(), s.Released(), s.Leave(), s.Visit(), s.bolted()},
		n, ok, s.Checks(),
	}
}

// S6, S8: a clock that goes by Next misses nothing. Before Next, time alone gives no command and changes nothing that is told; and
// a door that was left alone until Next is the same as one whose time was counted all the while.
func TestNextMissesNothing(t *testing.T) {
	var waited [phases]int
	for i, sc := range scenes() {
		random := rand.New(rand.NewPCG(uint64(i), 2))
		first := New(sc.lim)
		for _, f := range sc.opening {
			first, _ = Step(first, f)
		}
		for range 100 {
			s := canonState(first)
			for range 80 {
				f := sc.alphabet[random.IntN(len(sc.alphabet))]
				s, _ = Step(s, f)
				s = canonState(s)
				if !nextHolds(t, s, random, &waited) {
					t.Fatalf("%s, after %s", sc.name, factString(f))
				}
			}
		}
	}
	for p, n := range waited {
		if n == 0 {
			t.Errorf("phase %v was never waited in", Phase(p))
		}
	}
}

func nextHolds(t *testing.T, s State, random *rand.Rand, waited *[phases]int) bool {
	t.Helper()
	// What one step began, the next may end: whoever goes by Next looks once more after everything that happened.
	for range 4 {
		s, _ = Step(s, Fact{Kind: Tick})
	}
	next := s.Next()
	if next == 0 {
		t.Errorf("%v: Next is 0", s.Phase())
		return false
	}
	waited[s.Phase()]++
	part := Millis(random.Uint32N(uint32(next)))
	then, out := Step(s, Fact{Kind: Tick, Dt: part})
	if len(out) > 0 || shows(then) != shows(s) {
		t.Errorf("%v, %d ms before Next: %s, %v", s.Phase(), next-part, commandsString(out), then.Phase())
		return false
	}
	once, a := Step(s, Fact{Kind: Tick, Dt: next})
	twice, b := Step(then, Fact{Kind: Tick, Dt: next - part})
	if once != twice || commandsString(a) != commandsString(b) {
		t.Errorf("%v: left alone %s, counted %s", s.Phase(), commandsString(a), commandsString(b))
		return false
	}
	return true
}
