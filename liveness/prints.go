package liveness

import "time"

// PrintsConfig is one camera's. Fields that are zero or below take their defaults.
type PrintsConfig struct {
	Freeze float64       // from which score on two stills are the same noise: 0.35
	Loop   float64       // from which score on a still is one that was shown before: 0.33
	Loops  int           // how many stills are remembered for that: 360, 12 minutes with one every 2 s
	Apart  time.Duration // stills nearer to each other than this are left out, since noise reduction joins them: 400 ms
}

func (c PrintsConfig) withDefaults() PrintsConfig {
	if !(c.Freeze > 0) {
		c.Freeze = 0.35
	}
	if !(c.Loop > 0) {
		c.Loop = 0.33
	}
	if c.Loops <= 0 {
		c.Loops = 360
	}
	c.Loops = min(max(c.Loops, 2*loopLags), 4096)
	if c.Apart <= 0 {
		c.Apart = 400 * time.Millisecond
	}
	return c
}

// Prints finds a picture that is frozen (T4) and one that is a loop, though it was coded anew (T5), from the noise of a camera's
// sensor in decoded stills, best of key pictures: no two pictures of a live sensor have the same noise.
//
// It learns the scene from 20 stills, in two halves; what a still differs by from the scene is its print, the sign of each
// pixel's residual. Two stills in a row whose prints correlate, though each is held against another half, share their noise:
// and if by as much they differ less than live ones do, then with 2 of 3 scores over the limit the picture is frozen. A print that is like one of some minutes ago, and unlike that one's
// neighbours, again and again at the same distance, is a loop. Blocks that move or have changed do not vote; the others vote in
// tiles, by their median, so that a clock drawn over a frozen picture does not save it.
//
// The scene follows slow light; two lights are kept (day and infrared); what changes all at once (another light, a camera that
// was turned) is learned anew, and until then nothing is judged: the findings are Unknown, so a watch that needs them is not
// live. Nothing is ever learned from stills that look frozen or shown before. What it cannot do: the 20 stills of the first
// scene must be live, which the caller certifies (a door seen to open); and an attacker who adds fresh noise of the right
// strength defeats it.
//
// A coder whose step has changed leaves another error of the scene in every still, so that prints are alike though the noise is
// new; what tells the two apart is that live stills still differ. The coarser the step, the less noise is left to differ by: how
// little is usual is known for the quantiser that it was learned at, and by how much it falls with a coarser one. Between what is
// surely frozen and what surely is not, the findings are Unknown, and say that the camera's bit rate is too low.
//
// Memory is bounded by the stills' size, whatever they show: 13 MB for 1280x720 or 640x360, 33 MB at the most. One goroutine owns
// a Prints.
type Prints struct {
	cfg      PrintsConfig
	w, h     int // of the stills that come
	half     int // how often they are halved
	bw, bh   int // of what is worked on, in blocks
	tab      table
	scenes   [2]*scene
	sc       *scene // one of scenes
	now, old [2]print
	loop     loop

	seen    bool
	at      time.Duration // arrival of the newest still that was looked at
	changed int           // stills in a row that show another scene
	veils   int           // stills in a row that show none
	fading  bool          // in the newest still before them the scene was out of view, or nearly
	qp      float64       // of the newest still; 0: unknown
	qpOld   float64       // of the one before
	changes float64       // between these two, camera.Still.Changes; 0: unknown
	paired  int           // stills in a row with a print
	freezes run
	peaks   peaks
	frozen  bool
	looped  bool

	votesRoom []float64
	ratio     [2][]float32
	scratch   []float32
	texture   []float32
	likes     []float32
	certified float64 // least noise that a scene may have, from Restore; 0: any
	tr        trace
}

// trace is what the newest still measured.
type trace struct {
	scale, like, masked float64
	adj, differs, still float64
	tiles               int
	thin                bool // too little noise is left to judge
	likeness
	lagged bool
}

