package clip

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"testing"
)

func open(t testing.TB, v View) *Eye {
	t.Helper()
	e, err := NewEye(v)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func BenchmarkPicture720(b *testing.B) {
	e := open(b, View{Room: "kitchen", Condition: "day", Width: 1280, Height: 720, Seed: 1})
	for i := range b.N {
		e.Picture(float64(i) / fps)
	}
}

func TestSameViewSamePictures(t *testing.T) {
	for _, c := range Conditions {
		v := View{Room: "livingroom", Condition: c, Width: 320, Height: 180, Seed: 4}
		a, b := open(t, v), open(t, v)
		v.Seed = 5
		other := open(t, v)
		for i := range 40 {
			at := float64(i) / fps
			p, q, o := a.Picture(at), b.Picture(at), other.Picture(at)
			if !bytes.Equal(p, q) {
				t.Fatalf("%s: picture %d is not the same twice", c, i)
			}
			if bytes.Equal(p, o) {
				t.Fatalf("%s: picture %d is the same with another seed", c, i)
			}
		}
	}
}

// spreadOf is the standard deviation, over pictures, of each pixel's brightness, as a mean over the picture: the noise.
func spreadOf(pictures [][]byte, pixels int) float64 {
	sum := 0.0
	for i := range pixels {
		m, s := 0.0, 0.0
		for _, p := range pictures {
			m += float64(p[i])
		}
		m /= float64(len(pictures))
		for _, p := range pictures {
			s += (float64(p[i]) - m) * (float64(p[i]) - m)
		}
		sum += s / float64(len(pictures)-1)
	}
	return math.Sqrt(sum / float64(pixels))
}

// TestKeysHaveTheNoiseOfPictures: pictures painted alone, two seconds apart, have the noise that the running mean of noise
// reduction has; else key pictures alone would say nothing of whole clips.
func TestKeysHaveTheNoiseOfPictures(t *testing.T) {
	for _, c := range []string{"day", "indoor", "night", "filter"} {
		v := View{Room: "porch", Condition: c, Width: 320, Height: 180, Seed: 9}
		whole, alone := open(t, v), open(t, v)
		var a, b [][]byte
		for i := range 30 * 24 {
			p := whole.Picture(0)
			if i%30 == 29 {
				a = append(a, bytes.Clone(p))
			}
		}
		for range 24 {
			b = append(b, bytes.Clone(alone.Key(0)))
		}
		x, y := spreadOf(a, 320*180), spreadOf(b, 320*180)
		if x < y*0.93 || x > y*1.07 {
			t.Errorf("%s: noise %.3f in whole clips, %.3f in keys alone", c, x, y)
		}
		if s := conditions[c]; x < 0.3*s.sigma*math.Sqrt(s.alpha/(2-s.alpha)) {
			t.Errorf("%s: noise %.3f is next to none", c, x)
		}
	}
}

// TestCovers: each of them takes the room out of sight, and all but blackout leave the sensor's noise.
func TestCovers(t *testing.T) {
	for _, how := range Covers {
		for _, c := range []string{"day", "night"} {
			e := open(t, View{Room: "garage", Condition: c, Width: 320, Height: 180, Seed: 2})
			detail := func(p []byte) (sum float64) {
				for i := 1; i < 320*180; i++ {
					sum += math.Abs(float64(p[i]) - float64(p[i-1]))
				}
				return sum / (320 * 180)
			}
			var before float64
			for range 10 {
				before = detail(e.Picture(0))
			}
			if err := e.Cover(how); err != nil {
				t.Fatal(err)
			}
			var last []byte
			same := true
			for i := range 10 {
				p := e.Picture(float64(i) / fps)
				if i > 6 && !bytes.Equal(p, last) {
					same = false
				}
				last = bytes.Clone(p)
			}
			if after := detail(last); after > before*0.8 {
				t.Errorf("%s by %s: detail %.2f of %.2f is left", how, c, after, before)
			}
			if same != (how == "blackout") {
				t.Errorf("%s by %s: the sensor's noise is there: %v", how, c, !same)
			}
		}
	}
	if err := open(t, View{Room: "garage", Condition: "day", Width: 320, Height: 180}).Cover("paint"); err == nil {
		t.Error("a cover that nobody knows was put on")
	}
}

func TestRoomsOfOneSplitOnly(t *testing.T) {
	if n := len(Rooms("train")); n < 3 {
		t.Errorf("%d rooms to look for thresholds on", n)
	}
	if n := len(Rooms("heldout")); n < 3 {
		t.Errorf("%d rooms to judge by", n)
	}
	names := map[string]bool{}
	for _, r := range rooms {
		if names[r.name] {
			t.Errorf("room %s is there twice", r.name)
		}
		names[r.name] = true
	}
}

func TestUnknownViewsAreRefused(t *testing.T) {
	for _, v := range []View{
		{Room: "attic", Condition: "day", Width: 640, Height: 360},
		{Room: "porch", Condition: "fog", Width: 640, Height: 360},
		{Room: "porch", Condition: "day", Width: 641, Height: 360},
		{Room: "porch", Condition: "day", Width: 64000, Height: 360},
		{Room: "porch", Condition: "day"},
	} {
		if _, err := NewEye(v); err == nil {
			t.Errorf("%+v was opened", v)
		}
	}
}

// TestLook writes each room in each condition as PNG for a person, if CLIP_LOOK names a folder.
func TestLook(t *testing.T) {
	dir := os.Getenv("CLIP_LOOK")
	if dir == "" {
		t.Skip("set CLIP_LOOK=FOLDER to get pictures of every room")
	}
	for _, r := range rooms {
		for _, c := range []string{"day", "night", "wind"} {
			e := open(t, View{Room: r.name, Condition: c, Width: 1280, Height: 720, Seed: 1})
			var p []byte
			for i := range 12 {
				p = e.Picture(5 + float64(i)/fps)
			}
			stamp(p, 1280, 720, 45296)
			cmd := exec.Command("ffmpeg", "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1280x720", "-i", "-", "-s", "640x360", dir+"/"+r.name+"-"+c+".png")
			cmd.Stdin = bytes.NewReader(p)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatal(err, string(out))
			}
		}
	}
}
