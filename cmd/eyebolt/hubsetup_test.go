package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/camera/onviftest"
	"eyebolt/hub/setup"
	"eyebolt/ledger"
	"eyebolt/virtual/eye"
)

// ${NAME} is taken from the environment first, then from the file beside the configuration, which its owner alone may read; what is
// wrong in that file is told without showing it.
func TestTheFileOfSecretsBesideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	path, env := filepath.Join(dir, "hub.yaml"), filepath.Join(dir, "hub.env")
	put := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	put(path, "id: ${EYEBOLT_TEST_A}-${EYEBOLT_TEST_B}\n", 0o600)
	put(env, "# mine\n\nEYEBOLT_TEST_A=a\nEYEBOLT_TEST_B=\"b c\"\n", 0o600)
	t.Setenv("EYEBOLT_TEST_A", "first")
	var cfg HubConfig
	if err := load(path, &cfg); err != nil || cfg.ID != "first-b c" {
		t.Errorf("%q, %v", cfg.ID, err)
	}
	put(env, "EYEBOLT_TEST_A=a\nhunter2 = x y\n hunter2hunter2", 0o600)
	if err := load(path, &cfg); err == nil || !strings.Contains(err.Error(), "hub.env line 3: write NAME=value") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	put(env, "EYEBOLT_TEST_B=b\n", 0o640)
	if err := load(path, &cfg); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others may read it: %v", err)
	}
	put(env, "EYEBOLT_TEST_B=hunter2hunter2\n", 0o600)
	put(path, "epoch: ${EYEBOLT_TEST_B}\n", 0o600)
	if err := load(path, &cfg); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the password: %v", err)
	}
}

// A set-up refuses what the hub refuses at its start, in the same words, and what it takes, the hub takes; it leaves nothing behind.
func TestCheckHubIsTheHubsOwn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hub.yaml")
	good := "id: home\nstate: " + dir + "/state\npasskeys: {id: localhost, origins: [\"http://localhost:1\"]}\ndoors:\n  - name: front\n    lock: {mqtt: {broker: \"mqtt://127.0.0.1:1\", lock: l, contact: c}}\n    cameras: [{name: hall, url: \"rtsp://127.0.0.1:1/x\"}]\n"
	for _, k := range []struct{ from, to string }{
		{"", ""},
		{"id: home", "id: Home!"},
		{"camera", "camra"},
		{"lock: l, ", ""},
		{"contact: c", "contact: l"},
		{"rtsp://127", "http://127"},
		{"{id: localhost, origins: [\"http://localhost:1\"]}", "{}"},
		{"passkeys:", "service: {url: \"nats://192.0.2.1:4222\"}\npasskeys:"},
		{"passkeys:", "service: {url: \"tls://192.0.2.1:4222\", ca: /nowhere.pem}\npasskeys:"},
		{"name: hall,", "name: hall, link: fibre,"},
		{"    lock:", "    limits: {slide: 60s}\n    lock:"},
		{"doors:", "radio: {monitor: wlan1}\ndoors:"},
		{"name: front", "name: Front Door"},
		{"cameras: [", "cameras: [{name: hall, url: \"rtsp://127.0.0.1:1/y\"}, "},
	} {
		text := strings.Replace(good, k.from, k.to, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := checkHub(t.Context(), path, nil)
		if _, serr := os.Stat(filepath.Join(dir, "state")); serr == nil {
			t.Fatalf("%s: the check made the hub's state", k.to)
		}
		var cfg HubConfig
		herr := load(path, &cfg)
		if herr == nil {
			var h *runningHub
			h, herr = startHub(t.Context(), cfg, hubOptions{Log: slog.New(slog.DiscardHandler)})
			if herr == nil {
				herr = h.Stop()
			}
		}
		if (err == nil) != (herr == nil) || err != nil && !strings.Contains(herr.Error(), lastWords(err)) {
			t.Errorf("%q:\nthe set-up says %v\nthe hub says    %v", k.to, err, herr)
		}
		if (err == nil) != (k.from == "") {
			t.Errorf("%q: %v", k.to, err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
			t.Fatal(err)
		}
	}
}

// lastWords are an error's own, without where it was found.
func lastWords(err error) string {
	s := err.Error()
	return s[max(0, len(s)-40):]
}

// What the set-up says of the hub's keys is what the hub itself has.
func TestIdentityIsTheHubs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hub.yaml")
	text := "id: home\nstate: " + dir + "/state\npasskeys: {id: localhost, origins: [\"http://localhost:1\"]}\ndoors:\n  - name: front\n    lock: {mqtt: {broker: \"mqtt://127.0.0.1:1\", lock: l, contact: c}}\n    cameras: [{name: hall, url: \"rtsp://127.0.0.1:1/x\"}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	who, err := identity(path)
	if err != nil {
		t.Fatal(err)
	}
	var cfg HubConfig
	if err := load(path, &cfg); err != nil {
		t.Fatal(err)
	}
	h, err := startHub(t.Context(), cfg, hubOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Stop() }()
	if who != (setup.Identity{ID: "home", Key: h.PublicKey, RecordKey: h.LedgerKey}) {
		t.Errorf("the set-up says %+v, the hub has %s and %s", who, h.PublicKey, h.LedgerKey)
	}
	if _, err := ledger.ParseKey(who.RecordKey); err != nil {
		t.Error(err)
	}
}

