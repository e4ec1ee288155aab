package webrtc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/live"
)

// S15: a viewer who comes in the middle of a group of pictures gets all of it at once, parameter sets first, in a time so
// short that it shows the newest, and then every picture in its own time. The bytes are the camera's.
func TestFirstPicturesAtOnce(t *testing.T) {
	f := load(t, hall)
	s := set(t, nil)
	s.Opened("front", f.params)
	s.show(f.pics[:40]) // key pictures at 0, 15, 30
	p := look(t, s, "a")
	until(t, "the newest group of pictures", func() bool { st, _ := p.shown(); return len(st) >= 10 })
	s.show(f.pics[40:60])
	until(t, "the live pictures", func() bool { st, _ := p.shown(); return len(st) >= 30 })
	stamps, pics := p.shown()
	for i, pic := range pics {
		if want := annexB(f.pics[30+i], f.params); !bytes.Equal(pic, want) {
			t.Fatalf("picture %d: %d bytes, want %d", i, len(pic), len(want))
		}
		if i == 0 {
			continue
		}
		want := uint32(6000)
		if i < 10 {
			want = catchUp
		}
		if d := stamps[i] - stamps[i-1]; d < want-1 || d > want+1 {
			t.Errorf("picture %d comes %d ticks after the one before, want %d", i, d, want)
		}
	}
	// The age is that of the newest picture sent, and names its RTP time.
	until(t, "the age of the newest picture", func() bool {
		a := p.age()
		return a.Seq == 60 && a.RTP == stamps[29] && a.Ms == 40 && a.Watch == "live"
	})
	// Nothing more comes: the age grows by the clock, and after a second without a verdict the word is gone (S13).
	s.pass(5 * time.Second)
	until(t, "the age to grow", func() bool {
		a := p.age()
		return a.Seq == 60 && a.Ms == 5040 && a.Watch == "unknown"
	})
	if n := s.Viewers("front"); n != 1 {
		t.Errorf("%d viewers", n)
	}
	// A second session of the same name ends the first.
	look(t, s, "a")
	until(t, "the first session's end", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.closed })
	until(t, "one viewer", func() bool { return s.Viewers("front") == 1 })
}

// S15: each message names the newest Ping that came and how long ago, so that a viewer knows how old the message itself is.
// Nonsense, and a Ping that was overtaken, change nothing.
func TestAgeNamesThePing(t *testing.T) {
	f := load(t, hall)
	s := set(t, nil)
	s.Opened("front", f.params)
	s.show(f.pics[:20])
	p := look(t, s, "a")
	until(t, "an age", func() bool { return p.age().Ms == 40 })
	if a := p.age(); a.Ping != 0 || a.Held != 0 {
		t.Errorf("before any Ping: %+v", a)
	}
	say := func(text string) {
		if err := p.told.SendText(text); err != nil {
			t.Fatal(err)
		}
	}
	say(`{"ping":7}`)
	until(t, "the Ping", func() bool { return p.age().Ping == 7 })
	s.pass(1500 * time.Millisecond)
	until(t, "its age", func() bool { a := p.age(); return a.Ping == 7 && a.Held == 1500 })
	say(`{"ping":6}`)
	say(`{"ping":-1}`)
	say(`nonsense`)
	say(`{"ping":8,"more":"` + strings.Repeat("x", 100) + `"}`)
	say(`{"ping":9}`)
	until(t, "the next Ping", func() bool { a := p.age(); return a.Ping != 7 })
	if a := p.age(); a.Ping != 9 || a.Held != 0 {
		t.Errorf("after nonsense: %+v", a)
	}
}

// A camera that comes back goes on in the viewers' time; the age of a picture from before stays that picture's.
func TestReconnect(t *testing.T) {
	f := load(t, hall)
	s := set(t, nil)
	s.Opened("front", f.params)
	s.show(f.pics[:20])
	p := look(t, s, "a")
	until(t, "5 pictures", func() bool { st, _ := p.shown(); return len(st) == 5 })
	until(t, "an age", func() bool { return p.age().Ms == 40 })
	s.Closed("front")
	s.SetAge("front", 40, "lost")
	s.pass(2 * time.Second)
	s.Opened("front", f.params)
	s.SetAge("front", 2040, "lost")
	until(t, "2 s of age", func() bool {
		a := p.age()
		return a.Ms == 2040 && a.Watch == "lost"
	})
	s.show(f.pics[20:40]) // 30 is a key picture; those before it cannot be decoded
	until(t, "10 more pictures", func() bool { st, _ := p.shown(); return len(st) == 15 })
	stamps, pics := p.shown()
	if !bytes.Equal(pics[5], annexB(f.pics[30], f.params)) {
		t.Error("the first picture after the reconnect is not its first key picture")
	}
	want := uint32((2*time.Second + 11*frame) * 9 / 100_000)
	if d := stamps[5] - stamps[4]; d < want-2 || d > want+2 {
		t.Errorf("%d ticks between, want %d", d, want)
	}
}

