package eye

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Scene is what is in front of the camera: a hallway seen from inside, its front door, who stands in it and what lies on
// its floor. It may be changed from any goroutine while it is painted.
type Scene struct {
	mu      sync.Mutex
	door    float64 // 0 closed … 1 open
	doorTo  float64
	where   float64 // the courier: 0 not to be seen, 1 on the step outside, 2 in the hallway
	whereTo float64
	carries bool
	parcel  bool
	covered bool
	last    time.Duration
	noise   []int8
	rng     *rand.Rand
}

// NewScene is a quiet hallway. The seed makes the sensor's noise.
func NewScene(seed uint64) *Scene {
	s := &Scene{rng: rand.New(rand.NewPCG(seed, 0x5ce7e)), noise: make([]int8, 1<<16)}
	for i := range s.noise {
		s.noise[i] = int8(max(-12, min(12, math.Round(s.rng.NormFloat64()*2.2))))
	}
	return s
}

func (s *Scene) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Door opens or closes the door; it takes 0.7 s.
func (s *Scene) Door(open bool) {
	s.set(func() {
		s.doorTo = 0
		if open {
			s.doorTo = 1
		}
	})
}

// Courier places the courier: "away", "step" (outside the door) or "hall".
func (s *Scene) Courier(where string) {
	s.set(func() { s.whereTo = map[string]float64{"away": 0, "step": 1, "hall": 2}[where] })
}

// Carries says whether the courier holds a parcel.
func (s *Scene) Carries(parcel bool) { s.set(func() { s.carries = parcel }) }

// Parcel lays a parcel on the floor, or takes it away.
func (s *Scene) Parcel(there bool) { s.set(func() { s.parcel = there }) }

// Cover puts a hand over the lens, or takes it off.
func (s *Scene) Cover(on bool) { s.set(func() { s.covered = on }) }

func toward(from, to, step float64) float64 {
	if from < to {
		return min(to, from+step)
	}
	return max(to, from-step)
}

// paint draws the scene as it is at now (monotonic) with wall on its clock.
func (s *Scene) paint(f *frame, now time.Duration, wall time.Time) {
	s.mu.Lock()
	dt := min(0.5, max(0, (now-s.last).Seconds()))
	s.last = now
	s.door = toward(s.door, s.doorTo, dt/0.7)
	s.where = toward(s.where, s.whereTo, dt/0.9)
	door, where, carries, parcel, covered := s.door, s.where, s.carries, s.parcel, s.covered
	from := s.rng.Uint64()
	s.mu.Unlock()

	if covered {
		f.gradient(rgb(14, 11, 10), rgb(26, 18, 15), 0, 0, float64(f.w), float64(f.h))
	} else {
		hallway(f, door, where, carries, parcel)
	}
	k := float64(f.h) / 360
	stamp := wall.UTC().Format("2006-01-02 15:04:05.000")
	stamp = stamp[:len(stamp)-2]
	f.rect(rgb(18, 20, 24), 8*k, 8*k, float64(len(stamp))*8*k+8*k, 18*k)
	f.text(rgb(235, 235, 228), 12*k, 12*k, 2*k, stamp)
	s.grain(f, from)
}

// grain adds what a sensor adds: the noise of every pixel, new in every picture.
func (s *Scene) grain(f *frame, seed uint64) {
	x := seed | 1
	const mask = 1<<16 - 1
	for row := range f.h {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		at := int(x & mask)
		line := f.y[row*f.w : (row+1)*f.w]
		for i := range line {
			line[i] = byte(int(line[i]) + int(s.noise[(at+i)&mask]))
		}
	}
}

