package hass

import (
	"errors"
	"io"
)

// maxPacket bounds an MQTT packet from the broker: what we listen to are single words, and our own descriptions, which have 1 KiB.
const maxPacket = 64 << 10

var errHuge = errors.New("the broker sends a packet beyond every limit")

// frames passes an MQTT stream through and ends it at a packet that is longer than maxPacket, before anybody makes room for it.
type frames struct {
	r      io.Reader
	left   int  // bytes of the present packet's body
	length int  // being read
	shift  uint // of the next length byte
	inside bool // the length is being read
}

func (f *frames) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for i := 0; i < n; {
		switch {
		case f.left > 0:
			step := min(f.left, n-i)
			f.left -= step
			i += step
		case !f.inside: // type and flags
			f.inside, f.length, f.shift = true, 0, 0
			i++
		default:
			f.length |= int(p[i]&0x7F) << f.shift
			f.shift += 7
			if f.length > maxPacket || f.shift > 28 {
				return 0, errHuge
			}
			if p[i]&0x80 == 0 {
				f.inside, f.left = false, f.length
			}
			i++
		}
	}
	return n, err
}
