package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"eyebolt/hub/setup"
	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/matter"
	"eyebolt/lock/mqtt"

	"github.com/goccy/go-yaml"
)

// driverOf is a row of the drivers that a set-up has.
func driverOf(t *testing.T, key string) setup.Driver {
	t.Helper()
	all := setupDrivers()
	i := slices.IndexFunc(all, func(d setup.Driver) bool { return d.Key == key })
	if i < 0 {
		t.Fatalf("no driver %s", key)
	}
	return all[i]
}

// proposed are the answers to questions where nothing else is typed.
func proposed(t *testing.T, all []setup.Question, typed map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, q := range all {
		v, ok := typed[q.Key]
		if !ok {
			v = q.Propose
		}
		if v == "" {
			if !q.Optional {
				t.Errorf("%s is neither proposed nor optional nor typed", q.Key)
			}
			continue
		}
		if q.Fits != nil {
			if err := q.Fits(v); err != nil {
				t.Errorf("%s: %q: %v", q.Key, v, err)
			}
		}
		out[q.Key] = v
	}
	for key := range typed {
		if !slices.ContainsFunc(all, func(q setup.Question) bool { return q.Key == key }) {
			t.Errorf("%s is not asked", key)
		}
	}
	return out
}

// handTyped is the strike behind Tasmota, typed by hand.
var handTyped = map[string]string{
	"unlocktopic": "cmnd/strike/POWER1", "unlock": "ON", "lock": "OFF", "bolt": "stat/strike/RESULT", "boltpath": "Switch1.Action", "thrown": "ON", "drawn": "OFF",
	"polltopic": "cmnd/strike/STATUS", "poll": "10", "answertopic": "stat/strike/STATUS10", "answerpath": "StatusSNS.Switch1",
	"door": "stat/strike/RESULT", "doorpath": "Switch2.Action", "closed": "ON", "open": "OFF", "online": "tele/strike/LWT", "yes": "Online", "no": "Offline",
}

// What the page makes of the least that is typed about a family of locks is what docs/MQTT-LOCKS.md has for it.
func TestFamiliesAreThoseOfTheManual(t *testing.T) {
	doc, err := os.ReadFile("../../docs/MQTT-LOCKS.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\nmqtt:\n(.*?)```").FindAllSubmatch(doc, -1)
	block := func(has string) (s mqtt.Settings) {
		t.Helper()
		for _, b := range blocks {
			if strings.Contains(string(b[1]), has) {
				if err := yaml.Unmarshal(b[1], &s); err != nil {
					t.Fatal(err)
				}
				return s
			}
		}
		t.Fatalf("no example has %s", has)
		return s
	}
	d := driverOf(t, "mqtt")
	done := map[string]bool{}
	for _, x := range []struct {
		family, manual string
		typed          map[string]string
	}{
		{"tasmota", "cmnd/strike", map[string]string{"topic": "strike"}},
		{"shelly", "shelly-strike", map[string]string{"topic": "shelly-strike"}},
		{"esphome", "strike/ask", map[string]string{"topic": "strike"}},
		{"nukihub", "nuki/lock", nil},
		{"hamqtt", "frontlock", map[string]string{
			"command": "frontlock/lock/front/command", "state": "frontlock/lock/front/state", "online": "frontlock/status", "poll": "frontlock/ask",
			"contact": "frontlock/binary_sensor/front_door/state",
		}},
		{"hand", "cmnd/strike", handTyped},
	} {
		done[x.family] = true
		i := slices.IndexFunc(d.Families, func(f setup.Family) bool { return f.Key == x.family })
		f := d.Families[i]
		answers := proposed(t, f.Asks, x.typed)
		if f.Fits != nil {
			if err := f.Fits(answers); err != nil {
				t.Errorf("%s: %v", x.family, err)
			}
		}
		got := d.Settings(setup.Access{Address: "mqtt://127.0.0.1:1883"}, setup.Pick{Family: x.family, Answers: answers})
		if want := block(x.manual); !reflect.DeepEqual(got, want) {
			g, _ := yaml.Marshal(got)
			w, _ := yaml.Marshal(want)
			t.Errorf("%s: the page gives\n%s\nand the manual\n%s", x.family, g, w)
		}
	}
	for _, f := range d.Families {
		if !done[f.Key] {
			t.Errorf("%s is not tried here", f.Key)
		}
	}
}