// run is which of the newest three scores are over the limit.
type run struct {
	over [3]bool
	n    int
}

func (r *run) add(over bool) {
	copy(r.over[1:], r.over[:])
	r.over[0] = over
	r.n++
}

func (r *run) count() (n int) {
	for _, o := range r.over {
		if o {
			n++
		}
	}
	return n
}

// peaks is what each of the newest stills was most like; the newest first.
type peaks struct {
	at [5]likeness
	n  int
}

func (k *peaks) add(m likeness) {
	copy(k.at[1:], k.at[:])
	k.at[0] = m
	k.n++
}

// again is the step of loopSteps that the newest peak and those before it at its lag make, or -1. What moves in wind makes a still
// like one of hundreds by chance, and twice in a row at one lag now and then: the less like they are, the more often it takes. What
// a coder's error may have made counts for the longest step alone: a quantiser that comes again does not do so at one lag, key
// after key.
func (k *peaks) again(limit float64) int {
	for i, s := range loopSteps {
		counts := func(m likeness) bool {
			return m.peak > s.over*limit && near(m.lag, k.at[0].lag) && (!m.unsure || s.of == len(k.at))
		}
		if !counts(k.at[0]) {
			continue
		}
		n := 0
		for _, m := range k.at[:s.of] {
			if counts(m) {
				n++
			}
		}
		if n >= s.n {
			return i
		}
	}
	return -1
}

// loopSteps are how often a still must be like the one that is as far back each time: by how much, in limits, and how many of the
// newest.
var loopSteps = []struct {
	over  float64
	n, of int
}{{1.5, 2, 3}, {1.2, 3, 4}, {0.75, 4, 5}}

// NewPrints gives one that has learned nothing.
func NewPrints(cfg PrintsConfig) *Prints { return &Prints{cfg: cfg.withDefaults()} }

// Opened tells that the camera was connected anew: stills of two connections are not a pair. The scene and what is remembered
// stay; a verdict is given again from the third still on.
func (p *Prints) Opened() { p.apart() }

// apart begins pairs and verdicts anew.
func (p *Prints) apart() {
	p.paired, p.freezes, p.peaks, p.seen = 0, run{}, peaks{}, false
}

// size makes room for stills of w×h. It is false if they cannot be used.
func (p *Prints) size(w, h int) bool {
	if w < 8*side || h < 6*side || w > maxStill || h > maxStill {
		return false
	}
	p.w, p.h, p.half = w, h, 0
	for w*h > 1024*600 {
		w, h = w/2, h/2
		p.half++
	}
	p.bw, p.bh = w/side, h/side
	n := p.bw * p.bh
	p.tab.init(w, h)
	p.scenes = [2]*scene{newScene(n), newScene(n)}
	p.sc = p.scenes[0]
	p.loop.init(p.bw, p.bh, p.cfg.Loops)
	for i := range 2 {
		p.ratio[i], p.now[i], p.old[i] = make([]float32, n), newPrint(n), newPrint(n)
	}
	p.texture, p.likes = make([]float32, n), make([]float32, 0, n)
	p.votesRoom, p.scratch = make([]float64, 0, n), make([]float32, 0, n)
	p.apart()
	p.changed, p.veils, p.fading, p.frozen, p.looped = 0, 0, false, false, false
	return true
}

// maxStill bounds a still's width and height: what is larger is a mistake.
const maxStill = 2048

// Forget begins anew, as for a camera that was never seen: it was moved, or hangs at another door.
func (p *Prints) Forget() { *p = Prints{cfg: p.cfg} }

// Accept takes what has come into view for a scene though it holds little of the detail that the scene before held: a resident has
// looked, and says that this is how the camera sees by infrared, or a bare wall. A cover that shows as much is then no longer found
// by its stills.
func (p *Prints) Accept() {
	for _, sc := range p.scenes {
		if sc != nil {
			sc.poor = 0
		}
	}
}
