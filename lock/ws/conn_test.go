package ws_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"eyebolt/lock/ws"
)

// Opcodes and bits of a frame (RFC 6455 section 5.2).
const (
	fin                                     = 0x80
	more, text, binaryKind, bye, ping, pong = 0, 1, 2, 8, 9, 10
)

// most is the bound of a message in these tests.
const most = 1000

// peer is the server's end of one connection, frame by frame.
type peer struct {
	net.Conn
	r *bufio.Reader
}

// serve answers the handshake by hand and gives each connection to do.
func serve(t *testing.T, do func(p *peer)) ws.Target {
	t.Helper()
	return ws.Target{URL: "ws://" + listen(t, func(c net.Conn) { shake(c, do) })}
}

func listen(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				do(c)
			}()
		}
	}()
	return l.Addr().String()
}

func shake(c net.Conn, do func(*peer)) {
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	do(&peer{c, r})
}

// frame writes one, unmasked as a server does.
func (p *peer) frame(first byte, payload []byte) { _, _ = p.Write(frame(first, payload)) }

func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	default:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return append(b, payload...)
}

// next reads one frame of the client: its first byte and what was under its mask.
func (p *peer) next() (first byte, payload []byte, masked bool, err error) {
	var head [2]byte
	if _, err = io.ReadFull(p.r, head[:]); err != nil {
		return 0, nil, false, err
	}
	n := int(head[1] & 0x7F)
	if n == 126 {
		var long [2]byte
		if _, err = io.ReadFull(p.r, long[:]); err != nil {
			return 0, nil, false, err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	masked = head[1]&0x80 != 0
	var mask [4]byte
	if masked {
		if _, err = io.ReadFull(p.r, mask[:]); err != nil {
			return 0, nil, false, err
		}
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(p.r, payload)
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0], payload, masked, err
}

// drain reads until the client says goodbye, and says the same.
func (p *peer) drain() {
	for {
		first, payload, _, err := p.next()
		if err != nil {
			return
		}
		if first == fin|bye {
			p.frame(fin|bye, payload)
			return
		}
	}
}

func dial(t *testing.T, at ws.Target) *ws.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := ws.Dial(ctx, at, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func read(t *testing.T, c *ws.Conn) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b, err := c.Read(ctx)
	return string(b), err
}

func agreed() error { return nil }

// Messages come whole, however they are cut, with pings between the pieces; the longest that is allowed passes.
func TestFrames(t *testing.T) {
	long := strings.Repeat("x", most)
	pongs := make(chan string, 1)
	c := dial(t, serve(t, func(p *peer) {
		p.frame(fin|text, []byte("one"))
		p.frame(text, []byte("t"))
		p.frame(fin|ping, []byte("there?"))
		p.frame(more, []byte("w"))
		p.frame(fin|more, []byte("o"))
		for _, b := range frame(fin|text, []byte("three")) { // a byte at a time
			_, _ = p.Write([]byte{b})
		}
		p.frame(fin|text, nil)
		p.frame(fin|text, []byte(long))
		if first, payload, _, err := p.next(); err == nil && first == fin|pong {
			pongs <- string(payload)
		}
		p.drain()
	}))
	for _, want := range []string{"one", "two", "three", "", long} {
		if got, err := read(t, c); err != nil || got != want {
			t.Fatalf("got %.20q %v, want %.20q", got, err, want)
		}
	}
	if got := <-pongs; got != "there?" {
		t.Errorf("a ping was answered with %q", got)
	}
}

// T20: what no server says ends the connection, with a reason, and without room being made for what is announced.
func TestHostileFrames(t *testing.T) {
	huge := append([]byte{fin | text, 127}, binary.BigEndian.AppendUint64(nil, 1<<62)...)
	for _, c := range []struct {
		name string
		sent []byte
		want error // nil: any
	}{
		{"one byte too many", frame(fin|text, make([]byte, most+1)), ws.ErrTooLarge},
		{"too many bytes in pieces", bytes.Join([][]byte{frame(text, make([]byte, most)), frame(more, make([]byte, 1)), frame(fin|more, make([]byte, 1))}, nil), ws.ErrTooLarge},
		{"four exabytes are announced, and begin", append(huge, make([]byte, most+2)...), ws.ErrTooLarge},
		{"not text", frame(fin|binaryKind, []byte("x")), ws.ErrNotText},
		{"a reserved opcode", frame(fin|3, []byte("x")), nil},
		{"a reserved bit", frame(fin|text|0x40, []byte("x")), nil},
		{"a piece of nothing", frame(fin|more, []byte("x")), nil},
		{"a ping beyond its limit", frame(fin|ping, make([]byte, 126)), nil},
		{"a ping in pieces", frame(ping, []byte("x")), nil},
		{"cut in the middle", frame(fin|text, []byte("half"))[:4], nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := dial(t, serve(t, func(p *peer) {
				_, _ = p.Write(c.sent)
				if c.name == "cut in the middle" {
					return
				}
				p.drain()
			}))
			got, err := read(t, k)
			if err == nil || errors.Is(err, context.DeadlineExceeded) || (c.want != nil && !errors.Is(err, c.want)) {
				t.Fatalf("read %.20q, %v, want %v", got, err, c.want)
			}
			if _, err := read(t, k); err == nil {
				t.Error("it is read on")
			}
			if c.want == nil {
				return
			}
			if sent, err := k.Send([]byte("x"), time.Second, agreed); sent || err == nil {
				t.Errorf("a connection that is over takes a command: %v %v", sent, err)
			}
		})
	}
}

// What answers may be no WebSocket, or send us elsewhere: neither is followed.
func TestNoWebSocket(t *testing.T) {
	for _, c := range []struct{ answer, want string }{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "no WebSocket: 200 OK"},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "elsewhere"},
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n", "Sec-WebSocket-Accept"},
		{"SSH-2.0-OpenSSH\r\n", ""},
	} {
		at := listen(t, func(n net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(n))
			_, _ = io.WriteString(n, c.answer)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		k, err := ws.Dial(ctx, ws.Target{URL: "ws://" + at}, most)
		cancel()
		if err == nil {
			k.Close()
			t.Errorf("%.20q: connected", c.answer)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: got %q, want it to say %q", c.answer, err, c.want)
		}
	}
}

