package liveness

import (
	"fmt"
	"math"
	"time"
)

// Gaps are the spans that a link certificate counts, longest last: a picture that comes later after the one before it than each
// of these. They are the steps at which the trade-off between a fast alarm and a false one was measured.
var Gaps = [...]time.Duration{200 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond, 1000 * time.Millisecond}

const (
	linkBin  = 10 * time.Minute // how finely a day is kept: the quick test is one bin
	linkBins = 145              // 24 hours and the running bin
	linkDay  = 24 * time.Hour
	// linkOutage is how long a pause may be and still be watched time: past it the camera was off or unplugged, which is one gap
	// and no statement about the link.
	linkOutage = 10 * time.Second
	// linkFirst is the least that is judged: the quick test.
	linkFirst = 10 * time.Minute
	// linkFull is from where on a rate is taken as it is. Below it, chance is allowed for.
	linkFull = 23 * time.Hour
	// linkChance is how improbable a count must be on a link at the limit, before less than a day of it counts against the camera.
	linkChance = 0.05
)

// linkLimits are the rates that a link is held to.
type linkLimits struct {
	over       time.Duration // the gap that counts: one of Gaps
	good, warn float64       // an hour: up to good is grade A, up to warn is B, and up to refuse C …
	refuse     float64       // … and above it D: nobody is let in unattended (S18)
	advice     string        // what to do, when refused
}

// Limits of the two kinds of link. Wi-Fi: S18 allows a lost picture every 14 hours, and gaps over half a second are what it is
// made of. Wired: S18 allows one false lagging in 100 hours at 250 ms, so that gaps of 300 ms must be rare.
var (
	wifiLimits  = linkLimits{over: 500 * time.Millisecond, good: 1, warn: 2, refuse: 5, advice: "wire this camera, or move it nearer to the access point, or add a second one at this door"}
	wiredLimits = linkLimits{over: 300 * time.Millisecond, good: 0.1, warn: 0.5, refuse: 2, advice: "check its cable, its power and the switch, or set link: wifi if it is not wired"}
)

// Link measures how steadily one camera's pictures come, and certifies it (S18). It keeps a day in 145 bins and no more. One
// goroutine owns it; nothing in it blocks or allocates, save State and Certificate.
type Link struct {
	lim     linkLimits
	bins    [linkBins]linkCount // a ring by (time / linkBin)
	newest  time.Duration       // the newest picture's arrival
	running bool                // newest is set, and the next picture's gap counts
}

// linkCount is what one bin saw.
type linkCount struct {
	bin     int64 // which one, since the hub's boot (negative: before it)
	used    bool
	watched time.Duration
	gaps    [len(Gaps)]uint32
}

// NewLink gives a Link that has seen nothing.
func NewLink(wired bool) *Link {
	if wired {
		return &Link{lim: wiredLimits}
	}
	return &Link{lim: wifiLimits}
}

// Picture takes the arrival of a complete, strictly newer picture, on the hub's clock.
func (l *Link) Picture(at time.Duration) {
	if !l.running {
		l.running, l.newest = true, at
		return
	}
	gap := at - l.newest
	if gap < 0 {
		return
	}
	l.newest = at
	l.count(at, gap)
}

// Skip leaves the gap that is going on out: the hub itself was late, or was not looking.
func (l *Link) Skip() { l.running = false }

func (l *Link) count(at, gap time.Duration) {
	b := l.bin(at)
	b.watched += min(gap, linkOutage)
	for i, over := range Gaps {
		if gap > over {
			b.gaps[i]++
		}
	}
}

// bin is the running one; one of a day ago makes room.
func (l *Link) bin(at time.Duration) *linkCount {
	n := floorDiv(at, linkBin)
	b := &l.bins[((n%linkBins)+linkBins)%linkBins]
	if !b.used || b.bin != n {
		*b = linkCount{bin: n, used: true}
	}
	return b
}

func floorDiv(a, b time.Duration) int64 {
	n := int64(a / b)
	if a%b < 0 {
		n--
	}
	return n
}

// Grade is how good a link is.
type Grade string

const (
	NoGrade Grade = ""  // not enough was seen yet
	GradeA  Grade = "A" // honest days are quiet
	GradeB  Grade = "B" // within the limit that the rules promise
	GradeC  Grade = "C" // a warning: false alarms will come
	GradeD  Grade = "D" // above the limit: nobody is let in unattended
)

// Certificate is what was measured and what follows.
type Certificate struct {
	Grade   Grade             `json:"grade"`
	Watched time.Duration     `json:"watched"`  // of the last 24 hours
	Gaps    [len(Gaps)]uint32 `json:"gaps"`     // over Gaps, of the last 24 hours
	PerHour float64           `json:"per_hour"` // gaps over Over
	Over    time.Duration     `json:"over"`     // the gap that counts for this kind of link
	Refused bool              `json:"refused"`
	Say     string            `json:"say"`
}

