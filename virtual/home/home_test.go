package home

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/virtual/broker"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// listener is a client of the broker that is not ours to test: it writes down everything below a base topic.
type listener struct {
	t  testing.TB
	m  *autopaho.ConnectionManager
	mu sync.Mutex
	ms []heardMessage
}

type heardMessage struct {
	topic, payload string
	retained       bool
}

func listen(t testing.TB, b *broker.Broker, base string) *listener {
	t.Helper()
	u, _ := url.Parse(b.URL())
	l := &listener{t: t}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	m, err := autopaho.NewConnection(t.Context(), autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, CleanStartOnInitialConnection: true,
		ClientConfig: paho.ClientConfig{OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.ms = append(l.ms, heardMessage{strings.TrimPrefix(p.Packet.Topic, base+"/"), string(p.Packet.Payload), p.Packet.Retain})
			return true, nil
		}}},
	})
	if err == nil {
		err = m.AwaitConnection(ctx)
	}
	if err == nil {
		_, err = m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: base + "/#"}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Disconnect(context.Background()) })
	l.m = m
	return l
}

func (l *listener) say(topic, payload string) {
	l.t.Helper()
	if _, err := l.m.Publish(l.t.Context(), &paho.Publish{Topic: topic, Payload: []byte(payload)}); err != nil {
		l.t.Fatal(err)
	}
}

