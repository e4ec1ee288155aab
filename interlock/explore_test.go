package interlock

import (
	"testing"
	"time"
)

func TestExplore(t *testing.T) {
	applied := make([]int, len(rules))
	for _, sc := range scenes() {
		start := time.Now()
		r := explore(sc, 2_000_000, true)
		t.Logf("%-50s %9d states %10d transitions %6.1f s, at most %d commands", sc.name, r.states, r.moves, time.Since(start).Seconds(), r.most)
		for i, n := range r.applied {
			applied[i] += n
		}
		if r.broken != "" {
			t.Errorf("%s: %s\n%s", sc.name, r.broken, r.story)
		}
	}
	for i, r := range rules {
		t.Logf("%-6s %9d  %s", r.id, applied[i], r.what)
		if applied[i] == 0 {
			t.Errorf("%s %q was never put to the test", r.id, r.what)
		}
	}
}
