package liveness

import "time"

const (
	// settleFall is how far base may fall, in all, before the delay counts as not yet known: a server that begins with
	// pictures out of its cache, or a link that drains a queue, is later than it seems until the fall is over.
	settleFall = 50 * time.Millisecond
	// settleQuiet is how long the delay must then stay: seven pictures at 15 a second.
	settleQuiet = 500 * time.Millisecond
	// settleLeak is how much of the fall is forgotten per second: a media clock that runs 1 % fast is found by clock.
	settleLeak = 0.01
)

// delay learns the base delay of one timeline: the smallest of arrival - media, allowed to rise by Config.Skew and no faster,
// since a camera's clock drifts but a network's delay is never negative. What a picture comes later than that is its age.
type delay struct {
	base   time.Duration
	fallen time.Duration // how far base fell of late
	quiet  time.Duration // settled from here on
}

func (d *delay) picture(media, at, before time.Duration, first bool, skew float64) {
	now := at - media
	if first {
		d.base, d.quiet = now, at+settleQuiet
		return
	}
	dt := at - before
	d.fallen = max(0, d.fallen-time.Duration(settleLeak*float64(dt)))
	if now < d.base {
		d.fallen = min(d.fallen+d.base-now, 2*settleFall)
		if d.fallen > settleFall {
			d.quiet = at + settleQuiet
		}
	}
	d.base = min(d.base+time.Duration(skew*float64(dt)), now)
}

func (d *delay) settled(at time.Duration) bool { return at >= d.quiet }
