package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"eyebolt/lock"
)

// short are Home Assistant's abbreviations in discovery messages, of the keys that are read
// (home-assistant.io/integrations/mqtt, MQTT discovery).
var short = map[string]string{
	"cmd_t": "command_topic", "stat_t": "state_topic", "val_tpl": "value_template", "avty_t": "availability_topic", "avty": "availability",
	"pl_lock": "payload_lock", "pl_unlk": "payload_unlock", "stat_locked": "state_locked", "stat_unlocked": "state_unlocked", "stat_jam": "state_jammed",
	"opt": "optimistic", "pl_on": "payload_on", "pl_off": "payload_off", "dev_cla": "device_class", "dev": "device", "t": "topic",
	"mf": "manufacturer", "mdl": "model", "o": "origin",
}

// announcement is a discovery message, cut to what is read.
type announcement struct {
	Name          any    `json:"name"` // null: the device's own
	DeviceClass   string `json:"device_class"`
	CommandTopic  string `json:"command_topic"`
	StateTopic    string `json:"state_topic"`
	ValueTemplate string `json:"value_template"`
	PayloadLock   string `json:"payload_lock"`
	PayloadUnlock string `json:"payload_unlock"`
	StateLocked   string `json:"state_locked"`
	StateUnlocked string `json:"state_unlocked"`
	StateJammed   string `json:"state_jammed"`
	Optimistic    bool   `json:"optimistic"`
	on, off       string // payload_on and payload_off: words, or truth values as Zigbee2MQTT announces them
	Device        struct {
		Name         string `json:"name"`
		Manufacturer string `json:"manufacturer"`
		Model        string `json:"model"`
	} `json:"device"`
	Origin struct {
		Name string `json:"name"`
	} `json:"origin"`
}

// readDiscovery reads one announcement; ok is false for what is neither a lock nor a sensor of a door or of smoke.
func readDiscovery(topic string, payload []byte) (d lock.Device, ok bool, err error) {
	below, found := strings.CutPrefix(topic, discoveryTopic+"/")
	kind, _, _ := strings.Cut(below, "/")
	if !found || !strings.HasSuffix(topic, "/config") || len(payload) == 0 {
		return d, false, nil
	}
	a, err := readAnnouncement(payload)
	if err != nil {
		return d, false, err
	}
	name, _ := a.Name.(string)
	d = lock.Device{
		ID: a.StateTopic, Name: cut(strings.TrimSpace(a.Device.Name + " " + name)), Make: cut(strings.TrimSpace(a.Device.Manufacturer + " " + a.Device.Model)),
	}
	switch {
	case kind == "lock":
		d.Kind = lock.KindLock
		d.Can = lock.Can{Bolt: a.StateTopic != "", Jam: a.StateTopic != "", Expiry: true}
		d.Why, d.Note = a.lockIs()
	case kind != "binary_sensor":
		return d, false, nil
	case a.DeviceClass == "door" || a.DeviceClass == "opening":
		d.Kind = lock.KindContact
	case a.DeviceClass == "smoke" || a.DeviceClass == "carbon_monoxide":
		d.Kind = lock.KindSmoke
	default:
		return d, false, nil
	}
	if d.Kind != lock.KindLock {
		_, err := readTemplate(a.ValueTemplate)
		switch {
		case checkTopic(a.StateTopic) != nil:
			d.Why = "it announces no state_topic that could be listened to"
		case err != nil:
			d.Why = "its value_template is more than a path: use convention: template and write its words there"
		default:
			d.Note = map[bool]string{true: "in Zigbee2MQTT it needs filtered_cache: [contact]; "}[d.Kind == lock.KindContact && a.Origin.Name == "Zigbee2MQTT"] + "write its state_topic" + a.besides("payload_on", a.on, "payload_off", a.off)
		}
	}
	if len(d.ID) > maxDeviceText {
		d.ID, d.Why = cut(d.ID), "its topic is too long"
	}
	d.Why, d.Note = cut(d.Why), cut(d.Note)
	return d, true, nil
}

// lockIs tries the announcement as settings.
func (a announcement) lockIs() (why, note string) {
	if a.Origin.Name == "Zigbee2MQTT" {
		return "it is behind Zigbee2MQTT, which repeats what it remembers as if the lock had said it: use convention: zigbee2mqtt, which tells the two apart", ""
	}
	h := HomeAssistant{
		CommandTopic: a.CommandTopic, PayloadLock: a.PayloadLock, PayloadUnlock: a.PayloadUnlock, StateTopic: a.StateTopic, ValueTemplate: a.ValueTemplate,
		StateLocked: a.StateLocked, StateUnlocked: a.StateUnlocked, StateJammed: a.StateJammed, Optimistic: a.Optimistic,
		Contact: Binary{StateTopic: "contact"}, Repeats: repeatsLeast,
	}
	if _, err := h.shape(); err != nil {
		return err.Error(), ""
	}
	return "", "write its state_topic and command_topic " + a.CommandTopic + a.besides("state_locked", a.StateLocked, "state_unlocked", a.StateUnlocked) +
		"; it does not say how it is asked: give poll or repeats"
}

// besides names keys that are set.
func (a announcement) besides(pairs ...string) string {
	s := ""
	if a.ValueTemplate != "" {
		s = ", value_template '" + a.ValueTemplate + "'"
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			s += ", " + pairs[i] + " " + pairs[i+1]
		}
	}
	return s
}

// expand writes the abbreviated keys of a JSON object out.
func expand(payload []byte) (map[string]json.RawMessage, error) {
	if len(payload) > maxState {
		return nil, fmt.Errorf("announcement of %d bytes: more than %d are not read", len(payload), maxState)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		return nil, fmt.Errorf("announcement is not a JSON object: %w", err)
	}
	if m == nil {
		return nil, errors.New("announcement is null")
	}
	for k, long := range short { // no order in it: no two are short for one key
		if v, ok := m[k]; ok {
			if _, has := m[long]; !has {
				m[long] = v
			}
		}
	}
	return m, nil
}

// readAnnouncement reads a discovery message; ~ at an end of a topic stands for the message's own base.
func readAnnouncement(payload []byte) (announcement, error) {
	var a announcement
	m, err := expand(payload)
	if err != nil {
		return a, err
	}
	if dev, ok := m["device"]; ok {
		if inner, err := expand(dev); err == nil {
			if m["device"], err = json.Marshal(inner); err != nil {
				return a, err
			}
		}
	}
	for key, to := range map[string]*string{"payload_on": &a.on, "payload_off": &a.off} { // no order in it
		if v, ok := m[key]; ok {
			_, *to, _ = path{key}.read(fmt.Appendf(nil, `{%q:%s}`, key, v)) // it was read before: no error
			delete(m, key)
		}
	}
	whole, err := json.Marshal(m)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(whole, &a); err != nil {
		return a, fmt.Errorf("announcement: %w", err)
	}
	var base string
	_ = json.Unmarshal(m["~"], &base) // none: nothing is short
	for _, t := range []*string{&a.CommandTopic, &a.StateTopic} {
		if s, ok := strings.CutPrefix(*t, "~"); ok {
			*t = base + s
		} else if s, ok := strings.CutSuffix(*t, "~"); ok {
			*t = s + base
		}
	}
	return a, nil
}
