package turn

import (
	"net"
	"sync"
	"time"
)

const (
	// maxConns bounds the connections to the relay, maxFrom those from one address: a household behind one.
	maxConns = 1024
	maxFrom  = 64
	// idle ends a connection of which nothing comes for so long: a phone that looks sends its reports each second, one
	// that only holds its port refreshes it within five minutes (RFC 8656 section 3.2).
	idle = 6 * time.Minute
	// slow is how long the first message may take, and a write (T20).
	slow = 10 * time.Second
)

// guarded is a listener whose connections are bounded in number and in patience.
type guarded struct {
	net.Listener

	mu   sync.Mutex
	all  int
	from map[string]int
}

func guard(l net.Listener) *guarded { return &guarded{Listener: l, from: map[string]int{}} }

// Accept gives the next connection; those over the bounds are closed.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil || !g.enter(host) {
			_ = c.Close()
			continue
		}
		return &conn{Conn: c, patience: slow, leave: sync.OnceFunc(func() { g.gone(host) })}, nil
	}
}

func (g *guarded) enter(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= maxConns || g.from[host] >= maxFrom {
		return false
	}
	g.all++
	g.from[host]++
	return true
}

func (g *guarded) gone(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.from[host]--; g.from[host] == 0 {
		delete(g.from, host)
	}
}

// conn ends when nothing comes. Its reader's goroutine owns patience.
type conn struct {
	net.Conn
	patience time.Duration
	leave    func()
}

func (c *conn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if err != nil {
		_ = c.Close() // whoever reads it has nothing more to read
	}
	c.patience = idle
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(slow)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		_ = c.Close() // half a message was sent: what follows would be misread
	}
	return n, err
}

func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
