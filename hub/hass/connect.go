package hass

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

const (
	connectLimit = 5 * time.Second // one attempt
	publishLimit = 3 * time.Second // one message, until the broker has it
	reconnect    = 2 * time.Second // between attempts: a dashboard is behind by this at most
	resubscribe  = 10 * time.Second
	// keepAlive, in seconds, is when the broker may give us up and publish the will: one and a half times this.
	keepAlive      = 5
	receiveMaximum = 16
)

// connect starts the connection's manager, which reconnects until ctx ends.
func (b *Bridge) connect(ctx context.Context) (*autopaho.ConnectionManager, error) {
	size, room := uint32(maxPacket), uint16(receiveMaximum)
	return autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls:       []*url.URL{b.plan.url},
		KeepAlive:        keepAlive,
		ConnectTimeout:   connectLimit,
		ReconnectBackoff: autopaho.NewConstantBackoff(reconnect),
		ConnectUsername:  b.plan.Username,
		ConnectPassword:  b.plan.password,
		AttemptConnection: func(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
			return dial(ctx, u.Host, b.plan.tls)
		},
		WillMessage: &paho.WillMessage{Topic: b.names.status(), Payload: []byte(offline), QoS: 1, Retain: true},
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			c.CleanStart = true // no session: no press waits for us
			c.Properties = &paho.ConnectProperties{MaximumPacketSize: &size, ReceiveMaximum: &room}
			return c, nil
		},
		OnConnectionUp: func(m *autopaho.ConnectionManager, _ *paho.Connack) { b.up(ctx, m) },
		OnConnectionDown: func() bool {
			b.down(errors.New("the connection to the broker broke"))
			return true
		},
		OnConnectError: func(err error) { b.down(explain(err)) },
		ClientConfig: paho.ClientConfig{
			// Always the same: a broker that still holds a dead connection of ours ends it when the next comes, and its will is out before
			// we say that we are there.
			ClientID: b.names.node() + "-home-assistant",
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
				b.heard(r.Packet.Topic, r.Packet.Payload, r.Packet.Retain)
				return true, nil
			}},
		},
	})
}

// up subscribes on a new connection; then everything is told anew. It must not wait: the client calls it.
func (b *Bridge) up(ctx context.Context, m *autopaho.ConnectionManager) {
	b.mu.Lock()
	b.generation++
	mine := b.generation
	b.mu.Unlock()
	go func() {
		for !b.subscribe(ctx, m, mine) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(resubscribe):
			}
		}
	}()
}

// subscribe says whether this connection's matter is settled: it listens, or it is not the newest any more.
func (b *Bridge) subscribe(ctx context.Context, m *autopaho.ConnectionManager, mine int) bool {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	_, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{
		{Topic: b.names.blocks(), QoS: 1, RetainHandling: 2}, // what is retained is not even sent
		{Topic: b.names.birth(), QoS: 0, RetainHandling: 2},
		{Topic: b.names.configs(), QoS: 0, RetainAsPublished: true, NoLocal: true},
	}})
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.generation != mine || b.stopping:
		return true
	case err != nil: // the switch stays unavailable
		b.say("the broker refuses a subscription: allow this user to read and write eyebolt/# and the discovery prefix: " + err.Error())
		return false
	}
	b.connected, b.anew = true, true
	if b.trouble != "" {
		b.cfg.Log.Info("home assistant: the broker can be reached again")
	}
	b.trouble = ""
	b.wake()
	return true
}

func (b *Bridge) down(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.generation++
	b.connected = false
	b.say(err.Error())
}

// say logs a trouble once, until it is another or over. The caller holds mu.
func (b *Bridge) say(why string) {
	if why != b.trouble && !b.stopping {
		b.cfg.Log.Warn("home assistant: not shown there; the doors are guarded all the same", "err", why)
	}
	b.trouble = why
}

// publish gives one message to the broker and waits until it has it.
func publish(ctx context.Context, m *autopaho.ConnectionManager, out message) error {
	ctx, cancel := context.WithTimeout(ctx, publishLimit)
	defer cancel()
	p := &paho.Publish{Topic: out.topic, Payload: out.body, Retain: out.retain}
	if out.retain {
		p.QoS = 1
	}
	_, err := m.Publish(ctx, p)
	return err
}

// conn bounds what is read, makes each packet whole, and bounds how long a write waits: the broker may hang.
type conn struct {
	net.Conn
	mu sync.Mutex // one writer at a time; also the sync.Locker of packets.WriteTo
	in frames
}

func dial(ctx context.Context, address string, conf *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if conf != nil {
		c := tls.Client(raw, conf)
		if err := c.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		raw = c
	}
	return &conn{Conn: raw, in: frames{r: raw}}, nil
}

func (c *conn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Lock begins a packet.
func (c *conn) Lock() {
	c.mu.Lock()
	_ = c.SetWriteDeadline(time.Now().Add(publishLimit)) // on a closed connection the write fails
}

// Unlock ends it.
func (c *conn) Unlock() { c.mu.Unlock() }

// explain says what to do about a connection that does not come up.
func explain(err error) error {
	var deny *autopaho.ConnackError
	if errors.As(err, &deny) {
		switch deny.ReasonCode {
		case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
			return errors.New("the broker refuses this name or password: check username and password_file under home_assistant")
		case packets.ConnackUnsupportedProtocolVersion:
			return errors.New("the broker does not speak MQTT 5: use a newer one, such as mosquitto 2")
		}
		return fmt.Errorf("the broker refuses the connection (reason 0x%02x)", deny.ReasonCode)
	}
	return fmt.Errorf("the broker cannot be reached: %w", err)
}
