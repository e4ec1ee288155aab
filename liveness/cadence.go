package liveness

import "time"

// steps is how many steps of media time the period is learned from. Odd, so that there is a median; 15 is one second of
// pictures, so that a camera that halves its rate at dusk is learned in half a second.
const steps = 15

// cadence learns a camera's picture period as the median of its newest steps, and finds holes.
type cadence struct {
	ring   [steps]time.Duration // in order of arrival
	sorted [steps]time.Duration // the same ones
	n, at  int
}

// picture takes the step of media time to the newest picture and says whether it leaves a hole: past Config.Hole (or 2.5
// periods, and never past A1, so that a rate that is slowed bit by bit does not stretch it), or past 1.5 periods if packets
// are missing, which is at least one picture.
func (c *cadence) picture(step time.Duration, missing bool, cfg *Config) bool {
	hole := cfg.Hole
	if c.n >= enough {
		period := c.sorted[c.n/2]
		if hole == 0 {
			hole = min(period*5/2, cfg.A1)
		}
		if missing {
			hole = min(hole, period*3/2)
		}
	} else if hole == 0 {
		hole = cfg.A1
	}
	c.learn(min(step, cfg.A1))
	return step > hole
}

// learn replaces the oldest step, in both orders.
func (c *cadence) learn(step time.Duration) {
	i := c.n
	if c.n == steps {
		for i = 0; c.sorted[i] != c.ring[c.at]; i++ {
		}
	} else {
		c.n++
	}
	c.ring[c.at] = step
	c.at = (c.at + 1) % steps
	for ; i > 0 && c.sorted[i-1] > step; i-- {
		c.sorted[i] = c.sorted[i-1]
	}
	for ; i < c.n-1 && c.sorted[i+1] < step; i++ {
		c.sorted[i] = c.sorted[i+1]
	}
	c.sorted[i] = step
}