// S12: a command leaves whole, masked, once, after the last look at it; one whose look says no leaves nothing.
func TestSend(t *testing.T) {
	type got struct {
		payload string
		masked  bool
	}
	heard := make(chan got, 10)
	c := dial(t, serve(t, func(p *peer) {
		for {
			first, payload, masked, err := p.next()
			if err != nil {
				return
			}
			if first == fin|text {
				heard <- got{string(payload), masked}
			}
			if first == fin|bye {
				p.frame(fin|bye, payload)
				return
			}
		}
	}))
	late := errors.New("late")
	if sent, err := c.Send([]byte("never"), time.Second, func() error { return late }); sent || !errors.Is(err, late) {
		t.Errorf("refused at the last look: %v %v", sent, err)
	}
	if sent, err := c.Send([]byte(`{"a":1}`), time.Second, agreed); !sent || err != nil {
		t.Errorf("send: %v %v", sent, err)
	}
	if g := <-heard; g.payload != `{"a":1}` || !g.masked {
		t.Errorf("heard %+v", g)
	}
	if len(heard) > 0 {
		t.Errorf("heard more: %+v", <-heard)
	}
}

// S12: a peer whose window is shut: the write is given up within its limit, and the connection is over, so that nothing comes later.
func TestSendToADeadPath(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	c := dial(t, serve(t, func(p *peer) {
		_ = p.Conn.(*net.TCPConn).SetReadBuffer(1)
		<-hold
	}))
	command := bytes.Repeat([]byte("x"), most)
	for range 1 << 17 { // the system's buffers are full in the end
		began := time.Now()
		sent, err := c.Send(command, time.Hour, agreed)
		if err == nil {
			continue
		}
		if sent {
			t.Error("half a message counts as sent")
		}
		if sent, err := c.Send([]byte("x"), time.Second, agreed); sent || err == nil {
			t.Errorf("a dead path takes a command: %v %v", sent, err)
		}
		t.Logf("given up after %v", time.Since(began))
		return
	}
	t.Fatal("128 MB fit into a path that nobody reads")
}

