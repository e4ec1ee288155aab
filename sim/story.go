package sim

import (
	"fmt"
	"time"
)

// story is what happened, as a hash and, if wanted, as lines.
type story struct {
	on    bool
	lines []string
	hash  uint64
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func (s *story) mark(v uint64) {
	for range 8 {
		s.hash = (s.hash ^ v&0xff) * fnvPrime
		v >>= 8
	}
}

func (s *story) markText(x string) {
	for i := range len(x) {
		s.hash = (s.hash ^ uint64(x[i])) * fnvPrime
	}
}

// tell notes an event: what names it for the hash; the line is made only if a story is wanted.
func (t *Town) tell(h *home, who, what string, args ...any) {
	t.story.mark(uint64(t.now))
	t.story.markText(what)
	if !t.story.on {
		return
	}
	name := "town"
	if h != nil {
		name = h.side.hub
	}
	t.story.lines = append(t.story.lines, fmt.Sprintf("%s  %-7s %-9s %s", clockText(t.now), name, who, fmt.Sprintf(what, args...)))
}

// broke notes a violation.
func (t *Town) broke(h *home, rule, say string, args ...any) {
	v := Violation{Rule: rule, At: t.now, Say: fmt.Sprintf(say, args...)}
	if h != nil {
		v.Home = h.side.hub
	}
	t.tell(h, "JUDGE", "%s is broken: %s", rule, v.Say)
	if len(t.found) < maxViolations {
		t.found = append(t.found, v)
	}
}

// millis is a span for a story.
func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
