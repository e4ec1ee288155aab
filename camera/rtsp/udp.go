package rtsp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// packet is one RTP packet (RFC 3550 section 5.1). Its payload is valid for the length of the call that hands it over.
type packet struct {
	seq     uint16
	ts      uint32
	ssrc    uint32
	kind    uint8 // payload type
	marker  bool
	payload []byte
	at      time.Duration // when it was read
}

// parseRTP reads an RTP packet's header. ok is false for what is none.
func parseRTP(b []byte) (p packet, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return p, false
	}
	p.marker, p.kind = b[1]&0x80 != 0, b[1]&0x7f
	p.seq = binary.BigEndian.Uint16(b[2:])
	p.ts, p.ssrc = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	at := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return p, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		end -= int(b[len(b)-1])
	}
	if at > end {
		return p, false
	}
	p.payload = b[at:end]
	return p, true
}

// udpBuffer is asked of the kernel for arriving packets. A key picture of 300 kB comes at once; the kernel's usual 200 kB
// would lose its end.
const udpBuffer = 2 << 20

// tapped is a UDP socket of the RTSP library from which we take the packets as they are read. The library's own reordering
// holds every packet after a lost one until 64 more have come, which is seconds of a still picture.
type tapped struct {
	*net.UDPConn
	tap  func(b []byte, from netip.AddrPort) // nil: nothing is taken
	from netip.AddrPort
	addr *net.UDPAddr // from's
}

func (t *tapped) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	if t.tap != nil {
		t.tap(b[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
	if from != t.from {
		t.from, t.addr = from, net.UDPAddrFromAddrPort(from)
	}
	return n, t.addr, nil
}

const (
	// reorderMost is how many packets are held back for a missing one: what a home's network reorders is next to each other.
	reorderMost = 16
	// packetMost is how large a UDP packet may be: an Ethernet frame's.
	packetMost = 1500
	// resync is by how much a sequence number may leave the expected one and still be of the same sequence.
	resync = 1 << 12
)

// reorder puts the packets of one UDP stream in order and drops doubles. A gap is given up as soon as a packet of the next
// picture is here and a later one too, or reorderMost wait: a lost packet costs one picture's time, not more.
type reorder struct {
	started bool
	next    uint16
	held    [reorderMost]heldPacket
	n       int
	olds    int // packets in a row that are too old
}

type heldPacket struct {
	used bool
	p    packet
	b    [packetMost]byte
}

// push takes a packet and gives those that are now in order to out. A gap shows in their sequence numbers.
func (r *reorder) push(p packet, out func(packet)) {
	if !r.started {
		r.started, r.next = true, p.seq
	}
	d := int16(p.seq - r.next)
	switch {
	case d < 0:
		// A double or too late; but many in a row are a sender that began anew.
		if r.olds++; r.olds <= reorderMost && d > -resync {
			return
		}
		r.flush(out)
		r.next = p.seq
	case d >= resync:
		r.flush(out)
		r.next = p.seq
	case d > 0:
		r.olds = 0
		r.hold(p, out)
		return
	}
	r.olds = 0
	out(p)
	r.next = p.seq + 1
	r.drain(out)
}

// hold keeps a packet that came before its time, and gives up the gap if it must.
func (r *reorder) hold(p packet, out func(packet)) {
	if len(p.payload) > packetMost {
		return
	}
	free, ts, newer := -1, p.ts, 0
	for i := range r.held {
		h := &r.held[i]
		switch {
		case !h.used:
			free = i
		case h.p.seq == p.seq:
			return
		case h.p.ts != ts:
			newer++
		}
	}
	if free >= 0 {
		h := &r.held[free]
		h.used, h.p = true, p
		h.p.payload = h.b[:copy(h.b[:], p.payload)]
		r.n++
	}
	if newer > 0 || r.n == reorderMost {
		r.flush(out)
	}
}

// drain gives what is held and now in order.
func (r *reorder) drain(out func(packet)) {
	for r.n > 0 {
		i := r.find(r.next)
		if i < 0 {
			return
		}
		r.give(i, out)
	}
}

// flush gives all that is held, oldest first.
func (r *reorder) flush(out func(packet)) {
	for r.n > 0 {
		best := -1
		for i := range r.held {
			if r.held[i].used && (best < 0 || r.held[i].p.seq-r.next < r.held[best].p.seq-r.next) {
				best = i
			}
		}
		r.give(best, out)
	}
}

func (r *reorder) find(seq uint16) int {
	for i := range r.held {
		if r.held[i].used && r.held[i].p.seq == seq {
			return i
		}
	}
	return -1
}

func (r *reorder) give(i int, out func(packet)) {
	h := &r.held[i]
	h.used = false
	r.n--
	out(h.p)
	r.next = h.p.seq + 1
}
