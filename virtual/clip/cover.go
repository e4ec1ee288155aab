package clip

import "fmt"

// Covers are the ways to blind a camera that Eye.Cover knows.
var Covers = []string{"hand", "bag", "defocus", "black", "blackout"}

// Cover blinds the camera from the next picture on: a hand close to the lens, a black bag over it, its focus turned away, no
// light at all (only the sensor's noise), or a picture without even that, as a camera whose sensor is dead sends.
func (e *Eye) Cover(how string) error {
	w, h := e.view.Width, e.view.Height
	flat := func(y, u, v float64) {
		for i := range e.y {
			e.y[i] = uint16(y * 256)
		}
		for i := range e.u {
			e.u[i], e.v[i] = uint16(u*256), uint16(v*256)
		}
	}
	switch how {
	case "hand":
		base, depth := 40.0, 14.0
		if e.sensor.infrared {
			base, depth = 175, 40 // the camera's own light comes back from it
		}
		flat(base, 118, 145)
		if e.sensor.infrared {
			flat(base, 128, 128)
		}
		for y := range h {
			for x := range w {
				e.y[y*w+x] = uint16((base + depth*fractal(e.view.Seed+91, float64(x)/e.unit/420, float64(y)/e.unit/420, 2)) * 256)
			}
		}
	case "bag":
		flat(19, 128, 128)
		for y := range h {
			for x := range w {
				e.y[y*w+x] = uint16((19 + 2.5*fractal(e.view.Seed+92, float64(x)/e.unit/240, float64(y)/e.unit/160, 3)) * 256)
			}
		}
	case "defocus":
		for range 3 {
			soften(e.y, w, h, max(4, w/90))
			soften(e.u, w/2, h/2, max(2, w/180))
			soften(e.v, w/2, h/2, max(2, w/180))
		}
	case "black":
		flat(16, 128, 128)
	case "blackout":
		flat(16, 128, 128)
		clear(e.noise[:])
		e.sensor.sigma, e.chroma, e.cold = 0, 0, true
	default:
		return fmt.Errorf("clip: no cover is called %q: use one of %v", how, Covers)
	}
	e.sensor.moves = false
	if how == "hand" || how == "bag" || how == "black" || how == "blackout" {
		e.sensor.wave, e.sensor.steps = 0, false
	}
	return nil
}

// soften replaces each value by the mean of a square around it of 2r+1.
func soften(p []uint16, w, h, r int) {
	line := make([]uint16, max(w, h))
	pass := func(n, start, step int) {
		sum, count := 0, 0
		for i := range min(r, n) {
			sum += int(p[start+i*step])
			count++
		}
		for i := range n {
			if j := i + r; j < n {
				sum += int(p[start+j*step])
				count++
			}
			if j := i - r - 1; j >= 0 {
				sum -= int(p[start+j*step])
				count--
			}
			line[i] = uint16(sum / count)
		}
		for i := range n {
			p[start+i*step] = line[i]
		}
	}
	for y := range h {
		pass(w, y*w, 1)
	}
	for x := range w {
		pass(h, x, w)
	}
}
