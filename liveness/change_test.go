package liveness

import (
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// What lies between keys is known for the newest keys of this connection alone, and only if enough of it could be read.
func TestChangesAreKeptForNewKeys(t *testing.T) {
	var c changes
	add := func(weights ...float64) {
		for _, w := range weights {
			c.run[c.n%gopMost] = w
			c.n++
		}
	}
	key := func(media time.Duration) { c.picture(&camera.Picture{Key: true, Media: media}, camera.H264) }
	j := func(media time.Duration) float64 { return (&Judge{changes: c}).KeyChanges(media) }
	add(50, 10, 40, 20, 30, 900, 800, 700)
	key(1)
	if got := j(1); got != 30 {
		t.Errorf("lower quartile: got %v, want 30", got)
	}
	add(1, 2, 3)
	key(2)
	if got := j(2); got != 0 {
		t.Errorf("of three pictures: got %v, want unknown", got)
	}
	add(10, 0, 30, 40)
	key(3)
	if got := j(3); got != 0 {
		t.Errorf("with one that could not be read: got %v, want unknown", got)
	}
	for range 3 * gopMost {
		add(7)
	}
	for range gopMost {
		add(9)
	}
	key(4)
	if got := j(4); got != 9 {
		t.Errorf("of a long run: got %v, want the newest pictures' 9", got)
	}
	for m := range time.Duration(coverMemory) {
		key(5 + m)
	}
	if got := j(4); got != 0 {
		t.Errorf("of a key that is long gone: got %v, want unknown", got)
	}
	c.opened()
	if got := j(12); got != 0 {
		t.Errorf("of the connection before: got %v, want unknown", got)
	}
}

// On real video at a constant bit rate: while the sensor lives, what lies between keys weighs about the same from run to run,
// whatever the quantiser; when it sticks, less than two thirds, though the encoder still spends its bits. Of H.265 nothing is said.
func TestChangesOfCodedVideo(t *testing.T) {
	const live, stuck = 12, 6
	filter := "smptehdbars=s=320x180:r=15,noise=alls=9:allf=t,loop=loop=-1:size=1:start=359"
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		_, all := cameratest.Encode(t, cameratest.Encoding{
			Codec: codec, Seconds: 2 * (live + stuck), Filter: filter,
			Args: []string{"-preset", "superfast", "-tune", "zerolatency", "-b:v", "300k", "-maxrate", "300k", "-bufsize", "300k"},
		})
		j := New(Config{})
		j.Opened(0)
		var got []float64
		for i, au := range all {
			at := time.Duration(i) * time.Second / 15
			key := isKey(codec)(au)
			j.Tick(at)
			j.Picture(camera.Picture{Media: at, Arrival: at, Key: key, NALs: au})
			if key {
				got = append(got, j.KeyChanges(at))
			}
		}
		t.Logf("%v: %.0f", codec, got)
		if codec == camera.H265 {
			for _, x := range got {
				if x != 0 {
					t.Errorf("H.265: got %v, want unknown", x)
				}
			}
			continue
		}
		usual := median32(got[4 : live+1])
		for i, x := range got[4:] {
			switch k := i + 4; {
			case k <= live && (x < 0.75*usual || x > 1.35*usual):
				t.Errorf("live, key %d: %.0f, usually %.0f", k, x, usual)
			case k > live+1 && x > 0.66*usual:
				t.Errorf("stuck, key %d: %.0f, usually %.0f", k, x, usual)
			}
		}
	}
}

func median32(v []float64) float64 {
	var f []float32
	for _, x := range v {
		f = append(f, float32(x))
	}
	return float64(median(f))
}

// T4: a rate control that swings codes a stuck picture with another error each time, so that its stills differ as much as live
// ones do; that what lies between them has become less tells it. S18: less light, less wind, or a coder that leaves all as it was
// make it less as well, and none of them is a freeze.
func TestFreezeAmongSwingingQuantisers(t *testing.T) {
	const usual = 4000
	trial := func(setUp func(s *sensor) func(i int) camera.Still, after func(s *sensor, was []byte) func(i int) camera.Still) Finding {
		s := newSensor(320, 192, 21, 2.5)
		p := NewPrints(PrintsConfig{})
		next := setUp(s)
		var was []byte
		prints(p, 30, func(i int) camera.Still {
			k := next(i)
			was = k.Luma
			return k
		})
		next = after(s, was)
		var worst Finding
		for i := range 6 {
			f := find(p.Still(next(i)), "freeze")
			if f.State == Frozen || worst.State != Frozen && f.Score > worst.Score {
				worst = f
			}
		}
		return worst
	}
	shoot := func(changes float64) func(s *sensor) func(i int) camera.Still {
		return func(s *sensor) func(i int) camera.Still {
			return func(i int) camera.Still {
				k := s.shoot(s.scene)
				k.Quantiser, k.Changes = 28, changes*(1+0.1*float64(i%3))
				return k
			}
		}
	}
	stuck := func(changes float64) func(s *sensor, was []byte) func(i int) camera.Still {
		return func(s *sensor, was []byte) func(i int) camera.Still {
			return func(i int) camera.Still {
				k := s.show(s.recode(was, 2.2))
				k.Quantiser, k.Changes = float64(28+i%2), changes
				return k
			}
		}
	}
	live := func(noise, changes float64) func(s *sensor, was []byte) func(i int) camera.Still {
		return func(s *sensor, _ []byte) func(i int) camera.Still {
			scene := append([]float64(nil), s.scene...)
			for i := range scene { // the light falls otherwise, the same in each still: prints are a little alike
				scene[i] += 0.5 * s.noise * s.rng.NormFloat64()
			}
			s.noise *= noise
			return func(int) camera.Still {
				k := s.shoot(scene)
				k.Quantiser, k.Changes = 28, changes
				return k
			}
		}
	}
	for _, c := range []struct {
		name   string
		before float64
		after  func(s *sensor, was []byte) func(i int) camera.Still
		want   bool
	}{
		{"stuck, and less between", usual, stuck(0.4 * usual), true},
		{"stuck, of which nothing between is known", usual, stuck(0), false},
		{"live, in less light", usual, live(0.75, 0.55*usual), false},
		{"live, and the wind has gone", usual, live(1, 0.3*usual), false},
		{"live, and the coder leaves all as it was", usual, live(1, 20), false},
		{"live, of a coder that codes nothing between", 40, live(1, 20), false},
	} {
		f := trial(shoot(c.before), c.after)
		t.Logf("%s: %.2f %s", c.name, f.Score, f.Say)
		if (f.State == Frozen) != c.want {
			t.Errorf("%s: %+v, want frozen %v", c.name, f, c.want)
		}
	}
}
