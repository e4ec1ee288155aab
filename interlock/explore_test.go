package interlock

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestExplore visits every reachable state of every scene, holds each step to each rule, and prints how often each rule
// was put to the test.
func TestExplore(t *testing.T) {
	start := time.Now()
	limit := 3_000_000
	if testing.Short() || raceEnabled {
		limit = 4_000
		t.Logf("with -short or -race: the first %d states of each scene", limit)
	}
	all := scenes()
	results := make([]found, len(all))
	seconds := make([]float64, len(all))
	var next atomic.Int32
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(all); i = int(next.Add(1)) - 1 {
				began := time.Now()
				results[i] = explore(all[i], limit, true)
				seconds[i] = time.Since(began).Seconds()
			}
		})
	}
	wg.Wait()
	applied := make([]int, len(rules))
	var reached [phases]bool
	states, moves, most := 0, 0, 0
	for i, r := range results {
		t.Logf("%-50s %9d states %10d transitions %6.1f s", all[i].name, r.states, r.moves, seconds[i])
		for k, n := range r.applied {
			applied[k] += n
		}
		for p, is := range r.phases {
			reached[p] = reached[p] || is
		}
		states, moves, most = states+r.states, moves+r.moves, max(most, r.most)
		if r.broken != "" {
			t.Errorf("%s: %s\n%s", all[i].name, r.broken, r.story)
		}
		if r.states > limit && limit > 1_000_000 {
			t.Errorf("%s: more than %d states: not every one was visited", all[i].name, limit)
		}
	}
	for p, is := range reached {
		if !is {
			t.Errorf("phase %v was never reached", Phase(p))
		}
	}
	t.Logf("states %d, transitions %d, seconds %.1f, at most %d commands in a step (bound %d)", states, moves, time.Since(start).Seconds(), most, maxCommands)
	for i, r := range rules {
		t.Logf("%-6s %9d  %s", r.id, applied[i], r.what)
		if applied[i] == 0 && limit > 1_000_000 {
			t.Errorf("%s %q was never put to the test", r.id, r.what)
		}
	}
}

// TestExploreFar goes random ways through every scene: further than the exploration goes under -race or -short.
func TestExploreFar(t *testing.T) {
	for i, sc := range scenes() {
		if broken := walk(sc, 200, 120, uint64(i)); broken != "" {
			t.Errorf("%s: %s", sc.name, broken)
		}
	}
}
