package liveness

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// T4: a picture that is frozen, and coded anew with errors of the coder's own, is found at its third key picture; a clock drawn
// over it does not save it; when the sensor is back, so is the verdict.
func TestFreezeIsFound(t *testing.T) {
	for _, noise := range []float64{1, 2.5, 6} {
		for _, clock := range []bool{false, true} {
			s := newSensor(320, 192, 3, noise)
			p := NewPrints(PrintsConfig{})
			f, _ := prints(p, 20, func(int) camera.Still { return s.shoot(s.scene) })
			if f.State != Unknown || f.Say != "learning: 20 of 20 keyframes" {
				t.Fatalf("%+v, want that it is learning", f)
			}
			if f, _ = prints(p, 2, func(int) camera.Still { return s.shoot(s.scene) }); f.State != Unknown {
				t.Errorf("judged by one pair: %+v", f)
			}
			if f, _ = prints(p, 10, func(int) camera.Still { return s.shoot(s.scene) }); f.State != Live {
				t.Errorf("noise %v: live is called %+v", noise, f)
			}
			stuck := s.shoot(s.scene).Luma
			said := 0
			for i := 1; i <= 6 && said == 0; i++ {
				luma := s.recode(stuck, noise/2)
				if clock {
					for k := range 60 * 12 {
						luma[(4+k/60)*s.w+4+k%60] = byte(s.rng.Uint32())
					}
				}
				if find(p.Still(s.show(luma)), "freeze").State == Frozen {
					said = i
				}
			}
			if said == 0 || said > 3 {
				t.Errorf("noise %v, clock %v: frozen said with the repeat %d, want by the third", noise, clock, said)
			}
			if f, _ = prints(p, 6, func(int) camera.Still { return s.shoot(s.scene) }); f.State != Live {
				t.Errorf("noise %v: after the freeze: %+v", noise, f)
			}
		}
	}
}

