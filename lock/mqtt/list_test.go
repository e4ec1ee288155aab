package mqtt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"
)

func list(t *testing.T, s mqtt.Settings) []lock.Device {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	all, err := mqtt.List(ctx, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		t.Logf("%+v", d)
	}
	return all
}

func ids(all []lock.Device) string {
	var s []string
	for _, d := range all {
		s = append(s, fmt.Sprint(d.ID, " ", d.Kind, " ", d.Why == ""))
	}
	return strings.Join(s, "; ")
}

// Zigbee2MQTT's devices by friendly name, those first that a door can use, with what to write into its configuration.
func TestList(t *testing.T) {
	b := startBroker(t, broker.Config{})
	w := newWorld(t, b, "z2m", quick(home.Config{Smoke: "hall_smoke", DoorSense: true}))
	s := mqtt.Settings{Broker: b.URL(), Base: "z2m"}
	all := list(t, s)
	if got, want := ids(all), "front_lock 1 true; front_door 2 true; hall_smoke 3 true"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := all[0].Can, (lock.Can{Bolt: true, Door: true, Jam: true, By: true, Battery: true, Poll: true, Expiry: true}); got != want {
		t.Errorf("the lock can: got %+v, want %+v", got, want)
	}
	for _, d := range all {
		if d.Note != "" {
			t.Errorf("%s is set up as the manual asks, and yet: %s", d.ID, d.Note)
		}
	}
	w.publish("bridge/info", `{"config":{"advanced":{"last_seen":"disable"}}}`, "-r")
	w.publish("bridge/devices", `[{"friendly_name":"a","type":"Router","definition":{"exposes":[{"type":"lock","features":[{"name":"state","access":3}]}]}},
		{"friendly_name":"b","definition":{"exposes":[{"type":"lock","features":[{"name":"state","access":7}]}]}},
		{"friendly_name":"c","interview_state":"FAILED","definition":{"exposes":[{"name":"contact","access":1}]}},
		{"friendly_name":"lamp","definition":{"exposes":[{"type":"light","features":[{"name":"state","access":7}]}]}},
		{"friendly_name":"x","supported":false},{"friendly_name":"bridge/y"},{"friendly_name":"Coordinator","type":"Coordinator"}]`, "-r")
	all = list(t, s)
	if got, want := ids(all), "b 1 true; lamp 0 true; a 1 false; c 2 false; x 0 false; bridge/y 0 false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := "filtered_cache: [state, lock_state, door_state] for it, and advanced: last_seen: ISO_8601"; !strings.HasSuffix(all[0].Note, want) {
		t.Errorf("note %q, want %q", all[0].Note, want)
	}
}

// What cannot be listed says why.
func TestListFails(t *testing.T) {
	b := startBroker(t, broker.Config{Username: "hub", Password: "right"})
	for _, c := range []struct {
		name string
		s    mqtt.Settings
		want string
	}{
		{"no Zigbee2MQTT", mqtt.Settings{Broker: b.URL(), Username: "hub", PasswordFile: writeFile(t, "pw", "right\n")}, `no list of Zigbee2MQTT under base_topic "zigbee2mqtt"`},
		{"refused", mqtt.Settings{Broker: b.URL(), Username: "hub", PasswordFile: writeFile(t, "pw", "wrong\n")}, "check username and password_file"},
		{"nobody there", mqtt.Settings{Broker: "mqtt://127.0.0.1:1"}, "cannot be reached"},
		{"no broker", mqtt.Settings{}, "write mqtt://host:1883"},
		{"no list", mqtt.Settings{Broker: b.URL(), Convention: "template"}, "in no list"},
		{"no convention", mqtt.Settings{Broker: b.URL(), Convention: "templat"}, "did you mean template?"},
		{"wildcard", mqtt.Settings{Broker: b.URL(), Base: "#"}, "must not contain"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if all, err := mqtt.List(ctx, c.s, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want %q", c.name, all, err, c.want)
		}
		cancel()
	}
	if _, err := mqtt.List(t.Context(), 7, nil); err == nil {
		t.Error("settings of another kind: listed")
	}
}

// The real Zigbee2MQTT, by its own list and by what it announces to Home Assistant.
func TestListZigbee2MQTT(t *testing.T) {
	for _, c := range []struct {
		s         setup
		lock, cnt string
	}{{asAsked, "", ""}, {remembered, "filtered_cache: [state, lock_state, door_state] for it", "filtered_cache: [contact] for it"}, {asItComes, "last_seen: ISO_8601", "last_seen: ISO_8601"}} {
		p := thePeer(t, c.s)
		(&peerWorld{world: &world{t: t, b: p.b, base: "zigbee2mqtt"}, p: p}).knowsItself()
		all := list(t, mqtt.Settings{Broker: p.b.URL()})
		if got, want := ids(all), "front_lock 1 true; front_door 2 true; hall_smoke 3 true"; got != want {
			t.Fatalf("%s: got %s, want %s", c.s, got, want)
		}
		for i, note := range []string{c.lock, c.cnt} {
			if (all[i].Note == "") != (note == "") || !strings.Contains(all[i].Note, note) {
				t.Errorf("%s: %s: note %q, want %q", c.s, all[i].ID, all[i].Note, note)
			}
		}
		if got, want := all[0].Can, (lock.Can{Bolt: true, Jam: true, By: true, Battery: true, Poll: true, Expiry: true}); got != want {
			t.Errorf("the lock can: got %+v, want %+v", got, want)
		}
		all = list(t, mqtt.Settings{Broker: p.b.URL(), Convention: "homeassistant"})
		if got, want := ids(all), "zigbee2mqtt/front_door 2 true; zigbee2mqtt/hall_smoke 3 true; zigbee2mqtt/front_lock 1 false"; got != want {
			t.Errorf("%s, announced: got %s, want %s", c.s, got, want)
		}
	}
}
