//go:build unix

package rtsp_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/camera/rtsp"
)

// TestCameraForCost is BenchmarkCost's camera, in a process of its own so that its cost is not counted. By itself it does
// nothing.
func TestCameraForCost(t *testing.T) {
	if os.Getenv("EYEBOLT_COST") == "" {
		return
	}
	p, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 4, Args: []string{"-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "1500k"}})
	s := cameratest.Serve(t, cameratest.Setup{Source: cameratest.Clip(p, all)})
	s.Run()
	fmt.Printf("\nURL %s\n", s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// BenchmarkCost is what reading real 720p H.264 at 15 a second and 1.5 Mbit/s costs: CPU time per camera and second, user
// and system, of this process alone.
func BenchmarkCost(b *testing.B) {
	for _, transport := range []string{"tcp", "udp"} {
		b.Run(transport, func(b *testing.B) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCameraForCost$", "-test.v")
			cmd.Env = append(os.Environ(), "EYEBOLT_COST=1")
			in, err := cmd.StdinPipe()
			if err != nil {
				b.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				b.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			defer func() {
				_ = in.Close()
				_ = cmd.Wait()
			}()
			url := ""
			for r := bufio.NewScanner(out); url == "" && r.Scan(); {
				url, _ = strings.CutPrefix(r.Text(), "URL ")
				if !strings.HasPrefix(url, "rtsp:") {
					url = ""
				}
			}
			const cameras, seconds = 25, 10
			eyes := make([]*cameratest.Eye, cameras)
			for i := range eyes {
				eyes[i] = cameratest.NewEye(b)
				cam := eyes[i].Watch(rtsp.Open, camera.Config{Name: fmt.Sprint(i), URL: url, Transport: transport})
				defer eyes[i].Over(cam)
			}
			for _, e := range eyes {
				e.Pictures(15)
			}
			for b.Loop() {
				from, began := used(b), time.Now()
				start := eyes[0].Count()
				eyes[0].Pictures(start + 15*seconds)
				wall := time.Since(began).Seconds()
				b.ReportMetric((used(b)-from).Seconds()*1000/wall/cameras, "cpu-ms/camera-s")
				b.ReportMetric(float64(eyes[1].Count()-start)/wall, "pictures/s")
			}
		})
	}
}

func used(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
