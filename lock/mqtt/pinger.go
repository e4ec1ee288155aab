package mqtt

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho/log"
)

// The broker is asked every pingEvery whether it lives, and given up after pingLimit: a door's hub must know within
// seconds that nothing it says arrives.
const (
	pingEvery = time.Second
	pingLimit = 3 * time.Second
)

// pinger asks the broker for signs of life, by the clock and whenever an order is about to be sent: an order handed to a
// broker that hangs would be carried out when it wakes. It serves one connection after the other.
type pinger struct {
	mu       sync.Mutex
	sent     uint64 // pings written, over all connections
	answered uint64 // pings answered, in order; on a new connection all older ones count as answered
	changed  chan struct{}
	oldest   time.Time // when the oldest unanswered ping was written
}

var errNoPing = errors.New("the broker does not answer pings")

func newPinger() *pinger { return &pinger{changed: make(chan struct{})} }

// Run pings until ctx ends (paho.Pinger).
func (p *pinger) Run(ctx context.Context, conn net.Conn, _ uint16) error {
	p.mu.Lock()
	p.answered, p.oldest = p.sent, time.Time{}
	p.mu.Unlock()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		if _, err := p.ping(conn); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		p.mu.Lock()
		dead := p.answered < p.sent && time.Since(p.oldest) > pingLimit
		p.mu.Unlock()
		if dead {
			return errNoPing
		}
	}
}

// ping writes one ping and gives its number.
func (p *pinger) ping(conn net.Conn) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock() // the numbers follow the order on the wire
	if _, err := packets.NewControlPacket(packets.PINGREQ).WriteTo(conn); err != nil {
		return 0, err
	}
	if p.sent == p.answered {
		p.oldest = time.Now()
	}
	p.sent++
	return p.sent, nil
}

// alive returns nil once the broker has answered a ping that was written after the call.
func (p *pinger) alive(ctx context.Context, conn net.Conn) error {
	n, err := p.ping(conn)
	if err != nil {
		return err
	}
	for {
		p.mu.Lock()
		done, changed := p.answered >= n, p.changed
		p.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errNoPing
		}
	}
}

// PingResp counts an answer (paho.Pinger).
func (p *pinger) PingResp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answered < p.sent {
		p.answered++
	}
	p.oldest = time.Now() // the next unanswered one gets its full time from here
	close(p.changed)
	p.changed = make(chan struct{})
}

// PacketSent, PacketReceived and SetDebug are not needed: this pinger pings whatever else is said (paho.Pinger).
func (p *pinger) PacketSent()         {}
func (p *pinger) PacketReceived()     {}
func (p *pinger) SetDebug(log.Logger) {}
