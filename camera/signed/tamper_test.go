package signed

import (
	"bytes"
	"crypto"
	_ "crypto/sha512"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/virtual/sign"
)

// judge plays a clip to a new verifier that expects signatures of the maker's cameras.
func judge(t testing.TB, c *clip) []Result {
	t.Helper()
	v, err := New(Config{Expect: true, Roots: roots(t, "root.pem"), Within: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return play(v, c, epoch)
}

// short writes Results as words: the counter, the verdict's first letters, and for each fault its kind and place.
func short(rs []Result) string {
	var s []string
	for _, r := range rs {
		w := fmt.Sprintf("%d:%s", r.Counter, r.Verdict)
		for _, f := range r.Faults {
			w += fmt.Sprintf("/%s@%d", f.Kind, f.Place)
		}
		s = append(s, w)
	}
	return strings.Join(s, " ")
}

// cut removes the n-th NAL unit of that kind and returns it.
func (c *clip) cut(n int, kinds ...nalKind) []byte {
	u, i := c.at(n, kinds...)
	b := c.units[u][i]
	c.units[u] = append(c.units[u][:i:i], c.units[u][i+1:]...)
	return b
}

// at finds the n-th NAL unit of those kinds. Only a signer's SEI counts as one.
func (c *clip) at(n int, kinds ...nalKind) (unit, nal int) {
	for u := range c.units {
		for i, b := range c.units[u] {
			kind := look(c.codec, b)
			if kind == nalSEI {
				if _, err := parse(c.codec, b, anyOrder); errors.Is(err, errNotOurs) {
					continue
				}
			}
			for _, k := range kinds {
				if k == kind {
					if n == 0 {
						return u, i
					}
					n--
				}
			}
		}
	}
	panic("no such NAL unit")
}

// order puts GOPs of 6 pictures together in that order, each with the signature over it in front of what follows.
func (c *clip) order(gops ...int) {
	var seis [][]byte
	for c.count(nalSEI) > 0 {
		seis = append(seis, c.cut(0, nalSEI))
	}
	old := c.units
	c.units = nil
	for _, g := range gops {
		c.units = append(c.units, (&clip{codec: c.codec, units: old[6*g : min(6*g+6, len(old)-1)]}).clone().units...)
	}
	c.units = append(c.units, nil)
	at := 0
	for _, g := range gops {
		at = min(at+6, len(c.units)-1)
		c.units[at] = append([][]byte{seis[g]}, c.units[at]...)
	}
}

// count counts the NAL units that at finds.
func (c *clip) count(kinds ...nalKind) (n int) {
	defer func() { _ = recover() }()
	for ; ; n++ {
		c.at(n, kinds...)
	}
}

func (c *clip) flip(n int, kinds ...nalKind) {
	u, i := c.at(n, kinds...)
	b := c.units[u][i]
	b[len(b)-4] ^= 0x10
}

func (c *clip) insert(u, i int, b []byte) {
	w := append([][]byte(nil), c.units[u][:i]...)
	c.units[u] = append(append(w, b), c.units[u][i:]...)
}

// missing is how short writes that the first n places of a list are not there.
func missing(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf("/missing@%d", i)
	}
	return s
}

var slices = []nalKind{nalSlice, nalStart}

const honest = "1:authentic 2:authentic 3:authentic 4:authentic 5:authentic"

// TestTampering (T4, T5): what was done to a signed stream is found and, where there is a list of hashes, located. GOPs have 12 NAL
// units, of which number 12 begins the second GOP.
func TestTampering(t *testing.T) {
	honestClip := signClip(t, bare(t, camera.H264), readPen(t, "camera"), sign.Config{}, 0)
	for _, x := range []struct {
		name string
		do   func(c *clip)
		want string
	}{
		{"nothing", func(*clip) {}, honest},
		{"a byte of a picture flipped", func(c *clip) { c.flip(15, slices...) }, "1:authentic 2:altered/changed@3 3:authentic 4:authentic 5:authentic"},
		{"a byte of a GOP's last picture flipped", func(c *clip) { c.flip(23, slices...) }, "1:authentic 2:altered/changed@11 3:authentic 4:authentic 5:authentic"},
		{"a byte of a key picture flipped: the rest of its GOP is still the camera's", func(c *clip) { c.flip(12, slices...) }, "1:authentic 2:altered/changed@0 3:authentic 4:authentic 5:authentic"},
		{"a NAL unit removed", func(c *clip) { c.cut(15, slices...) }, "1:authentic 2:incomplete/missing@3 3:authentic 4:authentic 5:authentic"},
		{"a GOP's last NAL unit removed", func(c *clip) { c.cut(23, slices...) }, "1:authentic 2:incomplete/missing@11 3:authentic 4:authentic 5:authentic"},
		{"a key picture removed", func(c *clip) { c.cut(12, slices...); c.cut(12, slices...) }, "1:authentic 2:incomplete/missing@0/missing@1 3:authentic 4:authentic 5:authentic"},
		{"two NAL units exchanged", func(c *clip) {
			u, i := c.at(15, slices...)
			w, j := c.at(16, slices...)
			c.units[u][i], c.units[w][j] = c.units[w][j], c.units[u][i]
		}, "1:authentic 2:altered/missing@3/moved@3 3:authentic 4:authentic 5:authentic"},
		{"a NAL unit sent twice", func(c *clip) {
			u, i := c.at(15, slices...)
			c.insert(u, i, c.units[u][i])
		}, "1:authentic 2:altered/moved@3 3:authentic 4:authentic 5:authentic"},
		{"a NAL unit of another GOP put in", func(c *clip) {
			from, j := c.at(30, slices...)
			u, i := c.at(15, slices...)
			c.insert(u, i, c.units[from][j])
		}, "1:authentic 2:altered/added@-1 3:authentic 4:authentic 5:authentic"},
		{"a NAL unit added at a GOP's end", func(c *clip) {
			from, j := c.at(30, slices...)
			u, i := c.at(23, slices...)
			c.insert(u, i+1, c.units[from][j])
		}, "1:authentic 2:altered/added@-1 3:authentic 4:authentic 5:authentic"},
		{"a signature removed: its GOP is nobody's", func(c *clip) { c.cut(1, nalSEI) }, "1:authentic 0:unsigned 3:authentic 4:authentic 5:authentic"},
		{"a byte of a signed document flipped", func(c *clip) {
			u, i := c.at(1, nalSEI)
			c.units[u][i][60] ^= 1
		}, "1:authentic 2:altered/signature@-1 0:unsigned 3:authentic 4:authentic 5:authentic"},
		{"a byte of a signature flipped", func(c *clip) {
			u, i := c.at(1, nalSEI)
			b := c.units[u][i]
			b[len(b)-20] ^= 1
		}, "1:authentic 2:altered/signature@-1 0:unsigned 3:authentic 4:authentic 5:authentic"},
		{"a signature cut short", func(c *clip) {
			u, i := c.at(1, nalSEI)
			c.units[u][i] = c.units[u][i][:200]
		}, "1:authentic 0:altered/signature@-1 0:unsigned 3:authentic 4:authentic 5:authentic"},
		{"a signature sent twice, as some cameras do against loss", func(c *clip) {
			u, i := c.at(1, nalSEI)
			c.insert(u, i, c.units[u][i])
		}, honest},
		{"the first GOP removed with its signature", func(c *clip) { c.order(1, 2, 3, 4) }, "2:authentic 3:authentic 4:authentic 5:authentic"},
		{"a later GOP removed with its signature", func(c *clip) { c.order(0, 1, 3, 4) }, "1:authentic 2:authentic 0:unsigned 4:authentic 5:authentic"},
		{"a GOP sent twice with its signature", func(c *clip) { c.order(0, 1, 1, 2, 3, 4) }, "1:authentic 2:authentic 0:altered" + strings.Repeat("/added@-1", 12) + " 3:authentic 4:authentic 5:authentic"},
		{"an earlier GOP sent again with its signature", func(c *clip) { c.order(0, 1, 2, 1, 3, 4) }, "1:authentic 2:authentic 3:authentic 2:stale 0:altered" + strings.Repeat("/added@-1", 12) + " 4:authentic 5:authentic"},
		{"two GOPs exchanged", func(c *clip) { c.order(0, 2, 1, 3, 4) }, "1:authentic 0:unsigned 3:authentic 2:stale 0:altered" + strings.Repeat("/added@-1", 12) + " 4:authentic 5:authentic"},
		{"a GOP's pictures removed, its signature left", func(c *clip) {
			for u := 12; u < 18; u++ {
				var w [][]byte
				for _, n := range c.units[u] {
					if k := look(c.codec, n); k != nalSlice && k != nalStart {
						w = append(w, n)
					}
				}
				c.units[u] = w
			}
		}, "1:authentic 2:authentic 3:incomplete" + missing(12) + " 4:authentic 5:authentic"},
		{"zeros after each NAL unit, as some containers leave them", func(c *clip) {
			for u := range c.units {
				for i := range c.units[u] {
					c.units[u][i] = append(bytes.Clone(c.units[u][i]), 0, 0)
				}
			}
		}, honest},
		{"parameter sets and delimiters removed: they are nobody's", func(c *clip) {
			for u := range c.units {
				var w [][]byte
				for _, n := range c.units[u] {
					if k := look(c.codec, n); k != nalIgnored {
						w = append(w, n)
					}
				}
				c.units[u] = w
			}
		}, honest},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := honestClip.clone()
			x.do(c)
			rs := judge(t, c)
			if got := short(rs); got != x.want {
				t.Errorf("got  %s\nwant %s", got, x.want)
				show(t, rs)
			}
		})
	}
}

