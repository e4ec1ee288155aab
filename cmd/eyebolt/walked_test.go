package main

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"eyebolt/hub/walk/walktest"
	"eyebolt/interlock"
	"eyebolt/lock/mqtt"
	"eyebolt/lock/zwavejs"
)

func walkedDoor() DoorConfig {
	return DoorConfig{
		Name: "front", Lock: LockConfig{MQTT: &mqtt.Settings{Broker: "mqtt://127.0.0.1:1883", Lock: "front_lock", Contact: "front_door"}},
		Cameras: []CameraConfig{{Name: "hall", URL: "rtsp://me:secret@192.0.2.20/one", Link: "wired"}},
	}
}

// A certificate holds for the lock and the cameras that it was made with, and for no others (S9, S11, S13): not for another lock, contact,
// camera or door, not on another hub, not edited. A new password, other limits and other detectors ask nobody to walk again.
func TestWalkedFor(t *testing.T) {
	state := t.TempDir()
	k, err := key(filepath.Join(state, "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	pub := k.Public().(ed25519.PublicKey)
	at := func(d DoorConfig) bool {
		t.Helper()
		w, _, err := walked(state, d, pub)
		if err != nil || w.Say == "" {
			t.Fatalf("%+v, %v", w, err)
		}
		return w.Passed
	}
	if at(walkedDoor()) {
		t.Error("nobody walked it, and it passed")
	}
	made, err := walkedDoor().walkedFor()
	if err != nil {
		t.Fatal(err)
	}
	c := walktest.Certificate("front", made, "hall")
	if err := keepWalk(state, k, c); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*DoorConfig){
		"as it was":    func(*DoorConfig) {},
		"password":     func(d *DoorConfig) { d.Cameras[0].URL = "rtsp://me:other@192.0.2.20/one" },
		"limits":       func(d *DoorConfig) { d.Limits.Tail = time.Minute },
		"stills":       func(d *DoorConfig) { d.Cameras[0].Stills = "auto" },
		"tcp, written": func(d *DoorConfig) { d.Cameras[0].Transport = "tcp" },
	} {
		d := walkedDoor()
		if change(&d); !at(d) {
			t.Errorf("%s: it has to be walked again", name)
		}
	}
	for name, change := range map[string]func(*DoorConfig){
		"lock":          func(d *DoorConfig) { d.Lock.MQTT.Lock = "back_lock" },
		"contact":       func(d *DoorConfig) { d.Lock.MQTT.Contact = "" },
		"broker":        func(d *DoorConfig) { d.Lock.MQTT.Broker = "mqtt://127.0.0.1:1884" },
		"driver":        func(d *DoorConfig) { d.Lock = LockConfig{ZWaveJS: &zwavejs.Settings{Lock: "2"}} },
		"camera":        func(d *DoorConfig) { d.Cameras[0].URL = "rtsp://me:secret@192.0.2.21/one" },
		"link":          func(d *DoorConfig) { d.Cameras[0].Link = "wifi" },
		"one more":      func(d *DoorConfig) { d.Cameras = append(d.Cameras, CameraConfig{Name: "porch", URL: "rtsp://x/y"}) },
		"camera's name": func(d *DoorConfig) { d.Cameras[0].Name = "porch" },
	} {
		d := walkedDoor()
		if change(&d); at(d) {
			t.Errorf("%s was changed, and the old walk still counts", name)
		}
	}
	other, err := key(filepath.Join(t.TempDir(), "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	if w, _, _ := walked(state, walkedDoor(), other.Public().(ed25519.PublicKey)); w.Passed {
		t.Error("another hub's certificate was taken")
	}
	raw, err := os.ReadFile(walkFile(state, "front"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(walkFile(state, "front"), []byte(strings.Replace(string(raw), "front", "FRONT", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if w, _, _ := walked(state, walkedDoor(), pub); w.Passed || !strings.Contains(w.Say, "not taken") {
		t.Errorf("an edited certificate: %+v", w)
	}
	c.Steps[3].OK, c.Steps[3].Tries, c.Passed = false, 1, false
	if err := keepWalk(state, k, c); err != nil {
		t.Fatal(err)
	}
	if at(walkedDoor()) {
		t.Error("a failed walk passed")
	}
}

// S12, S13: a contact that was heard to speak every few seconds is believed for a minute, and one that was not, for as long as before.
func TestCertifiedLimits(t *testing.T) {
	c := walktest.Certificate("front", "x", "hall")
	if got := certified(interlock.DefaultLimits(), c); got != interlock.DefaultLimits() {
		t.Errorf("got %+v", got)
	}
	c.DoorStaleMs = 90_000
	if got := certified(interlock.DefaultLimits(), c).DoorStale; got != 90_000 {
		t.Errorf("got %v, want 90 s", got)
	}
	c.DoorStaleMs = 86_400_000
	if got := certified(interlock.DefaultLimits(), c).DoorStale; got != interlock.DefaultLimits().DoorStale {
		t.Errorf("got %v: a certificate made it longer than the limit", got)
	}
}

// Two of them never drive one lock.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	release, err := inUse(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inUse(dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second one: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := inUse(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}

// S11: a walk test has the smoke step for the sensor of every driver that can have one.
func TestEachDriversSmokeSensorIsWalked(t *testing.T) {
	of := reflect.TypeFor[LockConfig]()
	if of.NumField() < 4 {
		t.Fatalf("%d drivers, want all of them", of.NumField())
	}
	for i := range of.NumField() {
		var l LockConfig
		settings := reflect.New(of.Field(i).Type.Elem())
		settings.Elem().FieldByName("Smoke").SetString("hall")
		reflect.ValueOf(&l).Elem().Field(i).Set(settings)
		if !l.smoke() {
			t.Errorf("%s: its smoke sensor is not walked", of.Field(i).Name)
		}
	}
}
