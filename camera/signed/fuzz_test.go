package signed

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"eyebolt/camera"
)

// ownVectors are testdata's signed clips.
func ownVectors(t testing.TB) (all []*clip) {
	t.Helper()
	for _, x := range vectors {
		b, err := os.ReadFile(filepath.Join("testdata", x.name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, readAnnexB(x.codec, b))
	}
	return all
}

// FuzzSEI (T20): whatever a SEI NAL unit holds, it is none of a signer's, or broken, or its parts lie within it.
func FuzzSEI(f *testing.F) {
	for _, c := range ownVectors(f) {
		for n := range c.count(nalSEI) {
			u, i := c.at(n, nalSEI)
			f.Add(c.codec == camera.H265, c.units[u][i])
		}
	}
	f.Add(false, seal(uuidAxis, 0x80, 1, 10, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 2, 0, 3, 2, 9, 9, 7, 13, 1, 11, 6, 9, 0x60, 0x86, 0x48, 1, 101, 3, 4, 2, 1, 129, 0, 4, 1, 1, 7, 7, 5, 0, 5, 2, 0, 0, 1, 9))
	f.Fuzz(func(t *testing.T, h265 bool, n []byte) {
		c := camera.H264
		if h265 {
			c = camera.H265
		}
		m, err := parse(c, n, anyOrder)
		if err != nil {
			return
		}
		if len(m.doc) > len(n) || m.count > 0xffff || len(m.chains) > 2 || len(m.list) > 0xffff || len(m.signature) > 0xffff {
			t.Fatalf("%d bytes gave %+v", len(n), m)
		}
		if m.said && (len(m.doc) == 0 || len(m.doc) >= len(n)) {
			t.Fatalf("a document of %d in %d bytes", len(m.doc), len(n))
		}
		if m.general && !m.legacy && (len(m.gop) != len(m.link) || !sumSize(len(m.gop))) {
			t.Fatalf("hashes of %d and %d bytes", len(m.gop), len(m.link))
		}
		var k keyring
		if keys, err := k.learn(&m, epoch); err == nil && m.said {
			_, _ = m.verify(keys, m.digest)
		}
	})
}

// FuzzPictures (T20): whatever NAL units come, in whatever pictures, nothing breaks and memory stays within bounds; nobody vouches for
// what only a fuzzer made.
func FuzzPictures(f *testing.F) {
	for _, c := range ownVectors(f) {
		var in []byte
		for i, u := range c.units {
			for _, n := range u {
				if len(n) < 1<<16 {
					in = append(append(in, byte(i), byte(len(n)>>8), byte(len(n))), n...)
				}
			}
		}
		f.Add(c.codec == camera.H265, in)
	}
	f.Fuzz(func(t *testing.T, h265 bool, in []byte) {
		p := camera.Params{Codec: camera.H264}
		if h265 {
			p.Codec = camera.H265
		}
		v := verifier(t, Config{Expect: true, Within: time.Second})
		v.Opened(p)
		var unit [][]byte
		last, at := byte(0), time.Duration(0)
		flush := func() {
			at += pace
			for _, r := range v.Picture(camera.Picture{Media: at, Arrival: at, NALs: unit}, epoch.Add(at)) {
				if r.Say == "" || r.last < r.first || len(r.Faults) > faultsMost || r.Faulty < len(r.Faults) || r.OK() && r.Lapse {
					t.Fatalf("%+v", r)
				}
			}
			unit = nil
		}
		for len(in) >= 3 {
			if in[0] != last {
				flush()
				last = in[0]
			}
			n := min(int(in[1])<<8|int(in[2]), len(in)-3)
			unit = append(unit, in[3:3+n])
			in = in[3+n:]
		}
		flush()
		v.Closed()
		if len(v.pending) > pendingMost || len(v.held) > heldMost {
			t.Fatalf("%d NAL units and %d judgements wait", len(v.pending), len(v.held))
		}
	})
}

// FuzzTamper (T4, T5): however an honest signed stream is cut up, put together anew and changed, what is vouched for are NAL units that
// the camera made, in the order in which it made them, each once.
func FuzzTamper(f *testing.F) {
	all := ownVectors(f)
	f.Add(byte(0), []byte{0, 3, 9, 1, 20, 4})
	f.Add(byte(1), []byte{1, 30, 0, 2, 11, 14, 3, 8, 40})
	f.Add(byte(2), []byte{4, 20, 30, 0, 17, 200})
	f.Add(byte(3), []byte{3, 5, 5, 1, 6, 0})
	f.Fuzz(func(t *testing.T, which byte, ops []byte) {
		c := all[int(which)%len(all)].clone()
		var flat [][]byte
		for _, u := range c.units {
			flat = append(flat, u...)
		}
		place := map[string][]int{} // where the camera made it
		made := 0
		for _, n := range flat {
			switch k := look(c.codec, n); k {
			case nalSlice, nalStart:
				place[string(n)] = append(place[string(n)], made)
				made++
			}
		}
		for ; len(ops) >= 3 && len(flat) > 1 && len(flat) < 4096; ops = ops[3:] {
			i, x := int(ops[1])%len(flat), ops[2]
			j := int(x) % len(flat)
			switch ops[0] % 6 {
			case 0: // change
				b := bytes.Clone(flat[i])
				b[int(x)%len(b)] ^= 1 << (x % 8)
				flat[i] = b
			case 1: // remove
				flat = append(flat[:i:i], flat[i+1:]...)
			case 2: // send again elsewhere
				flat = append(flat[:j:j], append([][]byte{flat[i]}, flat[j:]...)...)
			case 3: // exchange
				flat[i], flat[j] = flat[j], flat[i]
			case 4: // send a stretch again
				if i < j {
					flat = append(flat[:j:j], append(append([][]byte{}, flat[i:j]...), flat[j:]...)...)
				}
			case 5: // remove a stretch
				if i < j {
					flat = append(flat[:i:i], flat[j:]...)
				}
			}
		}
		d := &clip{codec: c.codec}
		var unit, hashed [][]byte
		slice := false
		for _, n := range flat {
			k := look(c.codec, n)
			is := k == nalSlice || k == nalStart
			if slice && (!is || n[headerLen(c.codec)]&0x80 != 0) {
				d.units = append(d.units, unit)
				unit, slice = nil, false
			}
			slice = slice || is
			unit = append(unit, n)
			if m, err := parse(c.codec, n, anyOrder); is || k == nalSEI && err == nil && !m.said {
				hashed = append(hashed, n)
			}
		}
		d.units = append(d.units, unit)
		v := verifier(t, Config{Roots: roots(t, "root.pem"), Expect: true, Within: time.Hour})
		newest := -1
		for _, r := range play(v, d, time.Time{}) {
			if !r.OK() {
				continue
			}
			for o := r.first; o < r.last; o++ {
				n := hashed[o]
				if look(c.codec, n) == nalSEI {
					continue
				}
				at := -1
				for _, p := range place[string(n)] {
					if p > newest {
						at = p
						break
					}
				}
				if at < 0 {
					t.Fatalf("NAL unit %d was vouched for: the camera did not make it after number %d\n%s", o, newest, r.Say)
				}
				newest = at
			}
		}
	})
}
