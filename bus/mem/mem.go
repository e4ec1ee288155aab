// Package mem is the bus inside one process, for tests and the simulator. It keeps bus.Conn's contract, and it can be told
// to drop, double, hold back and reorder messages (T23), each decided by the caller, so that the same decisions give the
// same deliveries.
//
// Deliveries are made either by one goroutine per subscription (New), or only when the caller asks for them (NewManual):
// then nothing happens but in Deliver, in the order of sending.
package mem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"eyebolt/bus"
)

// ErrForbidden is returned for a subject outside a hub's own.
var ErrForbidden = errors.New("bus: a hub may only use its own subjects")

// maxQueue bounds what waits for one subscription: a reader that is this far behind loses the newest, as it would on a
// wire.
const maxQueue = 65536

// Fate is what happens to one message. The zero Fate delivers it once.
type Fate struct {
	Drop   bool
	Copies int  // how many more times it is delivered
	Hold   bool // kept until Release
}

// Envelope is a message on its way, as a fault function sees it.
type Envelope struct {
	From    string // connection name
	Subject string // for an answer: the subject that was asked
	Body    []byte
	Answer  bool
}

// Bus is a bus in this process. Methods may be called from several goroutines.
type Bus struct {
	mu      sync.Mutex
	manual  bool
	subs    []*sub // in the order of subscription
	faults  func(Envelope) Fate
	held    []parcel
	pending []parcel // manual only
}

type parcel struct {
	env   Envelope
	reply func([]byte) error
	land  func([]byte) // an answer's way home; nil for messages
}

// New gives a bus that delivers by itself.
func New() *Bus { return &Bus{} }

// NewManual gives a bus that delivers in Deliver alone. Request blocks on it until another goroutine delivers; a
// simulator of one goroutine uses Conn.Send.
func NewManual() *Bus { return &Bus{manual: true} }

// Faults has f decide about every message from now on; nil delivers all. f is called with the bus locked: it must not use it.
func (b *Bus) Faults(f func(Envelope) Fate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
}

// Release sends what was held, in the order that pick gives: it is called with the held envelopes and returns indexes.
// A nil pick releases all, oldest first. What is not picked stays held.
func (b *Bus) Release(pick func([]Envelope) []int) {
	b.mu.Lock()
	held := b.held
	b.held = nil
	envs := make([]Envelope, len(held))
	order := make([]int, len(held))
	for i, p := range held {
		envs[i], order[i] = p.env, i
	}
	if pick != nil {
		order = pick(envs)
	}
	taken := make([]bool, len(held))
	var out []parcel
	for _, i := range order {
		if i >= 0 && i < len(held) {
			out = append(out, held[i])
			taken[i] = true
		}
	}
	for i, p := range held {
		if !taken[i] {
			b.held = append(b.held, p)
		}
	}
	b.mu.Unlock()
	for _, p := range out {
		b.put(p)
	}
}

// Held is how many messages wait for Release.
func (b *Bus) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.held)
}

// Deliver hands over at most n waiting messages of a manual bus, those sent meanwhile included, and says how many.
func (b *Bus) Deliver(n int) int {
	for i := range n {
		b.mu.Lock()
		if len(b.pending) == 0 {
			b.mu.Unlock()
			return i
		}
		p := b.pending[0]
		b.pending = b.pending[1:]
		b.mu.Unlock()
		b.hand(p)
	}
	return n
}

// send decides a message's fate and sends it on.
func (b *Bus) send(p parcel) {
	b.mu.Lock()
	var fate Fate
	if b.faults != nil {
		fate = b.faults(p.env)
	}
	if fate.Hold && !fate.Drop {
		for range 1 + fate.Copies {
			b.held = append(b.held, p)
		}
	}
	b.mu.Unlock()
	if fate.Drop || fate.Hold {
		return
	}
	for range 1 + fate.Copies {
		b.put(p)
	}
}

func (b *Bus) put(p parcel) {
	if b.manual {
		b.mu.Lock()
		if len(b.pending) < maxQueue {
			b.pending = append(b.pending, p)
		}
		b.mu.Unlock()
		return
	}
	b.hand(p)
}

// hand gives a message to whoever subscribed, or an answer to whoever asked.
func (b *Bus) hand(p parcel) {
	if p.land != nil {
		p.land(p.env.Body)
		return
	}
	b.mu.Lock()
	var to []*sub
	for _, s := range b.subs {
		if match(s.pattern, p.env.Subject) && s.conn.up() {
			to = append(to, s)
		}
	}
	b.mu.Unlock()
	for _, s := range to {
		m := bus.Message{Subject: p.env.Subject, Body: append([]byte(nil), p.env.Body...)}
		if p.reply != nil {
			m.Reply = s.conn.answering(p)
		}
		if b.manual {
			s.h(m)
		} else {
			s.push(m)
		}
	}
}

// match says whether a subject fits a pattern with "*" and a last ">".
func match(pattern, subject string) bool {
	for {
		p, pr, pmore := strings.Cut(pattern, ".")
		s, sr, smore := strings.Cut(subject, ".")
		switch {
		case p == ">":
			return !pmore && s != ""
		case p != "*" && p != s || s == "":
			return false
		case !pmore || !smore:
			return pmore == smore
		}
		pattern, subject = pr, sr
	}
}

// Conn gives a connection that may use every subject: the service's.
func (b *Bus) Conn(name string) *Conn { return &Conn{bus: b, name: name, online: true} }

// Hub gives a hub's connection: it may use hub.<id>.> alone (T24).
func (b *Bus) Hub(id string) *Conn {
	return &Conn{bus: b, name: "hub " + id, only: "hub." + id + ".", online: true}
}

func (c *Conn) may(subject string) error {
	if c.only != "" && !strings.HasPrefix(subject, c.only) {
		return fmt.Errorf("%w: %q is not under %s>", ErrForbidden, subject, c.only)
	}
	return nil
}

var _ bus.Conn = (*Conn)(nil)

// wait turns a context's end into the bus's own word.
func wait(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", bus.ErrNoAnswer, ctx.Err())
	}
	return ctx.Err()
}
