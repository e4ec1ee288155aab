package liveness

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"eyebolt/camera"
)

// The light challenge: a lamp in the camera's view blinks bits that nobody could know beforehand, and the hub reads them back from
// stills. A match proves that this sensor sees this room now, and how old its pictures are, absolutely. It is off unless a household
// turns it on: a patent application is near (docs/OPERATING.md).

const (
	// lightBits is how many bits a challenge has, its preamble not counted.
	lightBits = 20
	// lightPreamble begins every challenge, so that bright and dark are known: on, off, on, off.
	lightPreamble = 0b1010
	lightPreBits  = 4
	// lightLag is the longest delay that is searched for, in lightStep.
	lightLag, lightStep = 5 * time.Second, 10 * time.Millisecond
	// lightContrast is the least difference of bright and dark, in luma, that is one: three levels is what an encoder takes away.
	lightContrast = 3.0
	// lightErrors is how many bits may be wrong. A guess of the bits then passes in one of 50,000; over all delays that are searched
	// (25 bits' length, of which one in 16 begins like a challenge) a light that blinks anything passes in about one of 30,000.
	lightErrors = 1
	// lightStills bounds the stills of one challenge: at 15 a second for as long as the longest takes.
	lightStills = 512
)

// LampPlan is when a lamp is on: bits of a fixed length from Begin on.
type LampPlan struct {
	Begin time.Duration // on the hub's clock
	Bit   time.Duration // how long each lasts: 200 ms at 10 stills a second or more; two stills a bit are the least
	bits  uint32        // preamble first, most significant
}

// NewLampPlan makes the plan of one challenge from 32 random bytes, which are used once.
func NewLampPlan(seed [32]byte, begin, bit time.Duration) LampPlan {
	return LampPlan{Begin: begin, Bit: max(bit, 50*time.Millisecond), bits: lightPreamble<<lightBits | binary.BigEndian.Uint32(seed[:4])>>(32-lightBits)}
}

// Len is how many bits the plan has.
func (p LampPlan) Len() int { return lightPreBits + lightBits }

// End is when the last bit is over.
func (p LampPlan) End() time.Duration { return p.Begin + time.Duration(p.Len())*p.Bit }

// On says whether the lamp is on at a moment; outside the plan it is off.
func (p LampPlan) On(at time.Duration) bool {
	if at < p.Begin || at >= p.End() {
		return false
	}
	return p.bit(int((at - p.Begin) / p.Bit))
}

func (p LampPlan) bit(i int) bool { return p.bits>>(p.Len()-1-i)&1 == 1 }

// Region is where the lamp is in a still.
type Region struct{ X, Y, W, H int }

// Lamp reads one challenge. One goroutine owns it.
type Lamp struct {
	plan   LampPlan
	region Region
	at     []time.Duration
	luma   []float64
}

// NewLamp waits for the stills of one plan.
func NewLamp(p LampPlan, r Region) *Lamp {
	return &Lamp{plan: p, region: r, at: make([]time.Duration, 0, lightStills), luma: make([]float64, 0, lightStills)}
}

// Still takes a still by its arrival. What arrives before the challenge, long after it, or shows no such region is left out.
func (l *Lamp) Still(s camera.Still) {
	if s.Arrival < l.plan.Begin || s.Arrival > l.plan.End()+lightLag || len(l.at) == lightStills {
		return
	}
	if m, ok := l.region.mean(s); ok {
		l.at, l.luma = append(l.at, s.Arrival), append(l.luma, m)
	}
}

// mean is the region's mean luma.
func (r Region) mean(s camera.Still) (float64, bool) {
	if s.Width <= 0 || s.Height <= 0 || s.Width > len(s.Luma)/s.Height {
		return 0, false
	}
	x0, y0, x1, y1 := max(0, r.X), max(0, r.Y), min(s.Width, r.X+r.W), min(s.Height, r.Y+r.H)
	if x0 >= x1 || y0 >= y1 {
		return 0, false
	}
	sum := 0
	for y := y0; y < y1; y++ {
		for _, v := range s.Luma[y*s.Width+x0 : y*s.Width+x1] {
			sum += int(v)
		}
	}
	return float64(sum) / float64((x1-x0)*(y1-y0)), true
}

// Read says what the stills show, when the last of them has come: by name "light". Live: the bits came back, and Score is the delay
// from lamp to hub in seconds. Untrusted: stills came, and the bits are not in them. Unknown: the region cannot be read.
func (l *Lamp) Read(now time.Duration) Finding {
	f := Finding{By: "light", At: now, Limit: lightLag.Seconds()}
	if len(l.at) < 2*l.plan.Len() {
		f.Say = fmt.Sprintf("%d stills came in the light's time; at least %d are needed", len(l.at), 2*l.plan.Len())
		return f
	}
	wrong, lag, contrast := l.plan.Len(), time.Duration(0), 0.0
	for d := time.Duration(0); d <= lightLag; d += lightStep {
		w, c := l.try(d)
		if w < wrong || w == wrong && c > contrast+0.5 {
			wrong, lag, contrast = w, d, c
		}
	}
	if wrong <= lightErrors && contrast >= lightContrast {
		f.State, f.Score = Live, lag.Seconds()
		f.Say = fmt.Sprintf("the light's %d bits came back, %d of them wrong, %.2f s after they were shown", l.plan.Len(), wrong, lag.Seconds())
		return f
	}
	f.State = Untrusted
	f.Say = fmt.Sprintf("the light's bits are not in the picture: at best %d of %d wrong, by %.1f levels of brightness", wrong, l.plan.Len(), contrast)
	return f
}

// try reads the bits as if the picture were d behind. A bit's value is the mean of the stills in its middle half; bright and dark are
// told apart by the preamble, and by a slow change of the room's own light no further than that.
func (l *Lamp) try(d time.Duration) (wrong int, contrast float64) {
	n := l.plan.Len()
	var sum [lightPreBits + lightBits]float64
	var count [lightPreBits + lightBits]int
	for i, at := range l.at {
		t := at - d - l.plan.Begin
		k := int(t / l.plan.Bit)
		if t < 0 || k >= n {
			continue
		}
		// The first fifth of a bit may still show the one before: exposure and the encoder take their time.
		if within := t - time.Duration(k)*l.plan.Bit; within < l.plan.Bit/5 {
			continue
		}
		sum[k] += l.luma[i]
		count[k]++
	}
	var on, off []float64
	for k := range n {
		if count[k] == 0 {
			return n, 0
		}
		sum[k] /= float64(count[k])
		if k >= lightPreBits {
			continue
		}
		if l.plan.bit(k) {
			on = append(on, sum[k])
		} else {
			off = append(off, sum[k])
		}
	}
	contrast = slices.Min(on) - slices.Max(off)
	if contrast < lightContrast {
		return n, contrast
	}
	middle := (slices.Min(on) + slices.Max(off)) / 2
	var seen uint32
	for k := range n {
		seen <<= 1
		if sum[k] > middle {
			seen |= 1
		}
	}
	return bits.OnesCount32(seen ^ l.plan.bits), contrast
}
