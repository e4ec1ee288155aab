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

// unescape removes emulation prevention (H.264 section 7.4.1, H.265 section 7.4.2), and appends the rest to to.
func unescape(to, n []byte) []byte {
	zeros := 0
	for _, c := range n {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		to = append(to, c)
	}
	return to
}

// escapedLen is how many bytes at the front of n become the first want bytes of unescape(n). An emulation prevention byte that
// belongs to what follows is not counted: a signer stops writing before it.
func escapedLen(n []byte, want int) int {
	zeros, got := 0, 0
	for i, c := range n {
		if got == want {
			return i
		}
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		got++
	}
	return len(n)
}
