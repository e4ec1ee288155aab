package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/camera/onvif"
	"eyebolt/camera/onviftest"
)

func lookAt(t *testing.T, l CameraLookCmd) (string, error) {
	t.Helper()
	var out bytes.Buffer
	if l.Name == "" {
		l.Name = "door"
	}
	err := l.run(t.Context(), &out)
	return out.String(), err
}

// What a camera offers is shown with what to write; the password is not, wherever the camera put it.
func TestCameraLook(t *testing.T) {
	src := cameratest.Noise(camera.H264, 1)
	d := onviftest.Serve(t, onviftest.Setup{
		Way: onviftest.DigestSHA256, User: "eye", Pass: "hush-hush", Media2: true, JPEG: append([]byte{0xff, 0xd8}, make([]byte, 3000)...),
		Clock: 10 * time.Minute, Stream: "rtsp://10.1.2.3:8554/%s?user=eye&password=hush-hush",
		Params: src.Params(),
		Kept: onviftest.Keep(time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), 15, 15, src.Next,
			func(au [][]byte) bool { return len(au) > 1 }),
		Profiles: []onviftest.Profile{
			{Token: "main", Encoding: "H265", Source: "lens", Width: 2560, Height: 1440, FPS: 20, GOP: 100, Signed: true},
			{Token: "sub", Encoding: "H264", Source: "lens", Width: 640, Height: 360, FPS: 15, GOP: 30},
		},
	})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("hush-hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(d.URL(), "eye:hush-hush@", "", 1)
	got, err := lookAt(t, CameraLookCmd{Address: at, User: "eye", PasswordFile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(got)
	for _, want := range []string{
		"Eyebolt Test camera 1.0", "(media, media2, events, recording, search, replay)", "H265 2560×1440, 20 pictures/s", "every 5.0 s", "yes", "watch, record", "live view",
		"smaller H.264 stream", "own alarms     VideoSource/ImageTooDark/ImagingService, RuleEngine/TamperDetector/Tamper\n", "still.jpg (4 kB in ", "card from 2026-11-01 08:10", "set the camera's clock by NTP: camera's clock is 10m", "set the key frame interval (GOP) of \"main\" to 2 s, 40 pictures",
		"    url: 'rtsp://eye:${CAMERA_PASSWORD}@127.0.0.1:8554/main?user=eye&password=${CAMERA_PASSWORD}'", "CAMERA_PASSWORD=",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Contains(got, "hush") || strings.Contains(got, "10.1.2.3") {
		t.Error("it shows the password, or believes the camera's address")
	}

	t.Setenv("EYEBOLT_CAMERA_PASSWORD", "wrong-one")
	_, err = lookAt(t, CameraLookCmd{Address: at, User: "eye"})
	if !errors.Is(err, camera.ErrCredentials) || strings.Contains(err.Error(), "wrong-one") {
		t.Errorf("a wrong password: %v", err)
	}
	if d.Wrong() > 1 {
		t.Errorf("it was shown a wrong password %d times", d.Wrong())
	}
	for address, want := range map[string]error{"http://127.0.0.1:1": onvif.ErrDisabled, "rtsp://eye:hush@127.0.0.1:1/live": nil} {
		if _, err := lookAt(t, CameraLookCmd{Address: address}); err == nil || want != nil && !errors.Is(err, want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := lookAt(t, CameraLookCmd{Address: at, PasswordFile: filepath.Join(t.TempDir(), "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

// A plain camera is shown with what it does not have.
func TestCameraLookPlain(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{NoEvents: true})
	got, err := lookAt(t, CameraLookCmd{Address: d.URL(), Name: "back door"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"watch, record, live view", "still picture  none: ", "own alarms     none: ", "storage        none that can be read", "  - name: 'back door'\n    url: rtsp://127.0.0.1:554/main\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q:\n%s", want, got)
		}
	}
}

func TestCameraFindMistakes(t *testing.T) {
	for name, f := range map[string]CameraFindCmd{
		"no such interface": {Interface: []string{"nowhere7"}, Wait: time.Second},
		"for ever":          {Wait: time.Hour},
	} {
		if err := f.run(t.Context(), &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Log(err)
		}
	}
}
