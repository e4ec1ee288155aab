package clip

import "math"

// walker is one crossing of a room by one person.
type walker struct {
	start, long float64 // seconds
	left        bool    // walks to the left
	cloth       texture
	skin, legs  float64
}

const walkEvery = 16.0 // seconds between the beginnings of two crossings, at most one in each

// move paints what moves at instant t over the room.
func (e *Eye) move(t float64) {
	s := e.view.Seed
	if r := e.room.tree; r.w > 0 {
		gust := 1 + 0.8*smooth(s+21, t/5, 0)
		e.sway(r, func(x, y float64) (float64, float64) {
			a := 5 * gust * (0.3 + smooth(s+22, x/60+t*0.9, y/60)*0.7)
			return a * math.Sin(1.7*t+x/70), a * 0.6 * math.Cos(1.3*t+y/50)
		})
	}
	if r := e.room.curtain; r.w > 0 {
		e.sway(r, func(x, y float64) (float64, float64) {
			down := (y - r.y) / r.h
			return down * (9*math.Sin(0.9*t+y/160) + 6*smooth(s+23, t/2, y/200)), 0
		})
	}
	if r := e.room.fan; r.w > 0 {
		e.turn(r, t)
	}
	if r := e.room.walk; r.w > 0 {
		e.cross(r, t)
	}
}

// sway shows a region through a displacement, in units.
func (e *Eye) sway(r region, by func(x, y float64) (dx, dy float64)) {
	w, h := e.view.Width, e.view.Height
	x0, x1, y0, y1 := e.box(r)
	const cell = 8 // the displacement is smooth: one for each 8 pixels across is enough
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x += cell {
			dx, dy := by(float64(x)/e.unit, float64(y)/e.unit)
			px, py := dx*e.unit, dy*e.unit
			ix := int(math.Floor(px))
			f := uint32((px - float64(ix)) * 256)
			sy := min(h-1, max(0, y+int(math.Round(py))))
			row := e.y[sy*w : (sy+1)*w]
			for i := x; i < min(x+cell, x1); i++ {
				a := min(w-2, max(0, i+ix))
				e.now[y*w+i] = uint16((uint32(row[a])*(256-f) + uint32(row[a+1])*f) >> 8)
			}
		}
	}
}

// turn is a fan: three blades, one turn in 1.5 s, so that with keys every two seconds the same picture comes every six.
func (e *Eye) turn(r region, t float64) {
	w := e.view.Width
	x0, x1, y0, y1 := e.box(r)
	cx, cy, rad := float64(x0+x1)/2, float64(y0+y1)/2, float64(x1-x0)/2
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			dx, dy := float64(x)-cx, float64(y)-cy
			d := math.Sqrt(dx*dx + dy*dy)
			if d > rad {
				continue
			}
			turn := math.Mod((math.Atan2(dy, dx)/(2*math.Pi)+t/1.5)*3+30+d/rad*0.3, 1)
			switch {
			case d < rad*0.12:
				e.now[y*w+x] = 70 << 8
			case turn < 0.35:
				e.now[y*w+x] = uint16((110 + 60*turn) * 256)
			case d > rad*0.95:
				e.now[y*w+x] = 60 << 8
			}
		}
	}
}

// cross is a person who walks by, now and then.
func (e *Eye) cross(r region, t float64) {
	k := int(math.Floor(t / walkEvery))
	p := e.walkers[k]
	if p == nil {
		s := e.view.Seed*31 + uint64(k)
		clear(e.walkers)
		p = &walker{
			start: float64(k)*walkEvery + 2 + 3*(1+lattice(s, 1, 0)), long: 5 + 1.5*lattice(s, 2, 0),
			left: lattice(s, 3, 0) > 0, skin: 120 + 50*lattice(s, 4, 0), legs: 60 + 30*lattice(s, 5, 0),
			cloth: pile(s, colour{y: 90 + 60*lattice(s, 6, 0)}, 0.35),
		}
		e.walkers[k] = p
	}
	at := (t - p.start) / p.long
	if at < 0 || at > 1 {
		return
	}
	if p.left {
		at = 1 - at
	}
	tall := r.h
	x := r.x + at*r.w
	bob := 4 * math.Abs(math.Sin(4.2*t))
	swing := tall * 0.09 * math.Sin(4.2*t)
	e.fill(region{x - tall*0.06 + swing, r.y + tall*0.55 - bob, tall * 0.075, tall * 0.45}, func(_, y float64) float64 { return p.legs + y/40 })
	e.fill(region{x + tall*0.01 - swing, r.y + tall*0.55 - bob, tall * 0.075, tall * 0.45}, func(_, y float64) float64 { return p.legs*0.9 + y/40 })
	e.fill(region{x - tall*0.11, r.y + tall*0.17 - bob, tall * 0.22, tall * 0.42}, func(u, v float64) float64 { return p.cloth(u, v).y })
	e.fill(region{x - tall*0.055, r.y + tall*0.02 - bob, tall * 0.11, tall * 0.14}, func(u, v float64) float64 { return p.skin - 20*u/(tall*0.11) })
}

// fill paints a rectangle with a brightness that moves along with it.
func (e *Eye) fill(r region, lum func(u, v float64) float64) {
	w := e.view.Width
	x0, x1, y0, y1 := e.box(r)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			e.now[y*w+x] = uint16(min(235, max(18, lum(float64(x)/e.unit-r.x, float64(y)/e.unit-r.y))) * 256)
		}
	}
}

// box is a region in pixels, inside the picture.
func (e *Eye) box(r region) (x0, x1, y0, y1 int) {
	w, h := e.view.Width, e.view.Height
	clip := func(v float64, top int) int { return min(top, max(0, int(v*e.unit+0.5))) }
	return clip(r.x, w), clip(r.x+r.w, w), clip(r.y, h), clip(r.y+r.h, h)
}
