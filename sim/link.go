package sim

import (
	"math"
	"math/rand/v2"
)

// Link is a model of how a camera's pictures reach the hub over RTSP by TCP: in order, lognormal delays in good and bad
// stretches (Gilbert-Elliott), losses that cost TCP's retransmission time, an access point that leaves its channel to scan,
// outages, and large key pictures. Typical was tuned to the delays of 47,000 devices (Sui et al., MobiSys 2016: median 3 ms,
// 90th percentile 20 ms, 99th 250 ms), congested to those of Pei et al., INFOCOM 2016. It is a model, not a trace.
type Link struct {
	Name, Say              string
	goodMedian, goodSpread float64 // ms; of the logarithm
	badMedian, badSpread   float64
	badShare, badStay      float64 // of time; mean seconds
	scanEvery, scanFor     float64 // s; 0: never
	outages                float64 // an hour, of 1 to 5 s
	badLoss, goodLoss      float64 // the chance that a picture meets a retransmission
	mbit                   float64
}

// Links are a cable and three kinds of Wi-Fi, the best first.
var Links = []Link{
	{"wired", "cable", 0.4, 0.5, 2, 0.7, 0.001, 0.2, 0, 0, 0, 0, 0, 90},
	{"wifi-good", "good Wi-Fi", 2.5, 0.8, 20, 1.0, 0.01, 0.3, 120, 0.10, 1.0 / 12, 0.005, 0.00002, 40},
	{"wifi-typical", "typical Wi-Fi", 3, 1.0, 40, 1.2, 0.04, 0.5, 60, 0.10, 1.0 / 4, 0.01, 0.0001, 20},
	{"wifi-congested", "congested Wi-Fi", 13, 0.9, 60, 1.1, 0.08, 0.5, 60, 0.10, 1, 0.01, 0.0005, 10},
}

const (
	FPS      = 15
	GOP      = 30
	keyBytes = 60000
	midBytes = 6000
)

// Arrivals gives one picture after the other. One goroutine owns it.
type Arrivals struct {
	l        Link
	rng      *rand.Rand
	i        int
	bad      bool
	turn     float64 // when good and bad change
	scan     float64
	outage   float64
	free     float64 // nothing gets through before
	previous float64
}

// NewArrivals begins a camera on a link; the seed decides everything.
func NewArrivals(l Link, seed uint64) *Arrivals {
	a := &Arrivals{l: l, rng: rand.New(rand.NewPCG(seed, uint64(len(l.Name)))), scan: math.Inf(1), outage: math.Inf(1)}
	a.turn = a.rng.ExpFloat64() * a.goodStay()
	if l.scanEvery > 0 {
		a.scan = a.rng.Float64() * l.scanEvery
	}
	if l.outages > 0 {
		a.outage = a.rng.ExpFloat64() * 3600 / l.outages
	}
	return a
}

func (a *Arrivals) goodStay() float64 { return a.l.badStay * (1 - a.l.badShare) / a.l.badShare }

// Next gives the next picture: its media time, and when it has arrived, in seconds; whether it is a key picture is [Arrivals.Key].
func (a *Arrivals) Next() (media, at float64) {
	r, l := a.rng, &a.l
	media = float64(a.i) / FPS
	send := media + r.NormFloat64()*0.001 + 0.02 + r.Float64()*0.005
	if r.Float64() < 1e-4 { // the encoder hesitates
		send += 0.05 + r.Float64()*0.1
	}
	for send > a.turn {
		if a.bad = !a.bad; a.bad {
			a.turn += r.ExpFloat64() * l.badStay
		} else {
			a.turn += r.ExpFloat64() * a.goodStay()
		}
	}
	for send > a.scan {
		a.free = max(a.free, a.scan+l.scanFor)
		a.scan += l.scanEvery * (0.9 + 0.2*r.Float64())
	}
	for send > a.outage {
		a.free = max(a.free, a.outage+1+4*r.Float64())
		a.outage += r.ExpFloat64() * 3600 / l.outages
	}
	median, spread, loss := l.goodMedian, l.goodSpread, l.goodLoss
	if a.bad {
		median, spread, loss = l.badMedian, l.badSpread, l.badLoss
	}
	d := min(3000, median*math.Exp(spread*r.NormFloat64())) / 1000
	for rto := 0.2; rto < 4 && r.Float64() < loss; rto *= 2 {
		d += rto
	}
	size := midBytes * math.Exp(0.3*r.NormFloat64())
	if a.i%GOP == 0 {
		size = keyBytes
	}
	d += size * 8 / (l.mbit * 1e6)
	a.previous = max(a.previous, max(send, a.free)+d)
	a.i++
	return media, a.previous
}

// Key says whether the newest picture is a key picture.
func (a *Arrivals) Key() bool { return a.i%GOP == 1 }
