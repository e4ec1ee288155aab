package mqtt_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// dialect is one way in which the plain device speaks: its topics lie below the base.
type dialect struct {
	settings func(broker, base string) mqtt.Settings
	// bolt, moving and door are what is said; ok and failed what ends an order ("" says nothing).
	bolt, moving map[lock.Bolt]string
	open, closed string
	// answer is where a question is answered, and in which words; nil: as a report is.
	answer     map[lock.Bolt]string
	ok, failed string
}

// words of Home Assistant's convention, with its defaults.
var asHomeAssistant = dialect{
	settings: func(broker, base string) mqtt.Settings {
		return mqtt.Settings{Broker: broker, Convention: "homeassistant", HomeAssistant: &mqtt.HomeAssistant{
			CommandTopic: base + "/front_lock/set", StateTopic: base + "/front_lock", AvailabilityTopic: base + "/online",
			Contact: mqtt.Binary{StateTopic: base + "/front_door"},
			Poll:    mqtt.Order{Topic: base + "/front_lock/get", Payload: "?"},
		}}
	},
	bolt:   map[lock.Bolt]string{lock.BoltThrown: "LOCKED", lock.BoltDrawn: "UNLOCKED", lock.BoltJammed: "JAMMED"},
	moving: map[lock.Bolt]string{lock.BoltThrown: "LOCKING", lock.BoltDrawn: "UNLOCKING"},
	open:   "ON", closed: "OFF",
}

// A lock of plain topics: JSON, numbers for states, and an answer to each order.
var asTemplate = dialect{
	settings: func(broker, base string) mqtt.Settings {
		return mqtt.Settings{Broker: broker, Convention: "template", Template: &mqtt.Template{
			Lock:    mqtt.Order{Topic: base + "/front_lock/set", Payload: `{"action":"LOCK"}`},
			Unlock:  mqtt.Order{Topic: base + "/front_lock/set", Payload: `{"action":"UNLOCK"}`},
			Poll:    mqtt.TemplatePoll{Topic: base + "/front_lock/get", AnswerTopic: base + "/answer", AnswerPath: "result.now"},
			Bolt:    mqtt.TemplateBolt{Topic: base + "/front_lock", Path: "lock.0.state", Thrown: []string{"1"}, Drawn: []string{"3", "5"}, Jammed: []string{"254"}, Moving: []string{"2", "4"}},
			Door:    mqtt.TemplateDoor{Topic: base + "/front_door", Path: "state", Closed: []string{"false"}, Open: []string{"true"}},
			Online:  mqtt.TemplateOnline{Topic: base + "/online", Yes: []string{"online"}, No: []string{"offline"}},
			Battery: mqtt.TemplateValue{Topic: base + "/battery", Path: "percent"},
			Failure: mqtt.TemplateFailure{Topic: base + "/result", OK: []string{"0"}},
		}}
	},
	bolt: map[lock.Bolt]string{
		lock.BoltThrown: `{"lock":[{"state":1}]}`, lock.BoltDrawn: `{"lock":[{"state":3}]}`, lock.BoltJammed: `{"lock":[{"state":254}]}`,
	},
	moving: map[lock.Bolt]string{lock.BoltThrown: `{"lock":[{"state":4}]}`, lock.BoltDrawn: `{"lock":[{"state":2}]}`},
	answer: map[lock.Bolt]string{lock.BoltThrown: `{"result":{"now":1}}`, lock.BoltDrawn: `{"result":{"now":3}}`, lock.BoltJammed: `{"result":{"now":254}}`},
	open:   `{"id":0,"state":true}`, closed: `{"id":0,"state":false}`,
	ok: "0", failed: "69",
}

// plainDevice is a lock on MQTT, with the house's bolt. It retains what it says, as such devices do, and has the broker tell when
// it is gone.
type plainDevice struct {
	h    *house
	b    *broker.Broker
	base string
	d    dialect

	mu     sync.Mutex // owns what follows; taken after the house's
	m      *autopaho.ConnectionManager
	conn   net.Conn
	cancel context.CancelFunc
}

