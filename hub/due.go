package hub

import (
	"time"

	"eyebolt/interlock"
	"eyebolt/liveness"
)

const (
	// tickSoon is how long after a Tick the next one is due where a bolt may be drawn, where the hub was late, and after anything
	// that had an effect.
	tickSoon = 20 * time.Millisecond
	// tickCalm is how long after a Tick the next one is due at the most. Due knows each instant at which time alone changes
	// something; that nothing is unsafe for longer than this does not depend on it.
	tickCalm = 200 * time.Millisecond
)

// Due is when the next Tick is due on the hub's monotonic clock. Every Take may change it, to earlier as well. Whatever is taken
// more than 100 ms later is taken by a hub that is late (S6).
func (c *Core) Due() time.Duration { return c.due }

// plan says when the next Tick is due after what was just taken.
func (c *Core) plan(tick, effects bool) {
	if !c.booted {
		return
	}
	now := c.at.Mono
	if tick {
		c.due = now + tickCalm
	}
	if effects {
		c.due = min(c.due, now+tickSoon)
	}
	for _, d := range c.doors {
		c.due = min(c.due, max(d.due(now), now+time.Millisecond))
	}
}

// due is when time alone changes something at this door, or now for a door at which the clock goes fast.
func (d *door) due(now time.Duration) time.Duration {
	at := now + tickCalm
	if d.late || d.exposed() {
		at = now + tickSoon
	}
	if d.state.Visit() || d.state.Alarm() != interlock.NoReason {
		at = min(at, d.mono+time.Duration(d.state.Next())*time.Millisecond)
	}
	for i := range d.sights {
		s := &d.sights[i]
		switch s.verdict.State {
		case liveness.Live:
			at = min(at, s.at+verdictLife+1)
		case liveness.Lagging, liveness.HubLate:
			if end := s.at + verdictLost + 1; end > now {
				at = min(at, end)
			}
			if end := s.between + betweenMost + 1; end > now {
				at = min(at, end)
			}
		}
	}
	return at
}

// exposed says whether the bolt may be drawn by an order, or a slide may order it.
func (d *door) exposed() bool {
	p := d.state.Phase()
	return p >= interlock.Ready && p != interlock.Secured && p != interlock.Tail
}
