package fmp4

import (
	"encoding/binary"
	"time"

	"eyebolt/camera"
)

// picture is one camera.Picture as it will lie in a file. It never changes once made.
type picture struct {
	seq     uint64 // counted by the ring
	conn    uint64 // which connection it came on
	params  *camera.Params
	media   time.Duration // on its connection's clock
	arrival time.Duration // on the hub's clock
	wall    time.Time
	key     bool
	data    []byte // NAL units, each behind its length in four bytes (ISO/IEC 14496-15 section 5.3)
}

// pack copies a picture's NAL units into one sample. Parameter sets, access unit delimiters and filler are left out: the
// file's head has the first, and the others say nothing in a file. It returns nil if nothing is left.
func pack(codec camera.Codec, nals [][]byte) []byte {
	size := 0
	for _, n := range nals {
		if kept(codec, n) {
			size += 4 + len(n)
		}
	}
	if size == 0 {
		return nil
	}
	out := make([]byte, 0, size)
	for _, n := range nals {
		if kept(codec, n) {
			out = binary.BigEndian.AppendUint32(out, uint32(len(n)))
			out = append(out, n...)
		}
	}
	return out
}

func kept(codec camera.Codec, nal []byte) bool {
	if len(nal) == 0 {
		return false
	}
	if codec == camera.H265 { // ITU-T H.265 table 7-1
		t := nal[0] >> 1 & 0x3f
		return t < 32 || t > 35 && t != 38
	}
	t := nal[0] & 0x1f // ITU-T H.264 table 7-1
	return t != 7 && t != 8 && t != 9 && t != 12
}

// whole says whether a sample is NAL units to its last byte: what a power cut leaves of one (zeros, a stump) is not.
func whole(sample []byte) bool {
	if len(sample) == 0 {
		return false
	}
	for len(sample) > 0 {
		if len(sample) < 4 {
			return false
		}
		n := binary.BigEndian.Uint32(sample)
		if n == 0 || uint64(n) > uint64(len(sample)-4) {
			return false
		}
		sample = sample[4+n:]
	}
	return true
}
