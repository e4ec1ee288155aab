package clip

import (
	"math"
	"math/rand/v2"
)

// lattice gives the value of a random lattice at a whole point, in -1 … 1. It is a hash, so that it needs no memory.
func lattice(seed uint64, x, y int) float64 {
	h := seed ^ uint64(uint32(x))*0x9e3779b97f4a7c15 ^ uint64(uint32(y))*0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return float64(h>>11)/(1<<52) - 1
}

// smooth is value noise: the lattice, joined by smoothstep.
func smooth(seed uint64, x, y float64) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	fx, fy = fx*fx*(3-2*fx), fy*fy*(3-2*fy)
	ix, iy := int(x0), int(y0)
	top := lattice(seed, ix, iy)*(1-fx) + lattice(seed, ix+1, iy)*fx
	low := lattice(seed, ix, iy+1)*(1-fx) + lattice(seed, ix+1, iy+1)*fx
	return top*(1-fy) + low*fy
}

// fractal adds octaves of value noise, each half as strong and twice as fine, about -1 … 1.
func fractal(seed uint64, x, y float64, octaves int) float64 {
	sum, amp, all := 0.0, 1.0, 0.0
	for i := range octaves {
		sum += amp * smooth(seed+uint64(i)*7919, x, y)
		all += amp
		x, y, amp = x*2.03, y*2.03, amp*0.55
	}
	return sum / all
}

// grainBits is the binary logarithm of a grain's sides: large enough that no place of a picture meets itself.
const grainBits = 10

const grainSide = 1 << grainBits

// grain is a square field of Gaussian noise that neighbours share in part, as after a demosaic: blurred by 0.6 of a pixel
// and scaled to a standard deviation of 256. It wraps at its sides.
type grain []int16

func newGrain(seed uint64, blur float64) grain {
	rng := rand.New(rand.NewPCG(seed, 0x9a1))
	raw := make([]float32, grainSide*grainSide)
	for i := range raw {
		raw[i] = float32(rng.NormFloat64())
	}
	var kernel [5]float32
	sum := float32(0)
	for i := range kernel {
		d := float64(i - 2)
		kernel[i] = float32(math.Exp(-d * d / (2 * blur * blur)))
		sum += kernel[i]
	}
	across := make([]float32, len(raw))
	for y := range grainSide {
		for x := range grainSide {
			v := float32(0)
			for k, w := range kernel {
				v += w * raw[y*grainSide+(x+k-2)&(grainSide-1)]
			}
			across[y*grainSide+x] = v / sum
		}
	}
	power := 0.0
	for y := range grainSide {
		for x := range grainSide {
			v := float32(0)
			for k, w := range kernel {
				v += w * across[(y+k-2)&(grainSide-1)*grainSide+x]
			}
			v /= sum
			raw[y*grainSide+x] = v
			power += float64(v) * float64(v)
		}
	}
	scale := 256 / math.Sqrt(power/float64(len(raw)))
	g := make(grain, len(raw))
	for i, v := range raw {
		g[i] = int16(math.Round(float64(v) * scale))
	}
	return g
}
