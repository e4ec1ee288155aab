package eye

import "math"

// A frame is one picture in planar YUV 4:2:0, BT.601, video range.
type frame struct {
	w, h    int
	y, u, v []byte
	pix     []byte // y, u and v in one piece, as ffmpeg reads it
}

func newFrame(w, h int) *frame {
	pix := make([]byte, w*h*3/2)
	return &frame{w: w, h: h, pix: pix, y: pix[:w*h], u: pix[w*h : w*h*5/4], v: pix[w*h*5/4:]}
}

// colour is one YUV value.
type colour struct{ y, u, v byte }

// rgb converts by BT.601.
func rgb(r, g, b float64) colour {
	return colour{
		y: byte(16 + 0.257*r + 0.504*g + 0.098*b),
		u: byte(128 - 0.148*r - 0.291*g + 0.439*b),
		v: byte(128 + 0.439*r - 0.368*g - 0.071*b),
	}
}

func (c colour) shade(by float64) colour {
	return colour{y: byte(min(235, max(16, 16+(float64(c.y)-16)*by))), u: c.u, v: c.v}
}

// row paints pixels [x0, x1) of one row.
func (f *frame) row(y, x0, x1 int, c colour) {
	x0, x1 = max(0, x0), min(f.w, x1)
	if y < 0 || y >= f.h || x0 >= x1 {
		return
	}
	line := f.y[y*f.w+x0 : y*f.w+x1]
	for i := range line {
		line[i] = c.y
	}
	if y%2 == 0 {
		half := f.w / 2
		u, v := f.u[y/2*half+x0/2:y/2*half+(x1+1)/2], f.v[y/2*half+x0/2:y/2*half+(x1+1)/2]
		for i := range u {
			u[i], v[i] = c.u, c.v
		}
	}
}

type point struct{ x, y float64 }

// poly fills a convex polygon.
func (f *frame) poly(c colour, pts ...point) {
	top, bottom := pts[0].y, pts[0].y
	for _, p := range pts {
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	for y := max(0, int(top)); y < min(f.h, int(bottom)+1); y++ {
		mid, left, right := float64(y)+0.5, float64(f.w), 0.0
		for i, a := range pts {
			b := pts[(i+1)%len(pts)]
			if (a.y <= mid) == (b.y <= mid) {
				continue
			}
			x := a.x + (mid-a.y)/(b.y-a.y)*(b.x-a.x)
			left, right = min(left, x), max(right, x)
		}
		if left < right {
			f.row(y, int(left+0.5), int(right+0.5), c)
		}
	}
}

func (f *frame) rect(c colour, x, y, w, h float64) {
	f.poly(c, point{x, y}, point{x + w, y}, point{x + w, y + h}, point{x, y + h})
}

// gradient fills a rectangle from one colour at its top to another at its bottom.
func (f *frame) gradient(a, b colour, x, y, w, h float64) {
	for i := range int(h + 0.5) {
		t := float64(i) / max(1, h)
		mix := func(p, q byte) byte { return byte(float64(p)*(1-t) + float64(q)*t) }
		f.row(int(y)+i, int(x+0.5), int(x+w+0.5), colour{mix(a.y, b.y), mix(a.u, b.u), mix(a.v, b.v)})
	}
}

func (f *frame) ellipse(c colour, cx, cy, rx, ry float64) {
	for y := int(cy - ry); y <= int(cy+ry); y++ {
		d := (float64(y) + 0.5 - cy) / ry
		if d*d >= 1 {
			continue
		}
		half := rx * math.Sqrt(1-d*d)
		f.row(y, int(cx-half+0.5), int(cx+half+0.5), c)
	}
}

// digits are 3×5 glyphs, a bit a pixel, top row in the highest bits.
var digits = map[rune]uint16{
	'0': 0b111_101_101_101_111, '1': 0b010_110_010_010_111, '2': 0b111_001_111_100_111, '3': 0b111_001_111_001_111,
	'4': 0b101_101_111_001_001, '5': 0b111_100_111_001_111, '6': 0b111_100_111_101_111, '7': 0b111_001_010_010_010,
	'8': 0b111_101_111_101_111, '9': 0b111_101_111_001_111, ':': 0b000_010_000_010_000, '.': 0b000_000_000_000_010,
	'-': 0b000_000_111_000_000, ' ': 0,
}

// text writes digits with pixels of the given size.
func (f *frame) text(c colour, x, y, size float64, s string) {
	for _, r := range s {
		glyph := digits[r]
		for i := range 15 {
			if glyph>>(14-i)&1 == 1 {
				f.rect(c, x+float64(i%3)*size, y+float64(i/3)*size, size, size)
			}
		}
		x += 4 * size
	}
}
