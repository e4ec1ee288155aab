package zwavejs

import (
	"encoding/json"
	"errors"
	"fmt"

	"eyebolt/lock"
)

// Modes of a door lock (Door Lock Operation Report, SDS13781 section 2.2.54).
const (
	modeUnsecured = 0x00
	modeUnknown   = 0xFE
	modeSecured   = 0xFF
)

// operation is the lock's own answer to a Get.
type operation struct {
	mode int
	bolt lock.Bolt
	door lock.Door
}

// readOperation reads what the lock answered. A lock that did not answer is an error.
func readOperation(body json.RawMessage) (operation, error) {
	var m struct {
		Response *struct {
			Mode *int   `json:"currentMode"`
			Bolt string `json:"boltStatus"`
			Door string `json:"doorStatus"`
		} `json:"response"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return operation{}, fmt.Errorf("the lock's answer cannot be read: %w", err)
	}
	if m.Response == nil || m.Response.Mode == nil {
		return operation{}, errors.New("the lock did not answer")
	}
	o := operation{mode: *m.Response.Mode}
	switch {
	case o.mode == modeSecured && m.Response.Bolt == "unlocked":
		o.bolt = lock.BoltUnknown // it contradicts itself: not thrown for sure (S13)
	case o.mode == modeSecured:
		o.bolt = lock.BoltThrown
	case drawnMode(o.mode):
		o.bolt = lock.BoltDrawn
	}
	switch m.Response.Door {
	case "closed":
		o.door = lock.DoorClosed
	case "open":
		o.door = lock.DoorOpen
	}
	return o, nil
}

// drawnMode: unsecured for everybody, for those inside, or for those outside, for good or for a while.
func drawnMode(mode int) bool {
	switch mode {
	case modeUnsecured, 0x01, 0x10, 0x11, 0x20, 0x21:
		return true
	}
	return false
}

// readSet reads what became of a command: nil if the lock took it. That the server calls it a success says nothing: it is one
// for every command that was tried (SetValueStatus of Z-Wave JS).
func readSet(body json.RawMessage) error {
	var m struct {
		Result *struct {
			Status *int   `json:"status"`
			Text   string `json:"message"`
		} `json:"result"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("what became of the command cannot be read: %w", err)
	}
	if m.Result == nil || m.Result.Status == nil {
		return errors.New("Z-Wave JS does not say what became of the command")
	}
	why := ""
	switch *m.Result.Status {
	case 1, 254, 255: // working, done as far as the radio knows, done
		return nil
	case 0:
		why = "the device does not support it"
	case 2:
		why = "the lock refused the command or could not carry it out"
	case 3:
		why = "the device has no such endpoint"
	case 4:
		why = "Z-Wave JS does not know how"
	case 5:
		why = "the device does not take this value"
	default:
		why = fmt.Sprintf("status %d", *m.Result.Status)
	}
	if m.Result.Text != "" {
		why += ": " + clip(m.Result.Text)
	}
	return errors.New(why)
}

// readFailed reads whether the stick calls the node failed.
func readFailed(body json.RawMessage) (bool, error) {
	var m struct {
		Failed *bool `json:"failed"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return false, fmt.Errorf("the stick's answer cannot be read: %w", err)
	}
	if m.Failed == nil {
		return false, errors.New("the stick did not answer")
	}
	return *m.Failed, nil
}
