package liveness

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// side is a block's, in pixels: what is masked, learned and counted as one.
	side  = 16
	area  = side * side
	words = area / 64
	// tileW and tileH are a tile's, in blocks: what votes as one. Forty tiles of 640x360 vote, so that a clock drawn over the
	// picture, a fan or a walker spoils a few votes and not the outcome.
	tileW, tileH = 5, 4
	// deadZone is how much of a block's own residual is too small to have a sign: where quantisation left nothing, the sign
	// would be the baseline's.
	deadZone = 0.4
	// tileVotes is the least share of a tile's pixels that must have a sign in both prints for its vote to count.
	tileVotes = 0.15
)

// A print is what is left of one still when its scene is taken away: the signs of the noise, pixel by pixel. Signs cannot be
// dominated by the few pixels that moved, and 64 of them are compared at once.
type print struct {
	sign, valid []uint64 // words of 64 pixels; block by block
}

func newPrint(blocks int) print {
	return print{sign: make([]uint64, blocks*words), valid: make([]uint64, blocks*words)}
}

// clearBlock takes a block's vote away.
func (p *print) clearBlock(b int) { clear(p.valid[b*words : (b+1)*words]) }

// setBlock writes the signs of a block's residuals. There is no branch in it: the sign of noise cannot be predicted.
func (p *print) setBlock(b int, r *[area]float32, zone float32) {
	const negative = 1 << 31
	least := math.Float32bits(zone) // of two floats from 0 up the larger has the larger bits
	for w := range words {
		var s, v uint64
		for i, x := range r[w*64 : w*64+64] {
			u := math.Float32bits(x)
			known := (least - u&^negative) >> 31
			v |= uint64(known) << (i & 63)
			s |= uint64(known&^(u>>31)) << (i & 63)
		}
		p.sign[b*words+w], p.valid[b*words+w] = s, v
	}
}

// votes compares prints tile by tile and gives the median correlation and how many tiles voted. Two pairs are compared as
// one: each still has a print against either baseline, and a pair never shares one, since the noise that a baseline itself has
// would make any two look alike.
func votes(bw, bh int, pairs [2][2]*print, room []float64) (median float64, n int) {
	room = room[:0]
	for ty := 0; ty+tileH <= bh; ty += tileH {
		for tx := 0; tx+tileW <= bw; tx += tileW {
			agree, valid := 0, 0
			for _, p := range pairs {
				for y := ty; y < ty+tileH; y++ {
					from, to := (y*bw+tx)*words, (y*bw+tx+tileW)*words
					as, av, bs, bv := p[0].sign[from:to], p[0].valid[from:to], p[1].sign[from:to], p[1].valid[from:to]
					for i := range as {
						v := av[i] & bv[i]
						valid += bits.OnesCount64(v)
						agree += bits.OnesCount64(v &^ (as[i] ^ bs[i]))
					}
				}
			}
			if valid > tileVotes*2*tileW*tileH*area {
				room = append(room, float64(2*agree-valid)/float64(valid))
			}
		}
	}
	if len(room) == 0 {
		return 0, 0
	}
	slices.Sort(room)
	// Of two Gaussians with correlation c, signs correlate by 2/pi asin c.
	return math.Sin(math.Pi / 2 * room[len(room)/2]), len(room)
}

// highpass takes from each pixel the mean of the 5x5 around it (fewer at the edges).
func highpass(dst, src, row []float32, w, h int) {
	const reach = 2
	col := row[:w] // sums of up to five rows
	clear(col)
	add := func(y int, s float32) {
		for x, v := range src[y*w : y*w+w] {
			col[x] += s * v
		}
	}
	for y := range min(reach, h) {
		add(y, 1)
	}
	for y := range h {
		if y+reach < h {
			add(y+reach, 1)
		}
		if y-reach-1 >= 0 {
			add(y-reach-1, -1)
		}
		rows := min(y+reach, h-1) - max(y-reach, 0) + 1
		sum := float32(0)
		for x := range min(reach, w) {
			sum += col[x]
		}
		line, out := src[y*w:y*w+w], dst[y*w:y*w+w]
		for x := range w {
			if x+reach < w {
				sum += col[x+reach]
			}
			if x-reach-1 >= 0 {
				sum -= col[x-reach-1]
			}
			cols := min(x+reach, w-1) - max(x-reach, 0) + 1
			out[x] = line[x] - sum/float32(rows*cols)
		}
	}
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
