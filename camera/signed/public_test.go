package signed

import (
	"testing"
	"time"
)

func show(t testing.TB, rs []Result) {
	t.Helper()
	for _, r := range rs {
		t.Logf("%-10s lapse=%-5v %d NALs, ordinals %d..%d, %v", r.Verdict, r.Lapse, r.NALs, r.first, r.last, r.Say)
	}
}

func TestPublicVectors(t *testing.T) {
	for _, name := range []string{"onvif-media-signing/test_signed_h264.mp4", "onvif-media-signing/test_signed_h265.mp4", "axis-signed-video/signed_test_h264.mp4", "axis-signed-video/signed_test_h264_modified_frame_137.mp4", "axis-signed-video/signed_test_h265.mp4", "axis-signed-video/signed_vendor_axis.h264"} {
		t.Run(name, func(t *testing.T) {
			c := publicClip(t, name)
			v, err := New(Config{})
			if err != nil {
				t.Fatal(err)
			}
			rs := play(v, c, time.Time{})
			show(t, rs)
		})
	}
}