// An ONVIF camera is looked at: its streams without its password, its picture, its address; a wrong password is tried once.
func TestLookAtACamera(t *testing.T) {
	var shot bytes.Buffer
	if err := jpeg.Encode(&shot, picture(64, 36), nil); err != nil {
		t.Fatal(err)
	}
	d := onviftest.Serve(t, onviftest.Setup{
		Way: onviftest.DigestMD5, User: "eye", Pass: "hush-hush", Media2: true, JPEG: shot.Bytes(), Stream: "rtsp://10.1.2.3:8554/%s?password=hush-hush",
		Profiles: []onviftest.Profile{
			{Token: "main", Encoding: "H265", Source: "lens", Width: 2560, Height: 1440, FPS: 20, GOP: 100},
			{Token: "sub", Encoding: "H264", Source: "lens", Width: 640, Height: 360, FPS: 15, GOP: 30},
			{Token: "tiny", Encoding: "JPEG", Source: "lens", Width: 320, Height: 180},
		},
	})
	at := strings.Replace(d.URL(), "eye:hush-hush@", "", 1)
	l, err := lookCamera(t.Context(), setup.CameraAsk{Address: at, User: "eye", Password: "hush-hush"})
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(at, "http://"), "/onvif/device_service")
	want := []setup.Stream{
		{ID: "main", Text: "H265 2560×1440, 20 pictures/s", URL: "rtsp://eye:${SECRET}@127.0.0.1:8554/main?password=${SECRET}", Watch: true, View: "sub"},
		{ID: "sub", Text: "H264 640×360, 15 pictures/s", URL: "rtsp://eye:${SECRET}@127.0.0.1:8554/sub?password=${SECRET}", Plays: true},
	}
	if !slices.Equal(l.Streams, want) || !bytes.Equal(l.Picture, shot.Bytes()) || l.ONVIF != host || len(l.Advice) == 0 {
		t.Errorf("%+v\nwant %+v\nat %s: %s", l.Streams, want, l.ONVIF, l.Said)
	}
	before := d.Wrong()
	_, err = lookCamera(t.Context(), setup.CameraAsk{Address: at, User: "eye", Password: "wrong-one"})
	if !errors.Is(err, setup.ErrLogin) || strings.Contains(err.Error(), "wrong-one") || d.Wrong()-before > 1 {
		t.Errorf("%v after %d tries", err, d.Wrong()-before)
	}
	if _, err = lookCamera(t.Context(), setup.CameraAsk{Address: at}); !errors.Is(err, setup.ErrLogin) || !strings.Contains(err.Error(), "asks for a name") {
		t.Errorf("without a name: %v", err)
	}
	if _, err := lookCamera(t.Context(), setup.CameraAsk{Address: "127.0.0.1:1"}); err == nil || errors.Is(err, setup.ErrLogin) {
		t.Errorf("nobody there: %v", err)
	}
}

// A stream whose address is known: its picture comes out of its first key picture.
func TestLookAtAStream(t *testing.T) {
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	log := slog.New(slog.DiscardHandler)
	src, err := eye.NewSource(t.Context(), eye.SourceConfig{Scene: eye.NewScene(1), Width: 1280, Height: 720, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	cam, err := eye.NewCamera(eye.CameraConfig{Addr: "127.0.0.1:0", User: "door", Password: "ses@me", Source: src, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cam.Close() }()
	u, err := url.Parse(cam.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = nil
	l, err := lookCamera(t.Context(), setup.CameraAsk{Address: u.String(), User: "door", Password: "ses@me"})
	if err != nil {
		t.Fatal(err)
	}
	want := setup.Stream{ID: "stream", Text: "H264 1280×720", URL: strings.Replace(u.String(), "://", "://door:${SECRET}@", 1), Watch: true, Plays: true}
	if !slices.Equal(l.Streams, []setup.Stream{want}) {
		t.Errorf("got %+v, want %+v", l.Streams, want)
	}
	img, err := jpeg.Decode(bytes.NewReader(l.Picture))
	if err != nil || img.Bounds().Dx() != 640 || img.Bounds().Dy() != 360 {
		t.Fatalf("%v, %v: %s", img, err, l.Said)
	}
	shades := map[uint32]bool{}
	for x := range 640 {
		r, _, _, _ := img.At(x, 180).RGBA()
		shades[r>>12] = true
	}
	if len(shades) < 3 {
		t.Errorf("a picture of %d shades: %v", len(shades), slices.Collect(maps.Keys(shades)))
	}
	if _, err := lookCamera(t.Context(), setup.CameraAsk{Address: u.String(), User: "door", Password: "nope"}); !errors.Is(err, setup.ErrLogin) || strings.Contains(err.Error(), "nope") {
		t.Errorf("a wrong password: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := lookCamera(ctx, setup.CameraAsk{Address: "rtsp://127.0.0.1:1/x"}); err == nil {
		t.Error("nobody there: no error")
	}
}

func picture(width, height int) image.Image {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(i)
	}
	return img
}

func TestHubSetupUnit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hub.yaml")
	var out bytes.Buffer
	c := HubSetupCmd{Config: path, Unit: true, out: &out}
	if err := c.Run(t.Context()); err == nil {
		t.Error("a unit for a configuration that is not there")
	}
	if err := os.WriteFile(path, []byte("id: home\nstate: /var/lib/eyebolt\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); err != nil || !strings.Contains(out.String(), "hub --config "+path) || !strings.Contains(out.String(), "ReadWritePaths=/var/lib/eyebolt") {
		t.Errorf("%v:\n%s", err, &out)
	}
	for want, c := range map[string]HubSetupCmd{
		"its folder is not there": {Config: filepath.Join(dir, "nowhere", "hub.yaml"), Listen: "127.0.0.1:0"},
		"every network":           {Config: path, Listen: ":8423"},
		"is no file":              {Config: dir, Listen: "127.0.0.1:0"},
	} {
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
