package liveness

import (
	"math"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
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

// What is left of a scene while noise reduction lets go of it counts as its first still out of view: covered by the second one of
// all. A scene that fades and comes back is no cover.
func TestVeilThatComesSlowly(t *testing.T) {
	s := newSensor(320, 192, 15, 6)
	flat, half, ghost := make([]float64, len(s.scene)), make([]float64, len(s.scene)), make([]float64, len(s.scene))
	other := s.paint()
	for i := range flat {
		flat[i] = 25
		half[i] = 0.6*s.scene[i] + 0.4*25
		ghost[i] = 0.2*s.scene[i] + 0.8*other[i]
	}
	for name, first := range map[string][]float64{"at six tenths": half, "by what it leaves": ghost} {
		p := NewPrints(PrintsConfig{})
		prints(p, 24, func(int) camera.Still { return s.shoot(s.scene) })
		p.Still(s.shoot(first))
		if f := find(p.Still(s.shoot(s.scene)), "scene"); f.State != Live {
			t.Errorf("%s, and back: %+v", name, f)
		}
		if f := find(p.Still(s.shoot(flat)), "scene"); f.State == Covered {
			t.Errorf("%s: covered by one still: %+v", name, f)
		}
		p.Still(s.shoot(s.scene))
		p.Still(s.shoot(first))
		if f := find(p.Still(s.shoot(flat)), "scene"); f.State != Covered {
			t.Errorf("%s: by the second still: %+v", name, f)
		}
	}
}

// T7: bytes that are missing from one key picture, and a scene that was out of view in the one before, are a cover; each alone, or
// with a key picture between them, is not.
func TestCoverByBytesAndScene(t *testing.T) {
	const full, little = 6000, 1000
	for name, c := range map[string]struct {
		first State // what the scene's detector says of the first key picture, 0.1 of its contrast being left
		score float64
		at    time.Duration // of it
		keys  []int
		want  State
	}{
		"joined":                   {Unknown, 0.1, 0, []int{full, little}, Covered},
		"bytes alone":              {Live, 0.9, 0, []int{full, little}, Unknown},
		"the scene in view":        {Unknown, 0.5, 0, []int{full, little}, Unknown},
		"a key between them":       {Unknown, 0.1, 0, []int{full, full, little}, Unknown},
		"of an older picture":      {Unknown, 0.1, -3 * sec, []int{full, little}, Unknown},
		"the scene alone":          {Unknown, 0.1, 0, []int{full, full}, Live},
		"bytes of two, and no one": {Live, 0.9, 0, []int{little, little}, Covered},
	} {
		k := weighed(full)
		params, _ := cameratest.Encode(t, cameratest.Encoding{Seconds: 1})
		k.params(params.SPS, camera.H264)
		k.params(params.PPS, camera.H264)
		_, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 1})
		var slice []byte
		for _, n := range all[0] {
			if n[0]&0x1f == 5 {
				slice = n
			}
		}
		qp, ok := k.h264.keyQP(slice)
		if !ok {
			t.Fatal("the slice's quantiser cannot be read")
		}
		var f fact
		for i, bytes := range c.keys {
			n := make([]byte, int(float64(bytes)/math.Exp2(float64(qp-qp0)/6)))
			for at := copy(n, slice[:16]); at < len(n); at++ {
				n[at] = 0xff
			}
			at := time.Duration(i) * 2 * sec
			f = k.picture(&camera.Picture{NALs: [][]byte{n}, Key: true}, camera.H264, at)
			if i == 0 {
				k.scene(Finding{By: "scene", State: c.first, At: at + c.at, Score: c.score, Limit: 0.4})
			}
		}
		if f.state != c.want {
			t.Errorf("%s: %+v, want state %d", name, f, c.want)
		}
		if name == "joined" && !strings.Contains(sayCover(f), "the scene was out of view") {
			t.Errorf("it says %q", sayCover(f))
		}
	}
}

// A still is told the quantiser of the key picture that it was decoded from, by that one's media time, on this connection.
func TestKeyQuantiser(t *testing.T) {
	_, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 2, Args: []string{"-qp", "31"}})
	j := New(Config{})
	j.Opened(0)
	for i, au := range all {
		at := sec + time.Duration(i)*period
		j.Picture(camera.Picture{Media: at, Arrival: at, Key: isKey(camera.H264)(au), NALs: au})
	}
	if q := j.KeyQuantiser(sec); q < 25 || q > 31 { // x264 codes its keys finer by 3 steps
		t.Errorf("quantiser %v", q)
	}
	if q := j.KeyQuantiser(sec + period); q != 0 {
		t.Errorf("of no key: %v", q)
	}
	j.Closed(5 * sec)
	j.Opened(6 * sec)
	if q := j.KeyQuantiser(sec); q != 0 {
		t.Errorf("of another connection: %v", q)
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
