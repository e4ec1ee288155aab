package hass

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// Expire is how long Home Assistant shows what it heard of a door: two of the repetitions, which come every 5 s at least, may be lost.
const Expire = 12 * time.Second

// message is one MQTT message of ours.
type message struct {
	topic  string
	body   []byte
	retain bool
}

// names are the topics of one hub. A hub's and a door's name hold only a-z, 0-9 and -, so that no name can be mistaken for two.
type names struct {
	prefix, hub string
}

func (n names) node() string             { return "eyebolt-" + n.hub }
func (n names) status() string           { return "eyebolt/" + n.hub + "/status" } // online or offline; the will
func (n names) state(door string) string { return "eyebolt/" + n.hub + "/" + door + "/state" }
func (n names) incident(door string) string {
	return "eyebolt/" + n.hub + "/" + door + "/incident"
}
func (n names) block(door string) string { return "eyebolt/" + n.hub + "/" + door + "/block/set" }
func (n names) blocks() string           { return n.block("+") }
func (n names) birth() string            { return n.prefix + "/status" } // Home Assistant says here when it starts
func (n names) config(component, door, key string) string {
	return n.prefix + "/" + component + "/" + n.node() + "/" + door + "_" + key + "/config"
}
func (n names) configs() string { return n.prefix + "/+/" + n.node() + "/+/config" }

// What topics carry.
const (
	online, offline = "online", "offline"
	on, off         = "ON", "OFF"
)

