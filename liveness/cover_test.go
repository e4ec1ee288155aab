package liveness

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// T7 on real video: a lens that is covered, dark or out of focus is found with the second key picture, in each way of coding;
// the live scene before is not; and a lens that is free again is live when the hold is over.
func TestCoverIsFound(t *testing.T) {
	const from, to, end = 26, 34, 48 // seconds
	for _, c := range []struct {
		codec camera.Codec
		what  string
		args  []string
	}{
		{camera.H264, "drawbox=c=0x302820:t=fill", []string{"-crf", "26"}},
		{camera.H264, "gblur=sigma=14", []string{"-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "1500k"}},
		{camera.H264, "drawbox=c=white:t=fill", []string{"-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "1500k"}},
		{camera.H264, "gblur=sigma=14", []string{"-crf", "26", "-coder", "0"}},
		{camera.H265, "drawbox=c=black:t=fill", []string{"-crf", "28"}},
	} {
		t.Run(fmt.Sprint(c.codec, c.what, c.args), func(t *testing.T) {
			_, all := cameratest.Encode(t, cameratest.Encoding{
				Codec: c.codec, Seconds: end, Args: append(c.args, "-preset", "ultrafast"),
				Filter: fmt.Sprintf("testsrc2=s=320x180:r=15,format=yuv420p,noise=alls=25,%s:enable='between(t,%d,%d.99)',noise=alls=3:allf=t", c.what, from, to-1),
			})
			j := New(Config{Need: []Need{{By: "cover", Within: 10 * sec}}})
			j.Opened(0)
			var states []State
			var when []time.Duration
			play(j, all, isKey(c.codec), 0, func(i int, v Verdict) bool {
				if len(states) == 0 || states[len(states)-1] != v.State {
					states, when = append(states, v.State), append(when, time.Duration(i)*period)
				}
				return true
			})
			if fmt.Sprint(states) != fmt.Sprint([]State{Unknown, Live, Covered, Live}) {
				t.Fatalf("states %v at %v; %+v", states, when, j.Explain())
			}
			if when[1] < 19*sec || when[1] > 21*sec {
				t.Errorf("live at %v, want with the 11th key picture", when[1])
			}
			if when[2] > (from+2)*sec+ms {
				t.Errorf("covered at %v, want with the second key picture, 28 s", when[2])
			}
			if when[3] < (to+10)*sec-ms || when[3] > (to+12)*sec+2*period {
				t.Errorf("live again at %v, want 10 s after the first or second key picture of the free lens", when[3])
			}
			f := find(j.Lapses(), "cover")
			t.Logf("%s", f.Say)
			if f.Score >= coverLimit || !strings.Contains(f.Say, "2 key pictures in a row") {
				t.Errorf("explained as %+v", f)
			}
		})
	}
}

// weighed is a cover that knows one level.
func weighed(bytes ...float64) *cover {
	c := &cover{}
	for i, b := range bytes {
		c.levels[i] = level{learned: b, now: b, n: coverLearn}
	}
	return c
}

// A lens that is smeared little by little does not become usual: the level follows by a quarter at the most.
func TestCoverDriftIsBounded(t *testing.T) {
	l := level{learned: 100_000, now: 100_000, n: coverLearn}
	for range 10_000 {
		l.follow(l.now * 0.9)
	}
	if math.Abs(l.now-80_000) > 1 {
		t.Errorf("level %.0f, want 80000", l.now)
	}
	for range 10_000 {
		l.follow(l.now * 1.3)
	}
	if math.Abs(l.now-125_000) > 1 {
		t.Errorf("level %.0f, want 125000", l.now)
	}
}

// Day and infrared have levels of their own; where the camera does not say which it is, the lower is taken, and a camera that is
// covered does not teach a new light.
func TestCoverLights(t *testing.T) {
	c := weighed(100_000, 60_000)
	if u := c.usual(); u.now != 60_000 {
		t.Errorf("held against %.0f, want the lower", u.now)
	}
	c.told, c.light = true, Day
	if u := c.usual(); u.now != 100_000 {
		t.Errorf("held against %.0f, want the day's", u.now)
	}
	c = weighed(100_000)
	c.told, c.light = true, Infrared
	if u := c.usual(); u.now != 100_000 {
		t.Errorf("held against %.0f, want the only one", u.now)
	}
}

// What cannot be read is not judged, and a camera of which cover is needed is then not live (S13).
func TestCoverThatCannotBeRead(t *testing.T) {
	w := newWorld(t, Config{Need: []Need{{By: "cover"}}})
	w.j.Opened(0)
	w.run(film(0, 900, 0, none), 59*sec)
	w.want()
	if f := find(w.j.Explain(), "cover"); f.State != Unknown || !strings.Contains(f.Say, "cannot be read") {
		t.Errorf("explained as %+v", f)
	}
}

// Parameter sets that come beside the pictures, and not in them, do as well.
func TestCoverWithParametersBeside(t *testing.T) {
	params, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 4})
	j := New(Config{})
	j.Opened(0)
	for i, au := range all {
		var bare [][]byte
		for _, n := range au {
			if k := n[0] & 0x1f; k == 1 || k == 5 {
				bare = append(bare, n)
			}
		}
		if i == 15 {
			if f := find(j.Explain(), "cover"); !strings.Contains(f.Say, "cannot be read") {
				t.Errorf("without parameter sets: %+v", f)
			}
			j.Params(params)
		}
		at := time.Duration(i) * period
		j.Picture(camera.Picture{Media: at, Arrival: at, Key: isKey(camera.H264)(au), NALs: bare})
	}
	if f := find(j.Explain(), "cover"); f.Say != "learning: 1 of 10 keyframes" {
		t.Errorf("with parameter sets: %+v", f)
	}
}