func (x *plainDevice) start(t testing.TB) {
	t.Helper()
	u, err := url.Parse(x.b.URL())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, CleanStartOnInitialConnection: true, KeepAlive: 5,
		ReconnectBackoff: func(int) time.Duration { return 50 * time.Millisecond },
		AttemptConnection: func(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", u.Host)
			x.mu.Lock()
			defer x.mu.Unlock()
			x.conn = c
			return c, err
		},
		WillMessage: &paho.WillMessage{Topic: x.base + "/online", Payload: []byte("offline"), Retain: true},
		OnConnectionUp: func(m *autopaho.ConnectionManager, _ *paho.Connack) {
			go func() {
				for _, topic := range []string{"/front_lock/set", "/front_lock/get"} {
					_, _ = m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: x.base + topic}}})
				}
				_, _ = m.Publish(ctx, &paho.Publish{Topic: x.base + "/online", Payload: []byte("online"), Retain: true})
			}()
		},
		ClientConfig: paho.ClientConfig{OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			x.hear(p.Packet.Topic, string(p.Packet.Payload))
			return true, nil
		}}},
	})
	if err == nil {
		err = m.AwaitConnection(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.m, x.cancel = m, cancel
}

// cut takes the device's power.
func (x *plainDevice) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cancel != nil {
		_ = x.conn.Close() // before it can say goodbye
		x.cancel()
	}
	x.m, x.cancel = nil, nil
}

func (x *plainDevice) hear(topic, payload string) {
	x.h.do(func() {
		if strings.HasSuffix(topic, "/get") {
			if x.h.lie != locktest.DoneNotAcked && x.h.lie != locktest.Failed && !x.h.dead {
				x.answer()
			}
			return
		}
		if x.h.dead {
			return
		}
		switch heard := x.h.command(strings.Contains(payload, "UNLOCK")); {
		case heard:
			x.tell("/result", x.d.ok, false)
		case x.h.lie == locktest.Failed:
			x.tell("/result", x.d.failed, false)
		}
	})
}

func (x *plainDevice) tell(topic, payload string, retain bool) {
	x.mu.Lock()
	m := x.m
	x.mu.Unlock()
	if m == nil || payload == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = m.Publish(ctx, &paho.Publish{Topic: x.base + topic, Payload: []byte(payload), Retain: retain})
}

func (x *plainDevice) tellBolt() { x.tell("/front_lock", x.d.bolt[x.at()], true) }

func (x *plainDevice) answer() {
	if x.d.answer == nil {
		x.tellBolt()
		return
	}
	x.tell("/answer", x.d.answer[x.at()], false)
}

// at is where the bolt is or, while it moves, came from.
func (x *plainDevice) at() lock.Bolt {
	if x.h.bolt == lock.BoltUnknown {
		return x.h.from
	}
	return x.h.bolt
}

func (x *plainDevice) tellMoving(to lock.Bolt) { x.tell("/front_lock", x.d.moving[to], true) }

func (x *plainDevice) tellDoor() {
	x.tell("/front_door", map[bool]string{true: x.d.open, false: x.d.closed}[x.h.open], true)
}

func (x *plainDevice) tellBattery() {
	x.tell("/battery", fmt.Sprintf(`{"percent":%d,"volt":3.0}`, x.h.battery), false)
}

// plainWorld is a plain device behind a real broker.
type plainWorld struct {
	*world
	h *house
	x *plainDevice
}

func newPlainWorld(t testing.TB, b *broker.Broker, base string, d dialect) *plainWorld {
	t.Helper()
	start := time.Now()
	w := &plainWorld{world: &world{t: t, b: b, base: base, now: func() time.Duration { return time.Since(start) }}, h: &house{}}
	w.h.reset()
	w.x = &plainDevice{h: w.h, b: b, base: base, d: d}
	w.h.voice = w.x
	w.x.start(t)
	t.Cleanup(w.x.cut)
	w.pipe = locktest.NewPipe(t, b.Addr())
	w.spy = newSpy(t, b, base, w.now)
	return w
}

func (w *plainWorld) settings() mqtt.Settings {
	return w.x.d.settings("mqtt://"+w.pipe.Addr(), w.base)
}

func (w *plainWorld) harness() locktest.Harness {
	return locktest.Harness{Open: mqtt.Open, Config: lock.Config{Name: w.base, Now: w.now, Settings: w.settings()}, World: w}
}

func (w *plainWorld) Truth() (lock.Bolt, lock.Door) { return w.h.truth() }
func (w *plainWorld) Hand(to lock.Bolt)             { w.h.hand(to) }
func (w *plainWorld) Door(open bool)                { w.h.door(open) }
func (w *plainWorld) Lie(l locktest.Lie)            { w.h.do(func() { w.h.lie = l }) }

func (w *plainWorld) Battery(percent int) {
	w.h.do(func() {
		w.h.battery = percent
		w.x.tellBattery()
	})
}

func (w *plainWorld) Peer(up bool) {
	if up {
		w.x.start(w.t)
		return
	}
	w.x.cut()
}

func (w *plainWorld) Plant(b lock.Bolt) { w.publish("front_lock", w.x.d.bolt[b], "-r") }
