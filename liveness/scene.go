package liveness

import (
	"math"
	"slices"
)

const (
	// learnStills is how many stills make a scene: ten for each baseline.
	learnStills = 20
	// slowStills is the weight of a new still once the scene is learned: light that drifts over two minutes at one still every
	// 2 s is followed.
	slowStills = 64
	// moved is by how much more than the picture at large a block's residual may exceed its noise before it shows something
	// else than its scene.
	moved = 4
	// relearnBlock is for how many stills in a row a block shows something else before that is its scene: a parcel put down.
	relearnBlock = 6
	// blockStills is how many stills a block's baseline needs to vote, in each of the two.
	blockStills = 4
	// leastUsual and mostUsual bound by how much two live stills differ, whatever was learned: a freeze differs by less.
	leastUsual, mostUsual = 0.6, 1.5
	// calmFalls and calmRises are the weights of a new value where the pictures between key pictures weigh less, and more, than
	// is known: the least is what counts, since whatever moves adds to the noise.
	calmFalls, calmRises = 4, 32
	// leastCalm is the least that they must weigh when little moves, in bytes at quantiser 26: less is headers and no noise.
	leastCalm = 256
	// leastChange is the least that they may weigh and be judged by: a coder that leaves all of the picture as it was codes no noise
	// of a live one either.
	leastChange = 64
	// leastNoise is the least energy of a block's noise that it can have and vote, in squared grey levels a pixel.
	leastNoise = 0.01
)

// scene is what a camera sees when nothing happens, in one light: two baselines from different stills, and how noisy each
// block is.
type scene struct {
	base    [2][]float32 // high-passed
	n       [2][]uint8   // stills in each block's baseline, up to slowStills
	noise   []float32    // energy of each block's noise
	mean    []float32    // each block's mean
	odd     []uint8      // stills in a row that a block shows something else
	turn    int          // which baseline learns next
	learned int          // stills, up to learnStills
	pairs   int          // of them that came one after the other at one quantiser
	poor    float64      // the share of the other scene's textured blocks that it has, if that is too little to be a scene; 0: enough
	usual   float64      // by how much two stills in a row differ, as a share of noise; near 1
	qp      float64      // the quantiser at which that is so; 0: unknown
	calm    float64      // what the pictures between two key pictures weigh when little moves; 0: unknown
}

func newScene(blocks int) *scene {
	s := &scene{usual: 1, noise: make([]float32, blocks), mean: make([]float32, blocks), odd: make([]uint8, blocks)}
	for i := range s.base {
		s.base[i], s.n[i] = make([]float32, blocks*area), make([]uint8, blocks)
	}
	return s
}

func (s *scene) forget() {
	for i := range s.base {
		clear(s.n[i])
	}
	clear(s.odd)
	s.learned, s.pairs, s.usual, s.qp, s.poor, s.calm = 0, 0, 1, 0, 0, 0
}

// usually takes how much two live stills in a row differed, and the quantiser of the newer.
func (s *scene) usually(d, qp float64) {
	s.usual = min(max(s.usual+(d-s.usual)/8, leastUsual), mostUsual)
	switch {
	case qp == 0:
	case s.qp == 0:
		s.qp = qp
	default:
		s.qp += (qp - s.qp) / 8
	}
}

// calmly takes what the pictures between two live key pictures weighed.
func (s *scene) calmly(w float64) {
	switch {
	case w == 0:
	case s.calm == 0:
		s.calm = w
	case w < s.calm:
		s.calm += (w - s.calm) / calmFalls
	default:
		s.calm += (w - s.calm) / calmRises
	}
}

// still is by how much less than the scene's noise asks for the pictures between two key pictures weigh, from 0 to 1. differs is
// what is left of that noise: less light makes less of it, and lighter pictures.
func (s *scene) still(w, differs float64) float64 {
	if w < leastChange || s.calm < leastCalm {
		return 0
	}
	return max(0, 1-w/(s.calm*min(1, differs)))
}

// left is the share of the noise that a quantiser leaves, of what is left at the one that it was learned at; at most 1.
func (s *scene) left(qp float64) float64 {
	if qp == 0 || s.qp == 0 {
		return 1
	}
	return min(1, math.Exp2((s.qp-qp)/thinner))
}

// learnBlock adds a block to the baseline whose turn it is. still is high-passed, block by block.
func (s *scene) learnBlock(b int, still []float32, mean float32) {
	n := &s.n[s.turn][b]
	if *n < slowStills {
		*n++
	}
	w := 1 / float32(*n)
	base := s.base[s.turn][b*area : (b+1)*area]
	for i, x := range still[b*area : (b+1)*area] {
		base[i] += w * (x - base[i])
	}
	s.mean[b] += w * (mean - s.mean[b])
}

// learnNoise takes the energy of a block's noise, shown once. A block that moves is noisier than it is: it counts for little.
func (s *scene) learnNoise(b int, e float32, weight int) {
	e = max(e, leastNoise/4)
	if weight <= 1 || s.noise[b] == 0 {
		s.noise[b] = e
		return
	}
	e = min(e, moved*s.noise[b])
	s.noise[b] += (e - s.noise[b]) / float32(weight)
}

// residual takes the scene away from a block: what is left when the still is regressed on the baseline, since light changes
// contrast. It gives what is left and the baseline's own texture, as energies a pixel, and how strong the scene is in the still:
// 1 as it was learned.
func (s *scene) residual(i, b int, still []float32, r *[area]float32) (left, strength, texture float32) {
	x, base := still[b*area:(b+1)*area], s.base[i][b*area:(b+1)*area]
	var xb, bb float32
	for k, v := range base {
		xb += v * x[k]
		bb += v * v
	}
	a := float32(1)
	if bb > 0 {
		a = xb / bb
	}
	var e float32
	for k, v := range base {
		d := x[k] - a*v
		r[k] = d
		e += d * d
	}
	return e / area, a, bb / area
}

// votes says whether a block is known well enough, and noisy enough, to vote.
func (s *scene) votes(b int) bool {
	return s.noise[b] >= leastNoise && s.n[0][b] >= blockStills && s.n[1][b] >= blockStills
}

// textured is how many blocks hold texture, beyond what noise leaves in a baseline.
func (s *scene) textured() (n int) {
	for b, noise := range s.noise {
		var e float32
		for _, v := range s.base[0][b*area : (b+1)*area] {
			e += v * v
		}
		if e/area > textured*max(noise, leastNoise) {
			n++
		}
	}
	return n
}

// median of values, which it sorts; 0 of none.
func median(v []float32) float32 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}
