package mqtt

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// What the bridge says of itself and of its devices, below <base>/bridge/.

// readOnline reads {"state":"online"} and the older plain word; ok is false for anything else.
func readOnline(payload []byte) (online, ok bool) {
	word := strings.TrimSpace(string(payload[:min(len(payload), maxWord)]))
	var m struct {
		State string `json:"state"`
	}
	if json.Unmarshal(payload, &m) == nil {
		word = m.State
	}
	return word == "online", word == "online" || word == "offline"
}

// maxNames bounds how many devices of a list are looked at: a Zigbee network holds some 300.
const maxNames = 1024

// readNames reads bridge/devices: the friendly names, without the coordinator's.
func readNames(payload []byte) ([]string, error) {
	var list []struct {
		Name string `json:"friendly_name"`
		Type string `json:"type"`
	}
	if err := json.Unmarshal(payload, &list); err != nil {
		return nil, fmt.Errorf("bridge/devices: %w", err)
	}
	names := make([]string, 0, len(list))
	for _, d := range list[:min(len(list), maxNames)] {
		if d.Type != "Coordinator" && d.Name != "" && len(d.Name) <= 1024 {
			names = append(names, d.Name)
		}
	}
	return names, nil
}

// nearest is the name that was probably meant: the fewest letters changed, at most a third of them.
func nearest(want string, names []string) string {
	best, least := "", len(want)/3+1
	for _, n := range names {
		if d := distance(strings.ToLower(want), strings.ToLower(n), least); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is Levenshtein's, given up once it must reach limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// habits are what bridge/info tells of how far a payload can be believed. The zero value is the least trusting.
type habits struct {
	boltOwn    bool // a bolt in a payload is the lock's own word, not remembered
	doorOwn    bool // so is a door_state
	contactOwn bool // so is a contact
	quietAck   bool // last_seen is off: an acknowledged command alone publishes nothing
}

type bridgeInfo struct {
	Config struct {
		Advanced struct {
			CacheState *bool `json:"cache_state"`
			LastSeen   any   `json:"last_seen"`
		} `json:"advanced"`
		DeviceOptions deviceOptions            `json:"device_options"`
		Devices       map[string]deviceOptions `json:"devices"`
	} `json:"config"`
}

type deviceOptions struct {
	Name          string   `json:"friendly_name"`
	FilteredCache []string `json:"filtered_cache"`
}

func readInfo(payload []byte) (in bridgeInfo, err error) {
	if err := json.Unmarshal(payload, &in); err != nil {
		return bridgeInfo{}, fmt.Errorf("bridge/info: %w", err)
	}
	return in, nil
}

// readHabits reads bridge/info.
func readHabits(payload []byte, lockName, contactName string) (habits, error) {
	in, err := readInfo(payload)
	if err != nil {
		return habits{}, err
	}
	return in.habits(lockName, contactName), nil
}

// habits are the bridge's towards two of its devices.
func (in *bridgeInfo) habits(lockName, contactName string) habits {
	h := habits{quietAck: in.Config.Advanced.LastSeen == "disable"}
	if c := in.Config.Advanced.CacheState; c != nil && !*c {
		h.boltOwn, h.doorOwn, h.contactOwn = true, true, true
		return h
	}
	own := func(device string, keys ...string) bool {
		filters := in.Config.DeviceOptions.FilteredCache
		for _, d := range in.Config.Devices {
			if d.Name == device && d.FilteredCache != nil {
				filters = d.FilteredCache // a device's own list replaces the common one
			}
		}
		for _, k := range keys {
			if !filtered(filters, k) {
				return false
			}
		}
		return true
	}
	h.boltOwn = own(lockName, "state", "lock_state")
	h.doorOwn = own(lockName, "door_state")
	h.contactOwn = contactName != "" && own(contactName, "contact")
	return h
}

// filtered says whether one of the patterns matches the whole key, as Zigbee2MQTT matches. A pattern that Go cannot
// read counts as none.
func filtered(patterns []string, key string) bool {
	for _, p := range patterns {
		if p == key {
			return true
		}
		if len(p) > maxWord {
			continue
		}
		if re, err := regexp.Compile("^(?:" + p + ")$"); err == nil && re.MatchString(key) {
			return true
		}
	}
	return false
}

// failure is a line of bridge/logging that concerns our lock: the only place where a failed command is told.
type failure struct {
	reading bool   // a get failed, not a set
	unknown bool   // the bridge does not know the lock
	text    string // for people
}

// maxText bounds an error that is passed on: a line in an app.
const maxText = 200

// readFailure reads a bridge/logging payload; ok is false when it is no error or not about the lock.
func readFailure(payload []byte, lockName string) (f failure, ok bool) {
	var m struct {
		Level   string `json:"level"`
		Message string `json:"message"`
	}
	if len(payload) > maxState || json.Unmarshal(payload, &m) != nil || m.Level != "error" {
		return f, false
	}
	if m.Message == "z2m: Entity '"+lockName+"' is unknown" {
		return failure{unknown: true, text: "Zigbee2MQTT does not know the lock"}, true
	}
	if strings.HasPrefix(m.Message, "z2m: Cannot publish to unsupported device '"+lockName+"'") {
		return failure{text: "Zigbee2MQTT does not support this lock"}, true
	}
	verb, rest, found := strings.Cut(strings.TrimPrefix(m.Message, "z2m: "), " 'state' to '"+lockName+"' failed: ")
	if !found || (verb != "Publish 'set'" && verb != "Publish 'get'") {
		return f, false
	}
	return failure{reading: verb == "Publish 'get'", text: cause(rest)}, true
}

// cause cuts the bridge's sentence to its reason: the middle repeats the command with all its arguments, among which may
// be a PIN.
func cause(s string) string {
	if i := strings.LastIndex(s, ") failed ("); i >= 0 {
		s = s[i+len(") failed ("):]
	} else if strings.Contains(s, "pincodevalue") {
		s = "the command failed"
	}
	s = strings.Trim(s, "')")
	s = strings.TrimPrefix(s, "Error: ")
	if strings.Count(s, "(") > strings.Count(s, ")") {
		s += ")"
	}
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
