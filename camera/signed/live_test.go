package signed_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/rtsp"
	"eyebolt/camera/signed"
	"eyebolt/virtual/eye"
	"eyebolt/virtual/sign"
)

// A judge is a camera's sink that verifies what comes.
type judge struct {
	t  *testing.T
	mu sync.Mutex
	v  *signed.Verifier
	rs []signed.Result
	at chan struct{} // poked at each result
}

func (j *judge) Opened(p camera.Params) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.v.Opened(p)
}

func (j *judge) Picture(p camera.Picture) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rs := j.v.Picture(p, time.Now())
	j.rs = append(j.rs, rs...)
	if len(rs) > 0 {
		select {
		case j.at <- struct{}{}:
		default:
		}
	}
}

func (j *judge) Closed(error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rs = append(j.rs, j.v.Closed()...)
}

// until waits for a result that is as wanted, 30 s at most.
func (j *judge) until(what string, want func(*signed.Result) bool) signed.Result {
	j.t.Helper()
	limit := time.After(30 * time.Second)
	seen := 0
	for {
		j.mu.Lock()
		for ; seen < len(j.rs); seen++ {
			if r := j.rs[seen]; want(&r) {
				j.rs = j.rs[seen+1:]
				j.mu.Unlock()
				return r
			}
		}
		j.mu.Unlock()
		select {
		case <-j.at:
		case <-limit:
			j.mu.Lock()
			defer j.mu.Unlock()
			for _, r := range j.rs {
				j.t.Log(r.Say)
			}
			j.t.Fatalf("no result came that is %s", what)
		}
	}
}

// TestLiveCamera: the pretend camera signs what it films, its pictures come over RTSP, and each GOP is judged authentic; played in
// again (T5), they are not.
func TestLiveCamera(t *testing.T) {
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	id, err := sign.NewIdentity("pretend camera", began)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.New(sign.Config{Codec: camera.H264, Key: id.Key, Chain: id.Chain, Pictures: 8, Delay: 1})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	src, err := eye.NewSource(t.Context(), eye.SourceConfig{Scene: eye.NewScene(1), GOP: 15, Now: now, Log: log, Sign: func(nals [][]byte, shot time.Duration) ([][]byte, error) {
		return s.Picture(nals, began.Add(shot))
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	cam, err := eye.NewCamera(eye.CameraConfig{Addr: "127.0.0.1:0", Source: src, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cam.Close() })

	roots, err := signed.ParseRoots(id.Root)
	if err != nil {
		t.Fatal(err)
	}
	// A machine that is busy makes pictures late; how late is not what is tested here.
	v, err := signed.New(signed.Config{Expect: true, Roots: roots, Within: time.Minute, MaxAge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{t: t, v: v, at: make(chan struct{}, 1)}
	driver, err := rtsp.Open(t.Context(), camera.Config{Name: "door", URL: cam.URL(), Now: now, Log: log}, j)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = driver.Close() })
	good := func(r *signed.Result) bool {
		if r.Lapse {
			t.Errorf("an honest camera: %s", r.Say)
		}
		return r.OK()
	}
	for range 4 {
		r := j.until("good", good)
		t.Logf("%d NAL units, %v after the first was taken: %s", r.NALs, r.At-r.Oldest, r.Say)
		if r.Trust != signed.ByRoot || r.Start.Before(began) {
			t.Errorf("%+v", r)
		}
	}
	cam.Trick(eye.Replayed)
	r := j.until("stale or altered", func(r *signed.Result) bool { return r.Lapse })
	t.Log(r.Say)
	if r.Verdict != signed.Stale && r.Verdict != signed.Altered {
		t.Errorf("%s", r.Say)
	}
}
