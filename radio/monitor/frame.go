// Package monitor hears the air itself: frames that end connections, from a radio in monitor mode or from a capture of one.
package monitor

import (
	"encoding/binary"
	"errors"

	"eyebolt/radio"
)

// ErrFrame tells that bytes are no frame of the air as a monitor gives them.
var ErrFrame = errors.New("radio: not a captured frame")

const (
	radiotapTSFT  = 1 << 0
	radiotapFlags = 1 << 1
	radiotapMore  = 1 << 31

	flagFCS    = 0x10 // four check bytes at the end
	flagBadFCS = 0x40 // they are wrong: what is in the frame is not what was sent
)

// radiotap takes the radiotap header (radiotap.org, "Header definition") off a frame. ok is false for a frame that came broken.
func radiotap(b []byte) (frame []byte, ok bool, err error) {
	if len(b) < 8 || b[0] != 0 {
		return nil, false, ErrFrame
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	if n < 8 || n > len(b) {
		return nil, false, ErrFrame
	}
	present := binary.LittleEndian.Uint32(b[4:])
	at := 8
	for more := present; more&radiotapMore != 0; at += 4 {
		if at+4 > n {
			return nil, false, ErrFrame
		}
		more = binary.LittleEndian.Uint32(b[at:])
	}
	flags := byte(0)
	if present&radiotapTSFT != 0 {
		at = (at+7)&^7 + 8 // fields are aligned to their own size from the header's begin
	}
	if present&radiotapFlags != 0 {
		if at >= n {
			return nil, false, ErrFrame
		}
		flags = b[at]
	}
	frame = b[n:]
	if flags&flagFCS != 0 {
		if len(frame) < 4 {
			return nil, false, ErrFrame
		}
		frame = frame[:len(frame)-4]
	}
	return frame, flags&flagBadFCS == 0, nil
}

const (
	subDisassociation   = 10
	subDeauthentication = 12

	bitRetry     = 0x08
	bitProtected = 0x40
	bitOrder     = 0x80 // an HT control field follows the header
)

// ending reads an IEEE 802.11 frame (9.2.3) and says whether it ends a connection. Every other frame is fine and of no interest.
func ending(b []byte) (f radio.Frame, ok bool, err error) {
	if len(b) < 2 {
		return f, false, ErrFrame
	}
	if b[0]&3 != 0 { // a version that is not of today
		return f, false, ErrFrame
	}
	kind, sub := b[0]>>2&3, b[0]>>4
	if kind != 0 || sub != subDeauthentication && sub != subDisassociation {
		return f, false, nil
	}
	head := 24
	if b[1]&bitOrder != 0 {
		head += 4
	}
	if len(b) < head+2 {
		return f, false, ErrFrame
	}
	f = radio.Frame{Disassociation: sub == subDisassociation, Protected: b[1]&bitProtected != 0, Retry: b[1]&bitRetry != 0}
	copy(f.To[:], b[4:])
	copy(f.From[:], b[10:])
	copy(f.Network[:], b[16:])
	f.Sequence = binary.LittleEndian.Uint16(b[22:]) >> 4
	if !f.Protected {
		f.Reason = binary.LittleEndian.Uint16(b[head:])
	}
	return f, true, nil
}

// Parse reads one frame as an interface in monitor mode gives it: radiotap, then IEEE 802.11. ok says that it is whole and ends a
// connection. It keeps nothing of b.
func Parse(b []byte) (f radio.Frame, ok bool, err error) {
	frame, whole, err := radiotap(b)
	if err != nil || !whole {
		return f, false, err
	}
	return ending(frame)
}
