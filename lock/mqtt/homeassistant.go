package mqtt

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"eyebolt/lock"
)

// HomeAssistant is a lock by Home Assistant's MQTT lock convention: the keys that its discovery message has, with the same meaning and
// the same defaults (home-assistant.io/integrations/lock.mqtt). command_topic, state_topic and contact are required, and poll or repeats, which
// are not Home Assistant's.
type HomeAssistant struct {
	CommandTopic  string `yaml:"command_topic"`
	PayloadLock   string `yaml:"payload_lock"`   // default LOCK
	PayloadUnlock string `yaml:"payload_unlock"` // default UNLOCK
	// StateTopic is where the lock tells its state. A lock without one is optimistic, that is: it never tells; it is refused.
	StateTopic     string `yaml:"state_topic"`
	ValueTemplate  string `yaml:"value_template"` // only {{ value_json.key }}, {{ value_json["key"] }} and deeper ones
	StateLocked    string `yaml:"state_locked"`   // default LOCKED
	StateUnlocked  string `yaml:"state_unlocked"` // default UNLOCKED
	StateLocking   string `yaml:"state_locking"`  // default LOCKING
	StateUnlocking string `yaml:"state_unlocking"`
	StateJammed    string `yaml:"state_jammed"`  // default JAMMED
	StateOpen      string `yaml:"state_open"`    // default OPEN: unlatched, so drawn
	StateOpening   string `yaml:"state_opening"` // default OPENING
	PayloadReset   string `yaml:"payload_reset"` // default None: unknown
	// Optimistic must not be true: such a lock says what it was told, not what it did.
	Optimistic bool `yaml:"optimistic"`
	// AvailabilityTopic, or the list Availability: all of them must say that they are available.
	AvailabilityTopic    string         `yaml:"availability_topic"`
	AvailabilityTemplate string         `yaml:"availability_template"`
	PayloadAvailable     string         `yaml:"payload_available"`     // default online
	PayloadNotAvailable  string         `yaml:"payload_not_available"` // default offline
	Availability         []Availability `yaml:"availability"`
	// Contact is the door's contact, by Home Assistant's MQTT binary sensor convention: on means open.
	Contact Binary `yaml:"contact"`
	// Smoke is a smoke or CO sensor by the same convention: on means alarm.
	Smoke Binary `yaml:"smoke"`
	// Poll is what makes the lock tell its state (a topic and a payload); Repeats how often it does so by itself, 1s to 6s.
	Poll    Order         `yaml:"poll"`
	Repeats time.Duration `yaml:"repeats"`
}

// Availability is one of a list.
type Availability struct {
	Topic               string `yaml:"topic"`
	ValueTemplate       string `yaml:"value_template"`
	PayloadAvailable    string `yaml:"payload_available"`
	PayloadNotAvailable string `yaml:"payload_not_available"`
}

// Binary is a binary sensor.
type Binary struct {
	StateTopic    string `yaml:"state_topic"`
	ValueTemplate string `yaml:"value_template"`
	PayloadOn     string `yaml:"payload_on"`  // default ON
	PayloadOff    string `yaml:"payload_off"` // default OFF
}

