package monitor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"eyebolt/radio"
)

// Link types of captures (tcpdump.org/linktypes.html).
const (
	linkIEEE80211 = 105
	linkRadiotap  = 127
)

// maxPacket bounds one packet of a capture: tcpdump's own limit.
const maxPacket = 262144

// Capture reads a pcap file or stream (IETF draft-ietf-opsawg-pcap) and gives the frames that end connections.
type Capture struct {
	r     io.Reader
	order binary.ByteOrder
	nano  bool
	link  uint32
	head  [16]byte
	buf   []byte
	// Bad counts frames that were broken or no frames.
	Bad int
}

// NewCapture reads a capture's header.
func NewCapture(r io.Reader) (*Capture, error) {
	var h [24]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, fmt.Errorf("capture: %w: not a pcap file", err)
	}
	c := &Capture{r: r}
	switch binary.LittleEndian.Uint32(h[:]) {
	case 0xa1b2c3d4:
		c.order = binary.LittleEndian
	case 0xa1b23c4d:
		c.order, c.nano = binary.LittleEndian, true
	case 0xd4c3b2a1:
		c.order = binary.BigEndian
	case 0x4d3cb2a1:
		c.order, c.nano = binary.BigEndian, true
	default:
		return nil, errors.New("capture: not a pcap file (pcapng is not read: tcpdump -w writes pcap)")
	}
	c.link = c.order.Uint32(h[20:]) & 0xffff
	if c.link != linkIEEE80211 && c.link != linkRadiotap {
		return nil, fmt.Errorf("capture: link type %d: capture from an interface in monitor mode (radiotap or IEEE 802.11)", c.link)
	}
	return c, nil
}

// Next gives the next frame that ends a connection and the wall clock's time of it; io.EOF at the capture's end. A capture that
// was cut in the middle of a packet ends with io.ErrUnexpectedEOF.
func (c *Capture) Next() (time.Time, radio.Frame, error) {
	for {
		at, b, err := c.packet()
		if err != nil {
			return time.Time{}, radio.Frame{}, err
		}
		var f radio.Frame
		var ok bool
		if c.link == linkRadiotap {
			f, ok, err = Parse(b)
		} else {
			f, ok, err = ending(b)
		}
		if err != nil {
			c.Bad++
			continue
		}
		if ok {
			return at, f, nil
		}
	}
}

func (c *Capture) packet() (time.Time, []byte, error) {
	if _, err := io.ReadFull(c.r, c.head[:]); err != nil {
		return time.Time{}, nil, err
	}
	n := c.order.Uint32(c.head[8:])
	if n > maxPacket {
		return time.Time{}, nil, fmt.Errorf("capture: a packet of %d bytes: the file is damaged", n)
	}
	if uint32(len(c.buf)) < n {
		c.buf = make([]byte, n)
	}
	if _, err := io.ReadFull(c.r, c.buf[:n]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return time.Time{}, nil, err
	}
	frac := int64(c.order.Uint32(c.head[4:]))
	if !c.nano {
		frac *= 1000
	}
	return time.Unix(int64(c.order.Uint32(c.head[0:])), frac), c.buf[:n], nil
}
