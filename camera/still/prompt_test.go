package still

import (
	"bytes"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// Whatever a parameter set holds, the rewritten one has its picture size, needs no reordering, and holds no start code.
func FuzzPrompt(f *testing.F) {
	for _, c := range []camera.Codec{camera.H264, camera.H265} {
		f.Add(c == camera.H265, cameratest.Noise(c, 1).Params().SPS)
	}
	f.Fuzz(func(t *testing.T, hevc bool, n []byte) {
		c := camera.H264
		if hevc {
			c = camera.H265
		}
		if len(n) < 4 {
			return
		}
		out := prompt(c, n)
		if len(out) > len(n)*2+32 {
			t.Fatalf("%d bytes of %d", len(out), len(n))
		}
		if !bytes.Equal(out, n) && bytes.Contains(out, []byte{0, 0, 1}) {
			t.Fatalf("a start code in %x", out)
		}
		var a, b h264.SPS
		if c == camera.H264 && a.Unmarshal(n) == nil && a.MaxNumRefFrames <= 16 && !bytes.Equal(out, n) {
			if err := b.Unmarshal(append(bytes.Clone(out), make([]byte, 64)...)); err != nil || a.Width() != b.Width() || a.Height() != b.Height() || b.VUI.BitstreamRestriction.MaxNumReorderFrames != 0 {
				t.Fatalf("%x became %x: %v", n, out, err)
			}
		}
		var x, y h265.SPS
		if c == camera.H265 && x.Unmarshal(n) == nil && !bytes.Equal(out, n) {
			// The library reads past a set's own end, where the rewritten one is shorter: what it finds there decides nothing.
			if err := y.Unmarshal(append(bytes.Clone(out), make([]byte, 64)...)); err != nil || x.Width() != y.Width() || x.Height() != y.Height() || y.MaxNumReorderPics[len(y.MaxNumReorderPics)-1] != 0 {
				t.Fatalf("%x became %x: %v", n, out, err)
			}
		}
	})
}
