package mqtt

import (
	"strings"

	"eyebolt/lock"
)

// deed is what an operation event says: who worked the bolt, and which way. Bolt is unknown when nobody moved it.
type deed struct {
	bolt lock.Bolt
	by   lock.By
	who  string
}

// readDeed reads Zigbee2MQTT's action words (ZCL's operation event codes). The resident is only who identified himself:
// a code or a card with a user's number. A key, and a button outside, identify nobody.
func readDeed(t told) deed {
	d := deed{}
	word := t.action
	switch {
	case strings.Contains(word, "failure"):
		return d // somebody tried; the bolt did not move
	case word == "unlock", strings.HasSuffix(word, "_unlock"):
		d.bolt = lock.BoltDrawn
	case word == "lock", strings.HasSuffix(word, "_lock"):
		d.bolt = lock.BoltThrown
	default:
		return d
	}
	switch {
	case strings.HasPrefix(word, "auto_"), strings.HasPrefix(word, "schedule_"):
		d.by = lock.ByItself
	case strings.HasPrefix(word, "manual_"):
		d.by = lock.ByInside
	case word == "lock", word == "unlock":
		d.by = bySource(t)
	}
	if t.user != "" && (d.by == lock.ByResident || d.by == lock.ByInside) {
		d.who = "user " + t.user
	}
	return d
}

func bySource(t told) lock.By {
	switch t.source {
	case "keypad", "rfid":
		if t.user != "" {
			return lock.ByResident
		}
	case "rf":
		return lock.ByRemote
	case "manual":
		return lock.ByInside
	}
	return lock.ByUnknown
}