// device is Home Assistant's description of a door.
type device struct {
	IDs          []string `json:"identifiers"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
	Version      string   `json:"sw_version,omitempty"`
}

// origin says who describes the entity.
type origin struct {
	Name    string `json:"name"`
	Version string `json:"sw_version,omitempty"`
}

// entity is a discovery message (Home Assistant, "MQTT discovery"; the fields of binary_sensor, sensor and switch).
type entity struct {
	Name        string   `json:"name"`
	Unique      string   `json:"unique_id"`
	Class       string   `json:"device_class,omitempty"`
	Icon        string   `json:"icon,omitempty"`
	Options     []string `json:"options,omitempty"`
	State       string   `json:"state_topic"`
	Value       string   `json:"value_template"`
	On          string   `json:"payload_on,omitempty"`
	Off         string   `json:"payload_off,omitempty"`
	StateOn     string   `json:"state_on,omitempty"`
	StateOff    string   `json:"state_off,omitempty"`
	Command     string   `json:"command_topic,omitempty"`
	Optimistic  *bool    `json:"optimistic,omitempty"`
	QoS         int      `json:"qos,omitempty"`
	Attributes  string   `json:"json_attributes_topic,omitempty"`
	AttrOf      string   `json:"json_attributes_template,omitempty"`
	ExpireAfter int      `json:"expire_after,omitempty"` // seconds
	Available   string   `json:"availability_topic"`
	Device      device   `json:"device"`
	Origin      origin   `json:"origin"`
}

// discovery describes a door's entities, retained.
func discovery(n names, door, version string) []message {
	no := false
	dev := device{
		IDs: []string{"eyebolt_" + n.hub + "_" + door}, Name: "Eyebolt " + strings.ReplaceAll(door, "-", " "),
		Manufacturer: "Eyebolt", Model: "Door", Version: version,
	}
	var out []message
	add := func(component, key string, e entity) {
		e.Unique = "eyebolt_" + n.hub + "_" + door + "_" + key
		e.Available, e.Device, e.Origin = n.status(), dev, origin{"Eyebolt", version}
		if e.State == "" {
			e.State = n.state(door)
		}
		if e.AttrOf != "" {
			e.Attributes = e.State
		}
		if component != "switch" && e.State == n.state(door) {
			e.ExpireAfter = int(Expire / time.Second)
		}
		body, err := json.Marshal(e)
		if err == nil { // strings and numbers: it cannot fail
			out = append(out, message{topic: n.config(component, door, key), body: body, retain: true})
		}
	}
	add("binary_sensor", "secured", entity{Name: "Secured", Class: "lock", Value: "{{ value_json.secured }}", On: "not-secured", Off: "secured"})
	add("binary_sensor", "bolt", entity{Name: "Bolt", Class: "lock", Value: "{{ value_json.bolt }}", On: "drawn", Off: "thrown", AttrOf: "{{ value_json.bolt_more | tojson }}"})
	add("binary_sensor", "door", entity{Name: "Door", Class: "door", Value: "{{ value_json.door }}", On: "open", Off: "closed"})
	add("binary_sensor", "alarm", entity{Name: "Alarm", Class: "safety", Value: "{{ value_json.alarm }}", On: "triggered", Off: "quiet", AttrOf: "{{ value_json.alarm_more | tojson }}"})
	add("sensor", "watch", entity{Name: "Watch", Class: "enum", Icon: "mdi:eye", Options: words(interlock.Watch.String), Value: "{{ value_json.watch }}", AttrOf: "{{ value_json.watch_more | tojson }}"})
	add("sensor", "visit", entity{Name: "Visit", Class: "enum", Icon: "mdi:package-variant", Options: words(interlock.Phase.String), Value: "{{ value_json.visit }}", AttrOf: "{{ value_json.visit_more | tojson }}"})
	add("sensor", "last-incident", entity{Name: "Last incident", Class: "timestamp", Icon: "mdi:alert", State: n.incident(door), Value: "{{ value_json.at }}", AttrOf: "{{ value_json | tojson }}"})
	add("switch", "block", entity{
		Name: "Block visits", Icon: "mdi:hand-back-left", Value: "{{ value_json.block }}", On: on, Off: off, StateOn: on, StateOff: off,
		Command: n.block(door), Optimistic: &no, QoS: 1, AttrOf: "{{ value_json.block_more | tojson }}",
	})
	return out
}

// words are all words of a type of interlock; its zero value's and that of whatever has no name is "unknown".
func words[T ~uint8](word func(T) string) []string {
	first := word(0)
	out := []string{first}
	for v := T(1); v < 255; v++ {
		w := word(v)
		if w == "unknown" {
			break
		}
		out = append(out, w)
	}
	if first != "unknown" {
		out = append(out, "unknown")
	}
	return out
}

// The state of a door as it is published; nil is unknown.
type (
	state struct {
		Secured *string `json:"secured"`
		Bolt    *string `json:"bolt"`
		Door    *string `json:"door"`
		Alarm   string  `json:"alarm"`
		Watch   string  `json:"watch"`
		Visit   string  `json:"visit"`
		Block   string  `json:"block"`

		BoltMore  boltMore  `json:"bolt_more"`
		AlarmMore said      `json:"alarm_more"`
		WatchMore watchMore `json:"watch_more"`
		VisitMore said      `json:"visit_more"`
		BlockMore blockMore `json:"block_more"`
	}
	boltMore struct {
		Jammed bool `json:"jammed"`
	}
	said struct {
		Reason string `json:"reason"`
		Text   string `json:"text"`
	}
	watchMore struct {
		Cameras []string `json:"cameras"` // "name: word"
	}
	blockMore struct {
		Note string `json:"note"`
	}
	incident struct {
		At        string  `json:"at"` // RFC 3339, UTC
		Reason    string  `json:"reason"`
		Text      string  `json:"text"`
		Visit     string  `json:"visit"`
		Unwatched float64 `json:"unwatched_s"`
		Open      bool    `json:"open"` // no resident has closed it
	}
)

// stateOf is what is told of a door. It names no courier and holds nothing that opens anything: who may read the broker is not the hub's
// to say (S17). note is what to say beside the switch.
func stateOf(n names, v bus.View, note string) (message, error) {
	s := state{
		Secured: secured(v), Bolt: pick(v.Bolt, "thrown", "thrown", "drawn", "drawn", "jammed", "drawn"),
		Door: pick(v.DoorIs, "closed", "closed", "open", "open", "ajar", "open"), Alarm: "quiet", Watch: v.Watch, Visit: v.Phase, Block: off,
		BoltMore: boltMore{v.Bolt == "jammed"}, AlarmMore: said{v.Alarm, v.AlarmText}, VisitMore: said{v.Reason, v.Sentence},
		BlockMore: blockMore{note}, WatchMore: watchMore{[]string{}},
	}
	if v.Alarm != "" {
		s.Alarm = "triggered"
	}
	if v.Blocked {
		s.Block = on
	}
	for _, c := range v.Cameras {
		s.WatchMore.Cameras = append(s.WatchMore.Cameras, c.Name+": "+c.Watch)
	}
	body, err := json.Marshal(s)
	if err != nil {
		return message{}, fmt.Errorf("home assistant: state of door %s: %w", v.Door, err)
	}
	return message{topic: n.state(v.Door), body: body}, nil
}

// secured is S9's word, and unknown outside of visits while nobody asks the lock: the bolt that it told of last is shown
// as such, and is no proof.
func secured(v bus.View) *string {
	word := "not-secured"
	switch {
	case v.Secured:
		word = "secured"
	case v.Phase == interlock.Idle.String() && !v.PossiblyOpen:
		return nil
	}
	return &word
}

// pick is the word beside v's in pairs, or nil.
func pick(v string, pairs ...string) *string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == v {
			return &pairs[i+1]
		}
	}
	return nil
}

// incidentOf is the newest incident, retained: it stays true when the hub is gone. false: there is none.
func incidentOf(n names, v bus.View) (message, bool) {
	in := v.LastIncident
	if in == nil {
		return message{}, false
	}
	body, err := json.Marshal(incident{in.At.UTC().Format(time.RFC3339), in.Reason, in.Text, in.Visit, in.Total, in.Open})
	return message{topic: n.incident(v.Door), body: body, retain: true}, err == nil
}
