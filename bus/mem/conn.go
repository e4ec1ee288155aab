package mem

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"eyebolt/bus"
)

// Conn is one end of a Bus. It can be cut off and brought back with SetOnline.
type Conn struct {
	bus  *Bus
	name string
	only string // prefix of allowed subjects; "": all

	mu     sync.Mutex
	online bool
	closed bool
	subs   []*sub
}

// SetOnline cuts the connection or brings it back. What is sent meanwhile fails; what others send meanwhile is lost.
func (c *Conn) SetOnline(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.online = on
}

func (c *Conn) up() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.online && !c.closed
}

// Connected says whether messages can leave now.
func (c *Conn) Connected() bool { return c.up() }

func (c *Conn) ready(subject string, body []byte) error {
	if len(body) > bus.MaxBody {
		return fmt.Errorf("%w: %d bytes", bus.ErrTooLarge, len(body))
	}
	if !c.up() {
		return bus.ErrDisconnected
	}
	return c.may(subject)
}

// Publish sends a message to whoever subscribed.
func (c *Conn) Publish(ctx context.Context, subject string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.ready(subject, body); err != nil {
		return err
	}
	c.bus.send(parcel{env: Envelope{From: c.name, Subject: subject, Body: append([]byte(nil), body...)}})
	return nil
}

// Send asks without waiting: then is called once, with the first answer, if one ever comes.
func (c *Conn) Send(subject string, body []byte, then func([]byte)) error {
	if err := c.ready(subject, body); err != nil {
		return err
	}
	var once sync.Once
	p := parcel{env: Envelope{From: c.name, Subject: subject, Body: append([]byte(nil), body...)}}
	p.reply = func(answer []byte) error {
		if c.up() {
			once.Do(func() { then(answer) })
		}
		return nil
	}
	c.bus.send(p)
	return nil
}

// Request asks and waits for the first answer.
func (c *Conn) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, wait(ctx)
	}
	got := make(chan []byte, 1)
	if err := c.Send(subject, body, func(b []byte) { got <- b }); err != nil {
		return nil, err
	}
	select {
	case b := <-got:
		return b, nil
	case <-ctx.Done():
		return nil, wait(ctx)
	}
}

// answering makes the Reply of a message that c received. An answer travels as a message of its own, so that it can be
// lost, too.
func (c *Conn) answering(p parcel) func([]byte) error {
	return func(answer []byte) error {
		if len(answer) > bus.MaxBody {
			return fmt.Errorf("%w: %d bytes", bus.ErrTooLarge, len(answer))
		}
		if !c.up() {
			return bus.ErrDisconnected
		}
		c.bus.send(parcel{
			env:  Envelope{From: c.name, Subject: p.env.Subject, Body: append([]byte(nil), answer...), Answer: true},
			land: func(b []byte) { _ = p.reply(b) },
		})
		return nil
	}
}

// Subscribe calls h for each message, one at a time, in order.
func (c *Conn) Subscribe(subject string, h func(bus.Message)) (func(), error) {
	if err := c.may(subject); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, bus.ErrDisconnected
	}
	s := &sub{conn: c, pattern: subject, h: h}
	s.cond = sync.NewCond(&s.mu)
	c.subs = append(c.subs, s)
	c.mu.Unlock()
	if !c.bus.manual {
		go s.run()
	}
	c.bus.mu.Lock()
	c.bus.subs = append(c.bus.subs, s)
	c.bus.mu.Unlock()
	return s.cancel, nil
}

// Close ends the connection and its subscriptions.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.closed = true
	subs := c.subs
	c.subs = nil
	c.mu.Unlock()
	for _, s := range subs {
		s.cancel()
	}
	return nil
}

// sub is one subscription; its goroutine alone calls h.
type sub struct {
	conn    *Conn
	pattern string
	h       func(bus.Message)

	mu    sync.Mutex
	cond  *sync.Cond
	queue []bus.Message
	done  bool
}

func (s *sub) push(m bus.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done && len(s.queue) < maxQueue {
		s.queue = append(s.queue, m)
		s.cond.Signal()
	}
}

func (s *sub) run() {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.done {
			s.cond.Wait()
		}
		if s.done {
			s.mu.Unlock()
			return
		}
		m := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		s.h(m)
	}
}

func (s *sub) cancel() {
	s.mu.Lock()
	s.done = true
	s.queue = nil
	s.cond.Broadcast()
	s.mu.Unlock()
	b := s.conn.bus
	b.mu.Lock()
	b.subs = slices.DeleteFunc(b.subs, func(o *sub) bool { return o == s })
	b.mu.Unlock()
}