// S12: the time that a command has to leave runs while it waits for its turn: an order whose turn comes at the end of its second does not
// begin another half second of writing.
func TestSendCountsTheWait(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	c := dial(t, serve(t, func(*peer) { <-hold }))
	const within = 500 * time.Millisecond
	huge := make([]byte, 16<<20) // more than the system's buffers take
	turn := make(chan struct{})
	go func() {
		_, _ = c.Send([]byte("x"), 0, func() error { close(turn); time.Sleep(within); return nil })
	}()
	<-turn
	var turned time.Time
	_, err := c.Send(huge, within, func() error { turned = time.Now(); return nil })
	if took := time.Since(turned); err == nil || took > within-100*time.Millisecond {
		t.Errorf("%v, %v after its turn had come, want it given up at once: its %v were over", err, took, within)
	}
}

// A server that answers pings is alive; one that does not is given up.
func TestAlive(t *testing.T) {
	c := dial(t, serve(t, func(p *peer) {
		first, payload, _, err := p.next()
		if err == nil && first == fin|ping {
			p.frame(fin|pong, payload)
		}
		p.drain() // and answers no more
	}))
	go func() { _, _ = c.Read(t.Context()) }() // a pong is heard by a reader
	if err := c.Alive(t.Context(), 10*time.Second); err != nil {
		t.Errorf("a server that answers: %v", err)
	}
	if err := c.Alive(t.Context(), 100*time.Millisecond); !errors.Is(err, ws.ErrSilent) {
		t.Errorf("a silent server: got %v, want ErrSilent", err)
	}
	if err := c.Watch(t.Context()); !errors.Is(err, ws.ErrSilent) {
		t.Errorf("watched: got %v, want ErrSilent", err)
	}
	if sent, err := c.Send([]byte("x"), time.Second, agreed); sent || err == nil {
		t.Errorf("a connection that was given up takes a command: %v %v", sent, err)
	}
}

// Close says goodbye, and a Read returns; a server's goodbye has its code.
func TestClose(t *testing.T) {
	codes := make(chan int, 1)
	c := dial(t, serve(t, func(p *peer) {
		first, payload, _, err := p.next()
		if err == nil && first == fin|bye && len(payload) >= 2 {
			codes <- int(binary.BigEndian.Uint16(payload))
			p.frame(fin|bye, payload)
		}
	}))
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(context.Background())
		read <- err
	}()
	c.Close()
	if code := <-codes; code != 1000 {
		t.Errorf("goodbye with code %d, want 1000", code)
	}
	if err := <-read; err == nil {
		t.Error("Read returned a message of a connection that was closed")
	}

	c = dial(t, serve(t, func(p *peer) {
		p.frame(fin|bye, append(binary.BigEndian.AppendUint16(nil, 1013), "not ready"...))
		p.drain()
	}))
	_, err := c.Read(t.Context())
	if got := ws.CloseCode(err); got != 1013 {
		t.Errorf("a server's goodbye: code %d of %v, want 1013", got, err)
	}
	if got := ws.CloseCode(errors.New("no goodbye")); got != -1 {
		t.Errorf("no goodbye: code %d, want -1", got)
	}
}

// S13: a server that hangs answers no goodbye. Whoever closes does not wait for one: the library gives it five seconds.
func TestCloseOfAServerThatHangs(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	c := dial(t, serve(t, func(*peer) { <-hang }))
	began := time.Now()
	c.Close()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a goodbye that nobody answers took %v", took)
	}
}

// S12: a connection that broke takes nothing more.
func TestSendAfterTheEnd(t *testing.T) {
	c := dial(t, serve(t, func(*peer) {})) // hangs up
	if _, err := c.Read(t.Context()); err == nil {
		t.Fatal("Read of a connection that ended gave no error")
	}
	if sent, err := c.Send([]byte("x"), time.Second, agreed); sent || err == nil {
		t.Errorf("a connection that broke takes a command: %v %v", sent, err)
	}
}
