package liveness

import (
	"fmt"
	"math"
	"time"
)

const (
	// clockSpan is how long the smallest delay is taken over: in ten seconds of a home's Wi-Fi some picture meets no queue.
	clockSpan = 10 * time.Second
	// clockSlack is what that smallest delay may still vary by.
	clockSlack = 50 * time.Millisecond
	// clockFast is how much faster than the hub's a camera's clock may run: ten times what a bad crystal does.
	clockFast = 500e-6
	// clockSpans is how many spans in a row must each be later than the one before before that is a trend: a minute. Delays
	// that vary by chance rise seven times in a row once in 5,000 spans, and then hardly ever by as much each time.
	clockSpans = 7
	// clockEven is how uneven the steps of a trend may be: a clock is off by the same in each, a link's load wanders.
	clockEven = 3
	// clockAnchor is when the comparison begins anew, so that its slack is not spent by years.
	clockAnchor = 10 * time.Minute
)

// clock compares media time with arrival, the slope of one over the other.
//
// Media time that has run ahead by more than clockFast allows is untrusted at once: base follows the smallest delay down, so that such a
// stream would look young however late it is.
//
// A slope of more than clockFast for a minute, either way, is a camera whose clock is wrong, or a stream that somebody stretches
// (T6); the two cannot be told apart by their times. One that falls behind grows old by itself until it is late, one that
// runs ahead is untrusted soon; before that, a watch whose times are known to be wrong is not live. That is stricter than an arrival timeout, which is kept in any case:
// base is never above the newest picture's own delay, so the age is never less than the time since its arrival, whatever the
// camera's clock does.
type clock struct {
	n        uint8 // spans closed since the anchor: 0, or more
	anchor   time.Duration
	anchored time.Duration
	least    time.Duration // of this span
	began    time.Duration
	running  bool

	spans [clockSpans]struct{ least, at time.Duration } // the newest, oldest first
	full  int
	slope float64 // by how much media time falls behind, or below 0 runs ahead, for clockSpans; 0: neither
}

// picture takes a picture and says by how much media time falls behind arrival, as a fraction; below 0 it runs ahead; 0: it keeps
// time. ahead says that it has run ahead by more than any clock can, and ended that a span has ended, so that there is news.
func (c *clock) picture(media, at time.Duration) (off float64, ahead, ended bool) {
	d := at - media
	if !c.running {
		c.running, c.began, c.least = true, at, d
		return 0, false, false
	}
	c.least = min(c.least, d)
	ok := true
	if c.n > 0 {
		allowed := clockSlack + time.Duration(clockFast*float64(at-c.anchored))
		ok = d >= c.anchor-allowed
		if !ok {
			off = float64(d-c.anchor) / float64(max(at-c.anchored, 1))
		}
	}
	ended = at-c.began >= clockSpan
	if ended {
		c.trend(at)
		if c.n == 0 || !ok || at-c.anchored >= clockAnchor {
			c.n, c.anchor, c.anchored = 1, c.least, at
		}
		c.began, c.least = at, d
	}
	if ok {
		return c.slope, false, ended
	}
	return off, true, ended
}

// trend closes a span and finds whether delays have been growing, or shrinking, for clockSpans of them.
func (c *clock) trend(at time.Duration) {
	if c.full == clockSpans {
		copy(c.spans[:], c.spans[1:])
		c.full--
	}
	c.spans[c.full].least, c.spans[c.full].at = c.least, at
	c.full++
	c.slope = 0
	if c.full < clockSpans {
		return
	}
	up, down := true, true
	least, most := math.Inf(1), 0.0
	for i := 1; i < clockSpans; i++ {
		a, b := c.spans[i-1], c.spans[i]
		by := float64(b.least-a.least) / float64(b.at-a.at)
		up, down = up && by > clockFast, down && by < -clockFast
		least, most = min(least, math.Abs(by)), max(most, math.Abs(by))
	}
	if (up || down) && most < clockEven*least {
		a, b := c.spans[0], c.spans[clockSpans-1]
		c.slope = float64(b.least-a.least) / float64(b.at-a.at)
	}
}

// jumpedOff marks a fact of the clock as a jump, not a slope.
const jumpedOff = 1

// judgeClock holds the media clock against arrival.
func (j *Judge) judgeClock(media, at time.Duration) {
	off, ahead, ended := j.clock.picture(media, at)
	f := fact{state: Live, at: at, score: off * 1e6, limit: clockFast * 1e6}
	switch {
	case ahead:
		f.state = Untrusted
		j.remark(byClock, f)
		j.fall(Untrusted, j.now, trustHold)
	case off != 0 && ended:
		f.state = Lagging
		j.find(byClock, f)
	case ended:
		j.find(byClock, f)
	}
}

func sayClock(f fact) string {
	switch {
	case f.n == jumpedOff:
		return fmt.Sprintf("its pictures' times jumped by %s", seconds(f.score))
	case f.state == Untrusted:
		return fmt.Sprintf("its pictures' times run %.2f %% ahead of their arrival; no clock is off by more than %.2f %%", -f.score/1e4, f.limit/1e4)
	case f.state == Lagging && f.score < 0:
		return fmt.Sprintf("its pictures' times run ahead of their arrival by %.2f %%: the camera's clock is wrong: set its frame rate anew, or use its other stream", -f.score/1e4)
	case f.state == Lagging:
		return fmt.Sprintf("its pictures' times fall behind their arrival by %.2f %%: the stream is being stretched, or the camera's clock is wrong: set its frame rate anew, or use its other stream", f.score/1e4)
	default:
		return "its clock keeps time with the hub's"
	}
}
