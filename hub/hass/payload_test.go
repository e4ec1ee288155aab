package hass

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

var ourNames = names{prefix: "homeassistant", hub: "home-1"}

// Every entity of every door has a name of its own, says when it cannot be believed, and no state is retained but what stays true
// without the hub (S13, S15).
func TestDiscovery(t *testing.T) {
	unique, topics := map[string]bool{}, map[string]bool{}
	n := 0
	for _, door := range []string{"front", "front-bolt", "side"} {
		for _, m := range discovery(ourNames, door, "1.2") {
			n++
			var e entity
			if err := json.Unmarshal(m.body, &e); err != nil {
				t.Fatal(err)
			}
			if unique[e.Unique] || topics[m.topic] {
				t.Errorf("twice: %s at %s", e.Unique, m.topic)
			}
			unique[e.Unique], topics[m.topic] = true, true
			if !m.retain || e.Available != "eyebolt/home-1/status" || e.Device.Name == "" {
				t.Errorf("%s: %+v", m.topic, e)
			}
			if e.State == ourNames.state(door) && !strings.Contains(m.topic, "/switch/") && e.ExpireAfter != 12 {
				t.Errorf("S15: %s is shown for %d s without news", e.Unique, e.ExpireAfter)
			}
			if e.Class == "enum" && (!slices.Contains(e.Options, "unknown") || !slices.Contains(e.Options, "idle") && !slices.Contains(e.Options, "live")) {
				t.Errorf("%s has the words %v", e.Unique, e.Options)
			}
		}
	}
	if n != 24 || len(unique) != n {
		t.Errorf("%d entities, want 24", n)
	}
}

// What a door is, and what is shown for it. Unknown is never safe (S13), and secured is S9's word alone.
func TestState(t *testing.T) {
	null := "null"
	for _, c := range []struct {
		name                                string
		view                                bus.View
		secured, bolt, door, alarm, blocked string
	}{
		{"nothing known", bus.View{}, `"not-secured"`, null, null, "quiet", "OFF"},
		{"idle, thrown and closed", bus.View{Phase: "idle", Bolt: "thrown", DoorIs: "closed"}, null, `"thrown"`, `"closed"`, "quiet", "OFF"},
		{"idle, unproven", bus.View{Phase: "idle", PossiblyOpen: true, Bolt: "unknown", DoorIs: "unknown"}, `"not-secured"`, null, null, "quiet", "OFF"},
		{"a visit, not opened", bus.View{Phase: "ready", Secured: true, Bolt: "thrown", DoorIs: "closed"}, `"secured"`, `"thrown"`, `"closed"`, "quiet", "OFF"},
		{"open", bus.View{Phase: "open", Bolt: "drawn", DoorIs: "open"}, `"not-secured"`, `"drawn"`, `"open"`, "quiet", "OFF"},
		{"jammed and ajar", bus.View{Phase: "closing", Bolt: "jammed", DoorIs: "ajar", Alarm: "not-secured"}, `"not-secured"`, `"drawn"`, `"open"`, "triggered", "OFF"},
		{"thrown, but not proven", bus.View{Phase: "closing", Bolt: "thrown", DoorIs: "closed"}, `"not-secured"`, `"thrown"`, `"closed"`, "quiet", "OFF"},
		{"blocked", bus.View{Phase: "idle", Blocked: true, Bolt: "of another version", DoorIs: "?"}, null, null, null, "quiet", "ON"},
	} {
		c.view.Door = "front"
		m, err := stateOf(ourNames, c.view, "")
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Secured, Bolt, Door json.RawMessage
			Alarm, Block        string
		}
		if err := json.Unmarshal(m.body, &got); err != nil {
			t.Fatal(err)
		}
		if string(got.Secured) != c.secured || string(got.Bolt) != c.bolt || string(got.Door) != c.door || got.Alarm != c.alarm || got.Block != c.blocked {
			t.Errorf("%s: got %s", c.name, m.body)
		}
		if m.retain {
			t.Errorf("%s: S13: a state is retained", c.name)
		}
	}
}

// S17: who comes, and what opens a door, is on no broker.
func TestStateTellsNoSecret(t *testing.T) {
	v := bus.View{
		Door: "front", Phase: "ready", Courier: "Carlo-Secret", GrantID: "grant-secret", Nonce: []byte("nonce-secret"), OutNonce: []byte("out-secret"),
		Cameras: []bus.Camera{{Name: "hall", Watch: "live"}}, LastIncident: &bus.LastIncident{Visit: "v", At: time.Unix(1, 0), Reason: "lapse-lost", Open: true},
	}
	m, err := stateOf(ourNames, v, "")
	in, ok := incidentOf(ourNames, v)
	if err != nil || !ok || !in.retain {
		t.Fatal(err, ok)
	}
	for _, b := range [][]byte{m.body, in.body} {
		for _, secret := range []string{"ecret", "bm9uY2Ut", "b3V0LXNl"} { // the nonces in base64, too
			if strings.Contains(string(b), secret) {
				t.Errorf("told: %s", b)
			}
		}
	}
	if want := `{"at":"1970-01-01T00:00:01Z","reason":"lapse-lost","text":"","visit":"v","unwatched_s":0,"open":true}`; string(in.body) != want {
		t.Errorf("got %s, want %s", in.body, want)
	}
}

func TestWords(t *testing.T) {
	if got := words(interlock.Watch.String); got[0] != "unknown" || !slices.Contains(got, "hub-late") || len(got) != 11 {
		t.Errorf("got %v", got)
	}
	if got := words(interlock.Phase.String); got[0] != "idle" || got[len(got)-1] != "unknown" || !slices.Contains(got, "unproven") {
		t.Errorf("got %v", got)
	}
}
