package locktest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Pipe carries TCP between a driver and its peer until it is cut: the path of a World.
type Pipe struct {
	l      net.Listener
	target string

	mu    sync.Mutex
	up    bool
	conns map[net.Conn]struct{}
}

// NewPipe listens on loopback and carries what comes to target. It ends with the test.
func NewPipe(t testing.TB, target string) *Pipe {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Pipe{l: l, target: target, up: true, conns: map[net.Conn]struct{}{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.Carry(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); p.Set(false) })
	return p
}

// Addr is where the driver connects to.
func (p *Pipe) Addr() string { return p.l.Addr().String() }

// Carry joins a connection that came another way, such as through TLS.
func (p *Pipe) Carry(a net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := net.Dial("tcp", p.target)
	if !p.up || err != nil {
		_ = a.Close()
		if err == nil {
			_ = b.Close()
		}
		return
	}
	p.conns[a], p.conns[b] = struct{}{}, struct{}{}
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
			_ = way[1].Close()
		}()
	}
}

// Set cuts or heals the path. A cut ends what is open.
func (p *Pipe) Set(up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up = up
	if !up {
		for c := range p.conns {
			_ = c.Close()
		}
		clear(p.conns)
	}
}