// Every lock that can be picked is one that the hub takes as it stands in hub.yaml, and reads as it was meant.
func TestWhatIsPickedIsWhatTheHubReads(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("12345678\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	picked := map[string]any{}
	add := func(name, driver string, a setup.Access, p setup.Pick) {
		picked[name] = driverOf(t, driver).Settings(a, p)
	}
	broker := setup.Access{Address: "mqtt://127.0.0.1:1883", User: "eyebolt", SecretFile: secret}
	for _, f := range mqttFamilies() {
		typed := map[string]map[string]string{"hand": handTyped, "hamqtt": {"command": "a/c", "state": "a/s", "contact": "a/d", "poll": "a/p"}}[f.Key]
		if typed == nil {
			typed = map[string]string{"topic": `front "door": 'x' %a é`}
		}
		add(f.Key, "mqtt", broker, setup.Pick{Family: f.Key, Answers: proposed(t, f.Asks, typed)})
	}
	repeating := map[string]string{"repeats": "4"}
	for k, v := range handTyped {
		if !strings.Contains(k, "poll") && !strings.Contains(k, "answer") {
			repeating[k] = v
		}
	}
	add("repeating", "mqtt", broker, setup.Pick{Family: "hand", Answers: repeating})
	add("pin", "matter", setup.Access{Address: "ws://127.0.0.1:5580/ws"}, setup.Pick{Lock: "5", DoorSense: true, Answers: map[string]string{"pin": secret}})
	asks := homeAssistantAsks(lock.Device{ID: "lock.front", Name: "Front lock"})
	ha := setup.Access{Address: "ws://127.0.0.1:8123/api/websocket", SecretFile: secret}
	add("ha", "homeassistant", ha, setup.Pick{Lock: "lock.front", Contact: "binary_sensor.door", Answers: proposed(t, asks, map[string]string{"battery": "sensor.front_battery"})})
	add("ha-other", "homeassistant", ha, setup.Pick{Lock: "lock.front", Contact: "binary_sensor.door", Answers: proposed(t, asks, map[string]string{
		"service": "zha.ask", "data": `{"cluster": 257, "ids": [0, 3], "names": {"x": "\u00e9: #"}, "now": true}`,
	})})
	for name, s := range picked {
		key := map[reflect.Type]string{reflect.TypeFor[mqtt.Settings](): "mqtt", reflect.TypeFor[matter.Settings](): "matter", reflect.TypeFor[homeassistant.Settings](): "homeassistant"}[reflect.TypeOf(s)]
		b, err := yaml.MarshalWithOptions(map[string]any{"lock": map[string]any{key: s}}, yaml.Indent(2), yaml.IndentSequence(true), yaml.OmitZero())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+".yaml")
		text := "id: oak\nstate: " + dir + "/state\nservice: {url: tls://x:4222}\npasskeys: {id: x, origins: [https://x]}\ndoors:\n  - name: front\n    cameras: [{name: hall, url: rtsp://127.0.0.1/x, link: wired}]\n    " +
			strings.ReplaceAll(strings.TrimSpace(string(b)), "\n", "\n    ") + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkHub(t.Context(), path, nil); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		var cfg HubConfig
		if err := load(path, &cfg); err != nil {
			t.Fatal(err)
		}
		l := cfg.Doors[0].Lock
		var got any
		switch {
		case l.MQTT != nil:
			got = *l.MQTT
		case l.Matter != nil:
			got = *l.Matter
		case l.HomeAssistant != nil:
			got = *l.HomeAssistant
		}
		if !reflect.DeepEqual(got, s) {
			t.Errorf("%s: meant %+v\nread %+v\n%s", name, s, got, text)
		}
	}
}

// What cannot be, or would move a bolt when it is asked, is refused where it is typed.
func TestAnswersThatCannotBe(t *testing.T) {
	asks := map[string][]setup.Question{"ha": homeAssistantAsks(lock.Device{Name: "a/#"}), "matter": matterAsks(lock.Device{PIN: true})}
	for _, f := range mqttFamilies() {
		asks[f.Key] = f.Asks
	}
	for _, x := range []struct{ of, key, answer, want string }{
		{"ha", "name", "front/#", "cannot stand in a topic"},
		{"ha", "name", "/front", "begins or ends with /"},
		{"ha", "service", "lock.unlock", "moves the bolt"},
		{"ha", "service", "unlock", "such as mqtt.publish"},
		{"ha", "data", `["x"]`, "as JSON"},
		{"ha", "data", `topic: x`, "as JSON"},
		{"ha", "data", `{"a":`, "as JSON"},
		{"ha", "battery", "lock.front", "an entity such as sensor."},
		{"matter", "pin", "123", "4 to 32 digits"},
		{"matter", "pin", "12 34", "4 to 32 digits"},
		{"matter", "pin", strings.Repeat("1", 33), "4 to 32 digits"},
		{"tasmota", "topic", "+", "cannot stand in a topic"},
		{"tasmota", "relay", "1/x", "a number"},
		{"shelly", "latch", `0},"x":{`, "a number"},
		{"hand", "thrown", "a,,b", "no word between"},
		{"hand", "repeats", "12", "from 1 to 6"},
	} {
		i := slices.IndexFunc(asks[x.of], func(q setup.Question) bool { return q.Key == x.key })
		if i < 0 {
			t.Fatalf("%s: %s is not asked", x.of, x.key)
		}
		if err := asks[x.of][i].Fits(x.answer); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %s: %q: %v, want %s", x.of, x.key, x.answer, err, x.want)
		}
	}
	if asks["ha"][0].Propose != "" {
		t.Errorf("%q is proposed as a topic", asks["ha"][0].Propose)
	}
	if len(matterAsks(lock.Device{})) != 0 {
		t.Error("a PIN is asked for a lock that wants none")
	}
	for _, f := range mqttFamilies() {
		for _, is := range []map[string]string{{"poll": "a", "command": "a"}, {"polltopic": "a", "unlocktopic": "a"}, {"polltopic": "a", "locktopic": "a"}} {
			if _, own := is["poll"]; f.Fits != nil && own == (f.Key == "hamqtt") && f.Fits(is) == nil {
				t.Errorf("%s: an order is taken for a question: %v", f.Key, is)
			}
		}
	}
}

// FuzzActionData: what is typed for an action of Home Assistant is read or refused, whatever it is, and what is read can be written.
func FuzzActionData(f *testing.F) {
	for _, s := range []string{`{"topic": "a/get", "payload": "{\"state\": \"\"}"}`, `{"a": [1, 2.5, -3, null, true, {"b": "\u00e9"}]}`, `{}`, `[`, `{"a": 1e400}`, `{"<<": "x"}`, `{"a":"\/\ud83d\ude00"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := actionData(s); err == nil {
			if _, err := yaml.Marshal(m); err != nil {
				t.Errorf("%q: %v", s, err)
			}
		}
	})
}