func hallway(f *frame, door, where float64, carries, parcel bool) {
	k := float64(f.h) / 360
	w, h := float64(f.w), float64(f.h)
	cx := w / 2
	daylight := 1 + 0.10*door

	wall, side := rgb(201, 193, 180).shade(daylight), rgb(178, 169, 156).shade(daylight)
	f.gradient(rgb(224, 220, 212), rgb(210, 205, 196), 0, 0, w, 70*k) // ceiling
	f.rect(wall, 0, 56*k, w, 220*k)
	f.poly(side, point{0, 0}, point{cx - 190*k, 56 * k}, point{cx - 190*k, 276 * k}, point{0, h})
	f.poly(side.shade(0.94), point{w, 0}, point{cx + 190*k, 56 * k}, point{cx + 190*k, 276 * k}, point{w, h})
	f.gradient(rgb(138, 106, 78).shade(daylight), rgb(108, 80, 57), 0, 276*k, w, h-276*k) // floor
	f.poly(side, point{0, 276 * k}, point{cx - 190*k, 276 * k}, point{0, h})
	f.poly(side.shade(0.94), point{w, 276 * k}, point{cx + 190*k, 276 * k}, point{w, h})
	for i := -5; i <= 5; i++ { // floor boards
		x := float64(i) * 34 * k
		f.poly(rgb(96, 71, 50), point{cx + x, 276 * k}, point{cx + x + 1.5*k, 276 * k}, point{cx + x*1.68 + 2.5*k, h}, point{cx + x*1.68, h})
	}
	if door > 0 { // light on the floor
		f.poly(rgb(196, 168, 132).shade(0.8+0.2*door), point{cx - 58*k, 277 * k}, point{cx - 58*k + 116*k*door, 277 * k}, point{cx - 90*k + 190*k*door, h}, point{cx - 96*k, h})
	}
	f.rect(rgb(90, 52, 44), cx-84*k, 292*k, 168*k, 40*k) // mat
	f.rect(rgb(120, 70, 58), cx-78*k, 296*k, 156*k, 32*k)

	f.rect(rgb(240, 236, 228), cx-68*k, 70*k, 136*k, 208*k) // door frame
	left, top, wide, tall := cx-58*k, 80*k, 116*k, 196*k
	outside(f, k, left, top, wide, tall)
	if where > 0 && where <= 1.25 {
		person(f, k*(0.86+0.06*where), cx+24*k*(1-min(1, where))*2, 274*k, carries)
	}
	leaf := wide * (1 - 0.82*door) // the leaf swings inward on its left hinge
	lift := 14 * k * door
	wood := rgb(92, 118, 112).shade(1 - 0.18*door)
	f.poly(wood, point{left, top}, point{left + leaf, top - lift}, point{left + leaf, top + tall + lift}, point{left, top + tall})
	for _, panel := range [][2]float64{{0.08, 0.40}, {0.52, 0.90}} {
		f.poly(wood.shade(0.84), point{left + leaf*0.16, top + tall*panel[0]}, point{left + leaf*0.84, top + tall*panel[0]}, point{left + leaf*0.84, top + tall*panel[1]}, point{left + leaf*0.16, top + tall*panel[1]})
		f.poly(wood.shade(1.05), point{left + leaf*0.20, top + tall*(panel[0]+0.02)}, point{left + leaf*0.80, top + tall*(panel[0]+0.02)}, point{left + leaf*0.80, top + tall*(panel[1]-0.02)}, point{left + leaf*0.20, top + tall*(panel[1]-0.02)})
	}
	f.ellipse(rgb(214, 180, 96), left+leaf*0.92, top+tall*0.47, max(1.5, 4*k*(1-0.7*door)), 4*k)
	f.rect(rgb(60, 60, 62), left+leaf*0.89, top+tall*0.36, max(1.5, 7*k*(1-0.7*door)), 13*k) // the lock

	f.rect(rgb(120, 84, 54), cx+96*k, 214*k, 70*k, 6*k) // a console with a plant
	f.rect(rgb(104, 72, 46), cx+100*k, 220*k, 5*k, 58*k)
	f.rect(rgb(104, 72, 46), cx+156*k, 220*k, 5*k, 58*k)
	f.rect(rgb(206, 120, 84), cx+122*k, 196*k, 20*k, 18*k)
	for i := range 5 {
		a := float64(i)*0.5 - 1
		f.ellipse(rgb(74, 124, 78).shade(0.9+0.05*float64(i)), cx+132*k+a*16*k, 182*k-(1-a*a)*10*k, 7*k, 14*k)
	}
	f.rect(rgb(70, 74, 84), cx-166*k, 110*k, 70*k, 52*k) // a picture on the wall
	f.gradient(rgb(150, 184, 206), rgb(226, 208, 170), cx-162*k, 114*k, 62*k, 44*k)

	if parcel {
		box(f, k*1.25, cx+52*k, 318*k)
	}
	if where > 1.25 {
		t := (where - 1.25) / 0.75
		person(f, k*(0.92+0.34*t), cx+6*k*t, (276+44*t)*k, carries)
	}
}

