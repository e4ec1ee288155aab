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
	// loopSure is the share of what is no coder's error that is surely the same, and loopMost bounds what is one.
	loopSure, loopMost = 0.8, 0.95
	// loopSame is how many stills of one quantiser there must be to know how alike they are.
	loopSame = 4
	// sameStep is by how much less the quantisers of two stills differ that are one.
	sameStep = 0.5
	// loopTiles is what the lowest quarter of the tiles counts, against the median: a loop comes again in nearly all of the picture,
	// and leaves that sway, or a fan, in part of it.
	loopTiles = 3
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
	at     []float64 // by lag, of the newest match: the median tile's
	low    []float64 // likewise, what the least alike tiles allow
	qp     []float64 // by place in ring: at which quantiser it was coded; 0: unknown
	fresh  []bool    // by place in ring: it was no repeat
	same   []float64
	agree  []int32
	valid  []int32
}

func (l *loop) init(bw, bh, n int) {
	*l = loop{ring: make([]print, n), at: make([]float64, n), low: make([]float64, n), qp: make([]float64, n), fresh: make([]bool, n), same: make([]float64, 0, n)}
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

// add remembers a print, the quantiser of its still, and whether that was no repeat.
func (l *loop) add(p *print, qp float64, fresh bool) {
	at := l.n % len(l.ring)
	to := &l.ring[at]
	l.qp[at], l.fresh[at] = qp, fresh
	for i, b := range l.blocks {
		copy(to.sign[i*words:(i+1)*words], p.sign[b*words:])
		copy(to.valid[i*words:(i+1)*words], p.valid[b*words:])
	}
	l.n++
}

// likeness is what a print is most like.
type likeness struct {
	lag    int     // how many stills ago it was shown
	peak   float64 // how like that one it is, and unlike that one's neighbours
	unsure bool    // it may be alike by the coder's own error
}

// match gives the lag at which the print is most like one that is remembered while unlike that one's neighbours, and by how
// much. What the picture has come to differ in from its scene is alike at every lag since; a loop is alike at one. Stills of
// one quantiser are alike too, by the coder's own error, and their neighbours may be of another: what is shown again is more alike
// than nearly all of its quantiser are that were no repeats. Where its neighbours are of another quantiser, and too few of its own are known
// or the newest still is not of that, a peak over the limit is unsure, and counts only where no other is over it. All that is only
// where a coder's error is in the print: coders. match has to be called before add. ok says that there are lags enough to tell.
func (l *loop) match(p *print, qp, limit float64, coders bool) (m likeness, ok bool) {
	n := min(l.n, len(l.ring))
	if n < loopLags+loopLeast {
		return m, false
	}
	for back := 1; back <= n; back++ {
		l.at[back-1], l.low[back-1] = l.compare(p, &l.ring[(l.n-back)%len(l.ring)])
	}
	odd := likeness{peak: limit, unsure: true}
	for back := loopLeast; back < n; back++ {
		c := min(l.at[back-1], l.low[back-1], loopAlone*(l.at[back-1]-max(l.at[back-2], l.at[back])))
		if q := l.quantiser(back); coders && c > max(m.peak, 0) && q > 0 { // only for those that may be a peak
			usual, known := l.usual(back, n, q)
			if known {
				over := l.at[back-1] - usual
				if same := over / (1 - min(usual, loopMost)); same > loopSure { // where most is the coder's, nearly all of the rest
					over = max(over, same/2)
				}
				c = min(c, over)
			}
			alone := !sameQuantiser(q, l.quantiser(back-1)) || !sameQuantiser(q, l.quantiser(back+1))
			if alone && (!known || !sameQuantiser(q, qp)) {
				if c > odd.peak {
					odd.lag, odd.peak = back, c
				}
				continue
			}
		}
		if c > m.peak || m.lag == 0 {
			m = likeness{lag: back, peak: c}
		}
	}
	if odd.lag > 0 && m.peak <= limit {
		return odd, true
	}
	return m, true
}

// quantiser of the still that came so many before the newest.
func (l *loop) quantiser(back int) float64 { return l.qp[(l.n-back)%len(l.ring)] }

func sameQuantiser(a, b float64) bool { return math.Abs(a-b) < sameStep }

// usual is how alike the print is to nearly all stills of a quantiser that were no repeats, but for the one at lag not and its neighbours.
func (l *loop) usual(not, n int, qp float64) (like float64, known bool) {
	l.same = l.same[:0]
	for back := 1; back <= n; back++ {
		if i := (l.n - back) % len(l.ring); l.fresh[i] && sameQuantiser(l.qp[i], qp) && !near(back, not) {
			l.same = append(l.same, l.at[back-1])
		}
	}
	if len(l.same) < loopSame {
		return 0, false
	}
	slices.Sort(l.same)
	return l.same[(len(l.same)-1)*19/20], true
}

// compare is the correlation of the tiles: their median, and loopTiles times the mean of the lowest quarter.
func (l *loop) compare(p, q *print) (like, low float64) {
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
		return 0, 0
	}
	slices.Sort(votes[:n])
	lowest := votes[:max(n/4, 1)]
	for _, v := range lowest {
		low += v
	}
	return math.Sin(math.Pi / 2 * votes[n/2]), math.Sin(math.Pi / 2 * min(1, max(-1, loopTiles*low/float64(len(lowest)))))
}
