package home

// info is bridge/info, cut to what a client of the bridge reads.
func (h *Home) info() any {
	devices := map[string]any{}
	for _, name := range h.names() {
		d := map[string]any{"friendly_name": name}
		if f := h.filter(name); f != nil {
			d["filtered_cache"] = f
		}
		if h.cfg.Retain {
			d["retain"] = true
		}
		devices[h.address(name)] = d
	}
	return map[string]any{
		"commit": "3c3d8c1a", "version": "2.14.1", "log_level": "info", "permit_join": false, "restart_required": false,
		"coordinator": map[string]any{"ieee_address": coordinatorAddress, "type": "StubRadio", "meta": map[string]any{"revision": "1"}},
		"config": map[string]any{
			"advanced": map[string]any{
				"cache_state": true, "cache_state_persistent": true, "cache_state_send_on_startup": true,
				"last_seen": "ISO_8601", "log_level": "info", "output": "json",
			},
			"availability":   map[string]any{"enabled": true},
			"device_options": map[string]any{},
			"devices":        devices,
			"homeassistant":  map[string]any{"enabled": true},
			"mqtt":           map[string]any{"base_topic": h.cfg.Base, "server": h.cfg.Broker},
		},
	}
}

// devices is bridge/devices: the coordinator first, as the bridge lists it.
func (h *Home) devices() any {
	list := []any{map[string]any{
		"disabled": false, "endpoints": map[string]any{}, "friendly_name": "Coordinator", "ieee_address": coordinatorAddress,
		"interview_completed": true, "interview_state": "SUCCESSFUL", "interviewing": false, "network_address": 0,
		"supported": true, "type": "Coordinator",
	}}
	add := func(name, vendor, model, description, kind string, exposes ...any) {
		list = append(list, map[string]any{
			"definition": map[string]any{"description": description, "exposes": exposes, "model": model, "source": "native", "vendor": vendor},
			"disabled":   false, "endpoints": map[string]any{}, "friendly_name": name, "ieee_address": h.address(name),
			"interview_completed": true, "interview_state": "SUCCESSFUL", "interviewing": false, "manufacturer": vendor,
			"model_id": model, "network_address": 4096 + len(list), "power_source": "Battery", "supported": true, "type": kind,
		})
	}
	lock := []any{
		map[string]any{"type": "lock", "features": []any{
			map[string]any{
				"access": 7, "description": "State of the lock", "label": "State", "name": "state", "property": "state",
				"type": "binary", "value_off": "UNLOCK", "value_on": "LOCK",
			},
			enum(1, "lock_state", "not_fully_locked", "locked", "unlocked"),
		}},
		number("battery"),
		enum(1, "action", "unknown", "lock", "unlock", "auto_lock", "manual_lock", "manual_unlock", "key_lock", "key_unlock"),
		enum(1, "action_source_name", "keypad", "rfid", "manual", "rf"),
		number("action_user"), number("linkquality"),
	}
	if h.cfg.DoorSense {
		lock = append(lock, enum(1, "door_state", "open", "closed", "error_jammed", "error_forced_open", "error_unspecified", "undefined"))
	}
	add(h.cfg.Lock, "Danalock", "V3-BTZB/V3-BTZBE", "BT/ZB smartlock", "Router", lock...)
	add(h.cfg.Contact, "SONOFF", "SNZB-04", "Contact sensor", "EndDevice", number("battery"), binary("contact", false, true), number("linkquality"))
	if h.cfg.Smoke != "" {
		add(h.cfg.Smoke, "Pretend", "SMOKE-1", "Smoke sensor", "EndDevice", binary("smoke", true, false), number("linkquality"))
	}
	return list
}

func enum(access int, name string, values ...string) any {
	return map[string]any{"access": access, "name": name, "property": name, "type": "enum", "values": values}
}

func binary(name string, on, off bool) any {
	return map[string]any{"access": 1, "name": name, "property": name, "type": "binary", "value_on": on, "value_off": off}
}

func number(name string) any {
	return map[string]any{"access": 1, "name": name, "property": name, "type": "numeric"}
}
