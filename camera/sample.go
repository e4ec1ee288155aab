package camera

import "encoding/binary"

// Sample is a picture as it is kept: one copy for everybody who keeps it, which never changes once made. It is the picture's NAL
// units, each behind its length in four bytes (ISO/IEC 14496-15 section 5.3), without what says nothing beside Params: parameter
// sets, access unit delimiters and filler.
type Sample []byte

// Pack copies NAL units into one Sample. It returns nil if nothing is left of them.
func Pack(codec Codec, nals [][]byte) Sample {
	size := 0
	for _, n := range nals {
		if sampled(codec, n) {
			size += 4 + len(n)
		}
	}
	if size == 0 {
		return nil
	}
	out := make(Sample, 0, size)
	for _, n := range nals {
		if sampled(codec, n) {
			out = binary.BigEndian.AppendUint32(out, uint32(len(n)))
			out = append(out, n...)
		}
	}
	return out
}

// Units appends the NAL units of what Pack gave to units. They are parts of the Sample.
func (s Sample) Units(units [][]byte) [][]byte {
	for len(s) >= 4 {
		n := 4 + min(int64(binary.BigEndian.Uint32(s)), int64(len(s)-4))
		units, s = append(units, s[4:n:n]), s[n:]
	}
	return units
}

// sampled says whether a Sample has this NAL unit.
func sampled(codec Codec, nal []byte) bool {
	if len(nal) == 0 {
		return false
	}
	if codec == H265 { // ITU-T H.265 table 7-1
		t := nal[0] >> 1 & 0x3f
		return t < 32 || t > 35 && t != 38
	}
	t := nal[0] & 0x1f // ITU-T H.264 table 7-1
	return t != 7 && t != 8 && t != 9 && t != 12
}
