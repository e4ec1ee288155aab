package clip

import "math"

// Rooms are painted once, on a plane of 1600×900 units whatever the picture's size, in YUV of video range.
const (
	unitsWide = 1600
	unitsHigh = 900
)

// colour is Y, U and V, 0 … 255.
type colour struct{ y, u, v float64 }

// rgb converts by BT.601.
func rgb(r, g, b float64) colour {
	return colour{16 + 0.257*r + 0.504*g + 0.098*b, 128 - 0.148*r - 0.291*g + 0.439*b, 128 + 0.439*r - 0.368*g - 0.071*b}
}

func (c colour) lit(by float64) colour { c.y = 16 + (c.y-16)*by; return c }

// texture gives the colour of a place.
type texture func(x, y float64) colour

// canvas is a room's picture at full precision.
type canvas struct {
	w, h    int
	y, u, v []float32
}

func newCanvas(w, h int) *canvas {
	c := &canvas{w: w, h: h, y: make([]float32, w*h), u: make([]float32, w*h), v: make([]float32, w*h)}
	for i := range c.y { // what no wall covers is grey
		c.y[i], c.u[i], c.v[i] = 90, 128, 128
	}
	return c
}

type point struct{ x, y float64 }

// poly fills a convex polygon.
func (c *canvas) poly(t texture, pts ...point) {
	k := float64(c.w) / unitsWide
	top, low := pts[0].y, pts[0].y
	for _, p := range pts {
		top, low = min(top, p.y), max(low, p.y)
	}
	for y := max(0, int(top*k)); y < min(c.h, int(low*k)+1); y++ {
		mid, left, right := (float64(y)+0.5)/k, math.Inf(1), math.Inf(-1)
		for i, a := range pts {
			b := pts[(i+1)%len(pts)]
			if (a.y <= mid) == (b.y <= mid) {
				continue
			}
			x := a.x + (mid-a.y)/(b.y-a.y)*(b.x-a.x)
			left, right = min(left, x), max(right, x)
		}
		for x := max(0, int(left*k+0.5)); x < min(c.w, int(right*k+0.5)); x++ {
			p := t((float64(x)+0.5)/k, mid)
			i := y*c.w + x
			c.y[i], c.u[i], c.v[i] = float32(p.y), float32(p.u), float32(p.v)
		}
	}
}

func (c *canvas) rect(t texture, x, y, w, h float64) {
	c.poly(t, point{x, y}, point{x + w, y}, point{x + w, y + h}, point{x, y + h})
}

func (c *canvas) disc(t texture, cx, cy, rx, ry float64) {
	pts := make([]point, 32)
	for i := range pts {
		s, co := math.Sincos(2 * math.Pi * float64(i) / 32)
		pts[i] = point{cx + rx*co, cy + ry*s}
	}
	c.poly(t, pts...)
}

// shade darkens a rectangle's surroundings softly, as furniture does to a wall.
func (c *canvas) shade(cx, cy, rx, ry, depth float64) {
	k := float64(c.w) / unitsWide
	for y := range c.h {
		dy := ((float64(y)+0.5)/k - cy) / ry
		if dy*dy > 9 {
			continue
		}
		for x := range c.w {
			dx := ((float64(x)+0.5)/k - cx) / rx
			if d := dx*dx + dy*dy; d < 9 {
				i := y*c.w + x
				c.y[i] = 16 + (c.y[i]-16)*float32(1-depth*math.Exp(-d))
			}
		}
	}
}

func plain(c colour) texture { return func(_, _ float64) colour { return c } }

// plaster is a wall: large soft shadows and a fine grain.
func plaster(seed uint64, c colour, rough float64) texture {
	return func(x, y float64) colour {
		return c.lit(1 + 0.06*fractal(seed, x/260, y/260, 3) + rough*fractal(seed+1, x/5, y/5, 3))
	}
}

