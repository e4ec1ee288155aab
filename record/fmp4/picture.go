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
	data    camera.Sample
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
