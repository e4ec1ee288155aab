package eye

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T) (*Source, *Camera) {
	t.Helper()
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	log := slog.New(slog.DiscardHandler)
	src, err := NewSource(t.Context(), SourceConfig{Scene: NewScene(1), Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	cam, err := NewCamera(CameraConfig{Addr: "127.0.0.1:0", User: "hall", Password: "way", Source: src, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cam.Close() })
	return src, cam
}

// frames reads the stream with ffmpeg, an implementation that is not ours, and gives the media times of its decoded pictures in
// seconds.
func frames(t *testing.T, url string, n int) []float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url,
		"-frames:v", strconv.Itoa(n), "-vsync", "passthrough", "-copyts", "-f", "framecrc", "-")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg (apt-get install ffmpeg): %v", err)
	}
	var pts []float64
	base := 1.0
	for line := range strings.Lines(string(out)) {
		if tb, ok := strings.CutPrefix(line, "#tb 0: "); ok {
			var num, den float64
			if _, err := fmt.Sscanf(tb, "%f/%f", &num, &den); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			base = num / den
		}
		if field := strings.Split(line, ","); len(field) > 3 && !strings.HasPrefix(line, "#") {
			v, err := strconv.ParseFloat(strings.TrimSpace(field[2]), 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			pts = append(pts, v*base)
		}
	}
	return pts
}

func TestAnotherProgramPlaysTheCamera(t *testing.T) {
	_, cam := start(t)
	pts := frames(t, cam.URL(), 20)
	if len(pts) < 20 {
		t.Fatalf("got %d pictures, want 20", len(pts))
	}
	// ffmpeg tells times in whole picture periods, so two pictures of a busy machine may share one.
	for i := 1; i < len(pts); i++ {
		if pts[i] < pts[i-1] {
			t.Errorf("picture %d is older than the one before: %.3f s after %.3f s", i, pts[i], pts[i-1])
		}
	}
	if span := pts[len(pts)-1] - pts[0]; span < 0.5 {
		t.Errorf("%d pictures at 15 a second span %.3f s", len(pts), span)
	}
}

func TestWrongPasswordIsRefused(t *testing.T) {
	_, cam := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "rtsp://hall:wrong@"+cam.addr+"/door").CombinedOutput()
	if err == nil {
		t.Errorf("a wrong password got in: %s", out)
	}
}

// counted subscribes to what leaves the source and waits until n more pictures were coded.
func counted(t *testing.T, src *Source, n int) {
	t.Helper()
	done := make(chan struct{})
	left := n
	cancel := src.Subscribe(func(Unit) {
		if left--; left == 0 {
			close(done)
		}
	})
	defer cancel()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("the source stopped: %v", src.Err())
	}
}

func TestHeldCameraSendsNothing(t *testing.T) {
	src, cam := start(t)
	counted(t, src, 5)
	if cam.Last().N == 0 {
		t.Fatal("an honest camera sends")
	}
	cam.Trick(Held)
	before := cam.Last()
	counted(t, src, 10)
	if got := cam.Last(); got != before {
		t.Errorf("held, it sent %d pictures", got.N-before.N)
	}
	cam.Trick(Honest)
	counted(t, src, 5)
	if got := cam.Last(); got.N <= before.N || got.Shot <= before.Shot {
		t.Errorf("honest again, it sent nothing new: %+v, before %+v", got, before)
	}
}

func TestLaggedPicturesGrowOlder(t *testing.T) {
	src, cam := start(t)
	counted(t, src, 5)
	cam.Trick(Lagged)
	counted(t, src, 45)
	if late := cam.Last().At - cam.Last().Shot; late < 100*time.Millisecond {
		t.Errorf("after 3 s at a lag of 10 %%, the newest picture is %v old, want about 270 ms", late)
	}
}

func TestUnpluggedCameraComesBackAtItsAddress(t *testing.T) {
	_, cam := start(t)
	url := cam.URL()
	cam.Unplug()
	if err := cam.Plug(); err != nil {
		t.Fatal(err)
	}
	if cam.URL() != url {
		t.Errorf("it moved from %s to %s", url, cam.URL())
	}
	if got := frames(t, url, 3); len(got) < 3 {
		t.Errorf("it plays %d pictures", len(got))
	}
}
