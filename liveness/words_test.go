package liveness

import (
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
)

// What is said of a camera's clock names the direction, for each cause another sentence.
func TestWhatIsSaidOfAClock(t *testing.T) {
	for want, f := range map[string]fact{
		"jumped by 2s":                              {n: jumpedOff, score: 2, state: Untrusted},
		"run 1.20 % ahead of their arrival; no":     {state: Untrusted, score: -12_000, limit: 500},
		"run ahead of their arrival by 0.30 %: the": {state: Lagging, score: -3_000},
		"fall behind their arrival by 0.30 %: the":  {state: Lagging, score: 3_000},
		"keeps time": {state: Live, score: -3_000},
	} {
		if got := sayClock(f); !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want … %s …", f, got, want)
		}
	}
}

// S6: a needed detector's silence counts while the hub is in time, and behind a hub that is late only once it has been so for
// hubLateMax: a hub that is always late judges, too.
func TestSilenceBehindALateHub(t *testing.T) {
	j := Judge{open: true, seenLive: true, silence: time.Second, now: 10 * time.Second}
	if !j.listening() {
		t.Error("in time, and the silence does not count")
	}
	j.hubLate, j.hubFrom = true, j.now-hubLateMax
	if j.listening() {
		t.Errorf("late for %v, and the silence counts", hubLateMax)
	}
	j.hubFrom--
	if !j.listening() {
		t.Errorf("late for more than %v, and the silence does not count", hubLateMax)
	}
	for name, quiet := range map[string]func(*Judge){
		"none is needed": func(j *Judge) { j.silence = NoDeadline }, "not connected": func(j *Judge) { j.open = false }, "never live": func(j *Judge) { j.seenLive = false },
	} {
		k := j
		if quiet(&k); k.listening() {
			t.Errorf("%s, and a silence counts", name)
		}
	}
}

// The codec is told from a key picture's own NAL units, and is what it was where they do not tell (H.264 table 7-1, H.265 table 7-1).
func TestSniff(t *testing.T) {
	for _, c := range []struct {
		nals [][]byte
		was  camera.Codec
		want camera.Codec
	}{
		{[][]byte{{0x67}, {0x68}, {0x65, 1}}, camera.H265, camera.H264},
		{[][]byte{{0x40}, {0x42}, {0x44}, {0x26, 1}}, camera.H264, camera.H265}, // IDR_W_RADL
		{[][]byte{{0x2a, 1}}, camera.H264, camera.H265},                         // CRA
		{[][]byte{{0x27, 1}}, camera.H264, camera.H264},                         // H.264's parameters alone: odd
		{[][]byte{{0x29, 1}, {}}, camera.H264, camera.H264},
		{[][]byte{{0x2c, 1}}, camera.H264, camera.H264}, // reserved in H.265
		{nil, camera.H265, camera.H265},
	} {
		if got := sniff(c.nals, c.was); got != c.want {
			t.Errorf("%x after %v: %v, want %v", c.nals, c.was, got, c.want)
		}
	}
}
