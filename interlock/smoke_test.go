package interlock

import "testing"

// run steps through facts and gives the commands of all.
func run(s *State, facts ...Fact) (all []Command) {
	for _, f := range facts {
		next, out := Step(*s, f)
		*s = next
		all = append(all, out...)
	}
	return all
}

func count(cmds []Command, d Do) (n int) {
	for _, c := range cmds {
		if c.Do == d {
			n++
		}
	}
	return n
}

// TestHonestVisit walks the visit that every other test departs from.
func TestHonestVisit(t *testing.T) {
	s := New(DefaultLimits())
	all := run(&s,
		Fact{Kind: Boot, OK: true}, Fact{Kind: ClockSays, OK: true}, Fact{Kind: LockSays, OK: true},
		Fact{Kind: HoldSays, OK: true}, Fact{Kind: ServiceSays, OK: true}, Fact{Kind: DoorSays, Door: DoorClosed},
		Fact{Kind: BoltSays, Bolt: BoltThrown}, Fact{Kind: WatchSays, Watch: WatchLive},
		Fact{Kind: Arrive, OK: true}, Fact{Kind: RecorderSays, OK: true}, Fact{Kind: Tick, Dt: 3000})
	if s.Phase() != Ready {
		t.Fatalf("phase %v, want ready: %v %v", s.Phase(), s.Why(), s.Checks())
	}
	n, _ := s.Nonce()
	all = append(all, run(&s, Fact{Kind: Slide, OK: true, N: n, Dt: 500}, Fact{Kind: Durable, N: n, Dt: 5},
		Fact{Kind: BoltSays, Bolt: BoltThrown, Dt: 100}, // the state before the command
		Fact{Kind: BoltSays, Bolt: BoltDrawn, Dt: 1000}, Fact{Kind: DoorSays, Door: DoorOpen, Dt: 2000},
		Fact{Kind: BoltSays, Bolt: BoltDrawn, Dt: 5000},
		Fact{Kind: DoorSays, Door: DoorClosed, Dt: 5000}, Fact{Kind: BoltSays, Bolt: BoltThrown, Dt: 1500})...)
	if s.Phase() != Secured || !s.Secured() {
		t.Fatalf("phase %v, want secured", s.Phase())
	}
	all = append(all, run(&s, Fact{Kind: Out, Dt: 3000})...)
	if !s.Released() || s.Phase() != Tail {
		t.Fatalf("phase %v released %v, want tail and released", s.Phase(), s.Released())
	}
	for range 6 {
		all = append(all, run(&s, Fact{Kind: BoltSays, Bolt: BoltThrown, Dt: 5000})...)
	}
	if s.Phase() != Idle || all[len(all)-1] != (Command{Do: DoEnd, Reason: Delivered, Outcome: Done}) {
		t.Fatalf("phase %v, last %v, want idle and done", s.Phase(), all[len(all)-1])
	}
	for d, want := range map[Do]int{DoUnlock: 1, DoLock: 1, DoSpend: 1, DoRelease: 1, DoRecord: 1, DoKeep: 1, DoAlarm: 0, DoIncident: 0, DoNotice: 1} {
		if got := count(all, d); got != want {
			t.Errorf("%v commanded %d times, want %d: %v", d, got, want, all)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	s := New(DefaultLimits())
	run(&s, Fact{Kind: WatchSays, Watch: WatchLive}, Fact{Kind: HoldSays, OK: true}, Fact{Kind: DoorSays, Door: DoorClosed},
		Fact{Kind: Arrive, OK: true})
	facts := [4]Fact{{Kind: Tick, Dt: 20}, {Kind: BoltSays, Bolt: BoltThrown, Dt: 1}, {Kind: WatchSays, Watch: WatchLive}, {Kind: ServiceSays, OK: true, Dt: 5}}
	b.ReportAllocs()
	n := 0
	for i := 0; b.Loop(); i++ {
		f := facts[i&3]
		next, out := Step(s, f)
		s = next
		s.waited = 0
		n += len(out)
	}
	if s.Phase() == Idle {
		b.Fatal("the visit ended: nothing was measured")
	}
}
