package home

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// The devices' radio addresses: a Danalock's and a SONOFF sensor's prefixes.
const (
	coordinatorAddress = "0x00124b0000000001"
	lockAddress        = "0x000b57fffe100001"
	contactAddress     = "0x00124b0023000002"
	smokeAddress       = "0x00124b0023000003"
)

// lockFilter and contactFilter are the filtered_cache settings that Eyebolt's manual asks for.
var (
	lockFilter    = []string{"state", "lock_state", "door_state"}
	contactFilter = []string{"contact"}
)

func (h *Home) address(name string) string {
	switch name {
	case h.cfg.Lock:
		return lockAddress
	case h.cfg.Contact:
		return contactAddress
	default:
		return smokeAddress
	}
}

func (h *Home) filter(name string) []string {
	switch {
	case h.cfg.Cache:
		return nil
	case name == h.cfg.Lock:
		return lockFilter
	case name == h.cfg.Contact:
		return contactFilter
	default:
		return nil
	}
}

// heard is the bridge taking a device's message: merged into what it knows, stamped, published.
func (h *Home) heard(name string, news device) {
	all := device{}
	maps.Copy(all, h.said[name])
	maps.Copy(all, news)
	all["last_seen"], all["linkquality"] = stamp(time.Now()), 120
	keep := maps.Clone(all)
	for _, k := range append(h.filter(name), "action", "action_source", "action_source_name", "action_user") {
		delete(keep, k)
	}
	h.said[name] = keep
	h.publishState(name, all)
}

// publishState sends one state. The Home Assistant extension fills what is not there with null.
func (h *Home) publishState(name string, state device) {
	out := maps.Clone(state)
	nulls := []string{"contact", "battery", "voltage"}
	switch name {
	case h.cfg.Lock:
		nulls = []string{"action_source_name", "action_user", "battery", "pin_code", "state"}
		out["update"] = map[string]any{"installed_version": -1, "latest_version": -1, "state": nil}
	case h.cfg.Smoke:
		nulls = []string{"smoke"}
	}
	for _, k := range nulls {
		if _, ok := out[k]; !ok {
			out[k] = nil
		}
	}
	h.publishJSON(name, out, h.cfg.Retain)
}

// greet is what a bridge says whenever it has connected: itself and its devices, retained.
func (h *Home) greet() {
	h.publishJSON("bridge/state", map[string]any{"state": "online"}, true)
	h.publishJSON("bridge/info", h.info(), true)
	h.publishJSON("bridge/devices", h.devices(), true)
	for _, name := range h.names() {
		h.publishJSON(name+"/availability", map[string]any{"state": "online"}, true)
	}
}

// recall is what a bridge that starts remembers of its devices: old values, not retained, with their old last_seen.
func (h *Home) recall() {
	for _, name := range h.names() {
		if s, ok := h.said[name]["last_seen"]; ok && s != nil {
			again := maps.Clone(h.said[name])
			again["linkquality"] = nil
			h.publishState(name, again)
		}
	}
}

func (h *Home) names() []string {
	n := []string{h.cfg.Lock, h.cfg.Contact}
	if h.cfg.Smoke != "" {
		n = append(n, h.cfg.Smoke)
	}
	return n
}

// Availability has the bridge say that the lock is online or offline. A battery lock's counts for 25 hours: it says
// nothing of a lock that has just died.
func (h *Home) Availability(online bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := "offline"
	if online {
		s = "online"
	}
	h.publishJSON(h.cfg.Lock+"/availability", map[string]any{"state": s}, true)
}

// taken is a message for the bridge: topic is below Base.
func (h *Home) taken(topic string, payload []byte, retained bool) {
	if h.faults.hang {
		if len(h.held) < outRoom {
			h.held = append(h.held, message{topic, bytes.Clone(payload), retained})
		}
		return
	}
	if topic == "bridge/request/health_check" && !retained {
		h.wellBeing(payload)
		return
	}
	name, verb, ok := cutLast(topic)
	if !ok || retained || name != h.cfg.Lock {
		return
	}
	switch verb {
	case "set":
		h.set(payload)
	case "get":
		h.event(CommandGet)
		if h.faults.silence || h.faults.mute {
			h.after(h.cfg.RadioTimeout, func() { h.failed("get", "read") })
			return
		}
		h.after(ackDelay, h.tellBolt)
	}
}

// wellBeing answers the question whether the bridge lives, by the name that the question has.
func (h *Home) wellBeing(payload []byte) {
	answer := map[string]any{"data": map[string]any{"healthy": true}, "status": "ok"}
	var m struct {
		Transaction any `json:"transaction"`
	}
	if json.Unmarshal(payload, &m) == nil && m.Transaction != nil {
		answer["transaction"] = m.Transaction
	}
	h.publishJSON("bridge/response/health_check", answer, false)
}

func (h *Home) set(payload []byte) {
	want := strings.ToUpper(strings.TrimSpace(string(payload)))
	var m struct {
		State any `json:"state"`
	}
	if json.Unmarshal(payload, &m) == nil {
		switch s := m.State.(type) {
		case string:
			want = strings.ToUpper(s)
		case map[string]any: // {"state":{"state":"UNLOCK","code":"1234"}}
			want = strings.ToUpper(fmt.Sprint(s["state"]))
		}
	}
	switch want {
	case "LOCK":
		h.event(CommandLock)
		h.command(Thrown)
	case "UNLOCK":
		h.event(CommandUnlock)
		h.command(Drawn)
	default:
		h.event(CommandBad)
		h.logLine("error", fmt.Sprintf("z2m: Publish 'set' 'state' to '%s' failed: 'Error: '%s' not allowed, choose between: LOCK,UNLOCK,TOGGLE'", h.cfg.Lock, want))
	}
}

func (h *Home) logLine(level, text string) {
	h.publishJSON("bridge/logging", map[string]any{"level": level, "message": text}, false)
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
