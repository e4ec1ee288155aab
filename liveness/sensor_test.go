package liveness

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"eyebolt/camera"
)

// sensor is a small synthetic camera: a scene of things with edges, in changing light, and noise that is new in each still.
type sensor struct {
	w, h  int
	scene []float64
	noise float64
	rng   *rand.Rand
	at    time.Duration
}

func newSensor(w, h int, seed uint64, noise float64) *sensor {
	s := &sensor{w: w, h: h, noise: noise, rng: rand.New(rand.NewPCG(seed, 11))}
	s.scene = s.paint()
	return s
}

// paint makes another scene.
func (s *sensor) paint() []float64 {
	scene := make([]float64, s.w*s.h)
	for i := range scene {
		scene[i] = 90 + 40*math.Sin(float64(i%s.w)/50) + 20*math.Cos(float64(i/s.w)/35)
	}
	for range 60 {
		s.box(scene, s.rng.IntN(s.w), s.rng.IntN(s.h), 4+s.rng.IntN(s.w/6), 4+s.rng.IntN(s.h/6), float64(20+s.rng.IntN(200)))
	}
	return scene
}

func (s *sensor) box(scene []float64, x, y, w, h int, grey float64) {
	for j := y; j < min(y+h, s.h); j++ {
		for i := max(x, 0); i < min(x+w, s.w); i++ {
			scene[j*s.w+i] = grey
		}
	}
}

// shoot gives the next still, 2 s after the one before.
func (s *sensor) shoot(scene []float64) camera.Still {
	luma := make([]byte, len(scene))
	for i, v := range scene {
		luma[i] = byte(min(max(v+s.noise*s.rng.NormFloat64()+0.5, 0), 255))
	}
	return s.show(luma)
}

// show gives a still with these pixels, 2 s after the one before.
func (s *sensor) show(luma []byte) camera.Still {
	s.at += 2 * sec
	return camera.Still{Arrival: s.at, Width: s.w, Height: s.h, Luma: luma}
}

// recode gives the same pixels as another coder would: with an error of its own.
func (s *sensor) recode(luma []byte, strength float64) []byte {
	out := make([]byte, len(luma))
	for i, v := range luma {
		out[i] = byte(min(max(float64(v)+strength*s.rng.NormFloat64()+0.5, 0), 255))
	}
	return out
}

// prints feeds n stills and gives the last findings.
func prints(p *Prints, n int, next func(i int) camera.Still) (freeze, again Finding) {
	for i := range n {
		all := p.Still(next(i))
		freeze, again = find(all, "freeze"), find(all, "loop")
	}
	return freeze, again
}

// keyStills decodes a coded stream's key pictures with ffmpeg.
func keyStills(tb testing.TB, codec camera.Codec, pictures [][][]byte, w, h int) [][]byte {
	tb.Helper()
	var in bytes.Buffer
	for _, au := range pictures {
		for _, n := range au {
			in.Write([]byte{0, 0, 0, 1})
			in.Write(n)
		}
	}
	format := "h264"
	if codec == camera.H265 {
		format = "hevc"
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-threads", "1", "-skip_frame", "nokey", "-f", format, "-i", "-", "-vsync", "0",
		"-vf", fmt.Sprintf("scale=%d:%d:flags=area", w, h), "-f", "rawvideo", "-pix_fmt", "gray", "-")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("ffmpeg: %v", err)
	}
	var all [][]byte
	for ; len(out) >= w*h; out = out[w*h:] {
		all = append(all, out[:w*h])
	}
	return all
}
