package liveness

import (
	"math"
	"strings"
	"testing"

	"eyebolt/camera"
)

// stepped gives a coder of the sensor's scene: at each quantiser but one it leaves an error of its own, the same in every still, and
// the coarser the less noise.
func stepped(s *sensor, learned int) func(qp int) camera.Still {
	noise, errors := s.noise, map[int][]float64{}
	return func(qp int) camera.Still {
		scene := append([]float64(nil), s.scene...)
		if errors[qp] == nil {
			for range scene {
				errors[qp] = append(errors[qp], 0.95*noise*s.rng.NormFloat64())
			}
		}
		for i, e := range errors[qp] {
			if qp != learned {
				scene[i] += e
			}
		}
		s.noise = noise * math.Exp2(-float64(max(0, qp-learned))/8)
		k := s.shoot(scene)
		k.Quantiser = float64(qp)
		return k
	}
}

// S18: a live sensor whose coder's step has changed leaves stills that are alike by the coder's error, and the less noise the coarser
// the step. None of it is frozen, though two in a row are nearly the same by ten steps; what cannot be told is said, with what to
// do; and a picture that is frozen then is found or not judged, and never live (T4).
func TestCoarserQuantiserIsNotFrozen(t *testing.T) {
	const learned = 26
	s := newSensor(320, 192, 14, 2.5)
	p := NewPrints(PrintsConfig{})
	coded := stepped(s, learned)
	prints(p, 30, func(int) camera.Still { return coded(learned) })
	for _, qp := range []int{27, 28, 30, 33, 36, learned} {
		for i := range 8 {
			all := p.Still(coded(qp))
			f, l := find(all, "freeze"), find(all, "loop")
			if f.State == Frozen || l.State == Replayed {
				t.Fatalf("live at quantiser %d, still %d: %+v %+v", qp, i, f, l)
			}
			switch {
			case i < 4:
			case qp >= 33 && (f.State != Unknown || !strings.Contains(f.Say, "raise the camera's bit rate") || l.State != Unknown):
				t.Errorf("at quantiser %d, still %d: %+v, want that too little noise is left", qp, i, f)
			case qp < 30 && f.State != Live:
				t.Errorf("at quantiser %d, still %d: %+v", qp, i, f)
			}
		}
	}
	for _, c := range []struct {
		qp    int
		error float64
		want  State
	}{{27, 0.5, Frozen}, {30, 0.4, Frozen}, {33, 1.3, Unknown}} {
		prints(p, 6, func(int) camera.Still { return coded(learned) })
		stuck := coded(c.qp).Luma
		f, _ := prints(p, 5, func(int) camera.Still {
			k := s.show(s.recode(stuck, c.error))
			k.Quantiser = float64(c.qp)
			return k
		})
		if f.State != c.want {
			t.Errorf("frozen at quantiser %d: %+v, want state %d", c.qp, f, c.want)
		}
	}
}

// S18: a rate control that swings shows stills of a quantiser again that are alike among others that are not: no loop. A loop that
// is coded at such a quantiser is one all the same (T5).
func TestSwingingQuantiserIsNoLoop(t *testing.T) {
	s := newSensor(320, 192, 16, 2.5)
	p := NewPrints(PrintsConfig{})
	coded := stepped(s, 26)
	prints(p, 30, func(int) camera.Still { return coded(26) })
	qp := 26
	for i := range 160 {
		switch {
		case i < 80: // two keys of another step, 40 s after two others
			qp = 26
			if i%20 == 5 || i%20 == 7 {
				qp = 27
			}
		case i%7 == 0 || i%11 == 0:
			qp = 25 + s.rng.IntN(4)
		}
		if l := find(p.Still(coded(qp)), "loop"); l.State == Replayed {
			t.Fatalf("still %d, at quantiser %d: %+v", i, qp, l)
		}
	}
	var clip [][]byte
	for range 5 {
		clip = append(clip, coded(27).Luma)
		k := s.show(clip[len(clip)-1])
		k.Quantiser = 27
		p.Still(k)
	}
	said := 0
	for i := 1; i <= 8 && said == 0; i++ {
		k := s.show(s.recode(clip[(i-1)%5], 0.5))
		k.Quantiser = 27
		if find(p.Still(k), "loop").State == Replayed {
			said = i
		}
	}
	if said == 0 || said > 3 {
		t.Errorf("a loop at quantiser 27 is said with the repeat %d, want by the third", said)
	}
}
