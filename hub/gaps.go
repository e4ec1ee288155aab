package hub

import (
	"cmp"
	"math"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// span is a stretch of monotonic time.
type span struct{ from, to time.Duration }

func (s span) overlap(o span) time.Duration {
	return max(0, min(s.to, o.to)-max(s.from, o.from))
}

// gap is a stretch that nobody watched.
type gap struct {
	open     bool
	from     time.Duration // the newest picture's own time before it; below zero: before this boot
	fromWall time.Time
	why      interlock.Reason
}

// maxSpans bounds how often one visit can become unsecured; the last span then grows over the secured time between, which
// makes an incident's total larger, never smaller.
const maxSpans = 32

// exposure is when a visit's door was unlocked by an order and not yet proven secured.
type exposure struct {
	spans []span
	open  bool
}

func (x *exposure) begin(now time.Duration) {
	if x.open {
		return
	}
	x.open = true
	if n := len(x.spans); n == maxSpans {
		x.spans[n-1].to = now
		return
	}
	x.spans = append(x.spans, span{now, now})
}

func (x *exposure) grow(now time.Duration) {
	if x.open {
		x.spans[len(x.spans)-1].to = now
	}
}

func (x *exposure) end(now time.Duration) {
	x.grow(now)
	x.open = false
}

// within is how much of s was exposed.
func (x *exposure) within(s span) time.Duration {
	var sum time.Duration
	for _, e := range x.spans {
		sum += s.overlap(e)
	}
	return sum
}

// tenths gives seconds to the tenth. What is not nothing is never shown as nothing.
func tenths(d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return max(0.1, math.Round(d.Seconds()*10)/10)
}

// maxGaps bounds how many gaps of one visit are listed; the total counts all of them.
const maxGaps = 64

// follow keeps the account of gaps as the door's watch changes from was to now. It is called after the cameras' verdicts are
// updated.
func (c *Core) follow(d *door, was, now interlock.Watch) {
	if was == interlock.WatchLive && now != interlock.WatchLive {
		if d.visit == nil {
			d.absolve()
		}
		d.left = c.at.Mono
		if own, ok := vouched(d.sights); ok {
			d.left = min(own, c.at.Mono)
		}
		d.lag = cmp.Or(lapseReason(now), interlock.LapseLagging)
	}
	if now == interlock.WatchLagging {
		d.lag = interlock.LapseLagging
	}
	switch {
	case now.Lapse() && !d.gap.open:
		from := d.left
		if was != interlock.WatchLive { // lagging since left, or never live: what the cameras themselves tell
			if own, ok := vouched(d.sights); ok && (d.left == 0 || own > d.left) {
				from = min(own, c.at.Mono)
			}
		}
		d.gap = gap{open: true, from: from, fromWall: c.clock.at(c.at, from), why: lapseReason(now)}
	case now == interlock.WatchLive && d.gap.open:
		c.closeGap(d, seenAgain(d.sights, d.gap.from, c.at.Mono), false)
		d.gap = gap{}
	case now == interlock.WatchLive && was != interlock.WatchLive && d.left > 0:
		c.healed(d)
	}
}

// reaches says whether the gap that is open began before its visit's door was secured: whoever goes blind just before that is noticed
// only after it (S7).
func (c *Core) reaches(d *door) bool {
	v := d.visit
	if v == nil || !d.gap.open {
		return false
	}
	v.exposure.grow(c.at.Mono)
	return v.exposure.within(span{d.gap.from, c.at.Mono}) > 0
}

// healed marks a lag, the camera's or the hub's own, that left a hole in the scene; a lag whose pictures all came leaves no
// mark.
func (c *Core) healed(d *door) {
	hole := span{}
	for _, s := range d.sights {
		v := s.verdict
		if v.State == liveState && v.GapTo > d.left && v.GapFrom < v.GapTo {
			hole = span{v.GapFrom, v.GapTo}
			continue
		}
		if v.State == liveState { // this camera came back whole
			return
		}
	}
	if hole.to > hole.from {
		c.noteGap(d, gap{from: hole.from, fromWall: c.clock.at(c.at, hole.from), why: d.lag}, hole.to, false)
	}
}

// unhealed marks a lag that has not ended when its visit does, if it was going on while the door was not secured: whether its
// pictures come whole, nobody will know (S7, S13).
func (c *Core) unhealed(d *door) {
	v := d.visit
	if d.gap.open || d.watch == interlock.WatchLive || d.left == 0 {
		return
	}
	v.exposure.grow(c.at.Mono)
	if v.exposure.within(span{d.left, c.at.Mono}) > 0 {
		d.gap = gap{open: true, from: d.left, fromWall: c.clock.at(c.at, d.left), why: lapseReason(d.watch)}
	}
}

// closeGap writes the door's gap down as it stands.
func (c *Core) closeGap(d *door, to time.Duration, open bool) { c.noteGap(d, d.gap, to, open) }

// noteGap writes a gap down and counts it into the visit.
func (c *Core) noteGap(d *door, g gap, to time.Duration, open bool) {
	length := max(0, to-g.from)
	b := bus.Gap{From: g.fromWall, To: g.fromWall.Add(length), Second: tenths(length), Why: g.why.String(), Open: open}
	if v := d.visit; v != nil {
		v.exposure.grow(c.at.Mono)
		v.unwatched += v.exposure.within(span{g.from, to})
		if len(v.gaps) < maxGaps {
			v.gaps = append(v.gaps, b)
		}
	}
	if !d.worth(c.at.Mono) {
		return
	}
	c.write(d, ledger.KindGap, wordGap, g.why, ledger.GapData{From: b.From, To: b.To, Seconds: b.Second, Why: b.Why, Open: b.Open})
}

// measure corrects the gap of a hub that was down inside a visit, once the service has told the time: the machine's own clock
// may have stood still meanwhile (S7).
func (c *Core) measure(d *door) {
	g, v := &d.gap, d.visit
	if !g.open || g.why != interlock.Restarted || v == nil {
		return
	}
	was := g.from
	g.from = min(c.since, c.at.Mono-min(max(0, c.clock.now(c.at).Sub(g.fromWall)), maxAway))
	if s := v.exposure.spans; len(s) > 0 && s[0].from == was {
		s[0].from = g.from
	}
}

// unwatched is what an incident shows: what is counted, and what is still going on.
func (c *Core) unwatched(d *door) (gaps []bus.Gap, total float64) {
	v := d.visit
	gaps = append(gaps, v.gaps...)
	sum := v.unwatched
	if d.gap.open {
		v.exposure.grow(c.at.Mono)
		sum += v.exposure.within(span{d.gap.from, c.at.Mono})
		length := max(0, c.at.Mono-d.gap.from)
		gaps = append(gaps, bus.Gap{From: d.gap.fromWall, To: d.gap.fromWall.Add(length), Second: tenths(length), Why: d.gap.why.String(), Open: true})
	}
	return gaps, tenths(sum)
}

// lapseReason is the reason that names a lapse.
func lapseReason(w interlock.Watch) interlock.Reason {
	switch w {
	case interlock.WatchLost:
		return interlock.LapseLost
	case interlock.WatchLate:
		return interlock.LapseLate
	case interlock.WatchFrozen:
		return interlock.LapseFrozen
	case interlock.WatchReplayed:
		return interlock.LapseReplayed
	case interlock.WatchCovered:
		return interlock.LapseCovered
	case interlock.WatchUnrecorded:
		return interlock.LapseUnrecorded
	case interlock.WatchUntrusted:
		return interlock.LapseUntrusted
	case interlock.WatchLagging:
		return interlock.LapseLagging
	case interlock.WatchHubLate:
		return interlock.HubLate
	default:
		return interlock.NoReason
	}
}
