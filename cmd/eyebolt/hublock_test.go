package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eyebolt/lock/matter"
	"eyebolt/lock/modbus"
	"eyebolt/lock/zwavejs"
)

// A door's lock names one driver; a key that is none is refused with the one that was meant.
func TestHubConfigNamesALock(t *testing.T) {
	file := func(lock string) string {
		p := filepath.Join(t.TempDir(), "hub.yaml")
		if err := os.WriteFile(p, []byte("id: oak\nstate: x\ndoors:\n  - name: front\n    lock: "+lock+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var cfg HubConfig
	if err := load(file(`{zwavejs: {url: "ws://127.0.0.1:3000", lock: 2, contact: Front door, prove: 5m}}`), &cfg); err != nil {
		t.Fatal(err)
	}
	if got, want := *cfg.Doors[0].Lock.ZWaveJS, (zwavejs.Settings{URL: "ws://127.0.0.1:3000", Lock: "2", Contact: "Front door", Prove: 5 * 60e9}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := load(file(`{matter: {url: "ws://127.0.0.1:5580/ws", lock: 5/1, contact: Front door, pin_file: /etc/eyebolt/pin, door_sense: true}}`), &cfg); err != nil {
		t.Fatal(err)
	}
	if got, want := *cfg.Doors[0].Lock.Matter, (matter.Settings{URL: "ws://127.0.0.1:5580/ws", Lock: "5/1", Contact: "Front door", PINFile: "/etc/eyebolt/pin", DoorSense: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := load(file(`{modbus: {address: 192.0.2.40, pulse: flash, open_for: 3s, draw: 0, throw: 1, thrown: 0, closed: 1, jam: 2, smoke: 3 open, spare: 4}}`), &cfg); err != nil {
		t.Fatal(err)
	}
	if got, want := *cfg.Doors[0].Lock.Modbus, (modbus.Settings{Address: "192.0.2.40", Pulse: "flash", OpenFor: 3e9, Draw: "0", Throw: "1", Thrown: "0", Closed: "1", Jam: "2", Smoke: "3 open", Spare: "4"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range []struct{ lock, want string }{
		{`{zwavjs: {lock: 2}}`, "zwavejs"},
		{`{homeassistant: {token_fil: x}}`, "token_file"},
		{`{zwavejs: {url: "ws://127.0.0.1:3000", lock: 2, door_sens: true}}`, "door_sense"},
	} {
		if err := load(file(c.lock), &HubConfig{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to name %s", c.lock, err, c.want)
		}
	}
	for _, c := range []struct{ lock, want string }{
		{`{}`, "name a driver: mqtt, zwavejs, matter, modbus or homeassistant"},
		{`{mqtt: {lock: a}, zwavejs: {lock: 2}}`, "two drivers"},
		{`{matter: {lock: a}, zwavejs: {lock: 2}}`, "two drivers"},
		{`{modbus: {draw: 0}, zwavejs: {lock: 2}}`, "two drivers"},
		{`{homeassistant: {lock: lock.a, ask: {service: mqtt.publish, data: {topic: t}}}, zwavejs: {lock: 2}}`, "two drivers"},
	} {
		var cfg HubConfig
		if err := load(file(c.lock), &cfg); err != nil {
			t.Fatal(err)
		}
		if _, err := cfg.door(cfg.Doors[0], nil, hubOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.lock, err, c.want)
		}
	}
}
