package rtsp

import (
	"bytes"
	"testing"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

func codec(b bool) camera.Codec {
	if b {
		return camera.H265
	}
	return camera.H264
}

// FuzzAssemble: T20: whatever packets come, nothing breaks, and every unit that is given is sound and within bounds.
func FuzzAssemble(f *testing.F) {
	for _, h265 := range []bool{false, true} {
		r := newRig(codec(h265))
		sl := r.slice(true, true, 90)
		var in []byte
		for i, p := range append(r.fragments(sl, 3), r.slice(false, true, 30), r.slice(false, false, 30)) {
			in = append(in, byte(len(p)), byte(i), byte(i/3)<<1|byte(i%2))
			in = append(in, p...)
		}
		f.Add(h265, in)
	}
	f.Fuzz(func(t *testing.T, h265 bool, in []byte) {
		a := assembler{codec: codec(h265)}
		var last uint32
		a.out = func(u *unit) {
			size := 0
			slices := 0
			for i, n := range u.nals {
				size += len(n)
				kind, first := look(a.codec, n)
				if kind == nalBad || kind != u.kinds[i] {
					t.Fatalf("NAL unit %x of kind %d was given as %d", n, kind, u.kinds[i])
				}
				if bytes.Contains(n, []byte{0, 0, 1}) || bytes.HasSuffix(n, []byte{0}) {
					t.Fatalf("NAL unit %x holds a start code or trailing zeros", n)
				}
				if kind == nalSlice || kind == nalKeySlice {
					if slices == 0 && !first || u.key != (kind == nalKeySlice) {
						t.Fatalf("slice %x: first %v, key %v", n, first, u.key)
					}
					slices++
				}
			}
			if slices == 0 || len(u.nals) > nalsMost || size > unitMost {
				t.Fatalf("%d slices, %d NAL units, %d bytes", slices, len(u.nals), size)
			}
			last = u.ts
		}
		seq := uint16(0)
		for len(in) > 3 {
			n, d, flags := int(in[0]), in[1], in[2]
			in = in[3:]
			n = min(n, len(in))
			seq++
			if d > 250 {
				seq += uint16(d)
			}
			a.push(packet{seq: seq, ts: uint32(flags >> 1), marker: flags&1 != 0, payload: in[:n]})
			in = in[n:]
		}
		_ = last
	})
}

// FuzzRTP: a header either parses into a payload within the packet, or is none.
func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0xe0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x41, 0x9a})
	f.Add([]byte{0xb1, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1, 1, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, 0x41, 0x9a, 0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parseRTP(b)
		if ok && (len(b) < 12 || len(p.payload) > len(b)-12) {
			t.Fatalf("%d bytes of payload in %d", len(p.payload), len(b))
		}
		if ok {
			var r reorder
			for range 3 {
				r.push(p, func(packet) {})
				p.seq += uint16(len(b))
			}
		}
	})
}

// FuzzParams: a parameter set gives a size within bounds or an error.
func FuzzParams(f *testing.F) {
	for _, c := range []camera.Codec{camera.H264, camera.H265} {
		f.Add(c == camera.H265, cameratest.Noise(c, 1).Params().SPS)
	}
	f.Fuzz(func(t *testing.T, h265 bool, b []byte) {
		w, h, err := size(codec(h265), b)
		if err == nil && (w <= 0 || h <= 0 || w > sizeMost || h > sizeMost) {
			t.Fatalf("%d × %d", w, h)
		}
	})
}
