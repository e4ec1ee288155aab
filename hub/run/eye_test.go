package run

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/live"
	"eyebolt/liveness"
	"eyebolt/record"
)

// shown writes down in which order pictures and their ages come.
type shown struct{ all []string }

func (s *shown) Opened(string, camera.Params)          {}
func (s *shown) Closed(string)                         {}
func (s *shown) Picture(_ string, _ camera.Picture)    { s.all = append(s.all, "picture") }
func (s *shown) SetAge(_ string, _ int64, word string) { s.all = append(s.all, "age") }
func (s *shown) Answer(context.Context, live.Offer) (live.Answer, error) {
	return live.Answer{}, context.Canceled
}

type noRecorder struct{}

func (noRecorder) Opened(camera.Params)                                      {}
func (noRecorder) Picture(camera.Picture)                                    {}
func (noRecorder) Closed()                                                   {}
func (noRecorder) Start(string) error                                        { return nil }
func (noRecorder) Stop(string, func(record.Clip, error))                     {}
func (noRecorder) Gone() []record.Clip                                       { return nil }
func (noRecorder) Orphans() []record.Clip                                    { return nil }
func (noRecorder) Sweep(time.Time, func(string) bool) ([]record.Clip, error) { return nil, nil }
func (noRecorder) Close() error                                              { return nil }

// T20: a camera that changes its parameters with every picture does not fill the log; that it gives pictures again is still said.
func TestParametersThatFlapAreSaidOnce(t *testing.T) {
	var log bytes.Buffer
	now := time.Hour
	e := &eye{
		door: "front", name: "hall", rec: noRecorder{}, now: func() time.Duration { return now }, push: func(any) {}, note: func(Event) {},
		log: slog.New(slog.NewTextHandler(&log, nil)), judge: liveness.New(liveness.Config{}), link: liveness.NewLink(false),
	}
	e.says = &saying{log: e.log, now: e.now}
	for range 100 {
		e.Opened(camera.Params{Codec: camera.H264})
	}
	e.Closed(camera.ErrStreamEnded)
	e.Opened(camera.Params{Codec: camera.H264})
	if n := strings.Count(log.String(), "camera gives pictures"); n != 2 {
		t.Errorf("said %d times that the camera gives pictures, want twice", n)
	}
}

// T7: a camera that gives its parameter sets beside its pictures, in its session's description, has its cover judged as one that
// puts them into each key picture; after a reconnection too.
func TestParametersBesideThePicturesReachTheJudge(t *testing.T) {
	params, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 2})
	now := time.Hour
	e := &eye{
		door: "front", name: "hall", rec: noRecorder{}, now: func() time.Duration { return now }, push: func(any) {}, note: func(Event) {},
		log: slog.New(slog.DiscardHandler), judge: liveness.New(liveness.Config{}), link: liveness.NewLink(false),
	}
	e.says = &saying{log: e.log, now: e.now}
	e.Opened(params)
	var bare [][]byte
	for _, n := range all[0] {
		if n[0]&0x1f == 5 {
			bare = append(bare, n)
		}
	}
	e.Picture(camera.Picture{Arrival: now, Key: true, NALs: bare})
	for _, f := range e.judge.Explain() {
		if f.By == "cover" {
			if f.Say != "learning: 1 of 10 keyframes" {
				t.Errorf("cover says %q", f.Say)
			}
			return
		}
	}
	t.Error("cover says nothing")
}

// S15: an age is of the newest picture that the viewers were given, never of one that they will get next: else the one before
// it would be shown as young as the next.
func TestAgeFollowsItsPicture(t *testing.T) {
	now := time.Hour
	s := &shown{}
	e := &eye{
		door: "front", name: "hall", live: s, rec: noRecorder{}, now: func() time.Duration { return now }, push: func(any) {}, note: func(Event) {},
		log: slog.New(slog.DiscardHandler), judge: liveness.New(liveness.Config{}), link: liveness.NewLink(false),
	}
	e.says = &saying{log: e.log, now: e.now}
	e.Opened(camera.Params{Codec: camera.H264})
	s.all = nil
	for i := range 3 {
		now += time.Second // an age is told with each of them
		e.Picture(camera.Picture{Media: time.Duration(i) * time.Second, Arrival: now, Key: true, NALs: [][]byte{{0x65, byte(i)}}})
	}
	if want := []string{"picture", "age", "picture", "age", "picture", "age"}; !slices.Equal(s.all, want) {
		t.Errorf("came as %v, want %v", s.all, want)
	}
}

