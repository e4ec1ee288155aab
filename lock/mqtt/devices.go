package mqtt

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"eyebolt/lock"
)

// expose is one thing that a device of Zigbee2MQTT can tell or be told, or several in one.
type expose struct {
	Type     string   `json:"type"`
	Name     string   `json:"name"`
	Access   int      `json:"access"`
	Values   []any    `json:"values"`
	Features []expose `json:"features"`
}

// Bits of expose.Access.
const (
	published = 1 << iota
	settable
	gettable
)

// readDevices reads bridge/devices for a set-up, with what bridge/info says of each.
func readDevices(payload []byte, in *bridgeInfo) ([]lock.Device, error) {
	var list []struct {
		Name       string `json:"friendly_name"`
		Type       string `json:"type"`
		Supported  *bool  `json:"supported"`
		Disabled   bool   `json:"disabled"`
		Interview  string `json:"interview_state"`
		Definition *struct {
			Vendor      string   `json:"vendor"`
			Model       string   `json:"model"`
			Description string   `json:"description"`
			Exposes     []expose `json:"exposes"`
		} `json:"definition"`
	}
	if err := json.Unmarshal(payload, &list); err != nil {
		return nil, fmt.Errorf("bridge/devices: %w", err)
	}
	var all []lock.Device
	for _, d := range list[:min(len(list), maxNames)] {
		if d.Type == "Coordinator" || d.Name == "" {
			continue
		}
		x := lock.Device{ID: d.Name, Name: cut(d.Name)}
		if d.Definition != nil {
			x.Make = cut(strings.TrimSpace(d.Definition.Vendor + " " + d.Definition.Model + " " + d.Definition.Description))
			x.Kind, x.Can = kindOf(d.Definition.Exposes)
		}
		switch {
		case len(d.Name) > maxDeviceText || checkName(d.Name) != nil:
			x.ID = cut(d.Name)
			x.Why = "its friendly name cannot be a topic: give it another in Zigbee2MQTT"
		case d.Disabled:
			x.Why = "it is disabled in Zigbee2MQTT"
		case d.Interview != "" && d.Interview != "SUCCESSFUL":
			x.Why = "Zigbee2MQTT does not know it yet: wait for its interview, or wake it and ask for one"
		case d.Supported != nil && !*d.Supported:
			x.Why = "Zigbee2MQTT does not support it"
		case x.Kind == lock.KindLock && !x.Can.Bolt:
			x.Why = "it does not tell where its bolt is, or takes no orders: nothing could be secured"
		case x.Kind == lock.KindLock && !x.Can.Poll:
			x.Why = "it cannot be asked where its bolt is: nothing would stay secured"
		}
		if x.Why == "" {
			x.Note = in.advice(x)
		}
		all = append(all, x)
	}
	return all, nil
}

// advice is what to write into Zigbee2MQTT's configuration so that each value is the device's own word. The driver works without it, and
// believes less (see the package comment).
func (in *bridgeInfo) advice(d lock.Device) string {
	h := in.habits(d.ID, d.ID)
	var note []string
	switch {
	case d.Kind == lock.KindLock && !h.boltOwn:
		note = append(note, "filtered_cache: [state, lock_state, door_state] for it")
	case d.Kind == lock.KindContact && !h.contactOwn:
		note = append(note, "filtered_cache: [contact] for it")
	}
	if h.quietAck && d.Kind != lock.KindOther {
		note = append(note, "advanced: last_seen: ISO_8601")
	}
	if note == nil {
		return ""
	}
	return "so that no remembered value is taken for its own word, write into Zigbee2MQTT's configuration.yaml: " + strings.Join(note, ", and ")
}

// kindOf says what a device is for a door.
func kindOf(exposes []expose) (lock.Kind, lock.Can) {
	has := func(all []expose, name string, access int) bool {
		return slices.ContainsFunc(all, func(e expose) bool { return e.Name == name && e.Access&access == access })
	}
	for _, e := range exposes {
		if e.Type != "lock" {
			continue
		}
		i := slices.IndexFunc(e.Features, func(f expose) bool { return f.Name == "lock_state" })
		return lock.KindLock, lock.Can{
			Bolt:    has(e.Features, "state", published|settable),
			Poll:    has(e.Features, "state", published|gettable),
			Jam:     i >= 0 && slices.Contains(e.Features[i].Values, any("not_fully_locked")),
			Door:    has(exposes, "door_state", published) || has(e.Features, "door_state", published),
			By:      has(exposes, "action", published) || has(exposes, "action_source_name", published),
			Battery: has(exposes, "battery", published),
			Expiry:  true,
		}
	}
	switch {
	case has(exposes, "contact", published):
		return lock.KindContact, lock.Can{}
	case has(exposes, "smoke", published), has(exposes, "carbon_monoxide", published):
		return lock.KindSmoke, lock.Can{}
	}
	return lock.KindOther, lock.Can{}
}
