package still

import (
	"testing"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// The decoder's bounds leave room for 4K.
func TestKeyframesOf4K(t *testing.T) {
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		p, pictures := cameratest.Encode(t, cameratest.Encoding{Codec: codec, Filter: "testsrc2=s=3840x2160:r=2", Seconds: 1})
		p.Width, p.Height = 3840, 2160
		cpu, latency, err := MeasureKey("ffmpeg", p, camera.Picture{Key: true, NALs: pictures[0]}, 2)
		if err != nil {
			t.Fatalf("codec %d: %v", codec, err)
		}
		t.Logf("codec %d: %v of processor time, shortest latency %v", codec, cpu, latency)
	}
}
