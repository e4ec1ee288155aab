package clip

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
)

// View is one fixed camera's look at a room under one condition. The same View gives the same pictures.
type View struct {
	Room      string // one of Rooms
	Condition string // one of Conditions
	Width     int    // a multiple of 16
	Height    int    // a multiple of 2
	Seed      uint64 // of the sensor's noise, the light and who walks by; not of the room
}

// sensor is what a condition does to the picture.
type sensor struct {
	sigma    float64 // read and shot noise at mid-grey, before noise reduction, of 255
	alpha    float64 // temporal noise reduction: the share of the new picture in the running mean
	infrared bool
	moves    bool
	wave     float64 // how far the light wanders, of 1
	steps    bool    // exposure is set anew every twenty seconds
}

// conditions are: a clean day, a room in the evening, a night in infrared, wind and people, light that drifts.
var conditions = map[string]sensor{
	"day":    {sigma: 1.2, alpha: 0.4, wave: 0.02},
	"indoor": {sigma: 2.5, alpha: 0.4, wave: 0.02},
	"night":  {sigma: 6, alpha: 0.3, infrared: true, wave: 0.01},
	"filter": {sigma: 5, alpha: 0.12, infrared: true, wave: 0.01}, // strong noise reduction at night
	"wind":   {sigma: 2, alpha: 0.4, moves: true, wave: 0.03},
	"drift":  {sigma: 1.8, alpha: 0.4, wave: 0.10, steps: true},
}

// Conditions are the names that View.Condition takes, and Rooms those of View.Room with their split.
var Conditions = []string{"day", "indoor", "night", "filter", "wind", "drift"}

// Rooms lists the scenes of a split, "train" or "heldout".
func Rooms(split string) (names []string) {
	for _, r := range rooms {
		if r.split == split {
			names = append(names, r.name)
		}
	}
	return names
}

// Eye paints a View picture by picture. One goroutine owns it.
type Eye struct {
	view   View
	room   *room
	sensor sensor
	rng    *rand.Rand
	phase  float64

	y, u, v     []uint16 // the room, in 256ths; u and v at half size
	now         []uint16 // the room with what moves in it
	mean        []int32  // the sensor's running mean, in 256ths
	out         []byte   // I420
	noise, jump [256]int32
	alpha       int32
	chroma      int32
	cold        bool // the mean holds nothing yet
	grains      []grain
	key         bool
	unit        float64 // pixels a unit
	walkers     map[int]*walker
}

var pool = sync.OnceValue(func() []grain {
	all := make([]grain, 6)
	for i := range all {
		all[i] = newGrain(uint64(i)+1, 0.6)
	}
	return all
})

// NewEye opens a camera. An error says what of the View is not known.
func NewEye(v View) (*Eye, error) {
	r := roomNamed(v.Room)
	s, ok := conditions[v.Condition]
	switch {
	case r == nil:
		return nil, fmt.Errorf("clip: no room is called %q", v.Room)
	case !ok:
		return nil, fmt.Errorf("clip: no condition is called %q: use one of %v", v.Condition, Conditions)
	case v.Width < 160 || v.Height < 90 || v.Width%16 != 0 || v.Height%2 != 0 || v.Width > 4096 || v.Height > 2304:
		return nil, fmt.Errorf("clip: a picture of %d×%d cannot be made: take 160×90 to 4096×2304, the width a multiple of 16", v.Width, v.Height)
	}
	n := v.Width * v.Height
	e := &Eye{
		view: v, room: r, sensor: s, rng: rand.New(rand.NewPCG(v.Seed, 0xe1e)), grains: pool(), cold: true,
		y: make([]uint16, n), u: make([]uint16, n/4), v: make([]uint16, n/4), now: make([]uint16, n), mean: make([]int32, n),
		out: make([]byte, n*3/2), unit: float64(v.Width) / unitsWide, walkers: map[int]*walker{},
	}
	e.phase = e.rng.Float64() * 1000
	c := newCanvas(v.Width, v.Height)
	seed := uint64(1)
	for _, b := range []byte(r.name) {
		seed = seed*131 + uint64(b)
	}
	r.paint(c, seed)
	e.develop(c)
	e.expose(1, s.alpha)
	return e, nil
}

// develop turns a painted canvas into what this sensor would see of it without noise: in infrared grey, and lit from the
// camera; and with the pattern that each sensor has of its own.
func (e *Eye) develop(c *canvas) {
	w, h := e.view.Width, e.view.Height
	own := rand.New(rand.NewPCG(uint64(len(e.room.name))*77+uint64(e.room.name[0]), 0xf1))
	for y := range h {
		for x := range w {
			i := y*w + x
			l := float64(c.y[i])
			if e.sensor.infrared {
				dx, dy := (float64(x)/float64(w)-0.5)*2, (float64(y)/float64(h)-0.5)*2
				l = 18 + (l-16)*0.72*math.Exp(-0.55*(dx*dx+dy*dy))
			}
			l += own.NormFloat64() * 0.25 * min(e.sensor.sigma, 3)
			e.y[i] = uint16(min(240, max(16, l)) * 256)
		}
	}
	for y := range h / 2 {
		for x := range w / 2 {
			i := 2*y*w + 2*x
			mean := func(p []float32) uint16 { return uint16((p[i] + p[i+1] + p[i+w] + p[i+w+1]) * 64) }
			if e.sensor.infrared {
				e.u[y*w/2+x], e.v[y*w/2+x] = 128<<8, 128<<8
			} else {
				e.u[y*w/2+x], e.v[y*w/2+x] = mean(c.u), mean(c.v)
			}
		}
	}
}

