package fmp4

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// hd makes six seconds of 720p15 at 2 Mbit/s with a key picture every two seconds.
func hd(tb testing.TB) footage {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "hd.h264")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=15:d=6", "-vf", "noise=alls=4:allf=t,format=yuv420p",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "30", "-sc_threshold", "0", "-b:v", "2M", "-maxrate", "2M",
		"-bufsize", "2M", "-x264-params", "aud=1", "-f", "h264", path).CombinedOutput()
	if err != nil {
		tb.Fatalf("ffmpeg (Debian: apt-get install ffmpeg): %v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return parseAnnexB(tb, data, false)
}

func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCamera is one 720p15 camera at 2 Mbit/s: what the camera's goroutine pays per picture, and what the whole
// process pays per second of film, with pre-roll alone and while a visit is written and synced.
func BenchmarkCamera(b *testing.B) {
	f := hd(b)
	size := 0
	for _, p := range f.pics {
		for _, n := range p.NALs {
			size += len(n)
		}
	}
	for _, mode := range []string{"preroll", "recording"} {
		b.Run(mode, func(b *testing.B) {
			var through atomic.Int64
			r := start(b, b.TempDir(), osDisk{}, func(c *Config) {
				c.PreRoll = 10 * time.Second
				c.Confirmed = func(_ bool, t time.Duration, _ error) { through.Store(int64(t)) }
			})
			r.Opened(f.params)
			if mode == "recording" {
				if err := r.Start("v"); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(size / len(f.pics)))
			b.ReportAllocs()
			var inside time.Duration
			began := cpu(b)
			n := 0
			for b.Loop() {
				p := f.pics[n%len(f.pics)]
				p.Media = time.Duration(n) * frame
				r.pass(frame)
				p.Arrival = r.clock()
				t := time.Now()
				r.Picture(p)
				inside += time.Since(t)
				// The film runs faster than life, but the disk has each half second of it before the next.
				for n++; mode == "recording" && time.Duration(through.Load()) < p.Media-time.Second; {
					time.Sleep(50 * time.Microsecond)
				}
			}
			if mode == "recording" {
				if _, err := r.finish("v"); err != nil {
					b.Fatal(err)
				}
			}
			film := time.Duration(n) * frame
			b.ReportMetric(float64(inside.Nanoseconds())/float64(n), "camera-ns/op")
			b.ReportMetric(100*float64(cpu(b)-began)/float64(film), "%core/camera")
		})
	}
}
