//go:build unix

package signed

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/virtual/sign"
)

// used is the CPU time of this process: the clock says little on a machine that others use too.
func used(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkPicture is what judging real 720p15 H.264 of 1.5 Mbit/s costs, a picture on average, with a signature every 30 pictures; beside it
// the SHA-256 of the same slices, which is its floor, and what ffmpeg takes to decode them.
func BenchmarkPicture(b *testing.B) {
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		p, units := cameratest.Encode(b, cameratest.Encoding{Codec: codec, Seconds: 20, Args: []string{"-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "1500k"}})
		naked := &clip{codec: p.Codec, units: units}
		name := fmt.Sprintf("H.26%d/", 3+codec)
		for _, x := range []struct {
			name string
			pen  string
			cfg  sign.Config
		}{{"ECDSA", "camera", sign.Config{}}, {"RSA", "camera-rsa", sign.Config{}}, {"unsigned", "", sign.Config{}}} {
			b.Run(name+x.name, func(b *testing.B) {
				c := naked
				if x.pen != "" {
					c = signClip(b, naked, readPen(b, x.pen), x.cfg, 0)
				}
				slice := 0
				for _, u := range c.units {
					for _, n := range u {
						slice += len(n)
					}
				}
				b.SetBytes(int64(slice / len(c.units)))
				b.ReportAllocs()
				var v *Verifier
				i, good := 0, 0
				from := used(b)
				for b.Loop() {
					if i == 0 {
						v = verifier(b, Config{Roots: roots(b, "root.pem")})
						v.Opened(camera.Params{Codec: codec})
					}
					at := time.Duration(i) * pace
					for _, r := range v.Picture(camera.Picture{Media: at, Arrival: at, NALs: c.units[i]}, epoch.Add(at)) {
						if r.OK() {
							good += r.NALs
						}
					}
					i = (i + 1) % len(c.units)
				}
				b.ReportMetric(float64((used(b)-from).Nanoseconds())/1000/float64(b.N), "cpu-µs/picture")
				if x.pen != "" && b.N > 100 && good < b.N/2 {
					b.Fatalf("%d NAL units of %d pictures were authentic", good, b.N)
				}
			})
		}
		b.Run(name+"SHA-256", func(b *testing.B) {
			i := 0
			from := used(b)
			for b.Loop() {
				for _, n := range naked.units[i] {
					sha256.Sum256(n)
				}
				i = (i + 1) % len(naked.units)
			}
			b.ReportMetric(float64((used(b)-from).Nanoseconds())/1000/float64(b.N), "cpu-µs/picture")
		})
		b.Run(name+"ffmpeg", func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "clip")
			var all bytes.Buffer
			for _, u := range naked.units {
				for _, n := range u {
					all.Write([]byte{0, 0, 0, 1})
					all.Write(n)
				}
			}
			if err := os.WriteFile(file, all.Bytes(), 0o600); err != nil {
				b.Fatal(err)
			}
			format := map[camera.Codec]string{camera.H264: "h264", camera.H265: "hevc"}[codec]
			var used time.Duration
			n := 0
			for b.Loop() {
				cmd := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-f", format, "-i", file, "-f", "null", "-")
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("ffmpeg: %v %s", err, out)
				}
				used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				n++
			}
			b.ReportMetric(float64(used.Microseconds())/float64(n*len(naked.units)), "cpu-µs/picture")
		})
	}
}

// BenchmarkGOP is what one signature costs beside the hashes: reading it, checking it and comparing 30 hashes.
func BenchmarkGOP(b *testing.B) {
	for _, name := range []string{"camera", "camera-rsa"} {
		b.Run(name, func(b *testing.B) {
			c := signClip(b, bare(b, camera.H264), readPen(b, name), sign.Config{}, 0)
			u, i := c.at(1, nalSEI)
			var k keyring
			k.roots = roots(b, "root.pem")
			b.ReportAllocs()
			from := used(b)
			for b.Loop() {
				m, err := parse(camera.H264, c.units[u][i], anyOrder)
				if err != nil {
					b.Fatal(err)
				}
				keys, err := k.learn(&m, epoch)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := m.verify(keys, sha2_256); err != nil {
					b.Fatal(err)
				}
				k.keep(keys)
			}
			b.ReportMetric(float64((used(b)-from).Nanoseconds())/1000/float64(b.N), "cpu-µs/GOP")
		})
	}
}
