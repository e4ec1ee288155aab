package onvif

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onviftest"
)

func remote(t *testing.T, url string) *Remote {
	t.Helper()
	r, err := NewRemote(Config{Name: "door", URL: url})
	if err != nil {
		t.Fatal(err)
	}
	r.lim = quick()
	t.Cleanup(r.Close)
	return r
}

// A hub's camera is used from the first need on, over its restarts.
func TestRemote(t *testing.T) {
	set := onviftest.Setup{Way: onviftest.DigestSHA256, User: "eye", Pass: "pass", JPEG: []byte{0xff, 0xd8, 1, 2}, Media2: true}
	began := time.Now().Add(-2 * time.Minute).Truncate(time.Second)
	set.Params, set.Kept = card(camera.H264, began, 30)
	d := onviftest.Serve(t, set)
	r := remote(t, d.URL())
	for range 3 {
		if err := r.Ask(t.Context()); err != nil {
			t.Error(err)
		}
		if b, err := r.Snapshot(t.Context()); err != nil || !bytes.Equal(b, set.JPEG) {
			t.Errorf("%x, %v", b, err)
		}
		d.Cut()
	}
	if n := d.Asked("SetSynchronizationPoint"); n != 3 {
		t.Errorf("asked for %d key pictures", n)
	}
	if n := d.Asked("GetSnapshotUri"); n > 3 {
		t.Errorf("asked %d times where its still picture is", n)
	}
	var a album
	if f, err := r.Backfill(t.Context(), began.Add(5*time.Second), began.Add(15*time.Second), &a); err != nil || !f.Whole || f.Pictures < 150 {
		t.Errorf("%+v, %v", f, err)
	}
	if choice, err := r.Choice(t.Context()); err != nil || choice.Watch.Token != "main" {
		t.Errorf("%+v, %v", choice, err)
	}
	if _, err := NewRemote(Config{URL: "rtsp://x"}); err == nil {
		t.Error("an address that can never work was taken")
	}
}

// A camera that is off when the hub starts is heard once it is on; one with a wrong password is asked rarely.
func TestRemoteLater(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{})
	d.Tell(dark, "lens", "State", true)
	var on atomic.Bool
	var tried atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		tried.Add(1)
		if !on.Load() {
			panic(http.ErrAbortHandler)
		}
		forward(w, q, d.URL())
	}))
	defer s.Close()
	r := remote(t, s.URL)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got, lost := make(chan Tamper, 10), make(chan error, 1000)
	ended := make(chan error, 1)
	go func() { ended <- r.Tampers(ctx, func(e Tamper) { got <- e }, func(err error) { lost <- err }) }()
	if err := <-lost; !errors.Is(err, camera.ErrUnreachable) {
		t.Errorf("off: %v", err)
	}
	on.Store(true)
	select {
	case e := <-got:
		if e.Kind != Dark || !e.On || !e.Initial {
			t.Errorf("%+v", e)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("never heard")
	}
	on.Store(false)
	d.Cut()
	<-lost
	on.Store(true)
	select {
	case e := <-got:
		if !e.Initial {
			t.Errorf("%+v", e)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("never heard again")
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}

	locked := onviftest.Serve(t, onviftest.Setup{Way: onviftest.Token, User: "eye", Pass: "pass"})
	r = remote(t, locked.URL()[:7]+"eye:wrong@"+locked.URL()[len("http://eye:pass@"):])
	for range 20 {
		if _, err := r.Snapshot(t.Context()); !errors.Is(err, camera.ErrCredentials) {
			t.Fatal(err)
		}
	}
	if locked.Wrong() != 1 {
		t.Errorf("a wrong password was shown %d times", locked.Wrong())
	}
}

// forward passes a request on to a device.
func forward(w http.ResponseWriter, q *http.Request, to string) {
	req, err := http.NewRequestWithContext(q.Context(), q.Method, to, q.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req.URL.Path = q.URL.Path
	req.Header = q.Header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	w.WriteHeader(res.StatusCode)
	var b bytes.Buffer
	_, _ = b.ReadFrom(res.Body)
	_, _ = w.Write(b.Bytes())
}