// Certificate grades the last 24 hours before now. With less than ten minutes watched there is no grade. With less than a day, a
// count stands against the camera only if a link that is just good enough would show so many in fewer than one of twenty cases.
func (l *Link) Certificate(now time.Duration) Certificate {
	c := Certificate{Over: l.lim.over}
	from, to := floorDiv(now-linkDay, linkBin), floorDiv(now, linkBin)
	for i := range l.bins {
		b := &l.bins[i]
		if !b.used || b.bin <= from || b.bin > to {
			continue
		}
		c.Watched += b.watched
		for k, n := range b.gaps {
			c.Gaps[k] += n
		}
	}
	// A pause that goes on is seen, too: a dead camera is no steady one.
	if gap := now - l.newest; l.running && gap > 0 {
		c.Watched += min(gap, linkOutage)
		for k, over := range Gaps {
			if gap > over {
				c.Gaps[k]++
			}
		}
	}
	l.grade(&c)
	return c
}

func (l *Link) grade(c *Certificate) {
	n := uint32(0)
	for k, over := range Gaps {
		if over == l.lim.over {
			n = c.Gaps[k]
		}
	}
	hours := c.Watched.Hours()
	if hours > 0 {
		c.PerHour = float64(n) / hours
	}
	if c.Watched < linkFirst {
		c.Say = fmt.Sprintf("The link is not graded yet: %s of pictures seen, %d minutes are needed.", minutes(c.Watched), int(linkFirst/time.Minute))
		return
	}
	above := func(limit float64) bool {
		if c.Watched >= linkFull {
			return c.PerHour > limit
		}
		return float64(n) > limit*hours && poissonTail(n, limit*hours) < linkChance
	}
	seen := fmt.Sprintf("%d gaps over %d ms in %s", n, l.lim.over.Milliseconds(), minutes(c.Watched))
	if n == 1 {
		seen = fmt.Sprintf("1 gap over %d ms in %s", l.lim.over.Milliseconds(), minutes(c.Watched))
	}
	switch {
	case above(l.lim.refuse):
		c.Grade, c.Refused = GradeD, true
		c.Say = fmt.Sprintf("%s, %.1f an hour: too unsteady for unattended entry (limit %g an hour). To do: %s.", seen, c.PerHour, l.lim.refuse, l.lim.advice)
	case above(l.lim.warn):
		c.Grade = GradeC
		c.Say = fmt.Sprintf("%s, %.1f an hour: visits will see false alarms. Better: %s.", seen, c.PerHour, l.lim.advice)
	case above(l.lim.good):
		c.Grade, c.Say = GradeB, seen+": steady enough, with a warning now and then."
	default:
		c.Grade, c.Say = GradeA, seen+": steady."
	}
	if c.Watched < linkFull {
		c.Say += " A full day says it more surely."
	}
}

// minutes says a span as a person does.
func minutes(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
}

// poissonTail is the chance of n or more events where mean are expected. A mean of a day's limit is 120; sums of up to a few
// thousand terms are exact enough in float64.
func poissonTail(n uint32, mean float64) float64 {
	if n == 0 {
		return 1
	}
	if float64(n) > mean+12*math.Sqrt(mean)+60 {
		return 0
	}
	term, sum := math.Exp(-mean), 0.0
	for k := uint32(0); k < n; k++ {
		sum += term
		term *= mean / float64(k+1)
	}
	return max(0, 1-sum)
}

// LinkState is a Link's day, as it is kept over a restart. Spans are whole milliseconds before Saved.
type LinkState struct {
	Saved time.Time     `json:"saved"`
	Bins  []LinkBinKept `json:"bins"`
}

// LinkBinKept is one bin of a LinkState.
type LinkBinKept struct {
	AgoMs     int64             `json:"ago_ms"`
	WatchedMs int64             `json:"watched_ms"`
	Gaps      [len(Gaps)]uint32 `json:"gaps"`
}

// State gives what to keep; wall is the wall clock at now.
func (l *Link) State(now time.Duration, wall time.Time) LinkState {
	s := LinkState{Saved: wall.UTC()}
	for i := range l.bins {
		if b := l.bins[i]; b.used && b.watched > 0 {
			s.Bins = append(s.Bins, LinkBinKept{AgoMs: (now - time.Duration(b.bin)*linkBin).Milliseconds(), WatchedMs: b.watched.Milliseconds(), Gaps: b.gaps})
		}
	}
	return s
}

// Restore takes a kept State up, before the first Picture: what of it is older than a day is left out, and so is what no Link can
// have written. Of a wall clock that went back, nothing is older than it was.
func (l *Link) Restore(s LinkState, now time.Duration, wall time.Time) {
	down := max(0, wall.Sub(s.Saved))
	for _, k := range s.Bins {
		if k.AgoMs < -linkBin.Milliseconds() || k.AgoMs > 2*linkDay.Milliseconds() || k.WatchedMs < 0 || k.WatchedMs > 2*linkBin.Milliseconds() || down > linkDay {
			continue
		}
		at := now - down - time.Duration(k.AgoMs)*time.Millisecond
		if now-at > linkDay {
			continue
		}
		b := l.bin(at)
		b.watched += time.Duration(k.WatchedMs) * time.Millisecond
		for i, n := range k.Gaps {
			b.gaps[i] += min(n, math.MaxUint32-b.gaps[i])
		}
	}
}
