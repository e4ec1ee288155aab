package liveness

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// loopStride keeps one block of each square of so many: a quarter of the picture is enough to tell one print from another,
	// and four times as long is remembered.
	loopStride = 2
	// loopLeast is the shortest loop that is looked for, in stills. A shorter one is a freeze.
	loopLeast = 2
	// loopAlone is what a peak's height over its neighbours counts, against its own: half of it must stand alone.
	loopAlone = 2
	// loopLags is how many lags there must be to know what is usual among them.
	loopLags = 8
)

// loop remembers prints, so that one that comes again is known though it was coded anew. A print of 640x360 takes 14 KiB: 360 of
// them, 12 minutes with a still every 2 s, are 5 MiB.
type loop struct {
	blocks []int   // which are kept
	tile   []uint8 // the tile of each
	tiles  int
	ring   []print   // by order of arrival
	n      int       // how many were ever added
	at     []float64 // by lag, of the newest match
	agree  []int32
	valid  []int32
}

func (l *loop) init(bw, bh, n int) {
	*l = loop{ring: make([]print, n), at: make([]float64, n)}
	across := bw / tileW
	l.tiles = across * (bh / tileH)
	for y := 0; y < bh/tileH*tileH; y += loopStride {
		for x := 0; x < across*tileW; x += loopStride {
			l.blocks = append(l.blocks, y*bw+x)
			l.tile = append(l.tile, uint8(y/tileH*across+x/tileW))
		}
	}
	for i := range l.ring {
		l.ring[i] = newPrint(len(l.blocks))
	}
	l.agree, l.valid = make([]int32, l.tiles), make([]int32, l.tiles)
}

// add remembers a print.
func (l *loop) add(p *print) {
	to := &l.ring[l.n%len(l.ring)]
	for i, b := range l.blocks {
		copy(to.sign[i*words:(i+1)*words], p.sign[b*words:])
		copy(to.valid[i*words:(i+1)*words], p.valid[b*words:])
	}
	l.n++
}

// match gives the lag at which the print is most like one that is remembered while unlike that one's neighbours, and by how
// much. What the picture has come to differ in from its scene is alike at every lag since; a loop is alike at one. It has
// to be called before add. ok says that there are lags enough to tell.
func (l *loop) match(p *print) (lag int, peak float64, ok bool) {
	n := min(l.n, len(l.ring))
	if n < loopLags+loopLeast {
		return 0, 0, false
	}
	for back := 1; back <= n; back++ {
		l.at[back-1] = l.compare(p, &l.ring[(l.n-back)%len(l.ring)])
	}
	for back := loopLeast; back < n; back++ {
		c := min(l.at[back-1], loopAlone*(l.at[back-1]-max(l.at[back-2], l.at[back])))
		if c > peak || lag == 0 {
			lag, peak = back, c
		}
	}
	return lag, peak, true
}

// compare is the median correlation of the tiles.
func (l *loop) compare(p, q *print) float64 {
	clear(l.agree)
	clear(l.valid)
	for i, b := range l.blocks {
		ps, pv := p.sign[b*words:][:words], p.valid[b*words:][:words]
		qs, qv := q.sign[i*words:][:words], q.valid[i*words:][:words]
		var agree, valid int
		for k := range words {
			v := pv[k] & qv[k]
			valid += bits.OnesCount64(v)
			agree += bits.OnesCount64(v &^ (ps[k] ^ qs[k]))
		}
		l.agree[l.tile[i]] += int32(agree)
		l.valid[l.tile[i]] += int32(valid)
	}
	var votes [256]float64
	n := 0
	for t, v := range l.valid {
		if v > tileVotes*tileW*tileH*area/(loopStride*loopStride) {
			votes[n] = float64(2*l.agree[t]-v) / float64(v)
			n++
		}
	}
	if n < l.tiles/4 {
		return 0
	}
	slices.Sort(votes[:n])
	return math.Sin(math.Pi / 2 * votes[n/2])
}
