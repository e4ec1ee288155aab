package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/liveness"
	"eyebolt/virtual/eye"
)

// S6, on a whole house: real RTSP, a real contact over MQTT, the hub as it ships. Of three cameras at a door one sees it, one sees
// another scene, and one sees it three seconds late, for ever (the constant lag of go2rtc 917, which no arrival time shows). The first
// is trusted, the second is untrusted, the third late; each with its reason on record; and the detectors' state is kept.
func TestWhichCameraSeesTheDoor(t *testing.T) {
	if os.Getenv("EYEBOLT_LONG") == "" {
		t.Skip("minutes of real time, in which a door is opened and closed ten times and more: make long")
	}
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	h, err := startHouse(t.Context(), houseConfig{
		Dir: t.TempDir(), Doors: 1, Now: now, Log: log, Bus: "127.0.0.1:9", Passkeys: "localhost", Origins: []string{"http://localhost"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	attic, err := eye.NewSource(t.Context(), eye.SourceConfig{Scene: eye.NewScene(99), Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = attic.Close() }()
	for name, cfg := range map[string]eye.CameraConfig{
		"wrong":  {Source: attic},
		"behind": {Source: h.source, Behind: 3 * time.Second},
	} {
		cfg.Addr, cfg.Now, cfg.Log = "127.0.0.1:0", now, log
		cam, err := eye.NewCamera(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cam.Close() }()
		h.hub.Doors[0].Cameras = append(h.hub.Doors[0].Cameras, CameraConfig{Name: name, URL: cam.URL()})
	}
	if err := h.startHub(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	why := func(camera string) string {
		var out bytes.Buffer
		if err := (&WhyCmd{State: h.cfg.Dir, Camera: camera, All: true, out: &out}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	// The cameras learn how their pictures usually change: 40 windows, one every 2 s, and more where a busy machine left holes.
	time.Sleep(170 * time.Second)
	events := 0
	for ; events < 40 && !(strings.Contains(why("wrong"), "wrong/door says untrusted") && strings.Contains(why("behind"), "behind/delay says late")); events++ {
		if events%2 == 0 {
			h.homes[0].OpenFromInside()
			h.scene.Door(true)
		} else {
			if err := h.homes[0].CloseDoor(); err != nil {
				t.Fatal(err)
			}
			h.scene.Door(false)
		}
		time.Sleep(9 * time.Second)
	}
	t.Logf("after %d movements of the door:\nwrong: %s\nbehind: %s\nhall: %s", events, why("wrong"), why("behind"), why("hall"))
	if s := why("wrong"); !strings.Contains(s, "wrong/door says untrusted") {
		t.Errorf("S6: the camera that looks elsewhere is trusted: %s", s)
	}
	if s := why("behind"); !strings.Contains(s, "behind/delay says late") || strings.Contains(s, "behind/door says untrusted") {
		t.Errorf("S6: the camera that is three seconds behind: %s", s)
	}
	if s := why("hall"); strings.Contains(s, "! hall/door") || strings.Contains(s, "! hall/delay") {
		t.Errorf("S18: the camera that sees its door is accused: %s", s)
	}
	h.Close()
	for _, name := range []string{"hall", "wrong", "behind"} {
		raw, err := os.ReadFile(filepath.Join(h.cfg.Dir, "cameras", "front."+name+".json"))
		var kept struct {
			Door liveness.DoorState `json:"door"`
		}
		if err == nil {
			err = json.Unmarshal(raw, &kept)
		}
		if err != nil || kept.Door.Events == 0 || kept.Door.Bad != (name == "wrong") {
			t.Errorf("%s keeps %+v, %v", name, kept.Door, err)
		}
		t.Logf("%s: %d of %d movements seen, delays %v", name, kept.Door.Hits, kept.Door.Events, kept.Door.Delays)
	}
}