// wood has a grain along one axis.
func wood(seed uint64, c colour, upright bool) texture {
	return func(x, y float64) colour {
		if upright {
			x, y = y, x
		}
		v := fractal(seed, x/190, y/11, 4)
		ring := math.Sin((y/13 + 3*smooth(seed+3, x/260, y/60)) * 2)
		return c.lit(1 + 0.22*v + 0.05*ring + 0.05*fractal(seed+5, x/30, y/2.2, 2))
	}
}

// boards are planks of wood, each with its own tone.
func boards(seed uint64, c colour, wide, long float64) texture {
	grain := wood(seed, c, false)
	return func(x, y float64) colour {
		row := math.Floor(y / wide)
		at := x + long*math.Mod(row*0.37, 1)
		tone := 1 + 0.12*lattice(seed, int(math.Floor(at/long)), int(row))
		if math.Mod(y, wide) < 2 || math.Mod(at+10*long, long) < 2 {
			tone *= 0.6
		}
		return grain(x, y+row*311).lit(tone)
	}
}

// bricks are rows of stones in mortar.
func bricks(seed uint64, c, mortar colour, wide, tall float64) texture {
	return func(x, y float64) colour {
		row := math.Floor(y / tall)
		at := x + wide/2*math.Mod(row, 2)
		if math.Mod(y+tall, tall) < 4 || math.Mod(at+wide, wide) < 4 {
			return mortar.lit(1 + 0.10*fractal(seed+9, x/4, y/4, 2))
		}
		tone := 1 + 0.18*lattice(seed, int(math.Floor(at/wide)), int(row))
		return c.lit(tone + 0.16*fractal(seed+2, x/7, y/7, 3))
	}
}

// tiles are squares with a joint.
func tiles(seed uint64, a, b colour, side float64) texture {
	return func(x, y float64) colour {
		i, j := int(math.Floor(x/side)), int(math.Floor(y/side))
		if math.Mod(x+side, side) < 3 || math.Mod(y+side, side) < 3 {
			return a.lit(0.7)
		}
		c := a
		if (i+j)&1 == 1 {
			c = b
		}
		return c.lit(1 + 0.05*lattice(seed, i, j) + 0.07*fractal(seed+4, x/22, y/22, 4))
	}
}

// pile is a carpet, a coat, a cat: fine and irregular.
func pile(seed uint64, c colour, depth float64) texture {
	return func(x, y float64) colour {
		return c.lit(1 + depth*fractal(seed, x/6, y/6, 4) + 0.08*fractal(seed+8, x/120, y/120, 2))
	}
}

// leaves are foliage: patches of light on several scales.
func leaves(seed uint64, c colour) texture {
	return func(x, y float64) colour {
		v := fractal(seed, x/34, y/34, 5)
		lit := 0.75 + 0.55*v
		if smooth(seed+11, x/9, y/9) > 0.35 {
			lit += 0.35
		}
		return c.lit(max(0.15, lit))
	}
}

// spines are books, bottles, coats: upright stripes of many colours.
func spines(seed uint64, wide float64) texture {
	return func(x, y float64) colour {
		i := int(math.Floor(x / wide))
		r, g, b := 110+70*lattice(seed, i, 1), 95+60*lattice(seed, i, 2), 90+60*lattice(seed, i, 3)
		lit := 1 + 0.10*fractal(seed+6, x/4, y/40, 2)
		if math.Mod(x, wide) < 2 {
			lit = 0.5
		}
		return rgb(r, g, b).lit(lit)
	}
}

// stripes are upright folds or slats of one colour.
func stripes(seed uint64, c colour, wide float64) texture {
	return func(x, y float64) colour {
		fold := math.Sin(2*math.Pi*x/wide + 0.8*smooth(seed, x/wide, y/300))
		return c.lit(1 + 0.14*fold + 0.05*fractal(seed+1, x/5, y/5, 3))
	}
}
