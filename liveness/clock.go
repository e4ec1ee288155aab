package liveness

import (
	"fmt"
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
	// that vary by chance rise seven times in a row once in 5,000 minutes, and then rarely by clockFast each time.
	clockSpans = 7
	// clockAnchor is when the comparison begins anew, so that its slack is not spent by years.
	clockAnchor = 10 * time.Minute
)

// clock compares media time with arrival, the slope of one over the other.
//
// Media time that runs ahead by more than clockFast is untrusted at once: base follows the smallest delay down, so that such a
// stream would look young however late it is.
//
// Media time that falls behind by more than clockFast for a minute is either a camera whose clock is wrong or a stream that
// somebody stretches (T6); the two cannot be told apart by their times. Its age grows by itself until it is late; before that,
// a watch whose times are known to be wrong is not live. That is stricter than an arrival timeout, which is kept in any case:
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
	slow  float64 // by how much media time falls behind; 0: it does not
}

// picture takes a picture and says how fast media time runs against arrival, as a fraction, if it cannot be true; 0: it can.
// Below 0 it runs ahead. ended tells that a span has ended with it, so that there is news.
func (c *clock) picture(media, at time.Duration) (off float64, ended bool) {
	d := at - media
	if !c.running {
		c.running, c.began, c.least = true, at, d
		return 0, false
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
		off = c.slow
	}
	return off, ended
}

// trend closes a span and finds whether delays have been growing for clockSpans of them.
func (c *clock) trend(at time.Duration) {
	if c.full == clockSpans {
		copy(c.spans[:], c.spans[1:])
		c.full--
	}
	c.spans[c.full].least, c.spans[c.full].at = c.least, at
	c.full++
	c.slow = 0
	if c.full < clockSpans {
		return
	}
	for i := 1; i < clockSpans; i++ {
		a, b := c.spans[i-1], c.spans[i]
		if float64(b.least-a.least) <= clockFast*float64(b.at-a.at) {
			return
		}
	}
	a, b := c.spans[0], c.spans[clockSpans-1]
	c.slow = float64(b.least-a.least) / float64(b.at-a.at)
}

// jumpedOff marks a fact of the clock as a jump, not a slope.
const jumpedOff = 1

// judgeClock holds the media clock against arrival.
func (j *Judge) judgeClock(media, at time.Duration) {
	off, ended := j.clock.picture(media, at)
	f := fact{state: Live, at: at, score: off * 1e6, limit: clockFast * 1e6}
	switch {
	case off < 0:
		f.state = Untrusted
		j.remark(byClock, f)
		j.fall(Untrusted, j.now, trustHold)
	case off > 0 && ended:
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
	case f.state == Lagging:
		return fmt.Sprintf("its pictures' times fall behind their arrival by %.2f %%: the stream is being stretched, or the camera's clock is wrong: set its frame rate anew, or use its other stream", f.score/1e4)
	default:
		return "its clock keeps time with the hub's"
	}
}
