package signed

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"eyebolt/camera"
	"eyebolt/virtual/sign"
)

// TestLossIsNotTampering (S18): a link that loses whole pictures, some with their signature, makes a camera's GOPs incomplete or
// unsigned, never altered, as long as the camera lists its hashes.
func TestLossIsNotTampering(t *testing.T) {
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		for _, cfg := range []sign.Config{{}, {Pictures: 3}, {CertificateSEI: true}, {Delay: 2}, {Every: 2}, {Every: 3, Delay: 1}} {
			c := signClip(t, unlike(bare(t, codec), 0), readPen(t, "camera"), cfg, 0)
			n, incomplete := 0, 0
			for seed := range uint64(200) {
				r := rand.New(rand.NewPCG(seed, 1))
				d := &clip{codec: codec}
				for i, u := range c.units {
					if i == 0 || r.IntN(8) > 0 {
						d.units = append(d.units, u)
					}
				}
				rs := judge(t, d)
				for _, r := range rs {
					n++
					if r.Verdict == Incomplete {
						incomplete++
					}
					if r.Verdict == Altered || r.Verdict == Foreign || r.Verdict == Stale {
						t.Errorf("%s, seed %d: %s\n%s", fmt.Sprint(codec, cfg), seed, r.Say, transcript(rs))
						return
					}
				}
			}
			if incomplete == 0 {
				t.Errorf("nothing was lost")
			}
			t.Logf("codec %d %+v: %d judgements, %d incomplete", codec, cfg, n, incomplete)
		}
	}
}
