package still

import (
	"errors"

	"eyebolt/camera"
)

const (
	// keyMost bounds a key picture's bytes, as the RTSP driver does.
	keyMost = 4 << 20
)

var (
	errNoSlice    = errors.New("the key picture holds no slice")
	errInterlaced = errors.New("the key picture is two fields: set the camera to progressive scan")
)

// The delimiters that end an access unit for a parser (H.264 section 7.3.2.4, H.265 section 7.3.2.5): with one behind it a
// picture is decoded when it is written, not when the next one comes.
var (
	delimiter264 = []byte{0, 0, 0, 1, 0x09, 0xf0}
	delimiter265 = []byte{0, 0, 0, 1, 0x46, 0x01, 0x50}
	// sequenceEnd265 comes before it (H.265 section 7.4.2.4.4, EOS_NUT): the next key picture begins anew, whatever order count it
	// has. A clean random access picture would else go on counting, and two with the same low bits be taken for one.
	sequenceEnd265 = []byte{0, 0, 0, 1, 0x48, 0x01}
)

// annexB appends a key picture as a byte stream (H.264 and H.265 annex B) that can be decoded alone: the parameter sets, the
// slices, and a delimiter. Everything else is left out. Sequence parameter sets are told to need no reordering: a decoder
// that gets key pictures alone must not hold one back until it has seen others.
func annexB(to []byte, p camera.Params, nals [][]byte) ([]byte, error) {
	put := func(n []byte) { to = append(append(to, 0, 0, 0, 1), n...) }
	total, firsts, slices := 0, 0, 0
	for _, n := range [][]byte{p.VPS, p.SPS, p.PPS} {
		if len(n) > 0 {
			put(prompt(p.Codec, n))
		}
	}
	for _, n := range nals {
		kind, first := kindOf(p.Codec, n)
		switch kind {
		case isSet:
			put(prompt(p.Codec, n))
		case isSlice:
			slices++
			if first {
				firsts++
			}
			put(n)
		case isOther:
		}
		if total += len(n); total > keyMost {
			return to, ErrTooLarge
		}
	}
	switch {
	case slices == 0:
		return to, errNoSlice
	case firsts > 1:
		return to, errInterlaced
	case p.Codec == camera.H265:
		return append(append(to, sequenceEnd265...), delimiter265...), nil
	default:
		return append(to, delimiter264...), nil
	}
}

type nalKind uint8

const (
	isOther nalKind = iota
	isSet           // a parameter set
	isSlice         // of a key picture
)

// kindOf tells what a NAL unit is, and of a slice whether it is its picture's first.
func kindOf(c camera.Codec, n []byte) (kind nalKind, first bool) {
	if c == camera.H265 {
		if len(n) < 3 || n[0]&1 != 0 || n[1]>>3 != 0 { // the base layer's alone
			return isOther, false
		}
		switch t := n[0] >> 1 & 0x3f; {
		case t >= 32 && t <= 34:
			return isSet, false
		case t >= 16 && t <= 21:
			return isSlice, n[2]&0x80 != 0
		}
		return isOther, false
	}
	if len(n) < 2 {
		return isOther, false
	}
	switch n[0] & 0x1f {
	case 7, 8:
		return isSet, false
	case 5:
		return isSlice, n[1]&0x80 != 0 // first_mb_in_slice 0 is one bit
	}
	return isOther, false
}
