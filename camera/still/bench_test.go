package still

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

func BenchmarkJPEG(b *testing.B) {
	for _, size := range [][2]int{{640, 360}, {1280, 720}, {1920, 1080}} {
		b.Run(fmt.Sprintf("%dp", size[1]), func(b *testing.B) {
			pic := noisy(size[0], size[1])
			b.ReportMetric(float64(len(pic)), "bytes/still")
			var j JPEG
			began, n := spent(b), 0
			for b.Loop() {
				if _, err := j.Decode(pic); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64((spent(b)-began).Microseconds())/1e3/float64(n), "cpu-ms/still")
		})
	}
}

// spent is this process's processor time: on a busy machine it tells more than the clock.
func spent(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkKeyframe is the latency of one key picture through ffmpeg; cpu-ms/still is the decoder's own processor time.
func BenchmarkKeyframe(b *testing.B) {
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		for _, size := range [][2]int{{1280, 720}, {1920, 1080}} {
			b.Run(fmt.Sprintf("%s/%dp", map[camera.Codec]string{camera.H264: "h264", camera.H265: "h265"}[codec], size[1]), func(b *testing.B) {
				rate := "2000k"
				args := []string{"-b:v", rate, "-maxrate", rate, "-bufsize", rate}
				p, pics := cameratest.Encode(b, cameratest.Encoding{Codec: codec, Seconds: 3, Args: args, Filter: fmt.Sprintf("testsrc2=s=%dx%d:r=15,noise=alls=6:allf=t", size[0], size[1])})
				p.Width, p.Height = size[0], size[1]
				var key camera.Picture
				for _, au := range pics {
					if isKey(codec, au) {
						key = camera.Picture{Key: true, NALs: au}
					}
				}
				given := make(chan struct{})
				kf, err := NewKeyframes(KeyframesConfig{}, func(camera.Still) { given <- struct{}{} })
				if err != nil {
					b.Fatal(err)
				}
				kf.Opened(p)
				kf.Begin()
				next := func() {
					kf.Picture(key)
					select {
					case <-given:
					case <-time.After(time.Minute):
						b.Fatalf("no still in a minute: %+v", kf.Stats())
					}
				}
				next()
				most := time.Duration(0)
				for b.Loop() {
					began := time.Now()
					next()
					most = max(most, time.Since(began))
				}
				b.ReportMetric(float64(most.Microseconds())/1e3, "ms-most")
				if err := kf.Close(); err != nil {
					b.Fatal(err)
				}
				cpu, _, err := MeasureKey("ffmpeg", p, key, 40)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(cpu.Microseconds())/1e3, "cpu-ms/still")
			})
		}
	}
}
