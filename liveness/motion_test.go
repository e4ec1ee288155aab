package liveness

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// The quantiser that is read from slices that are coded as a change is the one that the encoder was told to use, whatever else stands
// in their headers.
func TestMotionQuantiserIsTheEncoders(t *testing.T) {
	for _, c := range []struct {
		qp   int
		args []string
	}{
		{30, []string{"-qp", "30", "-x264-params", "keyint=30:scenecut=0:repeat-headers=1"}},
		{12, []string{"-qp", "12", "-x264-params", "keyint=30:scenecut=0:repeat-headers=1:cabac=0"}},
		{44, []string{"-qp", "44", "-x264-params", "keyint=30:scenecut=0:repeat-headers=1:slices=4:sliced-threads=1"}},
		{27, []string{"-qp", "27", "-profile:v", "high", "-x264-params", "keyint=60:scenecut=0:repeat-headers=1:ref=4:weightp=2:cqm=jvt"}},
		{33, []string{"-qp", "33", "-x264-params", "keyint=30:scenecut=0:repeat-headers=1:interlaced=1"}},
		{25, []string{"-qp", "25", "-profile:v", "baseline", "-x264-params", "keyint=30:scenecut=0:repeat-headers=1:ref=3"}},
		{24, []string{"-qp", "24", "-x264-params", "keyint=30:scenecut=0:repeat-headers=1:intra-refresh=1"}},
	} {
		name := strings.Join(c.args, " ")
		// A picture that fades makes x264 use weights.
		_, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 3, Filter: "testsrc2=s=320x180:r=15,fade=t=in:d=3,noise=alls=8:allf=t", Args: c.args})
		var m motion
		read := 0
		for i, au := range all {
			for _, n := range au {
				m.params(n)
				if n[0]&0x1f != 1 {
					continue
				}
				qp, ok := m.sliceQP(n)
				if !ok || qp != c.qp {
					t.Fatalf("%s: picture %d: %d, %v, want %d", name, i, qp, ok, c.qp)
				}
				read++
			}
		}
		if read < 30 {
			t.Errorf("%s: only %d slices", name, read)
		}
	}
}

// S6, on real coded video: a noisy room at a constant bit rate, whose rate control swings, and a door's leaf that moves now and then.
// The camera that sees it hits, the same room without the door misses; the quantiser makes the difference.
func TestDoorOnCodedVideo(t *testing.T) {
	if testing.Short() {
		t.Skip("codes ten minutes of video")
	}
	const quiet, every, n = 130, 18, 10
	const room = "color=c=0x8a8078:s=640x360:r=15[room];nullsrc=s=50x80:r=15,geq=lum='128+60*sin(X/2)*cos(Y/3)+30*sin(X*Y/60)':cb=120:cr=136,scale=200x320:flags=neighbor[leaf];[room][leaf]overlay=y=20:x='"
	const grain = "',noise=alls=5:allf=t"
	x := "-200" // the leaf slides in for a second, and out again
	for i := range n {
		x += fmt.Sprintf("+300*(clip(t-%d,0,1)-clip(t-%d,0,1))", quiet+i*every, quiet+i*every+every/2)
	}
	run := func(seen bool) *Door {
		filter := room + x + grain
		if !seen {
			filter = room + "-200" + grain
		}
		_, all := cameratest.Encode(t, cameratest.Encoding{
			Seconds: quiet + n*every, Filter: filter,
			Args: []string{"-preset", "ultrafast", "-b:v", "900k", "-maxrate", "1350k", "-bufsize", "900k"},
		})
		d := NewDoor(DoorConfig{})
		d.Report(false, 0)
		open := false
		for i, au := range all {
			at := time.Duration(i) * time.Second / 15
			key := false
			for _, b := range au {
				key = key || b[0]&0x1f == 5
			}
			for k := range n {
				for _, e := range []struct {
					s    int
					open bool
				}{{quiet + k*every, true}, {quiet + k*every + every/2, false}} {
					if e.open != open && at >= time.Duration(e.s)*time.Second+300*time.Millisecond && at < time.Duration(e.s)*time.Second+time.Second {
						open = e.open
						d.Report(open, at)
					}
				}
			}
			d.Picture(&camera.Picture{Media: at, Arrival: at, Key: key, NALs: au}, camera.H264)
		}
		return d
	}
	seen, other := run(true), run(false)
	t.Logf("sees it: %d of %d, odds %.1f, openings after %v; looks elsewhere: %d of %d, odds %.1f", seen.hits, seen.events, seen.odds, seen.delays, other.hits, other.events, other.odds)
	if !seen.read {
		t.Error("the quantiser was not read")
	}
	if seen.events < n || seen.hits*10 < seen.events*8 || seen.bad {
		t.Errorf("S18: the camera that sees its door: %d of %d", seen.hits, seen.events)
	}
	if other.events < n || other.hits*10 > other.events*4 {
		t.Errorf("S6: the camera that looks elsewhere: %d of %d", other.hits, other.events)
	}
}

// FuzzMotion: parameter sets and slices of any bytes are read without harm.
func FuzzMotion(f *testing.F) {
	_, all := cameratest.Encode(f, cameratest.Encoding{Seconds: 1, Filter: "testsrc2=s=64x64:r=15"})
	for _, au := range all[:3] {
		for _, n := range au {
			f.Add(n[:min(len(n), 64)])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m motion
		m.params([]byte{0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x47, 0xfe, 0xc8})
		m.params([]byte{0x68, 0xce, 0x3c, 0x80})
		m.params(b)
		qp, ok := m.sliceQP(b)
		if ok && (qp > 51 || qp < -6*6) {
			t.Errorf("quantiser %d", qp)
		}
		w, _ := m.weigh(&camera.Picture{NALs: [][]byte{b, nil}}, camera.H264)
		if w < 0 {
			t.Errorf("weight %v", w)
		}
	})
}
