package liveness

import "time"

const (
	// clockSpan is how long the smallest delay is taken over: in ten seconds of a home's Wi-Fi some picture meets no queue.
	clockSpan = 10 * time.Second
	// clockSlack is what that smallest delay may still vary by.
	clockSlack = 50 * time.Millisecond
	// clockFast is how much faster than the hub's a camera's clock may run: ten times what a bad crystal does.
	clockFast = 500e-6
	// clockAnchor is when the comparison begins anew, so that its slack is not spent by years.
	clockAnchor = 10 * time.Minute
)

// clock finds media time that runs ahead of arrival. Base follows the smallest delay down at once, so that such a stream
// would look young however late it is. (Media time that falls behind looks late, and is judged by its age.)
type clock struct {
	n        uint8 // spans closed since the anchor: 0, or more
	anchor   time.Duration
	anchored time.Duration
	least    time.Duration // of this span
	began    time.Duration
	running  bool
}

// picture takes a picture and says whether the media clock can still be true.
func (c *clock) picture(media, at time.Duration) bool {
	d := at - media
	if !c.running {
		c.running, c.began, c.least = true, at, d
		return true
	}
	c.least = min(c.least, d)
	ok := true
	if c.n > 0 {
		allowed := clockSlack + time.Duration(clockFast*float64(at-c.anchored))
		ok = d >= c.anchor-allowed
	}
	if at-c.began >= clockSpan {
		if c.n == 0 || !ok || at-c.anchored >= clockAnchor {
			c.n, c.anchor, c.anchored = 1, c.least, at
		}
		c.began, c.least = at, d
	}
	return ok
}
