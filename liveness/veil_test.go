package liveness

import (
	"testing"

	"eyebolt/camera"
)

// T7 in a noisy night, where the bytes of a key picture are its noise's: a lens that is covered or out of focus is found by
// its second still, is not learned however long it lasts, and is free at once. What is only another scene is no cover.
func TestVeil(t *testing.T) {
	s := newSensor(320, 192, 12, 6)
	flat := make([]float64, len(s.scene))
	blurred := make([]float64, len(s.scene))
	for i := range flat {
		flat[i] = 25
		x, y := i%s.w/24*24+12, i/s.w/24*24+12
		blurred[i] = 0.9*110 + 0.1*s.scene[min(y, s.h-1)*s.w+min(x, s.w-1)]
	}
	for name, hidden := range map[string][]float64{"covered": flat, "out of focus": blurred} {
		p := NewPrints(PrintsConfig{})
		scene := func(n int, view []float64) (f Finding) {
			for range n {
				f = find(p.Still(s.shoot(view)), "scene")
			}
			return f
		}
		if f := scene(24, s.scene); f.State != Live {
			t.Errorf("%s: before: %+v", name, f)
		}
		if f := scene(1, hidden); f.State == Covered {
			t.Errorf("%s: by one still: %+v", name, f)
		}
		for i := range 60 {
			if f := scene(1, hidden); f.State != Covered {
				t.Fatalf("%s: still %d: %+v", name, 2+i, f)
			}
		}
		if f := scene(1, s.scene); f.State != Live {
			t.Errorf("%s: free again: %+v", name, f)
		}
		if f := scene(2, s.paint()); f.State == Covered {
			t.Errorf("%s: another scene is called %+v", name, f)
		}
	}
}

// A cover by which the camera raises its gain is another scene to it; once that is learned it is known to hold too little.
func TestVeilThatIsLearned(t *testing.T) {
	s := newSensor(320, 192, 13, 2)
	p := NewPrints(PrintsConfig{})
	prints(p, 24, func(int) camera.Still { return s.shoot(s.scene) })
	flat := make([]float64, len(s.scene))
	for i := range flat {
		flat[i] = 60
	}
	s.noise = 9
	var f Finding
	for i := range 40 {
		f = find(p.Still(s.shoot(flat)), "scene")
		if f.State == Live {
			t.Fatalf("still %d: %+v", i, f)
		}
	}
	if f.State != Covered {
		t.Errorf("once it is learned: %+v", f)
	}
	s.noise = 2
	if f = find(p.Still(s.shoot(s.scene)), "scene"); f.State != Live {
		t.Errorf("free again: %+v", f)
	}
}
