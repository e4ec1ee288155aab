package rtsp

import (
	"time"

	"eyebolt/camera"
)

const (
	// unitMost is how large an access unit may be: a 4K key picture of a camera's best quality is about 2 MB.
	unitMost = 4 << 20
	// nalsMost is how many NAL units one may have: 4K in rows of macroblocks is 135 slices.
	nalsMost = 1024
)

// unit is a complete access unit. It belongs to the receiver for the length of the call.
type unit struct {
	ts      uint32
	at      time.Duration // when its last packet was read
	key     bool
	missing uint32 // packets lost, or dropped with their unit, since the unit before
	nals    [][]byte
	kinds   []nalKind
}

// assembler makes access units of RTP packets that come in order, gaps and all (RFC 6184, non-interleaved; RFC 7798 without
// decoding order numbers). A unit that lost a packet, or holds what does not parse, is not given, and its packets are
// counted as missing. It copies each byte once, into a buffer that it keeps.
type assembler struct {
	codec camera.Codec
	out   func(*unit)

	started bool
	seq     uint16 // the next expected
	missing uint32

	// The unit under way.
	have    bool
	bad     bool
	ts      uint32
	at      time.Duration
	packets uint32
	slices  int
	first   bool // its first slice begins a picture
	key     bool
	open    bool // the last NAL unit is a fragment that has not ended
	start   int  // where that begins in buf
	buf     []byte
	spans   []span
	marked  bool // a marker came after a slice of it

	// What is known of the camera's markers.
	known bool // a unit was ended by the next one's timestamp
	lying bool // markers come within units: only a new timestamp ends one

	given  bool   // lastTs is set
	lastTs uint32 // of the newest unit given

	u unit
}

type span struct {
	from, to int
	kind     nalKind
}

// push takes the next packet.
func (a *assembler) push(p packet) {
	if !a.started {
		a.started, a.seq = true, p.seq
	}
	if lost := p.seq - a.seq; lost != 0 {
		// A step back cannot be counted: it is one loss at least.
		a.missing += max(1, uint32(max(0, int16(lost))))
		a.bad = a.bad || a.have
		a.open = false
	}
	a.seq = p.seq + 1
	if a.have && p.ts != a.ts {
		if a.slices == 0 && !a.bad && !a.open {
			a.ts = p.ts // parameter sets that were sent under a timestamp of their own
		} else {
			a.known = a.known || a.slices > 0
			a.finish()
		}
	}
	if !a.have {
		a.begin(p.ts)
	}
	if a.marked {
		a.lying = true // the unit went on after its marker
	}
	a.at = p.at
	a.packets++
	if !a.bad && !a.payload(p.payload) {
		a.bad, a.open = true, false
	}
	if p.marker && (a.slices > 0 || a.bad) && !a.open {
		switch {
		case a.lying:
		case !a.known:
			a.marked = true
		default:
			a.finish()
		}
	}
}

func (a *assembler) begin(ts uint32) {
	a.have, a.bad, a.ts, a.packets, a.slices = true, false, ts, 0, 0
	a.first, a.key, a.open, a.marked = false, false, false, false
	a.buf, a.spans = a.buf[:0], a.spans[:0]
}

// finish gives the unit, or counts it as missing.
func (a *assembler) finish() {
	a.have = false
	if a.slices > 0 && !a.first && a.given && a.ts == a.lastTs && !a.lying {
		a.lying = true // the rest of a picture that its marker had ended too soon
	}
	if a.bad || a.open || a.slices == 0 || !a.first {
		a.missing += a.packets
		return
	}
	u := &a.u
	u.ts, u.at, u.key, u.missing = a.ts, a.at, a.key, a.missing
	u.nals, u.kinds = u.nals[:0], u.kinds[:0]
	for _, s := range a.spans {
		u.nals, u.kinds = append(u.nals, a.buf[s.from:s.to:s.to]), append(u.kinds, s.kind)
	}
	a.missing, a.given, a.lastTs = 0, true, a.ts
	a.out(u)
}

