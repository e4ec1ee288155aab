package rtsp

import (
	"bytes"

	"eyebolt/camera"
)

// nalKind is what a NAL unit is to us.
type nalKind uint8

const (
	nalBad   nalKind = iota
	nalOther         // supplementary, delimiters, filler, ends
	nalVPS
	nalSPS
	nalPPS
	nalSlice
	nalKeySlice
)

// look tells a NAL unit's kind, and for a slice whether it is its picture's first (H.264 sections 7.3.1 and 7.3.3, H.265
// sections 7.3.1 and 7.3.6.1). A slice whose header does not begin as one must is bad.
func look(c camera.Codec, n []byte) (kind nalKind, first bool) {
	switch {
	case c == camera.H264 && len(n) >= 2:
		return look264(n)
	case c == camera.H265 && len(n) >= 3:
		return look265(n)
	default:
		// End-of-sequence units are all header.
		if c == camera.H264 && len(n) == 1 && (n[0] == 10 || n[0] == 11) || c == camera.H265 && len(n) == 2 && n[0]>>1 >= 35 && n[0]>>1 <= 37 {
			return nalOther, false
		}
		return nalBad, false
	}
}

func look264(n []byte) (nalKind, bool) {
	if n[0]&0x80 != 0 {
		return nalBad, false
	}
	switch t := n[0] & 0x1f; t {
	case 1, 5:
		r := newBits(n[1:])
		mb, typ, pps := r.ue(), r.ue(), r.ue()
		// 139264 macroblocks is the largest picture of any level (table A-1).
		if r.short || mb >= 139264 || typ > 9 || pps > 255 || t == 5 && typ%5 != 2 && typ%5 != 4 {
			return nalBad, false
		}
		if t == 5 {
			return nalKeySlice, mb == 0
		}
		return nalSlice, mb == 0
	case 7:
		return nalSPS, false
	case 8:
		return nalPPS, false
	case 6, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21:
		return nalOther, false
	default: // data partitions, which are of no camera's profile, and numbers without a meaning
		return nalBad, false
	}
}

func look265(n []byte) (nalKind, bool) {
	if n[0]&0x80 != 0 || n[1]&7 == 0 {
		return nalBad, false
	}
	if layer := n[0]&1<<5 | n[1]>>3; layer != 0 {
		return nalOther, false
	}
	switch t := n[0] >> 1; {
	case t <= 9, t >= 16 && t <= 21:
		r := newBits(n[2:])
		first := r.bit() == 1
		if t >= 16 {
			r.bit() // no_output_of_prior_pics_flag
		}
		if pps := r.ue(); r.short || pps > 63 {
			return nalBad, false
		}
		if t >= 16 {
			return nalKeySlice, first
		}
		return nalSlice, first
	case t == 32:
		return nalVPS, false
	case t == 33:
		return nalSPS, false
	case t == 34:
		return nalPPS, false
	case t >= 35 && t <= 40:
		return nalOther, false
	default:
		return nalBad, false
	}
}

// bitReader reads the first bits of a slice header, emulation prevention undone (H.264 section 7.4.1). 16 bytes hold more
// than the fields looked at.
type bitReader struct {
	b     [headMost * 3 / 2]byte
	n     int // bits
	at    int
	short bool // more was asked for than is there
}

const headMost = 16

// newBits takes as much of n as may be needed: of three bytes, one at the most is left out.
func newBits(n []byte) bitReader {
	var r bitReader
	r.n = 8 * min(headMost, len(camera.Unescape(r.b[:0], n[:min(len(n), len(r.b))])))
	return r
}

func (r *bitReader) bit() uint32 {
	if r.at >= r.n {
		r.short = true
		return 0
	}
	v := r.b[r.at/8] >> (7 - r.at%8) & 1
	r.at++
	return uint32(v)
}

// ue reads an Exp-Golomb code of up to 41 bits (H.264 section 9.1): more than any field here can be long.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 {
		if zeros++; zeros > 20 || r.short {
			r.short = true
			return 0
		}
	}
	v := uint32(1)
	for range zeros {
		v = v<<1 | r.bit()
	}
	return v - 1
}

// cutNAL looks for what cannot be inside a NAL unit (H.264 section 7.4.1): it returns the unit up to there without the
// zero bytes that may trail it, what follows a start code within it (some cameras pack several units as one, or leave the
// start code on), and whether it is well-formed.
func cutNAL(b []byte) (unit, rest []byte, ok bool) {
	for i := 0; ; {
		j := bytes.Index(b[i:], zeroZero)
		if j < 0 || i+j+2 >= len(b) {
			return trimZeros(b), nil, true
		}
		i += j
		switch b[i+2] {
		case 0:
			// Zeros end a unit: a start code or nothing may follow.
			k := i + 3
			for k < len(b) && b[k] == 0 {
				k++
			}
			switch {
			case k == len(b):
				return trimZeros(b), nil, true
			case b[k] == 1:
				return b[:i], b[k+1:], true
			default:
				return nil, nil, false
			}
		case 1:
			return trimZeros(b[:i]), b[i+3:], true
		case 2:
			return nil, nil, false
		default: // 3 is emulation prevention; above it, nothing special
			i += 2
		}
	}
}

var zeroZero = []byte{0, 0}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}