// Whoever may not look, or cannot, is told why.
func TestRefusals(t *testing.T) {
	f := load(t, hall)
	no := errors.New("not yours")
	s := set(t, func(c *Config) {
		c.Admit = func(_ context.Context, o live.Offer) error {
			if o.Viewer == "stranger" {
				return no
			}
			return nil
		}
	})
	if _, err := tryLook(t, s, "a"); !errors.Is(err, ErrDoor) {
		t.Errorf("no camera: %v", err)
	}
	s.Opened("front", camera.Params{Codec: camera.H265})
	if _, err := tryLook(t, s, "a"); !errors.Is(err, ErrCodec) {
		t.Errorf("H.265: %v", err)
	}
	s.Opened("front", f.params)
	if _, err := tryLook(t, s, "stranger"); !errors.Is(err, no) {
		t.Errorf("not admitted: %v", err)
	}
	for _, sdp := range []string{"", "v=0", strings.Repeat("a", maxOffer+1), "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"} {
		if _, err := s.Answer(context.Background(), live.Offer{Door: "front", SDP: sdp}); !errors.Is(err, ErrOffer) {
			t.Errorf("offer %.10q: %v", sdp, err)
		}
	}
	for i := range maxViewers {
		if _, err := tryLook(t, s, string(rune('a'+i))); err != nil {
			t.Fatalf("viewer %d: %v", i, err)
		}
	}
	if _, err := tryLook(t, s, "one more"); !errors.Is(err, ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	s.Opened("front", camera.Params{Codec: camera.H265})
	until(t, "the viewers' end", func() bool { return s.Viewers("front") == 0 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tryLook(t, s, "a"); err == nil {
		t.Error("a closed server answers")
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a server that admits everybody by default")
	}
}

// S17, T13: nobody looks on for ever on one admission: who may look no more is out when the session ends.
func TestSessionsEnd(t *testing.T) {
	f := load(t, hall)
	var out atomic.Bool
	s := set(t, func(c *Config) {
		c.Lasts = 500 * time.Millisecond
		c.Admit = func(context.Context, live.Offer) error {
			if out.Load() {
				return errors.New("signed out")
			}
			return nil
		}
	})
	s.Opened("front", f.params)
	s.show(f.pics[:5])
	p := look(t, s, "a")
	out.Store(true)
	until(t, "the session's end", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.closed })
	until(t, "no viewer", func() bool { return s.Viewers("front") == 0 })
	if _, err := tryLook(t, s, "a"); err == nil {
		t.Error("let in again after signing out")
	}
}

// T20: a viewer gets one transfer at a time, however many channels it opens; one that opens channels without end is shown the door.
func TestManyChannels(t *testing.T) {
	f := load(t, hall)
	var opened atomic.Int32
	hold := make(chan struct{})
	defer close(hold)
	s := set(t, func(c *Config) {
		c.Clip = func(string, string, [32]byte) (Clip, error) {
			opened.Add(1)
			<-hold
			return Clip{}, errors.New("over")
		}
	})
	s.Opened("front", f.params)
	s.show(f.pics[:20])
	p := look(t, s, "a")
	until(t, "the connection", func() bool { return p.age().Ms == 40 })
	ask := `{"get":"v","sha256":"` + strings.Repeat("5e", 32) + `"}`
	for range maxChannels + 10 {
		dc, err := p.pc.CreateDataChannel("clip", nil)
		if err != nil {
			t.Fatal(err)
		}
		dc.OnOpen(func() { _ = dc.SendText(ask) })
	}
	_ = p.clip.SendText(ask)
	until(t, "the viewer's end", func() bool { return s.Viewers("front") == 0 })
	if n := opened.Load(); n > 1 {
		t.Errorf("%d films were opened for one viewer", n)
	}
}

// A viewer who does not keep up holds up nobody, and goes on at a key picture.
func TestSlowViewer(t *testing.T) {
	f := load(t, hall)
	d := &door{viewers: map[*viewer]struct{}{}}
	params := f.params
	d.opened(&params)
	slow := &viewer{pics: make(chan *picture, queue)}
	d.viewers[slow] = struct{}{}
	for _, p := range f.pics {
		p.Arrival = p.Media
		d.take(p)
	}
	if !slow.behind || len(slow.pics) != queue {
		t.Fatalf("behind %v with %d waiting", slow.behind, len(slow.pics))
	}
	for range queue {
		<-slow.pics
	}
	for _, p := range f.pics[100:110] { // 105 is a key picture
		d.take(p)
	}
	if first := <-slow.pics; !first.key || len(slow.pics) != 4 {
		t.Errorf("goes on with key=%v and %d more, want a key picture and 4", first.key, len(slow.pics))
	}
}

// T20: the clip channel's requests.
func FuzzClipRequest(f *testing.F) {
	sum := strings.Repeat("5e", 32)
	f.Add([]byte(`{"get":"v1","sha256":"` + sum + `"}`))
	f.Add([]byte(`{"get":"v1","sha256":"` + sum + `","from":7}`))
	f.Add([]byte(`{"get":"v1","sha256":"` + sum + `","from":-7}`))
	f.Add([]byte(`{"get":"v1"}`))
	f.Add([]byte(`{"get":"","sha256":"` + sum + `"}`))
	f.Add([]byte(`{"get":null}`))
	f.Add([]byte(`{"get":"a"}{"get":"b"}`))
	f.Add([]byte(`{"get":"a","more":1}`))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		req, err := parseRequest(b)
		if (err == nil) == (req.visit == "") || len(req.visit) > 128 || req.from < 0 || err == nil && !json.Valid(b) {
			t.Errorf("%q: %+v, %v", b, req, err)
		}
	})
}
