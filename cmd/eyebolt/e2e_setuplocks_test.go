package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/virtual/home"
	"eyebolt/virtual/spy"
)

// opens holds the written configuration to the hub's own checks, opens its lock's driver as the hub does, and draws the bolt with it.
func (x *pairing) opens(drawn func() bool) {
	t := x.e.t
	t.Helper()
	beside, err := readEnv(strings.TrimSuffix(x.path, ".yaml") + ".env")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkHub(t.Context(), x.path, beside); err != nil {
		t.Fatal(err)
	}
	var cfg HubConfig
	if err := loadWith(x.path, &cfg, beside); err != nil {
		t.Fatal(err)
	}
	open, settings, err := cfg.Doors[0].Lock.driver()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	var ears locktest.Ears
	l, err := open(t.Context(), lock.Config{Name: "front", Now: now, Settings: settings}, ears.Report)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ears.Wait(t, 0, "the bolt thrown", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == lock.BoltThrown })
	for range 20 { // an order is refused unless the lock spoke just before
		if err = l.Unlock(t.Context(), lock.Order{Visit: lock.VisitID(now().String()), NotAfter: now() + time.Second}); err == nil {
			break
		}
		time.Sleep(300 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	ears.Wait(t, 0, "the bolt drawn", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == lock.BoltDrawn })
	if !drawn() {
		t.Error("the bolt is not drawn")
	}
}