// S18: what honest cameras show: slow light, lamps, a walker with a period, a tree, a parcel that stays, exposure that steps,
// a noisier sensor, a coder that steps. None is a freeze or a loop.
func TestHonestPicturesAreNotFrozen(t *testing.T) {
	for name, change := range map[string]func(s *sensor, i int) []float64{
		"nothing happens": func(s *sensor, _ int) []float64 { return s.scene },
		"slow light": func(s *sensor, i int) []float64 {
			return s.lit(func(x, y int) float64 { return 1 + 0.002*float64(i)*float64(x)/float64(s.w) })
		},
		"a cloud": func(s *sensor, i int) []float64 {
			return s.lit(func(x, y int) float64 { return 1 - 0.1*math.Exp(-math.Pow(float64(i%40-20)/6, 2)) })
		},
		"a walker with a period": func(s *sensor, i int) []float64 {
			scene := append([]float64(nil), s.scene...)
			s.box(scene, i%5*60, 60, 40, 132, 30)
			return scene
		},
		"a tree with a period, on a third of the picture": func(s *sensor, i int) []float64 {
			scene := append([]float64(nil), s.scene...)
			for k := range 40 {
				s.box(scene, 200+k*37%120+i%5*3, k*29%192, 6, 10, float64(40+k*3))
			}
			return scene
		},
		"a parcel that stays": func(s *sensor, i int) []float64 {
			scene := append([]float64(nil), s.scene...)
			if i >= 10 {
				s.box(scene, 100, 100, 70, 60, 140)
				s.box(scene, 110, 115, 40, 6, 40)
			}
			return scene
		},
		"exposure steps": func(s *sensor, i int) []float64 {
			return s.lit(func(int, int) float64 { return []float64{1, 1.15, 0.9}[i/15%3] })
		},
		"a noisier sensor": func(s *sensor, i int) []float64 {
			if i == 10 {
				s.noise *= 1.6
			}
			return s.scene
		},
		"mains flicker": func(s *sensor, i int) []float64 {
			return s.lit(func(_, y int) float64 { return 1 + 0.03*math.Sin(float64(y)/20+float64(i%2)*math.Pi) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSensor(320, 192, 5, 2.5)
			p := NewPrints(PrintsConfig{})
			prints(p, 22, func(int) camera.Still { return s.shoot(s.scene) })
			worst, peak, judged := 0.0, 0.0, 0
			for i := range 80 {
				all := p.Still(s.shoot(change(s, i)))
				f, l := find(all, "freeze"), find(all, "loop")
				if f.State == Frozen || l.State == Replayed {
					t.Fatalf("still %d: %+v %+v", i, f, l)
				}
				if f.State == Live {
					judged++
					worst = max(worst, f.Score)
				}
				peak = max(peak, l.Score)
			}
			if judged < 60 {
				t.Errorf("judged %d of 80 stills", judged)
			}
			t.Logf("judged %d of 80, worst freeze score %.3f of %.2f, worst loop score %.3f of %.2f", judged, worst, p.cfg.Freeze, peak, p.cfg.Loop)
		})
	}
}

func (s *sensor) lit(gain func(x, y int) float64) []float64 {
	scene := make([]float64, len(s.scene))
	for i, v := range s.scene {
		scene[i] = v * gain(i%s.w, i/s.w)
	}
	return scene
}

// A picture that is frozen after something new came into view, or while somebody stands there, is found all the same.
func TestFreezeWithSomethingNewInView(t *testing.T) {
	s := newSensor(320, 192, 6, 2.5)
	p := NewPrints(PrintsConfig{})
	prints(p, 26, func(int) camera.Still { return s.shoot(s.scene) })
	scene := append([]float64(nil), s.scene...)
	s.box(scene, 120, 40, 60, 150, 40)
	stuck := s.shoot(scene).Luma
	f, _ := prints(p, 4, func(int) camera.Still { return s.show(s.recode(stuck, 1)) })
	if f.State != Frozen {
		t.Errorf("%+v, want Frozen", f)
	}
}

// Day and infrared: another light is learned once, is not judged until then, and is known when it comes back; a freeze in it is
// found.
func TestTwoLights(t *testing.T) {
	s := newSensor(320, 192, 7, 2)
	day, night := s.scene, s.paint()
	p := NewPrints(PrintsConfig{})
	prints(p, 30, func(int) camera.Still { return s.shoot(day) })
	s.noise = 5
	if f, _ := prints(p, 1, func(int) camera.Still { return s.shoot(night) }); f.State != Unknown || !strings.Contains(f.Say, "another scene") {
		t.Errorf("at the switch: %+v", f)
	}
	for i := range 25 {
		all := p.Still(s.shoot(night))
		if f := find(all, "freeze"); f.State == Frozen || f.State == Live && i < 21 {
			t.Fatalf("still %d of the night: %+v", i, f)
		}
	}
	s.noise = 2
	if f, _ := prints(p, 3, func(int) camera.Still { return s.shoot(day) }); f.State != Live {
		t.Errorf("the day is back: %+v", f)
	}
	s.noise = 5
	if f, _ := prints(p, 3, func(int) camera.Still { return s.shoot(night) }); f.State != Live {
		t.Errorf("the night is back: %+v", f)
	}
	stuck := s.shoot(night).Luma
	if f, _ := prints(p, 4, func(int) camera.Still { return s.show(s.recode(stuck, 2)) }); f.State != Frozen {
		t.Errorf("frozen at night: %+v", f)
	}
}

// S13: a picture that is frozen while it is learned does not become the scene, nor does one that is frozen from the middle on.
func TestFrozenWhileLearning(t *testing.T) {
	for _, begin := range []int{5, 10, 19} {
		s := newSensor(320, 192, 8, 2.5)
		p := NewPrints(PrintsConfig{})
		prints(p, begin, func(int) camera.Still { return s.shoot(s.scene) })
		stuck := s.shoot(s.scene).Luma
		for i := range 60 {
			if f := find(p.Still(s.show(s.recode(stuck, 0.8))), "freeze"); f.State == Live {
				t.Fatalf("frozen from still %d: said to be live at still %d: %+v", begin, begin+i, f)
			}
		}
	}
	t.Run("weaker than certified", func(t *testing.T) {
		s := newSensor(320, 192, 8, 2.5)
		first := NewPrints(PrintsConfig{})
		prints(first, 30, func(int) camera.Still { return s.shoot(s.scene) })
		p := NewPrints(PrintsConfig{})
		if err := p.Restore(first.Calibration()); err != nil {
			t.Fatal(err)
		}
		stuck := s.shoot(s.scene).Luma
		for range 60 {
			if f := find(p.Still(s.show(s.recode(stuck, 0.4))), "freeze"); f.State == Live {
				t.Fatalf("a scene with a fortieth of the certified noise is trusted: %+v", f)
			}
		}
	})
}

// T5: a stretch of stills that was shown before and coded anew is a loop, at each length that is remembered.
func TestRecodedLoopIsFound(t *testing.T) {
	for _, long := range []int{2, 3, 5, 12} {
		s := newSensor(320, 192, 9, 2.5)
		p := NewPrints(PrintsConfig{})
		prints(p, 30, func(int) camera.Still { return s.shoot(s.scene) })
		var clip [][]byte
		for range long {
			clip = append(clip, s.shoot(s.scene).Luma)
			p.Still(s.show(clip[len(clip)-1]))
		}
		said := 0
		for i := 1; i <= 10 && said == 0; i++ {
			all := p.Still(s.show(s.recode(clip[(i-1)%long], 1.5)))
			if find(all, "loop").State == Replayed {
				said = i
			}
		}
		if said == 0 || said > 3 {
			t.Errorf("a loop of %d stills is said with the repeat %d, want by the third", long, said)
		}
	}
}

// S18: leaves, a fan, or what shows on a screen may come again at one distance, key after key, in most of the picture. The noise of
// the rest is new: that is no loop.
func TestWhatSwaysIsNoLoop(t *testing.T) {
	const period = 7
	s := newSensor(640, 384, 12, 2.5)
	p := NewPrints(PrintsConfig{})
	var sways [period][]float64
	for i := range sways {
		sways[i] = make([]float64, len(s.scene))
		for at := range sways[i] {
			if at%s.w < s.w*6/10 {
				sways[i][at] = 2.5 * s.rng.NormFloat64()
			}
		}
	}
	view := make([]float64, len(s.scene))
	var f Finding
	for i := range 90 {
		for at, v := range s.scene {
			view[at] = v + sways[i%period][at]
		}
		if f = find(p.Still(s.shoot(view)), "loop"); f.State == Replayed {
			t.Fatalf("still %d: %+v", i, f)
		}
	}
	if f.State != Live {
		t.Errorf("in the end: %+v, want live", f)
	}
}

// A camera that is connected anew keeps its scene, and is judged again by three stills.
func TestOpenedKeepsTheScene(t *testing.T) {
	s := newSensor(320, 192, 10, 2.5)
	p := NewPrints(PrintsConfig{})
	prints(p, 30, func(int) camera.Still { return s.shoot(s.scene) })
	p.Opened()
	for i, want := range []State{Unknown, Unknown, Live} {
		if f, _ := prints(p, 1, func(int) camera.Still { return s.shoot(s.scene) }); f.State != want {
			t.Errorf("still %d: %+v, want state %d", i, f, want)
		}
	}
}

// What cannot be judged is said, with what to do: odd sizes, wrong lengths, nothing but black.
func TestStillsThatCannotBeJudged(t *testing.T) {
	p := NewPrints(PrintsConfig{})
	for _, s := range []camera.Still{
		{},
		{Width: -1, Height: -1},
		{Width: 64, Height: 64, Luma: make([]byte, 64*64)},
		{Width: 4096, Height: 4096, Luma: make([]byte, 4096*4096)},
		{Width: 320, Height: 192, Luma: make([]byte, 5)},
	} {
		all := p.Still(s)
		if f := find(all, "freeze"); f.State != Unknown || !strings.Contains(f.Say, "choose one of 128x96") {
			t.Errorf("%dx%d: %+v", s.Width, s.Height, f)
		}
	}
	s := newSensor(320, 192, 1, 0)
	black := make([]float64, 320*192)
	for i := range 60 {
		if f := find(p.Still(s.shoot(black)), "freeze"); f.State != Unknown {
			t.Fatalf("still %d of black: %+v", i, f)
		}
	}
	if p.Still(camera.Still{Arrival: s.at + 100*ms, Width: 320, Height: 192, Luma: make([]byte, 320*192)}) != nil {
		t.Error("a still 0.1 s after another is judged")
	}
}

// T4 on real video: frozen, in each way of coding, within 8 s of GOP 2 s; and not before.
func TestRealFreezeIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("codes a minute of video four times")
	}
	for _, c := range []struct {
		codec camera.Codec
		args  []string
	}{
		{camera.H264, []string{"-crf", "26"}},
		{camera.H264, []string{"-b:v", "400k", "-maxrate", "400k", "-bufsize", "400k"}},
		{camera.H265, []string{"-crf", "26"}},
	} {
		t.Run(fmt.Sprint(c.codec, c.args), func(t *testing.T) {
			const live, w, h = 31, 320, 180
			_, all := cameratest.Encode(t, cameratest.Encoding{
				Codec: c.codec, Seconds: 2 * (live + 8), Args: append(c.args, "-preset", "ultrafast"),
				Filter: fmt.Sprintf("smptehdbars=s=320x180:r=15,noise=alls=14:allf=t,loop=loop=-1:size=1:start=%d", 15*2*live-7),
			})
			p := NewPrints(PrintsConfig{})
			said, s := -1, newSensor(w, h, 1, 0)
			for i, luma := range keyStills(t, c.codec, all, w, h) {
				f := find(p.Still(s.show(luma)), "freeze")
				t.Logf("key %d: %s", i, f.Say)
				if f.State == Frozen && said < 0 {
					said = i
				}
			}
			if said < live || said > live+4 {
				t.Errorf("frozen said at key picture %d, frozen from %d on", said, live)
			}
		})
	}
}

