package home

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// wires is the bridge's connection to the broker, from StartBridge to StopBridge.
type wires struct {
	manager *autopaho.ConnectionManager
	cancel  context.CancelFunc
	out     chan message

	mu   sync.Mutex // owns conn and cut
	conn net.Conn
	cut  bool // the bridge has crashed: no reconnect
}

type message struct {
	topic   string
	payload []byte
	retain  bool
}

// outRoom is how many messages may wait for the broker: some seconds of everything a bridge can say.
const outRoom = 1024

// signal is closed once.
type signal struct {
	once sync.Once
	ch   chan struct{}
}

// StartBridge connects the bridge and returns when it has said hello. It does nothing when the bridge runs.
func (h *Home) StartBridge(ctx context.Context) error {
	h.mu.Lock()
	if h.wires != nil || h.closed {
		h.mu.Unlock()
		return nil
	}
	up := &signal{ch: make(chan struct{})}
	w := &wires{out: make(chan message, outRoom)}
	h.wires, h.up = w, up
	h.mu.Unlock()

	var last error
	var lastMu sync.Mutex
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel() })
	w.cancel = func() { stop(); cancel() }
	cfg := autopaho.ClientConfig{
		ServerUrls:                    []*url.URL{h.broker},
		KeepAlive:                     5,
		CleanStartOnInitialConnection: true,
		ConnectTimeout:                5 * time.Second,
		ReconnectBackoff:              func(n int) time.Duration { return min(time.Duration(n)*50*time.Millisecond, time.Second) },
		AttemptConnection:             w.dial,
		OnConnectionUp:                func(m *autopaho.ConnectionManager, _ *paho.Connack) { h.connected(m, w, up) },
		OnConnectionDown:              func() bool { h.disconnected(); return !w.isCut() },
		OnConnectError: func(err error) {
			lastMu.Lock()
			defer lastMu.Unlock()
			last = err
		},
		WillMessage: &paho.WillMessage{Topic: h.cfg.Base + "/bridge/state", Payload: []byte(`{"state":"offline"}`), QoS: 1, Retain: true},
		ClientConfig: paho.ClientConfig{
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
				h.mu.Lock()
				defer h.mu.Unlock()
				if topic, ok := strings.CutPrefix(p.Packet.Topic, h.cfg.Base+"/"); ok && !h.closed && h.wires == w {
					h.taken(topic, p.Packet.Payload, p.Packet.Retain)
				}
				return true, nil
			}},
		},
	}
	if u := h.broker.User; u != nil {
		cfg.ConnectUsername = u.Username()
		p, _ := u.Password()
		cfg.ConnectPassword = []byte(p)
	}
	m, err := autopaho.NewConnection(inner, cfg)
	if err != nil {
		w.cancel()
		return fmt.Errorf("home: %w", err)
	}
	h.mu.Lock()
	w.manager = m
	h.mu.Unlock()
	go w.send(inner)
	select {
	case <-up.ch:
		return nil
	case <-ctx.Done():
		lastMu.Lock()
		defer lastMu.Unlock()
		return fmt.Errorf("home: broker %s not reached: %w (%v)", h.broker.Host, ctx.Err(), last)
	}
}

func (w *wires) dial(ctx context.Context, cfg autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = c
	return c, nil
}

func (w *wires) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// connected subscribes and greets. Only a bridge that has just started repeats what it remembers of its devices.
func (h *Home) connected(m *autopaho.ConnectionManager, w *wires, up *signal) {
	first := false
	select {
	case <-up.ch:
	default:
		first = true
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{
			{Topic: h.cfg.Base + "/" + h.cfg.Lock + "/set"},
			{Topic: h.cfg.Base + "/" + h.cfg.Lock + "/get"},
			{Topic: h.cfg.Base + "/bridge/request/health_check"},
		}})
		if err != nil {
			h.cfg.Log.Warn("home: bridge cannot subscribe", "base", h.cfg.Base, "err", err)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.wires != w || h.closed {
			return
		}
		h.greet()
		if first {
			h.recall()
		}
		h.event(BridgeUp)
		up.once.Do(func() { close(up.ch) })
	}()
}

func (h *Home) disconnected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.event(BridgeDown)
}

// StopBridge shuts the bridge down in order: it says offline and disconnects. The home itself goes on.
func (h *Home) StopBridge() {
	h.mu.Lock()
	w := h.wires
	h.wires = nil
	h.mu.Unlock()
	if w == nil {
		return
	}
	if w.manager != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		// A broker that is gone has the will to tell.
		_, _ = w.manager.Publish(ctx, &paho.Publish{Topic: h.cfg.Base + "/bridge/state", Payload: []byte(`{"state":"offline"}`), Retain: true})
		_ = w.manager.Disconnect(ctx)
		cancel()
	}
	w.cancel()
}

// CrashBridge cuts the bridge's connection without a word, as a killed process: the broker publishes its will.
func (h *Home) CrashBridge() {
	h.mu.Lock()
	w := h.wires
	h.wires = nil
	h.mu.Unlock()
	if w == nil {
		return
	}
	w.mu.Lock()
	w.cut = true
	if w.conn != nil {
		_ = w.conn.Close()
	}
	w.mu.Unlock()
	w.cancel()
	<-w.manager.Done()
}

func (h *Home) publishJSON(topic string, v any, retain bool) {
	w := h.wires
	if w == nil {
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		h.cfg.Log.Error("home: payload", "topic", topic, "err", err)
		return
	}
	full := h.cfg.Base + "/" + topic
	w.put(message{full, b, retain})
	if topic != "bridge/logging" { // at its usual log level the bridge repeats every publication there
		line, _ := json.Marshal(map[string]any{"level": "info", "message": fmt.Sprintf("z2m:mqtt: MQTT publish: topic '%s', payload '%s'", full, b)})
		w.put(message{h.cfg.Base + "/bridge/logging", line, false})
	}
}

func (w *wires) put(m message) {
	select {
	case w.out <- m:
	default: // the broker is gone or hangs: a bridge loses what it cannot send
	}
}

// send publishes in order. What meets a connection that is down is lost, as with a real bridge at QoS 0.
func (w *wires) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-w.out:
			_, _ = w.manager.Publish(ctx, &paho.Publish{Topic: m.topic, Payload: m.payload, Retain: m.retain})
		}
	}
}
