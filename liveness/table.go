package liveness

// table is the newest still, as it is worked on: shrunk, high-passed, cut into blocks.
type table struct {
	w, h   int
	bw, bh int
	lum    []float32
	high   []float32 // high-passed, row by row
	still  []float32 // high-passed, block by block
	before []float32 // the still before
	mean   []float32 // each block's mean grey
	row    []float32
}

func (l *table) init(w, h int) {
	bw, bh := w/side, h/side
	*l = table{
		w: w, h: h, bw: bw, bh: bh,
		lum: make([]float32, w*h), high: make([]float32, w*h), row: make([]float32, w),
		still: make([]float32, bw*bh*area), before: make([]float32, bw*bh*area), mean: make([]float32, bw*bh),
	}
}

// lay puts a still on the table. It is w wide and is halved so often that it fits.
func (l *table) lay(luma []byte, w, half int) {
	n := 1 << half
	scale := 1 / float32(n*n)
	for y := range l.h {
		line := l.lum[y*l.w : y*l.w+l.w]
		if half == 0 {
			for x, v := range luma[y*w : y*w+l.w] {
				line[x] = float32(v)
			}
			continue
		}
		for x := range line {
			sum := 0
			for dy := range n {
				for _, v := range luma[(y*n+dy)*w+x*n:][:n] {
					sum += int(v)
				}
			}
			line[x] = float32(sum) * scale
		}
	}
	highpass(l.high, l.lum, l.row, l.w, l.h)
	l.still, l.before = l.before, l.still
	for by := range l.bh {
		for bx := range l.bw {
			b := by*l.bw + bx
			var sum float32
			for y := range side {
				at := (by*side+y)*l.w + bx*side
				copy(l.still[b*area+y*side:][:side], l.high[at:at+side])
				for _, v := range l.lum[at : at+side] {
					sum += v
				}
			}
			l.mean[b] = sum / area
		}
	}
}

// difference is half the energy by which a block differs from the one before it: its noise, if nothing moves and the noise of
// two stills is independent.
func (l *table) difference(b int) float32 {
	var e float32
	x, y := l.still[b*area:(b+1)*area], l.before[b*area:(b+1)*area]
	for k, v := range x {
		d := v - y[k]
		e += d * d
	}
	return e / (2 * area)
}