// wait returns the first message, from the from-th on, that fits, and the index after it.
func (l *listener) wait(from int, topic string, fits func(payload string) bool) (heardMessage, int) {
	l.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		l.mu.Lock()
		for i := from; i < len(l.ms); i++ {
			if l.ms[i].topic == topic && (fits == nil || fits(l.ms[i].payload)) {
				m := l.ms[i]
				l.mu.Unlock()
				return m, i + 1
			}
		}
		all := fmt.Sprint(l.ms[min(from, len(l.ms)):])
		l.mu.Unlock()
		if time.Now().After(deadline) {
			l.t.Fatalf("nothing fitting on %s; heard since: %s", topic, all)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func has(part string) func(string) bool {
	return func(s string) bool { return strings.Contains(s, part) }
}

func start(t testing.TB, cfg Config) (*Home, *listener, *broker.Broker) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	cfg.Broker = b.URL()
	l := listen(t, b, "zigbee2mqtt")
	if cfg.Travel == 0 {
		cfg.Travel = 30 * time.Millisecond
	}
	if cfg.ReportDelay == 0 {
		cfg.ReportDelay = 5 * time.Millisecond
	}
	if cfg.RadioTimeout == 0 {
		cfg.RadioTimeout = 50 * time.Millisecond
	}
	h, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, l, b
}

// After a command the bridge repeats the old state first; the new one comes when the bolt has travelled.
func TestOldStateFirst(t *testing.T) {
	h, l, _ := start(t, Config{Cache: true})
	l.say("zigbee2mqtt/front_lock/get", `{"state":""}`)
	_, i := l.wait(0, "front_lock", has(`"lock_state":"locked"`))
	l.say("zigbee2mqtt/front_lock/set", `{"state":"UNLOCK"}`)
	first, i := l.wait(i, "front_lock", nil)
	if !has(`"state":"LOCK"`)(first.payload) {
		t.Errorf("first state after UNLOCK: got %s, want the old one", first.payload)
	}
	l.wait(i, "front_lock", has(`"lock_state":"unlocked"`))
	if got := h.Truth().Bolt; got != Drawn {
		t.Errorf("bolt: got %v, want drawn", got)
	}
	if first.retained {
		t.Error("a device state was retained")
	}
}

// With filtered_cache set, a payload carries a value only if the device's own message did.
func TestFilteredCache(t *testing.T) {
	h, l, _ := start(t, Config{})
	info, i := l.wait(0, "bridge/info", nil)
	if !has(`"filtered_cache":["state","lock_state","door_state"]`)(info.payload) {
		t.Errorf("bridge/info does not tell filtered_cache: %s", info.payload)
	}
	l.say("zigbee2mqtt/front_lock/set", "LOCK")
	first, i := l.wait(i, "front_lock", nil)
	if has(`lock_state`)(first.payload) || !has(`"state":null`)(first.payload) {
		t.Errorf("acknowledgement: got %s, want no state in it", first.payload)
	}
	_, i = l.wait(i, "front_lock", has(`"lock_state":"locked"`))
	h.Battery(15)
	bat, _ := l.wait(i, "front_lock", has(`"battery":15`))
	if has("locked")(bat.payload) {
		t.Errorf("battery report repeats the bolt: %s", bat.payload)
	}
}

func TestDoorObeysBolt(t *testing.T) {
	h, l, _ := start(t, Config{})
	if err := h.OpenDoor(); !errors.Is(err, ErrBolted) {
		t.Errorf("open a bolted door: got %v, want ErrBolted", err)
	}
	l.say("zigbee2mqtt/front_lock/set", "UNLOCK")
	_, i := l.wait(0, "front_lock", has("unlocked"))
	if err := h.OpenDoor(); err != nil {
		t.Fatal(err)
	}
	_, i = l.wait(i, "front_door", has(`"contact":false`))
	if err := h.Enter(); err != nil {
		t.Fatal(err)
	}
	l.say("zigbee2mqtt/front_lock/set", "LOCK") // into air: T17
	_, i = l.wait(i, "front_lock", has(`"lock_state":"locked"`))
	if err := h.CloseDoor(); !errors.Is(err, ErrBoltOut) {
		t.Errorf("close on a bolt that is out: got %v, want ErrBoltOut", err)
	}
	l.say("zigbee2mqtt/front_lock/set", "UNLOCK")
	_, i = l.wait(i, "front_lock", has("unlocked"))
	if err := h.CloseDoor(); err != nil {
		t.Fatal(err)
	}
	l.wait(i, "front_door", has(`"contact":true`))
	if err := h.Leave(); !errors.Is(err, ErrDoorShut) {
		t.Errorf("walk through a closed door: got %v", err)
	}
	if got := h.Truth().Inside; got != 1 {
		t.Errorf("inside: got %d, want 1", got)
	}
	h.OpenFromInside() // S11: from inside it always works
	if err := h.Leave(); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	h, l, _ := start(t, Config{})
	h.TurnKnobInside()
	act, i := l.wait(0, "front_lock", has("manual_unlock"))
	if !has(`"action_user":3`)(act.payload) {
		t.Errorf("action names nobody: %s", act.payload)
	}
	_, i = l.wait(i, "front_lock", has("unlocked"))

	h.Jam(true)
	l.say("zigbee2mqtt/front_lock/set", "LOCK")
	_, i = l.wait(i, "front_lock", has("not_fully_locked"))
	if got := h.Truth().Bolt; got != Half {
		t.Errorf("jammed bolt: got %v, want half", got)
	}
	h.Jam(false)

	h.Mute(true) // obeys, and the bridge believes it failed
	l.say("zigbee2mqtt/front_lock/set", "LOCK")
	_, i = l.wait(i, "bridge/logging", has("Publish 'set' 'state' to 'front_lock' failed"))
	if got := h.Truth().Bolt; got != Thrown {
		t.Errorf("mute lock: got %v, want thrown", got)
	}
	h.Mute(false)

	h.BlockQuietly(true) // T3: the sound is played, nothing moves
	l.say("zigbee2mqtt/front_lock/set", "UNLOCK")
	_, i = l.wait(i, "front_lock", nil)
	if got := h.Truth().Bolt; got != Thrown {
		t.Errorf("blocked bolt: got %v, want thrown", got)
	}
	h.BlockQuietly(false)

	h.Silence(true)
	before := h.Truth().Commands
	l.say("zigbee2mqtt/front_lock/set", "UNLOCK")
	_, i = l.wait(i, "bridge/logging", has("MAC no ack"))
	if got := h.Truth().Commands; got != before {
		t.Errorf("a command reached a dead lock: %d, before %d", got, before)
	}
	h.Silence(false)

	h.Twice(40 * time.Millisecond)
	l.say("zigbee2mqtt/front_lock/set", "UNLOCK")
	_, i = l.wait(i, "front_lock", has("unlocked"))
	l.wait(i, "front_lock", has("unlocked"))
}

// Devices report unasked, so that a hub that has just started learns where the door is.
func TestSupervision(t *testing.T) {
	_, l, _ := start(t, Config{Supervision: 20 * time.Millisecond})
	_, i := l.wait(0, "front_door", has(`"contact":true`))
	_, i = l.wait(i, "front_lock", has(`"lock_state":"locked"`))
	l.wait(i, "front_door", has(`"contact":true`))
}

func TestBridgeDown(t *testing.T) {
	h, l, b := start(t, Config{})
	_, i := l.wait(0, "bridge/state", has("online"))
	h.CrashBridge()
	_, i = l.wait(i, "bridge/state", has("offline"))
	if err := h.StartBridge(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, i = l.wait(i, "bridge/state", has("online"))
	h.StopBridge()
	l.wait(i, "bridge/state", has("offline"))
	late := listen(t, b, "zigbee2mqtt")
	m, _ := late.wait(0, "bridge/state", nil)
	if !m.retained || !has("offline")(m.payload) {
		t.Errorf("bridge/state for a newcomer: got %+v, want a retained offline", m)
	}
}

// Every payload has the keys, and the kinds of values, that the real bridge's has.
func TestShapes(t *testing.T) {
	h, l, _ := start(t, Config{Cache: true})
	real := map[string]string{ // recorded from Zigbee2MQTT 2.14.1
		"front_lock": `{"action_source_name":null,"action_user":null,"battery":90,"last_seen":"2026-11-23T20:46:22.502Z","linkquality":120,"lock_state":"unlocked","pin_code":null,"state":"UNLOCK","update":{"installed_version":-1,"latest_version":-1,"state":null}}`,
		"front_door": `{"battery":100,"battery_low":false,"contact":false,"last_seen":"2026-11-23T20:46:29.662Z","linkquality":120,"voltage":3000}`,
	}
	h.OpenFromInside()
	h.Supervise()
	lk, _ := l.wait(0, "front_lock", func(s string) bool { return !has(`"action":`)(s) && has("lock_state")(s) })
	dr, _ := l.wait(0, "front_door", nil)
	for topic, got := range map[string]string{"front_lock": lk.payload, "front_door": dr.payload} {
		if g, w := shape(t, got), shape(t, real[topic]); g != w {
			t.Errorf("%s\n got %s\nwant %s", topic, g, w)
		}
	}
	devices, _ := l.wait(0, "bridge/devices", nil)
	var list []struct {
		Name string `json:"friendly_name"`
		Type string
	}
	if err := json.Unmarshal([]byte(devices.payload), &list); err != nil || len(list) != 3 || list[0].Type != "Coordinator" {
		t.Errorf("bridge/devices: %v %+v", err, list)
	}
}

func shape(t *testing.T, payload string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range m {
		m[k] = fmt.Sprintf("%T", v)
	}
	b, _ := json.Marshal(m)
	return string(b)
}

func TestBadConfig(t *testing.T) {
	for _, c := range []Config{{}, {Broker: "somewhere"}, {Broker: "mqtt://127.0.0.1:1", Lock: "a", Contact: "a"}} {
		if h, err := Start(t.Context(), c); err == nil {
			h.Close()
			t.Errorf("%+v: started", c)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, Config{Broker: "mqtt://127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), "not reached") {
		t.Errorf("no broker: got %v", err)
	}
}
