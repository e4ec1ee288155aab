package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is to be learned anew must be named, and looked at: each mistake is answered with what to do.
func TestCameraLearnMistakes(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "hub.yaml")
	doors := "doors:\n"
	for _, d := range []string{"front", "back"} {
		doors += "  - name: " + d + "\n    cameras:\n      - name: hall\n        url: rtsp://192.0.2.1/a\n      - name: " + d + "yard\n        url: rtsp://192.0.2.1/b\n"
	}
	if err := os.WriteFile(config, []byte("state: "+dir+"\n"+doors), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		c    CameraLearnCmd
		want string
	}{
		{CameraLearnCmd{Camera: "attic", Seen: true}, "no camera is called"},
		{CameraLearnCmd{Camera: "hall", Seen: true}, "say which of front/hall"},
		{CameraLearnCmd{Camera: "front/hall"}, "Look at the live picture first"},
		{CameraLearnCmd{Camera: "frontyard", Infrared: true}, "by day too"},
		{CameraLearnCmd{Camera: "frontyard", Seen: true}, "start the hub"},
	} {
		k.c.Config, k.c.out = config, &bytes.Buffer{}
		if err := k.c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%+v: %v, want %q", k.c, err, k.want)
		}
	}
}
