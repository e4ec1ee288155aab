package home

import (
	"fmt"
	"time"
)

// device is a set of attributes by Zigbee2MQTT's names.
type device map[string]any

func (h *Home) tellBolt() {
	state, lockState := "UNLOCK", "unlocked"
	switch h.rest {
	case Thrown:
		state, lockState = "LOCK", "locked"
	case Half:
		lockState = "not_fully_locked"
	case Drawn, Moving:
	}
	h.tell(h.cfg.Lock, device{"state": state, "lock_state": lockState})
}

func (h *Home) tellContact() {
	h.tell(h.cfg.Contact, device{"contact": !h.truth.DoorOpen || h.faults.magnet})
}

func (h *Home) tellDoorState() {
	s := "closed"
	if h.truth.DoorOpen {
		s = "open"
	}
	h.tell(h.cfg.Lock, device{"door_state": s})
}

// DoorState has the lock's own door sense say something, true or not: open, closed, error_jammed, error_forced_open,
// error_unspecified, undefined.
func (h *Home) DoorState(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(h.cfg.Lock, device{"door_state": s})
}

// SmokeAlarm sets the smoke sensor off, or ends its alarm.
func (h *Home) SmokeAlarm(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cfg.Smoke != "" {
		h.tell(h.cfg.Smoke, device{"smoke": on})
	}
}

// Supervise has both devices send their regular reports: lock state and contact, as they are.
func (h *Home) Supervise() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tellBolt()
	h.tellContact()
}

func (h *Home) supervise() {
	h.tellBolt()
	h.tellContact()
	h.after(h.cfg.Supervision, h.supervise)
}

// Magnet holds a magnet to the contact, or takes it away: as long as it is there the sensor says closed whatever the door does (T27).
func (h *Home) Magnet(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults.magnet = on
	h.tellContact()
}

// tellAction is the lock's operation event: who worked the bolt.
func (h *Home) tellAction(action, source string, user int) {
	d := device{"action": action}
	if source != "" {
		codes := map[string]int{"keypad": 0, "rf": 1, "manual": 2, "rfid": 3}
		d["action_source"], d["action_source_name"], d["action_user"] = codes[source], source, user
	}
	h.tell(h.cfg.Lock, d)
}

// tell sends a device's message to the bridge, which publishes it. A dead radio and a mute lock lose it.
func (h *Home) tell(name string, news device) {
	if h.faults.silence || (h.faults.mute && name == h.cfg.Lock) {
		return
	}
	h.after(h.cfg.ReportDelay, func() { h.heard(name, news) })
}

// failed is the bridge giving up on a device: it has no reply topic, only its log.
func (h *Home) failed(verb, command string) {
	arg := `{"pincodevalue":{"type":"Buffer","data":[]}}`
	if verb == "get" {
		arg = `["lockState"]`
	}
	h.logLine("error", fmt.Sprintf("z2m: Publish '%s' 'state' to '%s' failed: 'Error: ZCL command %s/1 closuresDoorLock.%s(%s, "+
		`{"timeout":10000,"disableResponse":false,"disableRecovery":false,"disableDefaultResponse":true,"direction":0,"reservedBits":0,"writeUndiv":false}`+
		") failed (Data request failed with error: 'MAC no ack' (0xe9))'", verb, h.cfg.Lock, lockAddress, command, arg))
}

// stamp is Zigbee2MQTT's last_seen: ISO_8601.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