// TestEveryWayOfSigning: whatever a camera may choose, its honest stream is authentic to the last NAL unit, and a flipped byte is not.
func TestEveryWayOfSigning(t *testing.T) {
	n := 0
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		for _, name := range []string{"camera", "camera-rsa"} {
			for _, cfg := range []sign.Config{
				{},
				{Version: 1},
				{LowBitrate: true},
				{Escaped: true},
				{Raw: true},
				{CertificateSEI: true},
				{CertificateSEI: true, Escaped: true, LowBitrate: true, Pictures: 3},
				{Pictures: 2},
				{Pictures: 4, Delay: 3, LowBitrate: true},
				{Delay: 5},
				{Delay: 8},
				{Every: 3},
				{Every: 2, LowBitrate: true},
				{Every: 2, Escaped: true, Delay: 1},
				{LittleEndian: true},
				{PKCS1: true},
				{Hash: crypto.SHA512},
				{Hash: crypto.SHA384, CertificateSEI: true},
				{Counter: 0xfffffffe},
			} {
				t.Run(fmt.Sprintf("%v %s %+v", codec, name, cfg), func(t *testing.T) {
					c := signClip(t, bare(t, codec), readPen(t, name), cfg, 0)
					rs := judge(t, c)
					good := 0
					for _, r := range rs {
						if r.OK() && r.Verdict == Authentic {
							good += r.NALs
						} else if r.Lapse || cfg.Hash == 0 {
							t.Errorf("%s", r.Say)
						}
					}
					all := c.nals(slices...)
					for u := range c.units {
						for _, b := range c.units[u] {
							if m, err := parse(codec, b, anyOrder); err == nil && !m.said {
								all++
							}
						}
					}
					if cfg.Hash != 0 && !cfg.CertificateSEI {
						all -= c.nals(slices...) / 26 * 6 // hashed before it was known how
					}
					if good != all {
						t.Errorf("%d of %d NAL units are authentic", good, all)
						show(t, rs)
					}
					n++

					c.flip(9*c.nals(slices...)/26, slices...)
					lapse := false
					for _, r := range judge(t, c) {
						lapse = lapse || r.Verdict == Altered && r.Lapse
					}
					if !lapse {
						t.Error("a flipped byte was not noticed")
						show(t, judge(t, c))
					}
				})
			}
		}
	}
	t.Logf("%d ways", n)
}
