// Package uplink is the home's way to the internet: a TCP forwarder that can be cut (T10), and that can drop, double, delay and so
// reorder each message of the bus (T23).
package uplink

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Uplink forwards every connection on its address to another one.
type Uplink struct {
	listener net.Listener
	to       string
	wg       sync.WaitGroup

	mu    sync.Mutex // guards what follows
	cut   bool
	conns map[net.Conn]bool
	rough *rand.Rand // nil: it is smooth
	said  Rough
}

// Start listens on a free loopback port and forwards to addr, where a bus is that speaks in the clear.
func Start(addr string) (*Uplink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("uplink: %w", err)
	}
	u := &Uplink{listener: l, to: addr, conns: map[net.Conn]bool{}}
	u.wg.Add(1)
	go func() {
		defer u.wg.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			u.wg.Add(1)
			go func() { defer u.wg.Done(); u.forward(c) }()
		}
	}()
	return u, nil
}

// Addr is where the home connects to.
func (u *Uplink) Addr() string { return u.listener.Addr().String() }

// hold registers connections that a cut must end; false while it is cut.
func (u *Uplink) hold(cs ...net.Conn) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cut {
		return false
	}
	for _, c := range cs {
		u.conns[c] = true
	}
	return true
}

func (u *Uplink) forward(in net.Conn) {
	defer in.Close()
	if !u.hold(in) {
		return
	}
	out, err := net.Dial("tcp", u.to)
	if err != nil {
		return
	}
	defer out.Close()
	if !u.hold(out) {
		return
	}
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.conns, in)
		delete(u.conns, out)
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		u.messages(out, in) // either side's end ends both
		_ = out.Close()
	}()
	u.messages(in, out)
	_ = in.Close()
	<-done
}

// Cut ends every connection and refuses new ones, or lets them through again.
func (u *Uplink) Cut(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.cut = on
	if on {
		for c := range u.conns {
			_ = c.Close()
		}
	}
}

// Close ends the forwarder and its connections.
func (u *Uplink) Close() error {
	err := u.listener.Close()
	u.Cut(true)
	u.wg.Wait()
	return err
}
