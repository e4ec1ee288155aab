package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"eyebolt/lock"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

const (
	// connectLimit is how long one attempt to connect may take.
	connectLimit = 3 * time.Second
	// reconnectFirst and reconnectMost bound the delay between attempts: the door is blind meanwhile.
	reconnectFirst = 100 * time.Millisecond
	reconnectMost  = 2 * time.Second
	// keepAlive, in seconds, is when the broker may give us up; we ping every second.
	keepAlive = 5
	// receiveMaximum bounds the packets that wait inside the MQTT client.
	receiveMaximum = 16
)

// connect starts the connection's manager. It uses nothing of its queue: a command is written now or not at all.
func (d *driver) connect(ctx context.Context) error {
	size, room := uint32(maxPacket), uint16(receiveMaximum)
	m, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls:       []*url.URL{d.plan.url},
		KeepAlive:        keepAlive,
		ConnectTimeout:   connectLimit,
		ReconnectBackoff: backoff,
		ConnectUsername:  d.plan.Username,
		ConnectPassword:  d.plan.password,
		AttemptConnection: func(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectLimit)
			defer cancel()
			l, err := dial(ctx, u.Host, d.plan.tls)
			if err != nil {
				return nil, err
			}
			d.mu.Lock()
			d.next = l
			d.mu.Unlock()
			return l, nil
		},
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			c.CleanStart = true // no session: nothing is kept for us, and nothing of ours
			c.Properties = &paho.ConnectProperties{MaximumPacketSize: &size, ReceiveMaximum: &room}
			return c, nil
		},
		OnConnectionUp: func(m *autopaho.ConnectionManager, _ *paho.Connack) { d.up(ctx, m) },
		OnConnectionDown: func() bool {
			d.down(errors.New("the connection to the broker broke"))
			return true
		},
		OnConnectError: func(err error) { d.down(explain(err)) },
		ClientConfig: paho.ClientConfig{
			ClientID:          "eyebolt-" + rand.Text(),
			PingHandler:       d.pinger,
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){d.receive},
		},
	})
	d.manager = m
	return err
}

func backoff(attempt int) time.Duration {
	if attempt == 0 {
		return 0
	}
	return min(reconnectFirst<<min(attempt-1, 8), reconnectMost)
}

// up makes the new link the current one and, in the background, subscribes on it.
func (d *driver) up(ctx context.Context, m *autopaho.ConnectionManager) {
	d.mu.Lock()
	l := d.next
	d.link, d.heard = l, false
	d.mu.Unlock()
	go func() {
		ctx, cancel := context.WithTimeout(ctx, connectLimit)
		defer cancel()
		if _, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: d.subscriptions()}); err != nil {
			// Connected but deaf: give the connection up and try again.
			d.log.Warn("broker refuses the subscription", "err", err)
			_ = l.Close()
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.link == l && !d.closed {
			d.heard = true
			d.put(message{about: connectionUp})
		}
	}()
}

func (d *driver) down(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.link, d.heard = nil, false
	d.healthy = fmt.Errorf("%w: %w", lock.ErrOffline, err)
	d.put(message{about: connectionDown, err: err})
}

func (d *driver) put(m message) {
	m.at, m.wall = d.now(), time.Now()
	d.inbox.Put(m)
}

// explain says what to do about a connection that does not come up.
func explain(err error) error {
	var deny *autopaho.ConnackError
	if errors.As(err, &deny) {
		switch deny.ReasonCode {
		case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
			return errors.New("the broker refuses this name or password: check username and password_file")
		case packets.ConnackUnsupportedProtocolVersion:
			return errors.New("the broker does not speak MQTT 5: use a newer one, such as mosquitto 2")
		}
		return fmt.Errorf("the broker refuses the connection (reason 0x%02x)", deny.ReasonCode)
	}
	return fmt.Errorf("the broker cannot be reached: %w", err)
}
