package main

import (
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/camera/signed"
	"eyebolt/hub/run"
	"eyebolt/liveness"
	"eyebolt/virtual/sign"
)

var _ run.Relearner = (*signatures)(nil)

// T5: a camera that signs without the time of day and was restarted counts from one again, as an earlier recording of it would: no
// signature can tell them apart, so it is untrusted, and says what to do. Whoever may have it learned anew has its counter taken back
// with that, and its key is kept.
func TestUntimedCameraThatWasRestarted(t *testing.T) {
	id, err := sign.NewIdentity("hall", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	other, err := sign.NewIdentity("hall", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	params, bare := cameratest.Encode(t, cameratest.Encoding{Codec: camera.H264, Seconds: 12})
	v, err := signed.New(signed.Config{Expect: true, Untimed: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &signatures{v: v, within: 10 * time.Second}
	now := time.Duration(0)
	boot := func(by sign.Identity) {
		t.Helper()
		pen, err := sign.New(sign.Config{Codec: camera.H264, Key: by.Key, Chain: by.Chain, Untimed: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Opened(params)
		for _, au := range bare {
			now += time.Second / 15
			nals, err := pen.Picture(au, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			s.Picture(camera.Picture{Media: now, Arrival: now, NALs: nals})
		}
		s.Closed()
	}
	// told says of a connection what is worst of it, and then newest.
	told := func(by sign.Identity, want liveness.State, say string) {
		t.Helper()
		var worst liveness.Finding
		s.found = func(f liveness.Finding) {
			if f.State == liveness.Untrusted || f.State == liveness.Live && worst.State != liveness.Untrusted {
				worst = f
			}
		}
		boot(by)
		if worst.State != want || !strings.Contains(worst.Say, say) {
			t.Fatalf("%+v, want %v and %q", worst, want, say)
		}
	}
	told(id, liveness.Live, "")
	told(id, liveness.Untrusted, "eyebolt camera learn") // restarted, or an earlier recording
	s.Relearn(run.RelearnInfrared)
	told(id, liveness.Untrusted, "eyebolt camera learn")
	s.Relearn(run.RelearnAll)
	told(id, liveness.Live, "")
	s.Relearn(run.RelearnAll)
	told(other, liveness.Untrusted, "")
}
