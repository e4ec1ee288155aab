package liveness

import (
	"fmt"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// T7: infrared pictures that weigh far less than the day's count as covered until a resident has them learned; then day and infrared
// are both free, a dark lens is covered by either, and what was held against the camera stands until the new level is learned.
func TestInfraredIsLearnedApart(t *testing.T) {
	const infrared, asked, dark, day, end = 26, 30, 70, 84, 104 // seconds
	_, all := cameratest.Encode(t, cameratest.Encoding{
		Codec: camera.H264, Seconds: end, Args: []string{"-crf", "26", "-preset", "ultrafast"},
		Filter: fmt.Sprintf("testsrc2=s=320x180:r=15,format=yuv420p,noise=alls=25,gblur=sigma=6:enable='between(t,%d,%d.99)',drawbox=c=black:t=fill:enable='between(t,%d,%d.99)',noise=alls=3:allf=t",
			infrared, dark-1, dark, day-1),
	})
	j := New(Config{Need: []Need{{By: "cover", Within: 10 * sec}}})
	j.Opened(0)
	var states []State
	var when []time.Duration
	play(j, all, isKey(camera.H264), 0, func(i int, v Verdict) bool {
		at := time.Duration(i) * period
		if i == asked*15 {
			j.LearnCover(Infrared, at)
			v = j.Verdict()
			c, err := ParseCalibration([]byte(`{"version":1}`))
			if err != nil || len(c.Join(j.Calibration()).Cover) != 1 {
				t.Errorf("the day's level is not kept: %+v", j.Calibration())
			}
		}
		if len(states) == 0 || states[len(states)-1] != v.State {
			states, when = append(states, v.State), append(when, at)
		}
		return true
	})
	if got := fmt.Sprint(states); got != fmt.Sprint([]State{Unknown, Live, Covered, Live, Covered, Live}) {
		t.Fatalf("states %v at %v; %+v", states, when, j.Explain())
	}
	if when[2] > (infrared+2)*sec+ms || when[3] < (asked+20)*sec || when[3] > (asked+34)*sec {
		t.Errorf("covered at %v, live at %v; want until ten infrared key pictures are learned, one is found free, and 10 s", when[2], when[3])
	}
	if when[4] > (dark+2)*sec+ms {
		t.Errorf("in the dark at %v, want with the second key picture", when[4])
	}
	c := j.Calibration().Cover
	if len(c) != 2 || !(c[1].Bytes < coverLimit*c[0].Bytes) {
		t.Errorf("learned %+v", c)
	}
}