// shape translates the settings. Its errors begin with the setting.
func (h *HomeAssistant) shape() (*shape, error) {
	or := func(s, otherwise string) []string {
		if s == "" {
			s = otherwise
		}
		return []string{s}
	}
	switch {
	case h.StateTopic == "":
		return nil, errors.New("state_topic: missing. Such a lock is optimistic: it shows what it was told, never where its bolt is, and cannot be secured (S9)")
	case h.Optimistic:
		return nil, errors.New("optimistic: such a lock shows what it was told, never where its bolt is, and cannot be secured (S9)")
	case h.CommandTopic == "":
		return nil, errors.New("command_topic: missing: where are orders sent?")
	case h.Contact.StateTopic == "":
		return nil, errors.New("contact: missing. Without a word of the door no visit can be secured (S9): give its state_topic")
	}
	s := &shape{
		lock: say{h.CommandTopic, or(h.PayloadLock, "LOCK")[0]}, unlock: say{h.CommandTopic, or(h.PayloadUnlock, "UNLOCK")[0]},
		poll: say{h.Poll.Topic, h.Poll.Payload}, repeats: h.Repeats,
	}
	moving := append(or(h.StateLocking, "LOCKING"), or(h.StateUnlocking, "UNLOCKING")...)
	moving = append(append(moving, or(h.StateOpening, "OPENING")...), or(h.PayloadReset, "None")...)
	type told struct {
		name, topic, template string
		to                    *reading
		words                 []word
	}
	all := []told{
		{"state_topic", h.StateTopic, h.ValueTemplate, &s.bolt, []word{
			{"state_locked", or(h.StateLocked, "LOCKED"), meaning(lock.BoltThrown)},
			{"state_unlocked", append(or(h.StateUnlocked, "UNLOCKED"), or(h.StateOpen, "OPEN")...), meaning(lock.BoltDrawn)},
			{"state_jammed", or(h.StateJammed, "JAMMED"), meaning(lock.BoltJammed)},
			{"a state of moving", moving, meaning(lock.BoltUnknown)},
		}},
		{"contact", h.Contact.StateTopic, h.Contact.ValueTemplate, &s.door, []word{
			{"payload_on", or(h.Contact.PayloadOn, "ON"), meaning(lock.DoorOpen)}, {"payload_off", or(h.Contact.PayloadOff, "OFF"), meaning(lock.DoorClosed)},
		}},
	}
	if h.Smoke.StateTopic != "" {
		all = append(all, told{"smoke", h.Smoke.StateTopic, h.Smoke.ValueTemplate, &s.smoke, []word{
			{"payload_on", or(h.Smoke.PayloadOn, "ON"), meansYes}, {"payload_off", or(h.Smoke.PayloadOff, "OFF"), meansNo},
		}})
	}
	available := h.Availability
	if h.AvailabilityTopic != "" {
		if len(available) > 0 {
			return nil, errors.New("availability and availability_topic: keep one")
		}
		available = []Availability{{h.AvailabilityTopic, h.AvailabilityTemplate, h.PayloadAvailable, h.PayloadNotAvailable}}
	}
	if len(available) > maxAvailability {
		return nil, fmt.Errorf("availability: more than %d topics", maxAvailability)
	}
	s.online = make([]reading, len(available))
	for i, a := range available {
		if a.Topic == "" {
			return nil, errors.New("availability: topic is missing")
		}
		all = append(all, told{"availability", a.Topic, a.ValueTemplate, &s.online[i], []word{
			{"payload_available", or(a.PayloadAvailable, "online"), meansYes}, {"payload_not_available", or(a.PayloadNotAvailable, "offline"), meansNo},
		}})
	}
	for _, x := range all {
		dotted, err := readTemplate(x.template)
		if err == nil {
			err = x.to.set(x.name, x.topic, dotted, x.words...)
		} else {
			err = fmt.Errorf("%s: %w", x.name, err)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, s.check()
}

// maxAvailability bounds the topics that tell whether a lock is there: the device's, its bridge's, and some.
const maxAvailability = 8

// A template that is a path: value_json, then keys.
var (
	pathTemplate = regexp.MustCompile(`^\{\{-?\s*value_json((?:\.[A-Za-z_][A-Za-z0-9_]*|\[\s*(?:"[^"\\.\]]+"|'[^'\\.\]]+'|[0-9]+)\s*\])+)\s*-?\}\}$`)
	pathKey      = regexp.MustCompile(`\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*(?:"([^"]+)"|'([^']+)'|([0-9]+))\s*\]`)
	wholeValue   = regexp.MustCompile(`^\{\{-?\s*value\s*-?\}\}$`)
)

// readTemplate reads a value_template that is a path and nothing else, into the dotted form. What else a template can do is a
// program, and no program of others decides here what a word means.
func readTemplate(s string) (dotted string, err error) {
	s = strings.TrimSpace(s)
	if s == "" || wholeValue.MatchString(s) {
		return "", nil
	}
	m := pathTemplate.FindStringSubmatch(s)
	if len(s) > 1024 || m == nil {
		return "", fmt.Errorf("template %.80q is more than a path: only {{ value_json.key }} and {{ value_json[\"key\"] }} are read. Use convention: template and write the words there", s)
	}
	var keys []string
	for _, k := range pathKey.FindAllStringSubmatch(m[1], -1) {
		keys = append(keys, k[1]+k[2]+k[3]+k[4])
	}
	return strings.Join(keys, "."), nil
}
