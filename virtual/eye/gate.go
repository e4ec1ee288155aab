package eye

import (
	"net"
	"sync"
)

// A gate is the air between camera and hub. While it is shut, bytes wait in both directions, as TCP's do while every packet is
// lost: what was written before comes out late, in one burst, when it opens.
type gate struct {
	mu   sync.Mutex
	cond *sync.Cond
	shut bool
}

func newGate() *gate {
	g := &gate{}
	g.cond = sync.NewCond(&g.mu)
	return g
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	g.cond.Broadcast()
}

// pass waits until the gate is open or the connection is closed.
func (g *gate) pass(c *gatedConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut && !c.closed {
		g.cond.Wait()
	}
}

type gatedListener struct {
	net.Listener
	gate *gate
}

func (l gatedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatedConn{Conn: c, gate: l.gate}, nil
}

type gatedConn struct {
	net.Conn
	gate   *gate
	closed bool // guarded by gate.mu
}

func (c *gatedConn) Read(p []byte) (int, error) {
	c.gate.pass(c)
	n, err := c.Conn.Read(p)
	c.gate.pass(c) // a read that waited in the kernel must not bring bytes through a gate that has shut since
	return n, err
}

func (c *gatedConn) Write(p []byte) (int, error) {
	c.gate.pass(c)
	return c.Conn.Write(p)
}

func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	c.closed = true
	c.gate.cond.Broadcast()
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
