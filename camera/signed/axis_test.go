package signed

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"testing"
	"time"

	"eyebolt/camera"
)

// axisSigner signs a clip as Axis cameras do, with the key in each message and the message in front of the key picture that ends its GOP:
// as from 2.1 on, or as before. It stands in where the public vectors are not.
func axisSigner(t testing.TB, c *clip, p pen, old, chained bool) *clip {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	hash := func(parts ...[]byte) []byte {
		h := sha256.New()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	out := &clip{codec: c.codec}
	var list [][]byte
	var anchor []byte
	link := make([]byte, 32)
	counter, start := uint32(0), epoch
	message := func(at time.Time) []byte {
		counter++
		general := []byte{4}
		if old {
			general[0] = 2
		}
		general = binary.BigEndian.AppendUint32(general, counter)
		general = binary.BigEndian.AppendUint16(general, uint16(len(list)))
		general = append(general, 2, 3, 0, 1)
		general = binary.BigEndian.AppendUint64(general, uint64(start.UnixMicro()))
		if !old {
			general = binary.BigEndian.AppendUint64(general, uint64(at.UnixMicro()))
			general = append(append(general, link...), hash(list...)...)
		}
		hashes := []byte{1}
		for _, h := range list {
			hashes = append(hashes, h...)
		}
		body := append([]byte{1, byte(len(general))}, general...)
		if chained {
			body = append(body, tag(129, append([]byte{1, 0}, p.chain...)...)...)
		} else {
			body = append(body, tag(2, append([]byte{2}, key...)...)...)
		}
		body = append(body, tag(4, hashes...)...)
		flags := byte(0)
		if !old {
			flags = 0x30
		}
		const room = 72
		size := 17 + len(body) + 3 + 4 + room
		n := []byte{6, 5}
		if c.codec == camera.H265 {
			n = []byte{0x4e, 1, 5}
		}
		for left := size; ; left -= 255 {
			if left < 255 {
				n = append(n, byte(left))
				break
			}
			n = append(n, 255)
		}
		n = append(append(append(n, uuidAxis...), flags), body...)
		sig, err := p.key.Sign(rand.Reader, hash(n), crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		value := append(binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(len(sig))), sig...)
		for len(value) < 4+room {
			value = append(value, 1)
		}
		return append(append(n, tag(5, value...)...), 0x80)
	}
	for i, u := range c.units {
		at := epoch.Add(time.Duration(i) * pace)
		var w [][]byte
		for _, n := range u {
			switch kind := look(c.codec, n); {
			case kind == nalStart:
				h := hash(n)
				if old {
					if anchor != nil {
						list = append(list, hash(anchor, h))
					} else {
						list = [][]byte{h} // the first message announces the first key picture
					}
				}
				if old || anchor != nil {
					w = append(w, message(at))
				}
				if len(list) > 0 {
					link = list[0]
				}
				anchor, list, start = h, [][]byte{h}, at
			case kind == nalSlice:
				list = append(list, hash(anchor, hash(n)))
			}
			w = append(w, n)
		}
		out.units = append(out.units, w)
	}
	return out
}

// TestAxis: signatures of Axis cameras, of today and of before 2.1: honest, altered, cut, of another key.
func TestAxis(t *testing.T) {
	p := readPen(t, "camera")
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		for _, old := range []bool{false, true} {
			per := 12
			if codec == camera.H265 {
				per = 6
			}
			c := axisSigner(t, bare(t, codec), p, old, false)
			from := 1 // GOPs are counted from the message that announces the first, where there is one
			name := "today"
			if old {
				from, name = 2, "before 2.1"
			}
			counters := func(verdicts ...string) (s string) {
				for i, v := range verdicts {
					s += string(rune('0'+from+i)) + ":" + v + " "
				}
				return s + "0:unverified"
			}
			const ok = "authentic"
			for _, x := range []struct {
				name string
				do   func(*clip)
				want string
			}{
				{"nothing", func(*clip) {}, counters(ok, ok, ok, ok)},
				{"a picture altered", func(c *clip) { c.flip(per+3, slices...) }, counters(ok, "altered/changed@3", ok, ok)},
				{"a NAL unit removed", func(c *clip) { c.cut(per+3, slices...) }, counters(ok, "incomplete/missing@3", ok, ok)},
				{"two exchanged", func(c *clip) {
					u, i := c.at(per+3, slices...)
					w, j := c.at(per+4, slices...)
					c.units[u][i], c.units[w][j] = c.units[w][j], c.units[u][i]
				}, counters(ok, "altered/missing@3/moved@3", ok, ok)},
			} {
				t.Run(name+" "+x.name, func(t *testing.T) {
					d := c.clone()
					x.do(d)
					v := verifier(t, Config{Expect: true, Key: p.id(t)})
					expect(t, play(v, d, epoch), x.want)
				})
			}
			t.Run(name+" another key", func(t *testing.T) {
				v := verifier(t, Config{Expect: true, Key: readPen(t, "camera-two").id(t)})
				rs := play(v, c, epoch)
				if n := verdicts(rs); n[Foreign] < 4 || n[Authentic] != 0 {
					t.Errorf("%s", transcript(rs))
				}
			})
			t.Run(name+" a key that a root vouches for is asked for", func(t *testing.T) {
				v := verifier(t, Config{Expect: true, Roots: roots(t, "root.pem")})
				rs := play(v, c, epoch)
				if n := verdicts(rs); n[Foreign] < 4 || n[Authentic] != 0 {
					t.Errorf("%s", transcript(rs))
				}
				v = verifier(t, Config{Expect: true, Roots: roots(t, "root.pem")})
				expect(t, play(v, axisSigner(t, bare(t, codec), p, old, true), epoch), counters(ok, ok, ok, ok))
			})
			t.Run(name+" an hour later", func(t *testing.T) {
				v := verifier(t, Config{Expect: true})
				rs := play(v, c, epoch.Add(time.Hour))
				if n := verdicts(rs); n[Stale] < 4 || n[Authentic] != 0 {
					t.Errorf("%s", transcript(rs))
				}
			})
			t.Run(name+" a GOP and its message removed", func(t *testing.T) {
				d := c.clone()
				d.units = append(d.units[:12:12], d.units[18:]...)
				v := verifier(t, Config{Expect: true})
				rs := play(v, d, epoch)
				if lapses(rs) == 0 {
					t.Errorf("%s", transcript(rs))
				}
			})
		}
	}
}
