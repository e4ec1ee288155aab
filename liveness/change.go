package liveness

import (
	"slices"
	"time"

	"eyebolt/camera"
)

const (
	// gopMost is of how many pictures between two keys the weights are kept: of a longer run the newest ones.
	gopMost = 128
	// gopLeast is how many there must be to tell.
	gopLeast = 4
)

// changes keeps what the pictures between key pictures weigh. A sensor's noise is new in each, so that each costs bytes, fewer
// the coarser they are coded; of a picture that stands still there is nothing to tell but what refines it. The lower quartile of a
// run is taken: what moves, a clock that is drawn over the picture, and what refines a key picture make some of them heavy, and
// noise makes all.
type changes struct {
	motion motion
	run    [gopMost]float64 // weights since the newest key
	n      int              // pictures since then
	keys   [coverMemory]keyChanges
	k      int // keys of this connection
	sorted [gopMost]float64
}

// keyChanges is what lay between a key picture and the one before.
type keyChanges struct {
	media   time.Duration
	changes float64
}

// picture takes the next picture.
func (c *changes) picture(p *camera.Picture, codec camera.Codec) {
	if !p.Key {
		w, read := c.motion.weigh(p, codec)
		if !read {
			w = 0
		}
		c.run[c.n%gopMost] = w
		c.n++
		return
	}
	if codec == camera.H264 {
		for _, n := range p.NALs {
			c.motion.params(n)
		}
	}
	c.keys[c.k%coverMemory] = keyChanges{p.Media, c.quartile()}
	c.k++
	c.n = 0
}

// quartile is the lower one of the run's weights; 0 of too few, or of some that cannot be read.
func (c *changes) quartile() float64 {
	n := min(c.n, gopMost)
	if n < gopLeast {
		return 0
	}
	s := c.sorted[:n]
	copy(s, c.run[:n])
	slices.Sort(s)
	if s[0] == 0 {
		return 0
	}
	return s[n/4]
}

// opened forgets the connection before.
func (c *changes) opened() { c.n, c.k = 0, 0 }

// KeyChanges is what the pictures between a key picture of this connection and the one before weigh, by the key's media time:
// the lower quartile of their bytes, as they would be at quantiser 26. It is for a Still that was decoded from it. It is 0 if that
// is not known, or no longer: H.265, a slice header that is not understood, fewer than four pictures.
func (j *Judge) KeyChanges(media time.Duration) float64 {
	c := &j.changes
	for i := range min(c.k, coverMemory) {
		if c.keys[i].media == media {
			return c.keys[i].changes
		}
	}
	return 0
}
