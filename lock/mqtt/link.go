package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

const (
	// writeLimit is how long a write may wait for the peer's window; a command has some hundred bytes, so a wait means
	// that the path is dead.
	writeLimit = 500 * time.Millisecond
	// unacked is how long the system may go on repeating bytes that the broker's machine has not confirmed. Without a
	// limit an order written into a broken path would arrive whenever the path heals.
	unacked = time.Second
	// maxPacket bounds an MQTT packet: bridge/devices has some 3 KiB a device, and 300 devices are a large network.
	maxPacket = 4 << 20
	// readAhead is how much is read at once: the MQTT client asks for a packet's length byte by byte.
	readAhead = 1 << 10
)

// link is one connection to the broker. It is the net.Conn that the MQTT client reads and writes, and the door through
// which commands leave: each in one write, under the lock, after a last look at its deadline.
type link struct {
	net.Conn
	mu     sync.Mutex // one writer at a time; also the sync.Locker of packets.WriteTo
	reader frameReader
}

func dial(ctx context.Context, address string, conf *tls.Config) (*link, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if t, ok := raw.(*net.TCPConn); ok {
		if err := limitUnacked(t, unacked); err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("limit repeated sending: %w", err)
		}
	}
	conn := raw
	if conf != nil {
		c := tls.Client(raw, conf)
		if err := c.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		conn = c
	}
	return &link{Conn: conn, reader: frameReader{r: bufio.NewReaderSize(conn, readAhead)}}, nil
}

// Lock and Unlock make the MQTT client's own packets whole, and bound how long they wait.
func (l *link) Lock() {
	l.mu.Lock()
	_ = l.SetWriteDeadline(time.Now().Add(writeLimit)) // on a closed connection the write fails
}

func (l *link) Unlock() { l.mu.Unlock() }

// within has the packet whose turn it is leave sooner than writeLimit; it is called with the lock held.
func (l *link) within(d time.Duration) {
	_ = l.SetWriteDeadline(time.Now().Add(min(writeLimit, max(d, time.Millisecond)))) // on a closed connection the write fails
}

func (l *link) Read(p []byte) (int, error) { return l.reader.Read(p) }

// send writes one packet if check still agrees when its turn has come. sent is false if the broker provably cannot
// have it: nothing, or not all of it, was written, and the connection is closed.
func (l *link) send(packet []byte, check func() error) (sent bool, err error) {
	l.Lock()
	defer l.Unlock()
	if err := check(); err != nil {
		return false, err
	}
	n, err := l.Write(packet)
	if err != nil {
		_ = l.Close() // half a packet must never be completed
		return n >= len(packet), err
	}
	return true, nil
}

// publication is the bytes of one PUBLISH at QoS 0, not retained, that the broker drops after expiry.
func publication(topic string, payload []byte, expiry time.Duration) []byte {
	seconds := uint32(expiry / time.Second)
	p := packets.Publish{Topic: topic, Payload: payload, Properties: &packets.Properties{MessageExpiry: &seconds}}
	var b bytes.Buffer
	_, _ = p.WriteTo(&b) // a buffer takes everything
	return b.Bytes()
}

var errHuge = errors.New("the broker sends a packet beyond every limit")

// frameReader passes an MQTT stream through and ends it at a packet that is longer than maxPacket, before anybody makes
// room for it.
type frameReader struct {
	r      io.Reader
	left   int  // bytes of the present packet's body
	length int  // being read
	shift  uint // of the next length byte
	inside bool // the length is being read
}

func (f *frameReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for i := 0; i < n; {
		switch {
		case f.left > 0:
			step := min(f.left, n-i)
			f.left -= step
			i += step
		case !f.inside: // the first byte: type and flags
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
