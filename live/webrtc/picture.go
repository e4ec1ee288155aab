package webrtc

import (
	"bytes"
	"sync"
	"time"

	"eyebolt/camera"
)

// picture is one camera picture, shared by every viewer of a door. It never changes, but for being divided once.
type picture struct {
	seq  uint64        // at this door, from 1
	conn uint64        // of the camera
	at   time.Duration // on the door's clock of pictures, which goes on over reconnects
	key  bool
	nals [][]byte // a key picture's begin with its parameter sets

	once     sync.Once
	payloads [][]byte
}

// newPicture keeps a picture's Sample, or a copy if it has none, and puts the parameter sets before a key picture.
func newPicture(p camera.Picture, params *camera.Params) *picture {
	pic := &picture{key: p.Key, nals: make([][]byte, 0, len(p.NALs)+2)}
	if p.Key {
		pic.nals = append(pic.nals, params.SPS, params.PPS)
	}
	sample := p.Sample
	if sample == nil {
		sample = camera.Pack(params.Codec, p.NALs)
	}
	pic.nals = sample.Units(pic.nals)
	return pic
}

// dispensable says whether no other picture needs this one to be decoded (ITU-T H.264 section 7.4.1, nal_ref_idc).
func dispensable(nals [][]byte) bool {
	for _, n := range nals {
		if len(n) > 0 && (n[0]&0x1f == 1 || n[0]&0x1f == 5) && n[0]&0x60 != 0 {
			return false
		}
	}
	return true
}

// bytes counts the picture's coded size.
func (p *picture) bytes() (n int) {
	for _, nal := range p.nals {
		n += len(nal)
	}
	return n
}

// payloadSize fits an RTP packet with its extensions, SRTP's tag and IPv6 into 1,280 bytes, the least that IPv6 carries
// (RFC 8200 section 5): nothing is ever fragmented.
const payloadSize = 1160

// packets divides the picture into RTP payloads (RFC 6184 sections 5.6 and 5.8): single NAL units, and FU-A.
func (p *picture) packets() [][]byte {
	p.once.Do(func() {
		for _, nal := range p.nals {
			if len(nal) <= payloadSize {
				p.payloads = append(p.payloads, nal)
				continue
			}
			head, rest := nal[0], nal[1:]
			for first := true; len(rest) > 0; first = false {
				n := min(len(rest), payloadSize-2)
				fu := make([]byte, 0, n+2)
				fu = append(fu, head&0xe0|28, head&0x1f)
				if first {
					fu[1] |= 0x80
				}
				if n == len(rest) {
					fu[1] |= 0x40
				}
				p.payloads = append(p.payloads, append(fu, rest[:n]...))
				rest = rest[n:]
			}
		}
	})
	return p.payloads
}

func sameParams(a, b *camera.Params) bool {
	return a != nil && b != nil && a.Codec == b.Codec && bytes.Equal(a.SPS, b.SPS) && bytes.Equal(a.PPS, b.PPS)
}
