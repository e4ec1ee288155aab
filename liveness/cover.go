package liveness

import (
	"fmt"
	"math"
	"slices"
	"time"

	"eyebolt/camera"
)

// Light is by which light a camera sees.
type Light uint8

const (
	Day Light = iota
	Infrared
	lights
)

const (
	// coverLimit is the share of its usual complexity from which on a key picture is one of an uncovered lens.
	coverLimit = 0.55
	// coverKeys is how many key pictures in a row must be under it: a person who passes close by is gone by the second.
	coverKeys = 2
	// coverLearn is how many key pictures a level is learned from, as their median.
	coverLearn = 10
	// coverSlow is the weight of a key picture once that is done: two minutes at one every 2 s.
	coverSlow = 64
	// coverDrift bounds how far a level may follow, either way, from where it was learned: what is smeared on the lens
	// little by little must not become usual.
	coverDrift = 1.25
	// coverMemory is of how many key pictures the quantiser is known: a still is decoded while the next are under way.
	coverMemory = 8
	// qp0 is the quantiser that complexity is stated at.
	qp0 = 26
)

// cover finds a lens that is blocked, dark, dazzled or out of focus (T7) from what a key picture's slices weigh: bytes double
// for each six steps that the quantiser is finer, so bytes*2^((QP-26)/6) is a property of the picture and hardly of the rate
// control. It is compared with the camera's own usual, for each light apart. A camera that is turned to another scene as rich
// as its own is not found by this, but by its prints.
type cover struct {
	h264   h264
	h265   h265
	levels [lights]level
	light  Light         // by which it is judged
	accept bool          // the next key pictures are learned as light's, whatever they weigh
	told   bool          // light is the camera's own word; otherwise the lower of the levels is taken
	under  int           // key pictures in a row under the limit
	out    bool          // of the newest key picture's scene it was said that it is out of view
	at     time.Duration // arrival of the newest key picture
	keys   [coverMemory]keyQuantiser
	n      int // key pictures whose quantiser was read on this connection
}

// keyQuantiser is a key picture's.
type keyQuantiser struct {
	media time.Duration
	qp    float64
}

// level is what key pictures weigh by one light.
type level struct {
	learned float64 // bytes; 0: not yet
	now     float64 // learned, and since then followed
	n       int     // key pictures seen, up to coverLearn
	logs    [coverLearn]float64
}

func (l *level) learn(w float64) {
	l.logs[l.n] = math.Log(w)
	if l.n++; l.n == coverLearn {
		all := l.logs
		slices.Sort(all[:])
		l.learned = math.Exp((all[(coverLearn-1)/2] + all[coverLearn/2]) / 2)
		l.now = l.learned
	}
}

func (l *level) follow(w float64) {
	l.now *= math.Pow(w/l.now, 1.0/coverSlow)
	l.now = min(max(l.now, l.learned/coverDrift), l.learned*coverDrift)
}

// params takes a parameter set, if n is one.
func (c *cover) params(n []byte, codec camera.Codec) {
	if len(n) == 0 {
		return
	}
	switch codec {
	case camera.H264:
		switch n[0] & 0x1f {
		case 7:
			c.h264.takeSPS(n)
		case 8:
			c.h264.takePPS(n)
		}
	case camera.H265:
		switch n[0] >> 1 & 0x3f {
		case 33:
			c.h265.takeSPS(n)
		case 34:
			c.h265.takePPS(n)
		}
	}
}

// weigh gives a key picture's complexity in bytes at quantiser 26, and the mean quantiser of its slices. It is false if a slice
// cannot be read.
func (c *cover) weigh(nals [][]byte, codec camera.Codec) (bytes, mean float64, ok bool) {
	qp, sum, slices := 0, 0, 0
	for _, n := range nals {
		if len(n) == 0 || !isSlice(n, codec) {
			c.params(n, codec)
			continue
		}
		var read bool
		if codec == camera.H265 {
			qp, read = c.h265.keyQP(n, qp)
		} else {
			qp, read = c.h264.keyQP(n)
		}
		if !read {
			return 0, 0, false
		}
		sum, slices = sum+qp, slices+1
		bytes += float64(len(trim(n))) * math.Exp2(float64(qp-qp0)/6)
	}
	return bytes, float64(sum) / float64(max(1, slices)), bytes > 0
}

// usual is the level that a key picture is held against, or nil while none is learned.
func (c *cover) usual() *level {
	if c.told && c.levels[c.light].learned > 0 {
		return &c.levels[c.light]
	}
	var low *level
	for i := range c.levels {
		if l := &c.levels[i]; l.learned > 0 && (low == nil || l.now < low.now) {
			low = l
		}
	}
	return low
}

// What is said of a key picture that is not judged.
const (
	coverUnread = iota + 1
	coverLearning
	coverOnce
	coverJoined
)

