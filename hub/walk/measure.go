package walk

import (
	"slices"
	"strings"
	"time"

	"eyebolt/lock"
)

// What is measured.
const (
	ofThrown = iota
	ofDrawn
	ofOpen
	ofClosed
	ofJammed
	ofSmoke
	ofDark
	ofLost
	delaysOf
)

// measured are the words of what is measured, and what each delay counts from: the order that the hub gave; the person's press, which
// counts his own hand; or the newest picture's own time.
var measured = [delaysOf]struct{ of, from string }{
	ofThrown: {"thrown", "order"}, ofDrawn: {"drawn", "order"}, ofJammed: {"jammed", "order"},
	ofOpen: {"open", "press"}, ofClosed: {"closed", "press"}, ofSmoke: {"smoke", "press"},
	ofDark: {"camera-lagging", "picture"}, ofLost: {"camera-lost", "picture"},
}

// maxSamples bounds what is kept of one kind: a walk has three or four, and steps may be tried again.
const maxSamples = 256

// samples are the delays of one kind.
type samples struct {
	ms    []int64
	asked int
}

func (s *samples) add(d time.Duration, asked bool) {
	if len(s.ms) == maxSamples {
		return
	}
	s.ms = append(s.ms, max(0, d).Milliseconds())
	if asked {
		s.asked++
	}
}

// Delay is how long one kind of report took.
type Delay struct {
	Of       string `json:"of"`   // thrown, drawn, jammed, open, closed, smoke, camera-lagging, camera-lost
	From     string `json:"from"` // order, press (the person's own hand is in it), picture
	N        int    `json:"n"`
	MinMs    int64  `json:"min_ms"`
	MedianMs int64  `json:"median_ms"` // the lower of the two in the middle
	MaxMs    int64  `json:"max_ms"`
	Asked    int    `json:"asked,omitempty"` // how many came only because the hub had asked
}

func (s samples) delay(of int) (Delay, bool) {
	if len(s.ms) == 0 {
		return Delay{}, false
	}
	all := slices.Sorted(slices.Values(s.ms))
	n := len(all)
	return Delay{Of: measured[of].of, From: measured[of].from, N: n, MinMs: all[0], MedianMs: all[(n-1)/2], MaxMs: all[n-1], Asked: s.asked}, true
}

// calm is how long after a door's change its next word counts as spoken by itself: some contacts repeat a change at once.
const calm = 2 * time.Second

// speaking finds how often the contact speaks by itself: between two words that it gave unasked, with no change and no silence of the
// driver between them.
type speaking struct {
	changed time.Duration
	last    time.Duration
	some    bool
	n       int
	longest time.Duration
}

func (s *speaking) heard(was lock.Door, r lock.Report, at time.Duration) {
	switch {
	case r.Door != was || r.Door == lock.DoorUnknown:
		s.changed, s.some = at, false
	case r.Solicited || at-s.changed < calm:
	default:
		if s.some {
			s.n++
			s.longest = max(s.longest, at-s.last)
		}
		s.last, s.some = at, true
	}
}

// Bounds of how long a door's report may stay good (interlock.Limits.DoorStale): a contact that speaks every few seconds may miss one
// in a burst of noise; one that is believed for longer than a day is not supervised.
const (
	leastStale = time.Minute
	mostStale  = 24 * time.Hour
	missed     = 2 // words that may be missed in a row before a contact's silence makes the door unknown
)

// stale is how long a door's report stays good, by what was heard; 0: it was not heard to speak by itself.
func (s *speaking) stale() time.Duration {
	if s.n < missed {
		return 0
	}
	return min(max(s.longest*(missed+1), leastStale), mostStale)
}

// because makes a device's word fit for the middle of a sentence.
func because(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// plain makes outside text fit for a page and a file: printable, at most 200 bytes, without a full stop at its end.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return strings.TrimSuffix(strings.TrimSpace(s), ".")
}
