package homeassistant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/locktest"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/hass"
	"eyebolt/virtual/home"
	"eyebolt/virtual/spy"
)

// peer is the real Home Assistant on a real mosquitto. One serves all tests of the package.
type peer struct {
	b   *broker.Broker
	h   *hass.HA
	dir string
}

var shared struct {
	once sync.Once
	p    *peer
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if p := shared.p; p != nil {
		p.h.Kill()
		p.b.Stop()
		_ = os.RemoveAll(p.dir)
	}
	os.Exit(code)
}

// thePeer gives the peer, started. Where it was never installed the test skips, but not under make locks.
func thePeer(t testing.TB) *peer {
	t.Helper()
	shared.once.Do(func() { shared.p, shared.err = startPeer() })
	if errors.Is(shared.err, hass.ErrMissing) && os.Getenv("EYEBOLT_PEERS") == "" {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	if err := shared.p.h.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Home Assistant said:\n%s", shared.p.h.Said())
		}
	})
	return shared.p
}

func startPeer() (*peer, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "eyebolt-ha-")
	if err != nil {
		return nil, err
	}
	p := &peer{dir: dir}
	if p.b, err = broker.Start(ctx, broker.Config{}); err != nil {
		return nil, err
	}
	if p.h, err = hass.Start(ctx, hass.Config{Root: "../..", Dir: dir}); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(p.b.Addr())
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return p, p.h.UseBroker(ctx, host, n, "", "")
}

// world is a pretend Zigbee2MQTT home, whose lock can lie, behind the real Home Assistant's own MQTT lock.
type world struct {
	t    testing.TB
	p    *peer
	h    *home.Home
	pipe *locktest.Pipe
	name string // of the home: its topic, and the start of its entities' names
	now  func() time.Duration

	mu   sync.Mutex
	sent []locktest.Sent
	said []string // everything on the wire, for a test that fails
}

var worlds struct {
	sync.Mutex
	n int
}

func newWorld(t testing.TB, change ...func(*home.Config)) *world {
	t.Helper()
	p := thePeer(t)
	worlds.Lock()
	worlds.n++
	name := fmt.Sprintf("w%d", worlds.n)
	worlds.Unlock()
	start := time.Now()
	w := &world{t: t, p: p, name: name, now: func() time.Duration { return time.Since(start) }}
	s, err := spy.Start(t.Context(), p.b.URL(), name+"/#", w.now, func(m spy.Message) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.said) < 500 {
			w.said = append(w.said, fmt.Sprintf("%v %s %s", m.At, m.Topic, m.Payload))
		}
		if m.Topic != name+"/front_lock/set" {
			return
		}
		w.sent = append(w.sent, locktest.Sent{At: m.At, QoS: m.QoS, Unlock: strings.Contains(m.Payload, "UNLOCK")})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	t.Cleanup(func() {
		if t.Failed() {
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Logf("on the wire:\n%.20000s", strings.Join(w.said, "\n"))
		}
	})
	w.describe("lock", "lock", map[string]any{
		"command_topic": name + "/front_lock/set", "payload_lock": `{"state":"LOCK"}`, "payload_unlock": `{"state":"UNLOCK"}`,
		"state_topic": name + "/front_lock", "json_attributes_topic": name + "/front_lock", "state_locked": "locked", "state_unlocked": "unlocked",
		"state_jammed": "not_fully_locked", "value_template": "{{ value_json.lock_state }}",
	})
	w.describe("binary_sensor", "door", map[string]any{
		"state_topic": name + "/front_door", "json_attributes_topic": name + "/front_door", "device_class": "door",
		"value_template": "{{ 'OFF' if value_json.contact else 'ON' }}",
	})
	w.describe("sensor", "battery", map[string]any{
		"state_topic": name + "/front_lock", "device_class": "battery", "unit_of_measurement": "%", "value_template": "{{ value_json.battery }}",
	})
	// It subscribes a moment after it has made an entity: it is told until it hears, of a time that proves nothing.
	w.until("Home Assistant to hear the lock, the contact and the battery", func() bool {
		w.publish(name+"/front_lock", `{"lock_state":"locked","battery":90,"last_seen":"2020-01-01T00:00:00.000Z"}`)
		w.publish(name+"/front_door", `{"contact":true,"last_seen":"2020-01-01T00:00:00.000Z"}`)
		all, err := p.h.States(t.Context())
		return err == nil && all["lock."+name+"_lock"].State == "locked" && all["binary_sensor."+name+"_door"].State == "off" && all["sensor."+name+"_battery"].State == "90"
	})
	cfg := home.Config{Broker: p.b.URL(), Base: name, Now: w.now, Travel: 30 * time.Millisecond, ReportDelay: 2 * time.Millisecond, RadioTimeout: 100 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	if w.h, err = home.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.h.Close)
	w.pipe = locktest.NewPipe(t, p.h.Addr())
	t.Cleanup(func() { // the next worlds' Home Assistant does not carry this one's entities along
		for _, k := range [][2]string{{"lock", "lock"}, {"binary_sensor", "door"}, {"sensor", "battery"}} {
			w.publish("homeassistant/"+k[0]+"/"+name+"/"+k[1]+"/config", "", "-r")
		}
	})
	return w
}

