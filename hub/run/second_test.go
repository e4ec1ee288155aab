package run

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/live"
	"eyebolt/liveness"
)

// screen writes down what viewers are told.
type screen struct {
	all  []string
	ms   int64
	word string
}

func (s *screen) Opened(_ string, p camera.Params) {
	s.all = append(s.all, fmt.Sprint("opened ", p.Width))
}
func (s *screen) Closed(string) { s.all = append(s.all, "closed") }
func (s *screen) Picture(_ string, p camera.Picture) {
	s.all = append(s.all, fmt.Sprint("picture ", p.NALs[0][1]))
}
func (s *screen) SetAge(_ string, ms int64, word string) { s.ms, s.word = ms, word }
func (s *screen) Answer(context.Context, live.Offer) (live.Answer, error) {
	return live.Answer{}, context.Canceled
}

// S15: viewers of a second stream see its pictures alone, with their own age, whatever the watched stream does; the watch's word is
// the watched stream's, whatever the second one does.
func TestSecondStreamHasItsOwnAge(t *testing.T) {
	now := time.Hour
	clock := func() time.Duration { return now }
	s := &screen{}
	log := slog.New(slog.DiscardHandler)
	sub := &second{door: "front", name: "hall", live: s, now: clock, says: &saying{log: log, now: clock}, judge: liveness.New(liveness.Config{})}
	e := &eye{
		door: "front", name: "hall", second: sub, rec: noRecorder{}, now: clock, push: func(any) {}, note: func(Event) {},
		log: log, judge: liveness.New(liveness.Config{}), link: liveness.NewLink(false), says: &saying{log: log, now: clock},
	}
	e.Opened(camera.Params{Codec: camera.H265, Width: 1920})
	sub.Opened(camera.Params{Codec: camera.H264, Width: 640})
	if s.tick(e, sub, &now, 0); s.ms != -1 {
		t.Errorf("before any picture the age is %d ms, want unknown", s.ms)
	}
	begin := now
	both := func(main, second bool, n int) {
		for range n {
			now += 66 * time.Millisecond
			if main {
				e.Picture(camera.Picture{Media: now - begin, Arrival: now, Key: true, NALs: [][]byte{{0x26, 1, 0x80}}})
			}
			if second {
				sub.Picture(camera.Picture{Media: now - begin, Arrival: now, Key: true, NALs: [][]byte{{0x65, 2, 0x80}}})
			}
			s.tick(e, sub, &now, 0)
		}
	}
	both(true, true, 60)
	if s.word != "live" || s.ms > 150 {
		t.Fatalf("both run: %q, %d ms", s.word, s.ms)
	}
	both(true, false, 30)
	if s.word != "live" || s.ms < 1800 {
		t.Errorf("the second stream stands still for 2 s: %q, %d ms", s.word, s.ms)
	}
	both(true, true, 60)
	both(false, true, 30)
	if s.word != "lost" || s.ms > 150 {
		t.Errorf("the watched stream stands still for 2 s: %q, %d ms", s.word, s.ms)
	}
	sub.Closed(camera.ErrStreamEnded)
	if slices.Contains(s.all, "picture 1") || slices.Contains(s.all, "opened 1920") || !slices.Contains(s.all, "picture 2") || s.all[0] != "opened 640" || s.all[len(s.all)-1] != "closed" {
		t.Errorf("viewers were given %q", s.all)
	}
}

// tick lets time pass as the hub's watch does.
func (s *screen) tick(e *eye, sub *second, now *time.Duration, d time.Duration) {
	*now += d
	e.tick(*now)
	sub.tick(*now)
}

// A camera with a second stream is opened twice; its watched pictures go to the judge and the recorder alone. A door's other cameras
// are not shown, and their second stream is not opened.
func TestSecondStreamIsOpenedBesideTheWatchedOne(t *testing.T) {
	s := &screen{}
	h := &Hub{queue: newQueue(), cfg: Config{
		Log: slog.New(slog.DiscardHandler), Live: s, Watching: func(Event) {}, Now: func() time.Duration { return time.Hour },
	}}
	sinks := map[string]camera.Sink{}
	c := Camera{
		Config: camera.Config{URL: "rtsp://main"}, Second: &camera.Config{URL: "rtsp://sub"},
		Recorder: func(func(bool, time.Duration, error)) (Recorder, error) { return noRecorder{}, nil },
		Open: func(_ context.Context, cfg camera.Config, sink camera.Sink) (camera.Camera, error) {
			if cfg.Now == nil || cfg.Log == nil || cfg.Name == "" {
				t.Errorf("opened with %+v", cfg)
			}
			sinks[cfg.URL+" "+cfg.Name] = sink
			return closer(func() {}), nil
		},
	}
	for i, name := range []string{"hall", "stairs"} {
		c.Name = name
		if err := h.openCamera(context.Background(), Door{Name: "front"}, c, i == 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(sinks) != 3 || len(h.cameras) != 3 || len(h.seconds) != 1 {
		t.Fatalf("opened %v", sinks)
	}
	for of, sink := range sinks {
		sink.Opened(camera.Params{Width: len(of)})
		sink.Picture(camera.Picture{Key: true, Arrival: time.Hour, NALs: [][]byte{{0x65, byte(len(of))}}})
	}
	want := len("rtsp://sub front/hall/live")
	if got := fmt.Sprint(s.all); got != fmt.Sprintf("[opened %d picture %d]", want, want) {
		t.Errorf("viewers were given %s", got)
	}
}
