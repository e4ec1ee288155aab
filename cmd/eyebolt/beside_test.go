package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/camera/onvif"
	"eyebolt/hub/run"
	"eyebolt/liveness"
)

// Each mistake in what judges a camera beside its times is answered with what to write instead.
func TestCameraConfigMistakes(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(bad, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		c    CameraConfig
		want string
	}{
		{CameraConfig{Certificate: "never"}, "use measured or required"},
		{CameraConfig{SeesDoor: "no"}, "use on or off"},
		{CameraConfig{DoorDelay: time.Minute}, "from 200ms to 3s"},
		{CameraConfig{Challenge: "sometimes"}, "use auto, pli, onvif or off"},
		{CameraConfig{Challenge: "onvif"}, "needs onvif"},
		{CameraConfig{Stills: "snapshots"}, "use auto, keyframes"},
		{CameraConfig{Stills: "snapshot"}, "needs onvif"},
		{CameraConfig{Stills: "mjpeg"}, "needs stills_url"},
		{CameraConfig{Signed: &SignedConfig{Key: "12"}}, "64 hexadecimal digits"},
		{CameraConfig{Signed: &SignedConfig{Root: bad}}, "PEM"},
		{CameraConfig{Signed: &SignedConfig{Root: bad + "x"}}, "root"},
		{CameraConfig{Signed: &SignedConfig{Within: -time.Second}}, "from 1s to 1m"},
	} {
		k.c.Name = "hall"
		var cam run.Camera
		err := k.c.watching(&cam)
		if err == nil {
			err = k.c.besides(&cam, hubOptions{Log: slog.New(slog.DiscardHandler), Now: func() time.Duration { return 0 }})
		}
		if err == nil || !strings.Contains(err.Error(), k.want) || !strings.Contains(err.Error(), "hall") {
			t.Errorf("%+v: %v, want %q", k.c, err, k.want)
		}
	}
}

// T7: the camera is covered while any of its alarms stands; one whose rule was removed ends as one that was told, with its own sentence.
func TestAlarmsThatStand(t *testing.T) {
	var a alarmsOf
	for i, k := range []struct {
		e    onvif.Tamper
		want liveness.State
		say  string
	}{
		{onvif.Tamper{Kind: onvif.Dark, On: true, Topic: "a"}, liveness.Covered, "too dark"},
		{onvif.Tamper{Kind: onvif.Covered, On: true, Topic: "b"}, liveness.Covered, "tampered with"},
		{onvif.Tamper{Kind: onvif.Dark, Topic: "a"}, liveness.Covered, ""},
		{onvif.Tamper{Kind: onvif.Covered, Topic: "b", Gone: true}, liveness.Live, "its rule was removed"},
	} {
		all := a.take(k.e)
		if f := all[len(all)-1]; f.State != k.want || !strings.Contains(f.Say, k.say) {
			t.Errorf("%d: %+v", i, f)
		}
	}
}

// S1, S6, on a whole house as it ships: a camera that should sign and does not is untrusted, with its reason on record.
func TestAnUnsignedCameraIsUntrusted(t *testing.T) {
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
	h.hub.Doors[0].Cameras[0].Signed = &SignedConfig{Within: 3 * time.Second}
	if err := h.startHub(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	why := func() string {
		var out bytes.Buffer
		if err := (&WhyCmd{State: h.cfg.Dir, All: true, out: &out}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for end := time.Now().Add(patience); !strings.Contains(why(), "hall/signature says untrusted"); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never untrusted:\n%s", why())
		}
	}
}