// payload takes one packet's payload and says whether it is sound.
func (a *assembler) payload(b []byte) bool {
	if a.codec == camera.H265 {
		return a.payload265(b)
	}
	return a.payload264(b)
}

// payload264 is RFC 6184 section 5.2.
func (a *assembler) payload264(b []byte) bool {
	if len(b) == 0 {
		return !a.open // an empty packet keeps a path open and says nothing
	}
	switch t := b[0] & 0x1f; t {
	case 24: // STAP-A
		return !a.open && a.several(b[1:])
	case 28: // FU-A
		if len(b) < 3 {
			return false
		}
		return a.fragment(b[1]&0x80 != 0, b[1]&0x40 != 0, b[2:], b[0]&0xe0|b[1]&0x1f)
	case 25, 26, 27, 29, 30, 31: // interleaved, or without a meaning
		return false
	default:
		return !a.open && a.whole(b)
	}
}

// payload265 is RFC 7798 section 4.4.
func (a *assembler) payload265(b []byte) bool {
	if len(b) == 0 {
		return !a.open
	}
	if len(b) < 3 {
		return !a.open && a.whole(b)
	}
	switch t := b[0] >> 1 & 0x3f; t {
	case 48: // AP
		return !a.open && a.several(b[2:])
	case 49: // FU
		if len(b) < 4 {
			return false
		}
		return a.fragment(b[2]&0x80 != 0, b[2]&0x40 != 0, b[3:], b[0]&0x81|b[2]&0x3f<<1, b[1])
	case 50: // PACI
		return false
	default:
		return !a.open && a.whole(b)
	}
}

// several takes an aggregation packet's units, each behind its 16-bit size.
func (a *assembler) several(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		if len(b) < 2 {
			return false
		}
		n := int(b[0])<<8 | int(b[1])
		b = b[2:]
		if n == 0 {
			return len(trimZeros(b)) == 0 // padding
		}
		if n > len(b) || !a.whole(b[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

// fragment takes a part of a unit whose header is head.
func (a *assembler) fragment(start, end bool, b []byte, head ...byte) bool {
	if start == a.open {
		return false // a part without its beginning, or a beginning within a unit
	}
	if start {
		a.open, a.start = true, len(a.buf)
		a.buf = append(a.buf, head...)
	} else if (a.buf[a.start]^head[0])&kindBits(a.codec) != 0 {
		return false // a part of another kind of unit
	}
	if len(a.buf)+len(b) > unitMost {
		return false
	}
	a.buf = append(a.buf, b...)
	if !end {
		return true
	}
	a.open = false
	return a.close()
}

// whole takes a unit.
func (a *assembler) whole(b []byte) bool {
	if len(a.buf)+len(b) > unitMost {
		return false
	}
	a.start = len(a.buf)
	a.buf = append(a.buf, b...)
	return a.close()
}

// close checks the unit from start to the end of buf, which may be several behind start codes, and keeps it.
func (a *assembler) close() bool {
	at, end := a.start, len(a.buf)
	for at < end {
		n, rest, ok := cutNAL(a.buf[at:end])
		if !ok {
			return false
		}
		if len(n) > 0 && !a.keep(at, at+len(n)) {
			return false
		}
		if rest == nil {
			break
		}
		at = end - len(rest)
	}
	return true
}

func (a *assembler) keep(from, to int) bool {
	kind, first := look(a.codec, a.buf[from:to])
	if kind == nalBad || len(a.spans) == nalsMost {
		return false
	}
	if kind == nalSlice || kind == nalKeySlice {
		if a.slices == 0 {
			a.first, a.key = first, kind == nalKeySlice
		} else if a.key != (kind == nalKeySlice) {
			return false // a picture's slices are all of one kind (H.264 section 7.4.1.2.4)
		}
		a.slices++
	}
	a.spans = append(a.spans, span{from, to, kind})
	return true
}

// kindBits are the bits of a unit's first byte that hold its type.
func kindBits(c camera.Codec) byte {
	if c == camera.H265 {
		return 0x7e
	}
	return 0x1f
}