// keeps proves that a secret is in one file alone, for its owner, and not in what the terminal shows.
func (x *pairing) keeps(secret, file string) {
	t := x.e.t
	t.Helper()
	all, err := filepath.Glob(filepath.Join(x.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(x.dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Concat(all, hidden) {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // a folder
		}
		if has := strings.Contains(string(b), secret); has != (filepath.Base(path) == file) {
			t.Errorf("%s holds the secret: %v", path, has)
		}
	}
	if info, err := os.Stat(filepath.Join(x.dir, file)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if strings.Contains(x.out.String(), secret) {
		t.Errorf("the terminal shows it:\n%s", x.out)
	}
}

// told publishes with Debian's mosquitto_pub.
func (x *pairing) told(topic, payload string, flags ...string) {
	x.e.t.Helper()
	host, port, err := net.SplitHostPort(x.h.broker.Addr())
	if err != nil {
		x.e.t.Fatal(err)
	}
	c := exec.CommandContext(x.e.ctx, "mosquitto_pub", append([]string{"-h", host, "-p", port, "-V", "5", "-t", topic, "-m", payload}, flags...)...)
	if out, err := c.CombinedOutput(); err != nil && x.e.ctx.Err() == nil {
		x.e.t.Errorf("mosquitto_pub: %v: %s", err, out)
	}
}

// A lock that the real Home Assistant has of Zigbee2MQTT is picked by its name there; the token is typed, a wrong one first; the lock is asked
// through Home Assistant; and what is written draws its bolt.
func TestHubSetupOfHomeAssistantThroughThePages(t *testing.T) {
	x := newPairing(t)
	ha := realHA(t, x.h.broker.Addr())
	for component, body := range map[string]map[string]any{
		"lock": {
			"name": "Hallway lock", "object_id": "hallway", "command_topic": "zigbee2mqtt/front_lock/set", "payload_lock": `{"state":"LOCK"}`, "payload_unlock": `{"state":"UNLOCK"}`,
			"state_topic": "zigbee2mqtt/front_lock", "json_attributes_topic": "zigbee2mqtt/front_lock", "state_locked": "locked", "state_unlocked": "unlocked",
			"value_template": "{{ value_json.lock_state }}",
		},
		"binary_sensor": {
			"name": "Hallway door", "object_id": "hallway_door", "state_topic": "zigbee2mqtt/front_door", "json_attributes_topic": "zigbee2mqtt/front_door", "device_class": "door",
			"value_template": "{{ 'OFF' if value_json.contact else 'ON' }}",
		},
	} {
		body["unique_id"] = body["object_id"]
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		x.told("homeassistant/"+component+"/hallway/config", string(b), "-r")
	}
	err := waitEvery(t.Context(), patience, 200*time.Millisecond, func() bool {
		x.told("zigbee2mqtt/front_lock/get", `{"state":""}`)
		x.told("zigbee2mqtt/front_door/get", `{"contact":""}`)
		all, err := ha.States(t.Context())
		return err == nil && all["lock.hallway"].State == "locked" && all["binary_sensor.hallway_door"].State != "unknown" && all["binary_sensor.hallway_door"].State != ""
	})
	if err != nil {
		all, _ := ha.States(t.Context())
		t.Fatalf("%v: %+v %+v", err, all["lock.hallway"], all["binary_sensor.hallway_door"])
	}
	b, err := os.ReadFile(ha.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(string(b))

	p := x.p
	x.address("homeassistant", "http://"+ha.Addr())
	p.reads("Long-lived access tokens")
	p.shown("ha-token", ".bridge")
	p.Type(`input[name=password]`, "wrong"+token)
	p.tap("Connect")
	p.reads("The token is refused by Home Assistant")
	p.Type(`input[name=password]`, token)
	p.tap("Connect")
	p.tap("Hallway lock")
	p.tap("Hallway door")
	p.reads("Its name in Zigbee2MQTT")
	p.Type(`input[name="answer-name"]`, "front/#")
	p.tap("Ask the lock where its bolt is")
	p.reads("+ and # cannot stand in a topic.")
	p.Type(`input[name="answer-name"]`, "front_lock") // Home Assistant's name is not Zigbee2MQTT's
	p.tap("Ask the lock where its bolt is")
	p.reads("It answered ")
	p.reads("the bolt is thrown")
	p.shown("ha-lock", ".note")
	x.written()
	x.keeps(token, "hub.front.homeassistant-token")
	x.opens(func() bool { return x.h.homes[0].Truth().Bolt == home.Drawn })
}

// strike is a device with Tasmota's topics at a real broker: a relay, a latch's contact and a door's.
type strike struct {
	mu    sync.Mutex
	drawn bool
}

func (x *pairing) strike() *strike {
	t := x.e.t
	d := &strike{}
	begin := time.Now()
	todo := make(chan spy.Message, 64)
	s, err := spy.Start(t.Context(), x.h.broker.URL(), "cmnd/strike/#", func() time.Duration { return time.Since(begin) }, func(m spy.Message) { todo <- m })
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		word := map[bool]string{true: "OFF", false: "ON"} // drawn: the latch is not in the strike
		for m := range todo {
			d.mu.Lock()
			if m.Topic == "cmnd/strike/POWER1" {
				d.drawn = m.Payload == "ON"
			}
			drawn := d.drawn
			d.mu.Unlock()
			switch m.Topic {
			case "cmnd/strike/POWER1":
				x.told("stat/strike/RESULT", `{"Switch1":{"Action":"`+word[drawn]+`"}}`)
			case "cmnd/strike/STATUS":
				x.told("stat/strike/STATUS10", `{"StatusSNS":{"Switch1":"`+word[drawn]+`","Switch2":"ON"}}`)
			}
		}
	}()
	t.Cleanup(func() { s.Close(); close(todo); <-done })
	x.told("tele/strike/LWT", "Online", "-r")
	return d
}

// A strike behind Tasmota, on a broker with a Zigbee2MQTT that does not know it: its topic is typed, a wrong one first, and nothing else.
func TestHubSetupOfTasmotaThroughThePages(t *testing.T) {
	x := newPairing(t)
	d := x.strike()
	p := x.p
	x.address("mqtt", x.h.broker.Addr())
	p.tap("The lock speaks MQTT by itself")
	p.tap("A strike behind Tasmota")
	p.reads("First, on the device")
	p.shown("tasmota", ".steps-to")
	p.Type(`input[name="answer-topic"]`, "strik")
	p.tap("Ask the lock where its bolt is")
	p.reads("within 12s")
	p.Errors() // the refusal
	p.Type(`input[name="answer-topic"]`, "strike")
	p.tap("Ask the lock where its bolt is")
	p.reads("the bolt is thrown")
	p.shown("tasmota-asked", ".note")
	x.written()
	x.opens(func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.drawn
	})
}
