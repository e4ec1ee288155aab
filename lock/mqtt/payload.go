package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"eyebolt/lock"
)

// maxState bounds a device's payload: real ones have some 300 bytes, chatty ones a few thousand.
const maxState = 64 << 10

// said is whether a payload has a value for something.
type said uint8

const (
	silent said = iota // the key is not there
	null               // the key is there, with null: nothing is known
	value              // the key is there, with a value
)

// told is what one payload says of a device. The zero value says nothing.
type told struct {
	boltSaid    said
	bolt        lock.Bolt // unknown when the payload contradicts itself or the word is not known
	doorSaid    said      // the lock's own door sense
	door        lock.Door
	contactSaid said
	contact     lock.Door
	smokeSaid   said
	smoke       bool
	battery     int // percent; -1: not said
	action      string
	source      string
	user        string
	seen        time.Time // last_seen; zero: not said
	rest        uint64    // fingerprint of everything but last_seen, linkquality and update
}

var errEmpty = errors.New("empty payload")

// parse reads one device payload. It never keeps the payload. An error means that nothing in it may be believed.
func parse(payload []byte) (told, error) {
	t := told{battery: -1}
	if len(payload) == 0 {
		return t, errEmpty
	}
	if len(payload) > maxState {
		return t, fmt.Errorf("payload of %d bytes: more than %d are not read", len(payload), maxState)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		return t, fmt.Errorf("payload is not a JSON object: %w", err)
	}
	if m == nil {
		return t, errors.New("payload is null")
	}
	t.boltSaid, t.bolt = readBolt(m)
	t.doorSaid, t.door = readDoor(m["door_state"])
	t.contactSaid, t.contact = readContact(m["contact"])
	t.smokeSaid, t.smoke = readSmoke(m)
	t.battery = readPercent(m["battery"])
	_, t.action = readWord(m["action"])
	_, t.source = readWord(m["action_source_name"])
	t.user = readUser(m["action_user"])
	t.seen = readSeen(m["last_seen"])
	t.rest = fingerprint(m)
	return t, nil
}

func readBolt(m map[string]json.RawMessage) (said, lock.Bolt) {
	s1, precise := readWord(m["lock_state"])
	s2, coarse := readWord(m["state"])
	var fine, rough lock.Bolt
	switch precise {
	case "locked":
		fine = lock.BoltThrown
	case "unlocked":
		fine = lock.BoltDrawn
	case "not_fully_locked":
		fine = lock.BoltJammed
	}
	switch strings.ToUpper(coarse) {
	case "LOCK":
		rough = lock.BoltThrown
	case "UNLOCK":
		rough = lock.BoltDrawn
	}
	switch {
	case s1 == value && s2 == value:
		// A bolt between its ends is reported with either coarse word; otherwise both must say the same.
		if fine == lock.BoltJammed || fine == rough {
			return value, fine
		}
		return value, lock.BoltUnknown
	case s1 == value:
		return value, fine
	case s2 == value:
		return value, rough
	default:
		return max(s1, s2), lock.BoltUnknown
	}
}

func readDoor(raw json.RawMessage) (said, lock.Door) {
	s, word := readWord(raw)
	switch {
	case s != value:
		return s, lock.DoorUnknown
	case word == "closed":
		return value, lock.DoorClosed
	case word == "open" || word == "error_forced_open":
		return value, lock.DoorOpen
	case word == "error_jammed":
		return value, lock.DoorAjar
	case word == "undefined": // the lock has no door sense, or it is not set up
		return silent, lock.DoorUnknown
	default:
		return value, lock.DoorUnknown
	}
}

func readContact(raw json.RawMessage) (said, lock.Door) {
	switch string(raw) {
	case "":
		return silent, lock.DoorUnknown
	case "null":
		return null, lock.DoorUnknown
	case "true":
		return value, lock.DoorClosed
	case "false":
		return value, lock.DoorOpen
	default:
		return value, lock.DoorUnknown
	}
}

// readSmoke: either kind of alarm counts; null says nothing.
func readSmoke(m map[string]json.RawMessage) (said, bool) {
	s := silent
	for _, k := range []string{"smoke", "carbon_monoxide"} {
		switch string(m[k]) {
		case "true":
			return value, true
		case "false":
			s = value
		}
	}
	return s, false
}

func readPercent(raw json.RawMessage) int {
	var f float64
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &f) != nil || f < 0 || f > 100 {
		return -1
	}
	return int(f)
}

// maxWord bounds a word that is kept: the longest of Zigbee2MQTT's has 40 letters.
const maxWord = 64

func readWord(raw json.RawMessage) (said, string) {
	switch {
	case len(raw) == 0:
		return silent, ""
	case string(raw) == "null":
		return null, ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) > maxWord {
		return value, "?"
	}
	return value, s
}

// readUser gives the lock's number for a user, "" for none. 65535 is ZCL's "no user".
func readUser(raw json.RawMessage) string {
	var n json.Number
	if json.Unmarshal(raw, &n) != nil {
		return ""
	}
	i, err := n.Int64()
	if err != nil || i < 0 || i >= 0xFFFF {
		return ""
	}
	return strconv.FormatInt(i, 10)
}

// readSeen reads each of the formats that Zigbee2MQTT's last_seen setting offers.
func readSeen(raw json.RawMessage) time.Time {
	var ms json.Number
	if len(raw) > 0 && raw[0] != '"' && json.Unmarshal(raw, &ms) == nil {
		if i, err := ms.Int64(); err == nil && i > 0 && i < 1<<45 { // milliseconds until the year 3084
			return time.UnixMilli(i)
		}
		return time.Time{}
	}
	_, s := readWord(raw)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 2000 {
			return t
		}
	}
	return time.Time{}
}

// fingerprint tells whether two payloads differ in anything but when and how well the device was heard.
func fingerprint(m map[string]json.RawMessage) uint64 {
	keys := make([]string, 0, len(m))
	for k := range m {
		if k != "last_seen" && k != "linkquality" && k != "update" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	h := fnv.New64a()
	for _, k := range keys {
		_, _ = io.WriteString(h, strconv.Quote(k))
		_, _ = h.Write(m[k])
	}
	return h.Sum64()
}
