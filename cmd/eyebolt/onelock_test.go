package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"eyebolt/lock/matter"
	"eyebolt/lock/modbus"
	"eyebolt/lock/mqtt"
	"eyebolt/lock/zwavejs"
)

func mqttDoor(name, broker, lock string) DoorConfig {
	return DoorConfig{Name: name, Lock: LockConfig{MQTT: &mqtt.Settings{Broker: broker, Lock: lock}}}
}

// S11, S12: two doors never drive one lock, however its bridge's address is written; other locks of that bridge are other doors' own.
func TestOneLockEach(t *testing.T) {
	first := mqttDoor("front", "mqtt://127.0.0.1:1883", "front_lock")
	for name, k := range map[string]struct {
		door DoorConfig
		same bool
	}{
		"another name of loopback": {mqttDoor("back", "mqtt://localhost", "front_lock"), true},
		"IPv6 loopback":            {mqttDoor("back", "mqtt://[::1]:1883", "front_lock"), true},
		"another contact":          {DoorConfig{Name: "back", Lock: LockConfig{MQTT: &mqtt.Settings{Broker: "mqtt://127.0.0.1", Base: "zigbee2mqtt", Lock: "front_lock", Contact: "back"}}}, true},
		"another lock":             {mqttDoor("back", "mqtt://127.0.0.1:1883", "back_lock"), false},
		"another broker":           {mqttDoor("back", "mqtt://127.0.0.1:1884", "front_lock"), false},
		"another base topic":       {DoorConfig{Name: "back", Lock: LockConfig{MQTT: &mqtt.Settings{Broker: "mqtt://127.0.0.1", Base: "upstairs", Lock: "front_lock"}}}, false},
		"by its topic": {DoorConfig{Name: "back", Lock: LockConfig{MQTT: &mqtt.Settings{
			Broker: "mqtt://127.0.0.1", Convention: "homeassistant", HomeAssistant: &mqtt.HomeAssistant{CommandTopic: "zigbee2mqtt/front_lock/set"},
		}}}, true},
		"another driver":  {DoorConfig{Name: "back", Lock: LockConfig{ZWaveJS: &zwavejs.Settings{URL: "ws://127.0.0.1:1883", Lock: "front_lock"}}}, false},
		"a third driver":  {DoorConfig{Name: "back", Lock: LockConfig{Matter: &matter.Settings{URL: "ws://127.0.0.1:1883", Lock: "front_lock"}}}, false},
		"none":            {DoorConfig{Name: "back"}, false},
		"a fourth driver": {modbusDoor("back", "127.0.0.1:1883", 1, "1"), false},
	} {
		err := HubConfig{Doors: []DoorConfig{first, k.door}}.oneLockEach()
		if got := err != nil; got != k.same || k.same && (!strings.Contains(err.Error(), "front") || !strings.Contains(err.Error(), "back")) {
			t.Errorf("%s: %v, want refused %v", name, err, k.same)
		}
	}
}

// S11, S12: a relay board's lock is the output that draws it, behind whichever contacts.
func TestOneRelayEach(t *testing.T) {
	for name, k := range map[string]struct {
		door DoorConfig
		same bool
	}{
		"the same":       {modbusDoor("back", "192.0.2.40:502", 1, "0"), true},
		"another output": {modbusDoor("back", "192.0.2.40", 0, "1"), false},
		"another unit":   {modbusDoor("back", "192.0.2.40", 2, "0"), false},
		"another board":  {modbusDoor("back", "192.0.2.41", 0, "0"), false},
	} {
		if err := (HubConfig{Doors: []DoorConfig{modbusDoor("front", "192.0.2.40", 0, "0"), k.door}}).oneLockEach(); (err != nil) != k.same {
			t.Errorf("%s: %v, want refused %v", name, err, k.same)
		}
	}
}

func modbusDoor(name, address string, unit int, draw string) DoorConfig {
	return DoorConfig{Name: name, Lock: LockConfig{Modbus: &modbus.Settings{Address: address, Unit: unit, Draw: draw}}}
}

// S11, S12: a second hub, or a walk test, on a lock that is driven already is refused, though its state folder is its own; the others get the
// lock once it is free.
func TestALockIsDrivenOnce(t *testing.T) {
	door := mqttDoor("front", "mqtt://127.0.0.1:47123", "front_lock")
	release, err := holdLocks([]DoorConfig{door})
	if err != nil {
		t.Fatal(err)
	}
	second := HubConfig{
		ID: "elm", State: t.TempDir(), Passkeys: PasskeyConfig{ID: "localhost", Origins: []string{"http://localhost"}},
		Doors: []DoorConfig{mqttDoor("side", "mqtt://localhost:47123", "front_lock")},
	}
	if _, err := startHub(t.Context(), second, hubOptions{Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, errHeld) || !strings.Contains(err.Error(), "side") {
		t.Errorf("a second hub: %v", err)
	}
	if _, err := keepAway(second, "side"); !errors.Is(err, errHeld) {
		t.Errorf("a walk test beside a hub: %v", err)
	}
	other, err := holdLocks([]DoorConfig{mqttDoor("side", "mqtt://localhost:47123", "side_lock")})
	if err != nil {
		t.Errorf("another lock of that bridge: %v", err)
	} else if err := other(); err != nil {
		t.Error(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := keepAway(second, "side")
	if err != nil {
		t.Fatalf("it is free: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}