func outside(f *frame, k, x, y, w, h float64) {
	f.gradient(rgb(168, 206, 236), rgb(226, 236, 240), x, y, w, h*0.52)
	f.gradient(rgb(120, 156, 104), rgb(104, 138, 92), x, y+h*0.52, w, h*0.28)
	f.gradient(rgb(170, 166, 160), rgb(190, 184, 176), x, y+h*0.80, w, h*0.20)
	f.ellipse(rgb(86, 128, 80), x+w*0.78, y+h*0.46, 20*k, 26*k)
	f.ellipse(rgb(98, 140, 88), x+w*0.20, y+h*0.50, 16*k, 20*k)
}

func person(f *frame, k, x, feet float64, carries bool) {
	f.ellipse(rgb(70, 54, 42), x, feet, 26*k, 5*k)
	f.rect(rgb(48, 52, 66), x-15*k, feet-66*k, 13*k, 66*k)
	f.rect(rgb(44, 48, 62), x+2*k, feet-66*k, 13*k, 66*k)
	f.poly(rgb(36, 86, 140), point{x - 22*k, feet - 122*k}, point{x + 22*k, feet - 122*k}, point{x + 18*k, feet - 60*k}, point{x - 18*k, feet - 60*k})
	f.rect(rgb(236, 190, 72), x-20*k, feet-98*k, 40*k, 6*k)
	f.poly(rgb(32, 76, 126), point{x - 24*k, feet - 120*k}, point{x - 16*k, feet - 120*k}, point{x - 18*k, feet - 76*k}, point{x - 28*k, feet - 76*k})
	f.poly(rgb(32, 76, 126), point{x + 16*k, feet - 120*k}, point{x + 24*k, feet - 120*k}, point{x + 28*k, feet - 76*k}, point{x + 18*k, feet - 76*k})
	f.rect(rgb(206, 158, 126), x-6*k, feet-130*k, 12*k, 10*k)
	f.ellipse(rgb(214, 168, 136), x, feet-140*k, 12*k, 14*k)
	f.poly(rgb(30, 70, 116), point{x - 13*k, feet - 145*k}, point{x - 10*k, feet - 157*k}, point{x + 10*k, feet - 157*k}, point{x + 13*k, feet - 145*k})
	f.rect(rgb(24, 58, 98), x-16*k, feet-146*k, 32*k, 3.5*k)
	if carries {
		box(f, k*0.95, x, feet-72*k)
	}
}

func box(f *frame, k, x, bottom float64) {
	f.rect(rgb(186, 140, 92), x-22*k, bottom-28*k, 44*k, 28*k)
	f.poly(rgb(204, 160, 110), point{x - 22*k, bottom - 28*k}, point{x + 22*k, bottom - 28*k}, point{x + 17*k, bottom - 37*k}, point{x - 17*k, bottom - 37*k})
	f.rect(rgb(222, 200, 150), x-4*k, bottom-28*k, 8*k, 28*k)
	f.rect(rgb(240, 240, 236), x+7*k, bottom-22*k, 12*k, 9*k)
}
