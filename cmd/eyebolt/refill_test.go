package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/camera/onviftest"
	"eyebolt/hub/run"
	keep "eyebolt/record"
	"eyebolt/record/fmp4"
)

// S7: what is configured as a camera's ONVIF address is what a gap is fetched from: over HTTP, RTSP replay and to the disk, with
// the stream's own password; and the visit's film is as it was.
func TestRefillFromTheCamerasStorage(t *testing.T) {
	began := time.Now().Add(-3 * time.Minute).Truncate(time.Second)
	src := cameratest.Noise(camera.H264, 1)
	set := onviftest.Setup{Way: onviftest.DigestSHA256, User: "eye", Pass: "pass", Clock: -7 * time.Hour, Params: src.Params()}
	set.Kept = onviftest.Keep(began, 15, 120*15, src.Next, func(au [][]byte) bool { return len(au) > 1 })
	d := onviftest.Serve(t, set)
	u, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	now := func() time.Duration { return time.Since(start) }
	c := CameraConfig{Name: "hall", URL: "rtsp://eye:pass@127.0.0.1/live", ONVIF: "http://" + u.Host, Stills: "off"}
	var k run.Camera
	if err := c.besides(&k, hubOptions{Now: now, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if k.Refill == nil {
		t.Fatal("nothing would be fetched")
	}

	rec, err := fmp4.New(fmp4.Config{Dir: t.TempDir(), Door: "front", Camera: "hall", Now: now, Wall: time.Now, Confirmed: func(bool, time.Duration, error) {}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	film := cameratest.Noise(camera.H264, 2)
	rec.Opened(film.Params())
	if err := rec.Start("v"); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		nals := film.Next()
		rec.Picture(camera.Picture{Media: time.Duration(i) * time.Second / 15, Arrival: now(), Key: len(nals) > 1, NALs: nals})
	}
	filed := make(chan keep.Clip, 1)
	rec.Stop("v", func(k keep.Clip, err error) {
		if err != nil {
			t.Error(err)
		}
		filed <- k
	})
	was := <-filed

	filing, err := filer{rec}.File("v")
	if err != nil {
		t.Fatal(err)
	}
	from, to := began.Add(30*time.Second), began.Add(50*time.Second)
	whole, err := k.Refill(t.Context(), from, to, filing)
	if err != nil || !whole {
		t.Fatalf("whole: %v, %v", whole, err)
	}
	clip, err := filing.End()
	if err != nil || len(clip.Files) != 1 || !clip.Files[0].Backfilled {
		t.Fatalf("%+v, %v", clip, err)
	}
	if f := clip.Files[0]; f.From.After(from) || f.To.Before(to.Add(-time.Second)) {
		t.Errorf("fetched %v to %v, wanted %v to %v", f.From, f.To, from, to)
	}
	all, err := rec.Clip("v")
	if err != nil || len(all.Files) != len(was.Files)+1 || all.Files[0].SHA256 != was.Files[0].SHA256 || !all.To.Equal(was.To) {
		t.Errorf("the visit's film is now %+v, %v", all, err)
	}

	// A camera without storage is not asked again.
	plain := onviftest.Serve(t, onviftest.Setup{})
	k = run.Camera{}
	c.ONVIF = plain.URL()
	if err := c.besides(&k, hubOptions{Now: now, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Refill(context.Background(), from, to, filing); !errors.Is(err, run.ErrNoRefill) {
		t.Errorf("no storage: %v", err)
	}
}
