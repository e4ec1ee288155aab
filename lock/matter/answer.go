package matter

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"eyebolt/lock"
)

// answer is what devices said to one read: values by path, as they came.
type answer map[string]json.RawMessage

// readAnswer reads the result of read_attribute. A device that said nothing of what was asked is an error.
func readAnswer(body json.RawMessage, asked []path) (answer, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("what was read cannot be understood: %w", err)
	}
	said := answer{}
	for _, p := range asked {
		if v, ok := all[p.String()]; ok && len(v) <= maxValue {
			said[p.String()] = v
		}
	}
	if _, ok := said[asked[0].String()]; !ok {
		return nil, errors.New("the device did not answer")
	}
	return said, nil
}

// bolt is where a lock's LockState says that the bolt is; ok is false if this is no LockState at all. Null is the lock's own "unknown".
func bolt(raw json.RawMessage) (b lock.Bolt, ok bool) {
	if len(raw) == 0 {
		return lock.BoltUnknown, false
	}
	if isNull(raw) {
		return lock.BoltUnknown, true
	}
	n, ok := whole(raw)
	if !ok {
		return lock.BoltUnknown, false
	}
	switch n {
	case 1: // locked
		return lock.BoltThrown, true
	case 2, 3: // unlocked, unlatched
		return lock.BoltDrawn, true
	}
	return lock.BoltUnknown, true // 0: not fully locked, which is a jam or a movement
}

// senseDoor reads a lock's DoorState.
func senseDoor(raw json.RawMessage) lock.Door {
	n, ok := whole(raw)
	if !ok {
		return lock.DoorUnknown
	}
	switch n {
	case 0, 3: // open, forced open
		return lock.DoorOpen
	case 1:
		return lock.DoorClosed
	case 5:
		return lock.DoorAjar
	}
	return lock.DoorUnknown // jammed, error
}

// contactDoor reads the state of a contact: true is contact, a closed door.
func contactDoor(raw json.RawMessage) lock.Door {
	switch strings.TrimSpace(string(raw)) {
	case "true":
		return lock.DoorClosed
	case "false":
		return lock.DoorOpen
	}
	return lock.DoorUnknown
}
