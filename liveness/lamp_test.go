package liveness

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"eyebolt/camera"
)

// room gives the stills of a lamp of 16×16 pixels in a noisy room of 64×48.
type room struct {
	r       *rand.Rand
	plan    LampPlan
	lag     time.Duration
	levels  float64 // the lamp's brightness above the room's
	sigma   float64
	drift   float64 // of the room's light over the challenge, in levels
	every   time.Duration
	lamp    func(at time.Duration) bool // nil: by the plan
	shutter time.Duration
}

func (k room) read() Finding {
	l := NewLamp(k.plan, Region{24, 16, 16, 16})
	lamp := k.lamp
	if lamp == nil {
		lamp = k.plan.On
	}
	s := camera.Still{Width: 64, Height: 48, Luma: make([]byte, 64*48)}
	for at := time.Duration(0); at < k.plan.End()+6*time.Second; at += k.every {
		share := 0.0 // of the exposure in which the lamp was on
		const parts = 8
		for i := range parts {
			if lamp(at - k.lag - k.shutter*time.Duration(i)/parts) {
				share += 1.0 / parts
			}
		}
		base := 90 + k.drift*float64(at)/float64(k.plan.End())
		for i := range s.Luma {
			v := base + k.sigma*k.r.NormFloat64()
			if x, y := i%64, i/64; x >= 24 && x < 40 && y >= 16 && y < 32 {
				v += k.levels * share
			}
			s.Luma[i] = byte(min(255, max(0, v)))
		}
		s.Arrival = at
		l.Still(s)
	}
	return l.Read(k.plan.End() + 6*time.Second)
}

// guess is the chance that one random word passes: the share of words within lightErrors of the plan.
func guess() float64 {
	words, ways := 0.0, 1.0
	for k := range lightErrors + 1 {
		words += ways
		ways = ways * float64(lightBits-k) / float64(k+1)
	}
	return words / math.Exp2(lightBits)
}

func seed(r *rand.Rand) (b [32]byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// The light's bits come back from a live sensor with their delay, under noise and a drifting room; from a frozen, an earlier or
// another picture they do not.
func TestLamp(t *testing.T) {
	for _, k := range []struct {
		name string
		with func(*room)
		want State
	}{
		{"a bright lamp", func(k *room) { k.levels = 60 }, Live},
		{"a faint lamp", func(k *room) { k.levels = 8 }, Live},
		{"a noisy night", func(k *room) { k.levels, k.sigma = 12, 8 }, Live},
		{"a cloud passes", func(k *room) { k.levels, k.drift = 30, 12 }, Live},
		{"a slow shutter", func(k *room) { k.levels, k.shutter = 40, 66*time.Millisecond }, Live},
		{"three seconds behind", func(k *room) { k.levels, k.lag = 40, 3*time.Second }, Live},
		{"no lamp", func(k *room) { k.levels = 0 }, Untrusted},
		{"too faint to survive an encoder", func(k *room) { k.levels = 1 }, Untrusted},
		{"frozen with the lamp on", func(k *room) { k.levels = 60; k.lamp = func(time.Duration) bool { return true } }, Untrusted},
		{"an earlier challenge, replayed", func(k *room) {
			k.levels = 60
			old := NewLampPlan(seed(k.r), k.plan.Begin, k.plan.Bit)
			k.lamp = old.On
		}, Untrusted},
		{"too few stills", func(k *room) { k.levels, k.every = 60, 500*time.Millisecond }, Unknown},
	} {
		r := rand.New(rand.NewPCG(4, 2))
		for range 20 {
			lag := 150*time.Millisecond + time.Duration(r.Float64()*float64(400*time.Millisecond))
			m := room{r: r, plan: NewLampPlan(seed(r), time.Second, 200*time.Millisecond), lag: lag, sigma: 2.5, every: time.Second / 15}
			k.with(&m)
			f := m.read()
			if f.State != k.want {
				t.Errorf("%s: %+v", k.name, f)
				break
			}
			if k.want == Live && math.Abs(f.Score-m.lag.Seconds()) > 0.15 {
				t.Errorf("%s: delay %.2f s, want %.2f", k.name, f.Score, m.lag.Seconds())
			}
		}
	}
}

// A light that blinks anything else does not pass, though 5 s of delays are searched.
func TestLampGuesses(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	passed := 0
	const n = 500
	for range n {
		m := room{r: r, plan: NewLampPlan(seed(r), time.Second, 200*time.Millisecond), levels: 60, sigma: 0, every: time.Second / 15}
		word := r.Uint64()
		m.lamp = func(at time.Duration) bool { return at > 0 && word>>(uint(at/(200*time.Millisecond))%64)&1 == 1 }
		if m.read().State == Live {
			passed++
		}
	}
	t.Logf("%d of %d random lights pass; one word passes in %.2g", passed, n, guess())
	if passed > 0 {
		t.Errorf("%d of %d random lights pass", passed, n)
	}
}

// Stills of any size and region are read without harm.
func TestLampBadStills(t *testing.T) {
	p := NewLampPlan([32]byte{1}, 0, 200*time.Millisecond)
	for _, r := range []Region{{}, {-5, -5, 10, 10}, {1 << 30, 0, 5, 5}, {0, 0, -1, 3}} {
		l := NewLamp(p, r)
		for _, s := range []camera.Still{{}, {Width: 4, Height: 4}, {Width: math.MaxInt, Height: math.MaxInt, Luma: []byte{1}}, {Width: 2, Height: 2, Luma: []byte{1, 2, 3, 4}}} {
			l.Still(s)
		}
		if f := l.Read(time.Minute); f.State != Unknown {
			t.Errorf("%+v: %+v", r, f)
		}
	}
}
