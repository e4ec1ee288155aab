package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/virtual/eye"
)

// S18: the quick test on a real stream: progress while it runs, then histogram and sentence. Under ten minutes there is no grade.
func TestCameraTestOnARealStream(t *testing.T) {
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	log := slog.New(slog.DiscardHandler)
	src, err := eye.NewSource(t.Context(), eye.SourceConfig{Scene: eye.NewScene(1), Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	cam, err := eye.NewCamera(eye.CameraConfig{Addr: "127.0.0.1:0", User: "door", Password: "sesame", Source: src, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cam.Close() }()
	cfg := filepath.Join(t.TempDir(), "hub.yaml")
	text := fmt.Sprintf("doors:\n  - name: front\n    cameras:\n      - {name: hall, url: %q, link: wired}\n", cam.URL())
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	c := CameraTestCmd{Camera: "hall", Config: cfg, For: 12 * time.Second, out: &out, progress: &progress}
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"H.264 640×360", "judged as wired", "longest gap", "over  500 ms:", "grade –: The link is not graded yet"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &out)
		}
	}
	if !strings.Contains(progress.String(), "pictures, longest gap") || !strings.Contains(progress.String(), "to go") {
		t.Errorf("progress %q", &progress)
	}
	if strings.Contains(out.String()+progress.String(), "sesame") {
		t.Error("the camera's password is printed")
	}
	t.Logf("\n%s", &out)
}

// S18: ten minutes of a shaky link end with grade D, what to do, and exit code 1; a steady one with A and 0.
func TestCameraTestGrades(t *testing.T) {
	for _, k := range []struct {
		every time.Duration // between gaps of 700 ms; 0: none
		grade string
		exit  bool
	}{{0, "grade A", false}, {30 * time.Second, "grade D", true}} {
		at := time.Duration(0)
		tr := newLinkTrial(false, func() time.Duration { return at })
		tr.Opened(camera.Params{Codec: camera.H265, Width: 1280, Height: 720})
		next := k.every
		for i := 0; at < 10*time.Minute+2*time.Second; i++ {
			tr.Picture(camera.Picture{Media: at, Arrival: at, Key: i%30 == 0, NALs: [][]byte{{0x26, 1, 2, 3}}})
			if at += time.Second / 15; k.every > 0 && at > next {
				at, next = at+700*time.Millisecond, next+k.every
			}
		}
		var out bytes.Buffer
		err := tr.report(&out)
		var code interface{ ExitCode() int }
		if got := errors.As(err, &code) && code.ExitCode() == 1; got != k.exit || !strings.Contains(out.String(), k.grade) {
			t.Errorf("%v: exit %v\n%s", k.grade, err, &out)
		}
	}
}

// Each mistake is answered with what to do next.
func TestCameraTestMistakes(t *testing.T) {
	cfg := filepath.Join(t.TempDir(), "hub.yaml")
	if err := os.WriteFile(cfg, []byte("doors:\n  - name: front\n    cameras:\n      - {name: hall, url: \"rtsp://127.0.0.1:1/x\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		cmd  CameraTestCmd
		want string
	}{
		{CameraTestCmd{Camera: "hall"}, "--config hub.yaml"},
		{CameraTestCmd{Camera: "http://192.0.2.1/"}, "rtsp://user:password@"},
		{CameraTestCmd{Camera: "attic", Config: cfg}, "front/hall"},
		{CameraTestCmd{Camera: "front/hall", Config: cfg, For: time.Second}, camera.ErrUnreachable.Error()},
	} {
		k.cmd.out, k.cmd.progress = io.Discard, io.Discard
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := k.cmd.Run(ctx)
		cancel()
		if err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%+v: %v, want %q", k.cmd, err, k.want)
		}
	}
}
