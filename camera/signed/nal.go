package signed

import (
	"bytes"

	"eyebolt/camera"
)

// nalKind is what a NAL unit is to a signature.
type nalKind uint8

const (
	nalIgnored nalKind = iota // not covered by any signature: parameter sets, delimiters, filler
	nalSlice                  // hashed
	nalStart                  // hashed: the first slice of a key picture, the anchor of its GOP
	nalSEI                    // may carry a signature
)

// look tells a NAL unit's kind (H.264 table 7-1, H.265 table 7-1). Every slice counts, whatever its type: one that a signer
// left out, or that somebody put in, must not be seen and stay unhashed. A GOP begins with an IDR picture in H.264 and with
// any IRAP picture in H.265.
func look(c camera.Codec, n []byte) nalKind {
	switch {
	case c == camera.H264 && len(n) >= 2:
		switch t := n[0] & 0x1f; {
		case t == 5 && n[1]&0x80 != 0: // first_mb_in_slice is 0
			return nalStart
		case t >= 1 && t <= 5:
			return nalSlice
		case t == 6:
			return nalSEI
		}
	case c == camera.H265 && len(n) >= 3:
		switch t := n[0] >> 1 & 0x3f; {
		case t >= 16 && t <= 23 && n[2]&0x80 != 0: // first_slice_segment_in_pic_flag
			return nalStart
		case t < 32:
			return nalSlice
		case t == 39 || t == 40:
			return nalSEI
		}
	}
	return nalIgnored
}

// headerLen is how long a NAL unit's header is.
func headerLen(c camera.Codec) int {
	if c == camera.H265 {
		return 2
	}
	return 1
}

// trim cuts the zero bytes that may trail a NAL unit (cabac_zero_words, or a container's padding): what is signed ends with
// the stop bit.
func trim(n []byte) []byte { return bytes.TrimRight(n, "\x00") }