// T7: a camera that gives its parameter sets beside its pictures, and not in them, is judged for cover like any other.
func TestCoverIsJudgedWithParametersBeside(t *testing.T) {
	params, all := cameratest.Encode(t, cameratest.Encoding{Seconds: 4, Filter: "testsrc2=s=320x180:r=15,noise=alls=12:allf=t"})
	now := time.Hour
	e := &eye{
		door: "front", name: "hall", rec: noRecorder{}, now: func() time.Duration { return now }, push: func(any) {}, note: func(Event) {},
		log: slog.New(slog.DiscardHandler), judge: liveness.New(liveness.Config{}), link: liveness.NewLink(false),
	}
	e.says = &saying{log: e.log, now: e.now}
	e.Opened(params)
	for i, au := range all {
		p := camera.Picture{Media: time.Duration(i) * time.Second / 15, Arrival: now}
		for _, n := range au {
			if k := n[0] & 0x1f; k == 1 || k == 5 {
				p.Key = p.Key || k == 5
				p.NALs = append(p.NALs, n)
			}
		}
		now += time.Second / 15
		e.Picture(p)
	}
	for _, f := range e.judge.Explain() {
		if f.By == "cover" {
			if f.Say != "learning: 2 of 10 keyframes" {
				t.Errorf("cover: %s", f.Say)
			}
			return
		}
	}
	t.Error("cover is not judged at all")
}

// S6: in a visit, and in no other time, the judge holds a camera's needed detectors to their word: one that falls silent is told as
// a lapse.
func TestSilentDetectorInAVisit(t *testing.T) {
	f := newFilm()
	f.e.judge = liveness.New(liveness.Config{Need: []liveness.Need{{By: "freeze", Within: SensorWithin}}})
	f.e.Opened(camera.Params{Codec: camera.H264})
	var told []string
	f.e.note = func(e Event) { told = append(told, e.What) }
	f.e.rec = noRecorder{}
	f.run(30)
	f.e.found(liveness.Finding{By: "freeze", State: liveness.Live, At: f.now})
	f.run(15 * 60)
	if len(told) != 1 || told[0] != "live" {
		t.Fatalf("outside a visit: %q", told)
	}
	f.e.start("v1")
	f.run(15 * 29)
	if len(told) != 1 {
		t.Fatalf("a visit of 29 s: %q", told)
	}
	f.run(15 * 2)
	if len(told) != 2 || told[1] != "untrusted" {
		t.Errorf("a visit of 31 s in which it says nothing: %q", told)
	}
	f.e.keep("v1")
	f.e.found(liveness.Finding{By: "freeze", State: liveness.Live, At: f.now})
	f.run(15 * 100)
	if len(told) != 3 || told[2] != "live" {
		t.Errorf("after the visit, and its word: %q", told)
	}
}

// S6: a recorder that falls silent is told with the first picture that has waited for too long, not with the clock's next look.
func TestSilentRecorderIsToldWithThePicture(t *testing.T) {
	f := newFilm()
	f.run(30)
	f.e.start("v1")
	f.e.confirm(true, 0, nil)
	began := f.now
	for f.e.onDisk && f.now-began < 5*time.Second {
		f.n++
		f.now += time.Second / 15
		f.e.Picture(camera.Picture{Media: time.Duration(f.n) * time.Second / 15, Arrival: f.now, Key: f.n%45 == 0, NALs: [][]byte{{0x41, byte(f.n), byte(f.n >> 8), 9, 8, 7}}})
	}
	if took := f.now - began; f.e.onDisk || took > overdue+time.Second/15 || f.e.told.State != liveness.Unrecorded {
		t.Errorf("on disk %v, state %v after %v", f.e.onDisk, f.e.told.State, took)
	}
}
