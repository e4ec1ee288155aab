package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"eyebolt/lock"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

var _ lock.List = List

// ErrNoBridge says that a broker answers, and has no list of Zigbee2MQTT.
var ErrNoBridge = errors.New("no list of Zigbee2MQTT")

const (
	// listQuiet is how long nothing more must have come, so that a list is taken to be whole: a broker sends what it retains at once.
	listQuiet = 500 * time.Millisecond
	// maxDiscovered bounds the discovery messages that are looked at: a home has some hundred, a dozen for each device.
	maxDiscovered = 4096
	// maxDeviceText is lock.Device's bound of a text.
	maxDeviceText = 256
	// discoveryTopic is where Home Assistant looks, unless it was told otherwise.
	discoveryTopic = "homeassistant"
)

// List asks the broker for the devices that are known there (lock.List); given is a Settings or a *Settings, of which a lock need not be
// named. By convention zigbee2mqtt these are Zigbee2MQTT's, by friendly name; by homeassistant those that announce themselves to Home
// Assistant, by state topic, which the broker retains whether or not they are there. By template there is no list.
func List(ctx context.Context, given any, log *slog.Logger) ([]lock.Device, error) {
	s, err := settings(given)
	if err != nil {
		return nil, err
	}
	p, err := s.reach()
	if err != nil {
		return nil, err
	}
	switch s.Convention {
	case "", zigbee2mqtt:
		base := s.Base
		if base == "" {
			base = zigbee2mqtt
		}
		if err := checkName(base); err != nil {
			return nil, fmt.Errorf("lock/mqtt: base_topic %q: %w", base, err)
		}
		return p.listZigbee(ctx, base, log)
	case homeAssistant:
		return p.listDiscovered(ctx, log)
	case template:
		return nil, errors.New("lock/mqtt: convention template: its devices are in no list: look up their topics in their maker's manual, or listen with mosquitto_sub -v -t '#'")
	}
	return nil, fmt.Errorf("lock/mqtt: %w", (&plan{Settings: s}).speak())
}

func (p plan) listZigbee(ctx context.Context, base string, log *slog.Logger) ([]lock.Device, error) {
	var info, devices []byte
	err := p.collect(ctx, []string{base + "/bridge/info", base + "/bridge/devices"}, func(topic string, payload []byte) (whole bool) {
		if strings.HasSuffix(topic, "/info") {
			info = payload
		} else {
			devices = payload
		}
		return info != nil && devices != nil
	})
	switch {
	case err != nil:
		return nil, err
	case devices == nil:
		return nil, fmt.Errorf("lock/mqtt: %w under base_topic %q at this broker: does it run, with retained messages on, and may this user read it?", ErrNoBridge, base)
	}
	in, err := readInfo(info)
	if info != nil && err != nil && log != nil {
		log.Warn("Zigbee2MQTT's description of itself cannot be read", "err", err)
	}
	all, err := readDevices(devices, &in)
	if err != nil {
		return nil, fmt.Errorf("lock/mqtt: %w", err)
	}
	return sorted(all), nil
}

func (p plan) listDiscovered(ctx context.Context, log *slog.Logger) ([]lock.Device, error) {
	var all []lock.Device
	n := 0
	err := p.collect(ctx, []string{discoveryTopic + "/lock/#", discoveryTopic + "/binary_sensor/#"}, func(topic string, payload []byte) bool {
		n++
		d, ok, err := readDiscovery(topic, payload)
		switch {
		case err != nil && log != nil:
			log.Warn("a device's announcement cannot be read", "topic", topic, "err", err)
		case ok:
			all = append(all, d)
		}
		return n >= maxDiscovered
	})
	if err != nil {
		return nil, err
	}
	return sorted(all), nil
}

// sorted puts those first that a door can use, and bounds the list.
func sorted(all []lock.Device) []lock.Device {
	var out []lock.Device
	for _, usable := range []bool{true, false} {
		for _, kind := range []lock.Kind{lock.KindLock, lock.KindContact, lock.KindSmoke, lock.KindOther} {
			for _, d := range all {
				if d.Kind == kind && (d.Why == "") == usable {
					out = append(out, d)
				}
			}
		}
	}
	return out[:min(len(out), lock.MostDevices)]
}

// cut bounds a text of outside.
func cut(s string) string {
	if len(s) > maxDeviceText {
		s = strings.ToValidUTF8(s[:maxDeviceText-len("…")], "") + "…"
	}
	return s
}

// collect hands what the broker retains under the topics to take, until it says that this is all, nothing more comes, or ctx ends.
func (p plan) collect(ctx context.Context, topics []string, take func(topic string, payload []byte) (whole bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type said struct {
		topic   string
		payload []byte
	}
	heard, failed := make(chan said), make(chan error, 1)
	var once sync.Once
	size, room := uint32(maxPacket), uint16(receiveMaximum)
	m, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{p.url}, KeepAlive: keepAlive, ConnectTimeout: connectLimit, ReconnectBackoff: backoff,
		ConnectUsername: p.Username, ConnectPassword: p.password,
		AttemptConnection: func(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectLimit)
			defer cancel()
			return dial(ctx, u.Host, p.tls)
		},
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			c.CleanStart = true
			c.Properties = &paho.ConnectProperties{MaximumPacketSize: &size, ReceiveMaximum: &room}
			return c, nil
		},
		OnConnectError:   func(err error) { once.Do(func() { failed <- explain(err) }) },
		OnConnectionDown: func() bool { return false },
		ClientConfig: paho.ClientConfig{OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			if r.Packet.Retain {
				select {
				case heard <- said{r.Packet.Topic, r.Packet.Payload}:
				case <-ctx.Done():
				}
			}
			return true, nil
		}}},
	})
	if err != nil {
		return fmt.Errorf("lock/mqtt: %w", err)
	}
	defer func() { <-m.Done() }()
	defer cancel()
	up := make(chan error, 1)
	go func() {
		err := m.AwaitConnection(ctx)
		if err == nil {
			var s []paho.SubscribeOptions
			for _, t := range topics {
				s = append(s, paho.SubscribeOptions{Topic: t})
			}
			_, err = m.Subscribe(ctx, &paho.Subscribe{Subscriptions: s})
		}
		up <- err
	}()
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	for {
		select {
		case h := <-heard:
			if take(h.topic, h.payload) {
				return nil
			}
			quiet.Reset(listQuiet)
		case err := <-up:
			if err != nil {
				return fmt.Errorf("lock/mqtt: the broker refuses to be listened to: %w", err)
			}
			quiet.Reset(listQuiet)
		case <-quiet.C:
			return nil
		case err := <-failed:
			return fmt.Errorf("lock/mqtt: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("lock/mqtt: the broker was not reached in time: %w", ctx.Err())
		}
	}
}