// expose sets how strong the noise is, against the sensor's own, and how the mean runs.
func (e *Eye) expose(strength, alpha float64) {
	e.alpha = int32(alpha*256 + 0.5)
	for i := range e.noise {
		gain := math.Sqrt(0.35 + 0.65*float64(i)/128) // shot noise grows with the root of the light
		sigma := e.sensor.sigma * gain * strength
		e.noise[i] = int32(sigma * 256 / (256 * math.Sqrt2) * 4096)
		e.jump[i] = int32((15 + 4.5*sigma) * 256)
	}
	e.chroma = int32(0.3 * e.sensor.sigma * strength * alpha * 4096 / 256)
	if e.sensor.infrared {
		e.chroma = 0
	}
}

// Picture paints the picture of instant t, in seconds; t grows by a picture's period from call to call. It is planar YUV
// 4:2:0 and belongs to the caller until the next call.
func (e *Eye) Picture(t float64) []byte {
	if e.key {
		e.key = false
		e.expose(1, e.sensor.alpha)
	}
	return e.paint(t)
}

// Key paints a picture that is seconds away from the one before it: the running mean of noise reduction is then a fresh
// sample with the variance that the mean has, α/(2-α) of the sensor's. (Where something moves the real mean is noisier.)
func (e *Eye) Key(t float64) []byte {
	e.key = true
	e.expose(math.Sqrt(e.sensor.alpha/(2-e.sensor.alpha)), 1)
	return e.paint(t)
}

func (e *Eye) paint(t float64) []byte {
	copy(e.now, e.y)
	if e.sensor.moves {
		e.move(t)
	}
	e.expand(int32(e.light(t) * 4096))
	return e.out
}

// expand adds light and noise, and lets the mean run.
func (e *Eye) expand(light int32) {
	w, h := e.view.Width, e.view.Height
	const mask = grainSide - 1
	a, b := e.grains[e.rng.IntN(len(e.grains))], e.grains[e.rng.IntN(len(e.grains))]
	ax, ay, bx, by := e.rng.IntN(grainSide), e.rng.IntN(grainSide), e.rng.IntN(grainSide), e.rng.IntN(grainSide)
	alpha := e.alpha
	for y := range h {
		ra, rb := a[(y+ay)&mask<<grainBits:][:grainSide], b[(y*3+by)&mask<<grainBits:][:grainSide]
		now, mean, out := e.now[y*w:(y+1)*w], e.mean[y*w:(y+1)*w], e.out[y*w:(y+1)*w]
		for x := range now {
			l := min(65279, 4096+(int32(now[x])-4096)*light>>12)
			k := uint8(l >> 8)
			l += (int32(ra[(x+ax)&mask]) + int32(rb[(x+bx)&mask])) * e.noise[k] >> 12
			m := mean[x]
			if d := l - m; d > e.jump[k] || d < -e.jump[k] || e.cold {
				m = l
			} else {
				m += d * alpha >> 8
			}
			mean[x] = m
			out[x] = byte(min(255, max(0, (m+128)>>8)))
		}
	}
	e.cold = false
	n := w * h
	e.tint(e.out[n:n+n/4], e.u, a, ax+311, by+17)
	e.tint(e.out[n+n/4:], e.v, b, bx+97, ay+211)
}

// tint is the colour planes: their noise is weak and coarse, and is not followed by the mean.
func (e *Eye) tint(out []byte, from []uint16, g grain, gx, gy int) {
	w := e.view.Width / 2
	const mask = grainSide - 1
	for y := 0; y*w < len(out); y++ {
		row := g[(y+gy)&mask<<grainBits:][:grainSide]
		dst, src := out[y*w:(y+1)*w], from[y*w:(y+1)*w]
		for x := range dst {
			dst[x] = byte(min(65535, max(0, int32(src[x])+128+int32(row[(x+gx)&mask])*e.chroma>>4)) >> 8)
		}
	}
}

// light is how bright instant t is, about 1: slow waves, and where exposure is set anew, a jump that the camera's automatic
// takes back in part within a second.
func (e *Eye) light(t float64) float64 {
	s := e.view.Seed
	l := 1 + e.sensor.wave*math.Sin(2*math.Pi*(t+e.phase)/240) + 0.3*e.sensor.wave*smooth(s, (t+e.phase)/13, 0)
	if e.sensor.steps {
		const every = 20.0
		k := int(math.Floor((t + 7) / every))
		past := t + 7 - float64(k)*every
		l += 0.04*lattice(s+5, k, 0) + 0.15*lattice(s+6, k, 0)*math.Exp(-past/0.4)
	}
	return l
}