// describe has Home Assistant make an entity, as Zigbee2MQTT does.
func (w *world) describe(component, key string, body map[string]any) {
	w.t.Helper()
	body["name"], body["object_id"], body["unique_id"] = w.name+" "+key, w.name+"_"+key, w.name+"_"+key
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.publish("homeassistant/"+component+"/"+w.name+"/"+key+"/config", string(b), "-r")
}

// publish says something with Debian's mosquitto_pub.
func (w *world) publish(topic, payload string, flags ...string) {
	w.t.Helper()
	host, port, _ := net.SplitHostPort(w.p.b.Addr())
	c := exec.Command("mosquitto_pub", append([]string{"-h", host, "-p", port, "-V", "5", "-t", topic, "-s"}, flags...)...)
	if payload == "" {
		c = exec.Command("mosquitto_pub", append([]string{"-h", host, "-p", port, "-V", "5", "-t", topic, "-n"}, flags...)...)
	}
	c.Stdin = strings.NewReader(payload)
	if out, err := c.CombinedOutput(); err != nil {
		w.t.Fatalf("mosquitto_pub: %v: %s", err, out)
	}
}

func (w *world) settings() homeassistant.Settings {
	return homeassistant.Settings{
		URL: "ws://" + w.pipe.Addr() + "/api/websocket", TokenFile: w.p.h.TokenFile(),
		Lock: "lock." + w.name + "_lock", Contact: w.name + " door", Battery: "sensor." + w.name + "_battery",
		Ask: homeassistant.Ask{Service: "mqtt.publish", Data: map[string]any{"topic": w.name + "/front_lock/get", "payload": `{"state": ""}`}},
	}
}

func (w *world) harness() locktest.Harness {
	return locktest.Harness{
		Open:     homeassistant.Open,
		Config:   lock.Config{Name: w.name, Now: w.now, Settings: w.settings()},
		World:    w,
		Patience: 30 * time.Second, // Home Assistant starts in two to ten seconds
		Refusals: 10,
	}
}

func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("never so: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *world) Truth() (lock.Bolt, lock.Door) {
	t := w.h.Truth()
	bolt := map[home.Bolt]lock.Bolt{home.Thrown: lock.BoltThrown, home.Drawn: lock.BoltDrawn, home.Half: lock.BoltJammed}[t.Bolt]
	if t.DoorOpen {
		return bolt, lock.DoorOpen
	}
	return bolt, lock.DoorClosed
}

// hands take their time: Zigbee2MQTT's stamp has milliseconds, and nobody opens and shuts a door within one.
const hands = 5 * time.Millisecond

func (w *world) Hand(to lock.Bolt) {
	time.Sleep(hands)
	if b, _ := w.Truth(); b != to {
		w.h.TurnKnobInside()
	}
}

func (w *world) Door(open bool) {
	time.Sleep(hands)
	if open {
		w.h.ForceDoor()
		return
	}
	if w.h.Truth().Bolt != home.Drawn {
		w.h.TurnKnobInside()
	}
	if err := w.h.CloseDoor(); err != nil {
		w.t.Errorf("close the door: %v", err)
	}
	w.h.TurnKnobInside()
}

func (w *world) Battery(percent int) { w.h.Battery(percent) }

func (w *world) Lie(l locktest.Lie) {
	const some = 300 * time.Millisecond
	w.h.BlockQuietly(l == locktest.AckedNotDone)
	w.h.Mute(l == locktest.DoneNotAcked)
	w.h.Silence(l == locktest.Failed)
	w.h.Jam(l == locktest.Jammed)
	w.h.LateBy(map[bool]time.Duration{true: some}[l == locktest.Late])
	w.h.Twice(map[bool]time.Duration{true: some}[l == locktest.Twice])
}

func (w *world) Path(up bool) { w.pipe.Set(up) }

// Peer ends Home Assistant as a power cut does, or starts it.
func (w *world) Peer(up bool) {
	if !up {
		w.p.h.Kill()
		return
	}
	if err := w.p.h.Resume(w.t.Context()); err != nil {
		w.t.Errorf("Home Assistant: %v", err)
	}
}

func (w *world) Plant(b lock.Bolt) {
	words := map[lock.Bolt]string{lock.BoltThrown: `"lock_state":"locked","state":"LOCK"`, lock.BoltDrawn: `"lock_state":"unlocked","state":"UNLOCK"`}
	w.publish(w.name+"/front_lock", fmt.Sprintf(`{"battery":90,"last_seen":%q,"linkquality":120,%s}`, time.Now().UTC().Format(time.RFC3339Nano), words[b]), "-r")
}

func (w *world) Wire() []locktest.Sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]locktest.Sent(nil), w.sent...)
}

// The lock of Home Assistant's own MQTT integration, on a home that can lie.
func TestConformanceHomeAssistant(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newWorld(t).harness() })
}
