package mqtt

import (
	"strings"
	"testing"

	"eyebolt/lock"
)

// What announces itself to Home Assistant, written out and abbreviated; and what could never be secured, with the reason.
func TestDiscovery(t *testing.T) {
	for _, c := range []struct {
		name, topic, payload string
		id                   string
		kind                 lock.Kind
		why, note            string
		ok                   bool
	}{
		{
			"a lock of JSON", "homeassistant/lock/0x0/lock/config",
			`{"command_topic":"bridge2mqtt/l/set","name":null,"state_topic":"bridge2mqtt/l","value_template":"{{ value_json[\"state\"] }}","state_locked":"LOCK","state_unlocked":"UNLOCK","device":{"name":"l","manufacturer":"Danalock","model":"V3"}}`,
			"bridge2mqtt/l", lock.KindLock, "", `command_topic bridge2mqtt/l/set, value_template '{{ value_json["state"] }}', state_locked LOCK, state_unlocked UNLOCK; it does not say how it is asked: give poll or repeats`, true,
		},
		{"ESPHome's, abbreviated", "homeassistant/lock/esp/front/config", `{"~":"esp/lock/front","cmd_t":"~/command","stat_t":"~/state","dev":{"mf":"Espressif","name":"esp"}}`, "esp/lock/front/state", lock.KindLock, "", "command_topic esp/lock/front/command;", true},
		{"Zigbee2MQTT's, S9", "homeassistant/lock/0x0/lock/config", `{"cmd_t":"z/l/set","stat_t":"z/l","o":{"name":"Zigbee2MQTT"}}`, "z/l", lock.KindLock, "use convention: zigbee2mqtt", "", true},
		{"the same, without its name", "homeassistant/lock/0x0/lock/config", `{"cmd_t":"zigbee2mqtt/l/set","stat_t":"zigbee2mqtt/l"}`, "zigbee2mqtt/l", lock.KindLock, "use convention: zigbee2mqtt", "", true},
		{"optimistic", "homeassistant/lock/a/config", `{"cmd_t":"a/set"}`, "", lock.KindLock, "optimistic", "", true},
		{"optimistic, with a state", "homeassistant/lock/a/config", `{"cmd_t":"a/set","stat_t":"a","opt":true}`, "a", lock.KindLock, "never where its bolt is", "", true},
		{"a program", "homeassistant/lock/a/config", `{"cmd_t":"a/set","stat_t":"a","val_tpl":"{{ value|upper }}"}`, "a", lock.KindLock, "Use convention: template", "", true},
		{"a contact", "homeassistant/binary_sensor/a/config", `{"dev_cla":"door","stat_t":"z/d","val_tpl":"{{ value_json.contact }}","pl_on":false,"pl_off":true}`, "z/d", lock.KindContact, "", "payload_on false, payload_off true", true},
		{"smoke", "homeassistant/binary_sensor/a/config", `{"dev_cla":"smoke","stat_t":"z/s"}`, "z/s", lock.KindSmoke, "", "write its state_topic", true},
		{"something else", "homeassistant/binary_sensor/a/config", `{"dev_cla":"moisture","stat_t":"z/s"}`, "", 0, "", "", false},
		{"deleted", "homeassistant/lock/a/config", ``, "", 0, "", "", false},
		{"no announcement", "homeassistant/lock/a/state", `LOCKED`, "", 0, "", "", false},
	} {
		d, ok, err := readDiscovery(c.topic, []byte(c.payload))
		if err != nil || ok != c.ok {
			t.Errorf("%s: %v %v", c.name, ok, err)
			continue
		}
		if ok && (d.ID != c.id || d.Kind != c.kind || (d.Why == "") != (c.why == "") || !strings.Contains(d.Why, c.why) || !strings.Contains(d.Note, c.note)) {
			t.Errorf("%s: got %+v, want %s %d, why %q, note %q", c.name, d, c.id, c.kind, c.why, c.note)
		}
	}
	if _, _, err := readDiscovery("homeassistant/lock/a/config", []byte(`{"cmd_t":7}`)); err == nil {
		t.Error("a number for a topic: read")
	}
}

// FuzzDevices: T20: no list and no description crashes the reader; a device that a door may use has a name that is a topic, and short texts.
func FuzzDevices(f *testing.F) {
	f.Add([]byte(`[{"friendly_name":"l","definition":{"vendor":"D","exposes":[{"type":"lock","features":[{"name":"state","access":7},{"name":"lock_state","values":["not_fully_locked"]}]},{"name":"battery","access":1}]}}]`),
		[]byte(`{"config":{"advanced":{"last_seen":"disable"},"devices":{"0x1":{"friendly_name":"l","filtered_cache":["state"]}}}}`))
	f.Fuzz(func(t *testing.T, devices, info []byte) {
		in, _ := readInfo(info)
		all, err := readDevices(devices, &in)
		if err != nil {
			return
		}
		for _, d := range sorted(all) {
			if d.Why == "" && checkName(d.ID) != nil {
				t.Fatalf("a name that is no topic: %q", d.ID)
			}
			for _, s := range []string{d.ID, d.Name, d.Make, d.Why, d.Note} {
				if len(s) > maxDeviceText {
					t.Fatalf("a text of %d bytes", len(s))
				}
			}
		}
	})
}

// FuzzDiscovery: T20: no announcement crashes the reader; a lock that a door may use tells where its bolt is.
func FuzzDiscovery(f *testing.F) {
	f.Add("homeassistant/lock/a/config", []byte(`{"~":"esp","cmd_t":"~/command","stat_t":"~/state","pl_on":true,"dev":{"mf":"E"}}`))
	f.Add("homeassistant/binary_sensor/a/config", []byte(`{"dev_cla":"door","stat_t":"z/d","val_tpl":"{{ value_json.contact }}","pl_on":false}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		d, ok, err := readDiscovery(topic, payload)
		if err != nil || !ok {
			return
		}
		if d.Why == "" && checkTopic(d.ID) != nil {
			t.Fatalf("%q is no topic: %+v", d.ID, d)
		}
		for _, s := range []string{d.ID, d.Name, d.Make, d.Why, d.Note} {
			if len(s) > maxDeviceText {
				t.Fatalf("a text of %d bytes", len(s))
			}
		}
	})
}