// picture judges a key picture.
func (c *cover) picture(p *camera.Picture, codec camera.Codec, at time.Duration) fact {
	f := fact{at: at, limit: coverLimit}
	w, qp, ok := c.weigh(p.NALs, codec)
	before := c.out // that the scene was out of view in the key picture before
	c.out, c.at = false, at
	if !ok {
		f.n = coverUnread
		return f
	}
	c.keys[c.n%coverMemory] = keyQuantiser{p.Media, qp}
	c.n++
	u, l := c.usual(), &c.levels[c.light]
	if u == nil || c.accept {
		if c.under = 0; l.n < coverLearn {
			l.learn(w)
		}
		c.accept = c.accept && l.learned == 0
		f.n, f.of, f.score = coverLearning, l.n, 1
		return f
	}
	f.score = w / u.now
	if f.score < coverLimit {
		if c.under++; c.under < coverKeys && !before {
			f.n = coverOnce
			return f
		}
		if f.state = Covered; c.under < coverKeys {
			f.n = coverJoined
		}
		return f
	}
	c.under = 0
	f.state = Live
	if l.learned == 0 { // another light of which nothing is known, and not covered by what is known: it may be learned
		l.learn(w)
	} else if f.score > 1/coverDrift && f.score < coverDrift*coverDrift {
		u.follow(w)
	}
	return f
}

// scene takes what a still of the newest key picture showed. A scene that is out of view in one key picture, and bytes that are
// missing in the next, are together what either is twice: noise hides a cover from the bytes, and what noise reduction has not
// let go of yet hides it from the still.
func (c *cover) scene(f Finding) {
	if f.At >= c.at {
		c.out = f.State != Live && f.Score < f.Limit
	}
}

// KeyQuantiser is that of a key picture of this connection, the mean of its slices', by its media time: for a Still that was
// decoded from it. It is 0 if that is not known, or no longer.
func (j *Judge) KeyQuantiser(media time.Duration) float64 {
	c := &j.cover
	for i := range min(c.n, coverMemory) {
		if c.keys[i].media == media {
			return c.keys[i].qp
		}
	}
	return 0
}

// judgeCover judges a key picture for cover.
func (j *Judge) judgeCover(p *camera.Picture, at time.Duration) {
	j.find(byCover, j.cover.picture(p, j.replay.codec, at))
}

// Params tells the parameter sets that the camera gave beside its pictures: without them, or the same ones within a key
// picture, cover is not judged.
func (j *Judge) Params(p camera.Params) {
	j.cover.params(p.SPS, p.Codec)
	j.cover.params(p.PPS, p.Codec)
	if p.Codec == camera.H264 {
		j.changes.motion.params(p.SPS)
		j.changes.motion.params(p.PPS)
	}
}

// SetLight tells by which light the camera says that it sees, where it says so (an ONVIF imaging event). Without it each key
// picture is held against the lower of the levels that are known, so that neither light's own pictures count as covered.
// A light that was never learned is learned by itself as long as its pictures are not covered by what is known of the other:
// a lens that is covered makes a camera switch to infrared, and must not be learned as that.
func (j *Judge) SetLight(l Light, now time.Duration) {
	if l < lights {
		j.advance(now)
		j.cover.light, j.cover.told = l, true
	}
}

// LearnCover begins to learn anew what the camera's key pictures weigh by a light: when a resident has seen that the lens is
// free. The next ten are learned, whatever they weigh beside the other light's: an infrared picture may weigh far less than the
// day's. What is held against the camera stays until they are. The first light is learned by itself from the first ten key
// pictures there ever are.
//
// The price: with two lights known, and no word of the camera's about which it sees by, a key picture counts as free if it is so by
// the lower of the two. By day a cover is then found only if it leaves less than 55 % of what infrared pictures weigh.
func (j *Judge) LearnCover(l Light, now time.Duration) {
	if l < lights {
		j.advance(now)
		j.cover.levels[l] = level{}
		j.cover.light, j.cover.under, j.cover.accept = l, 0, true
	}
}

// ForgetCover is LearnCover for a camera that was moved: whatever was known of either light is forgotten.
func (j *Judge) ForgetCover(now time.Duration) {
	j.cover.levels = [lights]level{}
	j.LearnCover(Day, now)
}

// Unproven takes away what detectors have vouched for: they are learning anew, and what they said was of another scene. Those that are
// needed have to judge again before the watch is live (S1); what they hold against the camera stays.
func (j *Judge) Unproven(now time.Duration) {
	j.advance(now)
	j.finders[byCover].judged = false
	for i := range j.outside {
		j.outside[i].judged = false
	}
	j.needs()
	j.decide()
	j.plan()
}

func sayCover(f fact) string {
	switch {
	case f.state == Covered && f.n == coverJoined:
		return fmt.Sprintf("the key picture holds %.0f %% of what this camera's usually do, under %.0f %%, and in the one before it the scene was out of view: the lens is covered, dark or out of focus", 100*f.score, 100*f.limit)
	case f.state == Covered:
		return fmt.Sprintf("%d key pictures in a row hold %.0f %% of what this camera's usually do; under %.0f %% the lens is covered, dark or out of focus", coverKeys, 100*f.score, 100*f.limit)
	case f.state == Live:
		return fmt.Sprintf("the key picture holds %.0f %% of what this camera's usually do, over %.0f %%", 100*f.score, 100*f.limit)
	case f.n == coverUnread:
		return "the quantiser cannot be read from its key pictures, so that cover cannot be judged: let the camera send its parameter sets, and no slice groups or layers"
	case f.n == coverLearning:
		return fmt.Sprintf("learning: %d of %d keyframes", f.of, coverLearn)
	default:
		return fmt.Sprintf("one key picture holds %.0f %% of what this camera's usually do; one more under %.0f %% and the lens is covered", 100*f.score, 100*f.limit)
	}
}
