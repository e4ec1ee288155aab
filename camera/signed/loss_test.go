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
			seeds := uint64(60)
			if testing.Short() {
				seeds = 15
			}
			for seed := range seeds {
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

// TestWithoutItsKeyPicture (T4): pictures that are the camera's own are not called good where the key picture that they are coded from
// did not come, or another stands in its place: whoever chooses that chooses what a decoder shows.
func TestWithoutItsKeyPicture(t *testing.T) {
	for _, cfg := range []sign.Config{{}, {Pictures: 3}} {
		c := signClip(t, unlike(bare(t, camera.H264), 0), readPen(t, "camera"), cfg, 0)
		other := unlike(bare(t, camera.H264), 99)
		for _, x := range []struct {
			name string
			gop  int // of the clip, from 0
			do   func(d *clip, u int)
		}{
			{"lost", 1, func(d *clip, u int) { d.cutPicture(u) }},
			{"lost at the beginning of a connection", 0, func(d *clip, u int) { d.cutPicture(u) }},
			{"exchanged", 1, func(d *clip, u int) { d.swapPicture(u, other) }},
			{"exchanged at the beginning of a connection", 0, func(d *clip, u int) { d.swapPicture(u, other) }},
			{"exchanged, and the picture after it, at the beginning of a connection", 0, func(d *clip, u int) {
				d.swapPicture(u, other)
				d.swapPicture(u+1, other)
			}},
		} {
			d := c.clone()
			u := 6 * x.gop
			x.do(d, u)
			good := false
			for _, r := range judge(t, d) {
				of := int((r.From+pace/2)/pace) >= u && int((r.To+pace/2)/pace) < u+6
				if of && r.OK() {
					t.Errorf("%s, %d pictures a part: %s", x.name, cfg.Pictures, r.Say)
				}
				good = good || !of && r.OK()
			}
			if !good {
				t.Errorf("%s: no other GOP is good", x.name)
			}
		}
	}
}

// cutPicture takes a picture's slices away and leaves the rest of it.
func (c *clip) cutPicture(u int) {
	var w [][]byte
	for _, n := range c.units[u] {
		if k := look(c.codec, n); k != nalSlice && k != nalStart {
			w = append(w, n)
		}
	}
	c.units[u] = w
}

// swapPicture puts another clip's slices in the place of a picture's.
func (c *clip) swapPicture(u int, other *clip) {
	at := 0
	var from [][]byte
	for _, n := range other.units[u] {
		if k := look(c.codec, n); k == nalSlice || k == nalStart {
			from = append(from, n)
		}
	}
	for i, n := range c.units[u] {
		if k := look(c.codec, n); k == nalSlice || k == nalStart {
			c.units[u][i] = from[at]
			at++
		}
	}
}