// Prints' memory is what it says, whatever comes.
func TestPrintsMemory(t *testing.T) {
	for _, c := range []struct{ w, h, most int }{{640, 360, 13 << 20}, {1280, 720, 13 << 20}, {1920, 1080, 28 << 20}, {2048, 2048, 28 << 20}, {1024, 600, 32 << 20}} {
		p := NewPrints(PrintsConfig{})
		p.size(c.w, c.h)
		floats := len(p.tab.lum) + len(p.tab.high) + len(p.tab.still) + len(p.tab.before) + len(p.tab.mean)
		for _, sc := range p.scenes {
			floats += len(sc.base[0]) + len(sc.base[1]) + len(sc.noise) + len(sc.mean)
		}
		words := 4*len(p.now[0].sign)*2 + len(p.loop.ring)*2*len(p.loop.ring[0].sign)
		if n := 4*floats + 8*words; n > c.most {
			t.Errorf("%dx%d: %.1f MB", c.w, c.h, float64(n)/1e6)
		} else {
			t.Logf("%dx%d: %.1f MB", c.w, c.h, float64(n)/1e6)
		}
	}
}

// FuzzStill: no still makes it panic, and none is live without three that differ.
func FuzzStill(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 255, 128}, uint16(128), uint16(96))
	f.Add(bytes.Repeat([]byte{7}, 40), uint16(300), uint16(200))
	f.Fuzz(func(t *testing.T, b []byte, w, h uint16) {
		if len(b) == 0 {
			return
		}
		p := NewPrints(PrintsConfig{Loops: 16})
		w, h = w%400, h%300
		luma := make([]byte, int(w)*int(h))
		for i := range 26 {
			for k := range luma {
				luma[k] = b[(k*7+i*k%13+i)%len(b)]
			}
			p.Still(camera.Still{Arrival: time.Duration(i) * 2 * sec, Width: int(w), Height: int(h), Luma: luma})
		}
	})
}

// BenchmarkStill is what a still costs, with a full memory.
func BenchmarkStill(b *testing.B) {
	for _, c := range []struct{ w, h int }{{640, 360}, {1280, 720}} {
		b.Run(fmt.Sprintf("%dx%d", c.w, c.h), func(b *testing.B) {
			s := newSensor(c.w, c.h, 1, 2.5)
			var stills [][]byte
			for range 16 {
				stills = append(stills, s.shoot(s.scene).Luma)
			}
			p := NewPrints(PrintsConfig{})
			for i := range 390 {
				luma := append([]byte(nil), stills[i%16]...)
				p.Still(s.show(luma))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p.Still(s.show(stills[i*7%16]))
				i++
			}
		})
	}
}
