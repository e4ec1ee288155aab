// Package spy listens to everything on an MQTT broker, as a client of its own: what was really on the wire, and when.
package spy

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// Message is one message as the broker passed it on.
type Message struct {
	Topic   string
	Payload string
	QoS     byte
	At      time.Duration // on the clock of Start
}

// Spy is one listener.
type Spy struct {
	conn   *autopaho.ConnectionManager
	cancel context.CancelFunc
}

// Start subscribes to filter on the broker and calls each for every message, from one goroutine. QoS is what the publisher
// asked for: the subscription is at QoS 2, and a broker lowers, never raises.
func Start(ctx context.Context, broker, filter string, now func() time.Duration, each func(Message)) (*Spy, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return nil, fmt.Errorf("spy: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	subscribed := make(chan error, 1)
	conn, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, KeepAlive: 20, CleanStartOnInitialConnection: true,
		OnConnectionUp: func(cm *autopaho.ConnectionManager, _ *paho.Connack) {
			_, err := cm.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: 2, RetainHandling: 2}}})
			select {
			case subscribed <- err:
			default:
			}
		},
		ClientConfig: paho.ClientConfig{OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			each(Message{Topic: p.Packet.Topic, Payload: string(p.Packet.Payload), QoS: p.Packet.QoS, At: now()})
			return true, nil
		}}},
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("spy: %w", err)
	}
	s := &Spy{conn: conn, cancel: cancel}
	select {
	case err = <-subscribed:
	case <-time.After(10 * time.Second):
		err = fmt.Errorf("spy: the broker at %s does not answer", u.Host)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Say publishes as anybody can who is on the broker.
func (s *Spy) Say(ctx context.Context, topic string, payload []byte) error {
	_, err := s.conn.Publish(ctx, &paho.Publish{Topic: topic, Payload: payload})
	return err
}

// Close ends the listener.
func (s *Spy) Close() {
	s.cancel()
	<-s.conn.Done()
}
