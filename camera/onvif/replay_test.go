package onvif

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/camera/onviftest"
)

// album is a Refill that keeps everything.
type album struct {
	params []camera.Params
	times  []time.Time
	pics   []camera.Picture
	fail   func(n int) error
}

func (a *album) Opened(p camera.Params) { a.params = append(a.params, p) }

func (a *album) Picture(p camera.Picture, at time.Time) error {
	var nals [][]byte
	for _, n := range p.NALs {
		nals = append(nals, slices.Clone(n))
	}
	p.NALs = nals
	a.pics, a.times = append(a.pics, p), append(a.times, at)
	if a.fail != nil {
		return a.fail(len(a.pics))
	}
	return nil
}

// card is a camera's storage: noise at 15 pictures a second, a key picture each second, from a time on, with a gap.
func card(c camera.Codec, from time.Time, seconds int, gap ...int) (camera.Params, []onviftest.Kept) {
	src := cameratest.Noise(c, 1)
	kept := onviftest.Keep(from, 15, seconds*15, src.Next, func(au [][]byte) bool { return len(au) > 1 })
	if len(gap) == 2 {
		kept = append(kept[:gap[0]*15:gap[0]*15], kept[gap[1]*15:]...)
	}
	return src.Params(), kept
}

func near(a, b time.Time, within time.Duration) bool { return a.Sub(b).Abs() <= within }

// The missing minutes of a visit are fetched from the camera's card, every picture, with its wall time by our clock, and
// whatever the camera's clock says.
func TestBackfill(t *testing.T) {
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		for _, set := range []onviftest.Setup{
			{},
			{Clock: -9 * time.Hour, Way: onviftest.Token, User: "eye", Pass: "pass"},
			{Clock: 90 * time.Second, Way: onviftest.DigestSHA256, User: "eye", Pass: "pass", Host: "10.255.255.1"},
		} {
			t.Run(fmt.Sprint(codec, set.Clock), func(t *testing.T) {
				began := time.Now().Add(-5 * time.Minute).Truncate(time.Second)
				set.Params, set.Kept = card(codec, began, 120)
				d := onviftest.Serve(t, set)
				c := connect(t, Config{URL: d.URL()})
				from, to := began.Add(40*time.Second+300*time.Millisecond), began.Add(75*time.Second)
				var a album
				f, err := c.Backfill(t.Context(), Span{From: from, To: to, Source: "lens"}, &a)
				if err != nil || !f.Whole || len(f.Holes) != 0 {
					t.Fatalf("%+v, %v", f, err)
				}
				// The camera tells whole seconds: its times are good to that.
				slack := f.Clock.Error + 20*time.Millisecond
				if len(a.params) != 1 || a.params[0].Width != 1280 || a.params[0].Codec != codec {
					t.Errorf("opened with %+v", a.params)
				}
				if !a.pics[0].Key || a.times[0].After(from) || a.times[0].Before(from.Add(-2500*time.Millisecond)) {
					t.Errorf("begins at %v, key %v; asked from %v", a.times[0], a.pics[0].Key, from)
				}
				if last := a.times[len(a.times)-1]; last.After(to) || last.Before(to.Add(-time.Second/15-slack)) {
					t.Errorf("ends at %v; asked to %v", last, to)
				}
				// Every picture of the card, byte for byte, and at its time.
				first := slices.IndexFunc(set.Kept, func(k onviftest.Kept) bool { return near(k.At, a.times[0], time.Second/30) })
				if first < 0 || !set.Kept[first].Key {
					first = slices.IndexFunc(set.Kept, func(k onviftest.Kept) bool { return slices.EqualFunc(k.NALs, a.pics[0].NALs, slices.Equal) })
				}
				if first < 0 {
					t.Fatal("the first picture is not of the card")
				}
				for i, p := range a.pics {
					k := set.Kept[first+i]
					if !slices.EqualFunc(k.NALs, p.NALs, slices.Equal) || k.Key != p.Key || p.Missing != 0 {
						t.Fatalf("picture %d is not the card's", i)
					}
					if !near(k.At, a.times[i], slack) {
						t.Fatalf("picture %d is told as of %v, and is of %v", i, a.times[i], k.At)
					}
					if i > 0 && !near(a.times[i], a.times[i-1].Add(time.Second/15), 2*time.Millisecond) {
						t.Fatalf("picture %d: %v after the one before", i, a.times[i].Sub(a.times[i-1]))
					}
					if want := set.Kept[first+i].At.Sub(set.Kept[first].At); (p.Media - want).Abs() > time.Millisecond {
						t.Fatalf("picture %d: media time %v, want %v", i, p.Media, want)
					}
				}
				if f.Pictures != len(a.pics) || f.Bytes < int64(2000*len(a.pics)) || f.Recording != "card-1" {
					t.Errorf("%+v", f)
				}
				if d.Asked("EndSearch") != 1 || d.Asked("GetRecordingSearchResults") < 2 {
					t.Error("the search was not waited for, or not ended")
				}
			})
		}
	}
}

// S7: where the camera had nothing either, that is said, to within its clock.
func TestBackfillHoles(t *testing.T) {
	began := time.Now().Add(-10 * time.Minute).Truncate(time.Second)
	set := onviftest.Setup{}
	set.Params, set.Kept = card(camera.H264, began, 120, 50, 60) // nothing from 50 s to 60 s
	d := onviftest.Serve(t, set)
	c := connect(t, Config{URL: d.URL()})
	at := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
	for name, w := range map[string]struct {
		from, to float64
		holes    [][2]float64
		err      error
	}{
		"over a gap":         {45, 65, [][2]float64{{50, 60}}, nil},
		"from within it":     {55, 65, [][2]float64{{55, 60}}, nil},
		"to within it":       {45, 55, [][2]float64{{50, 55}}, nil},
		"past the end":       {110, 130, [][2]float64{{120, 130}}, nil},
		"before the first":   {-10, 10, [][2]float64{{-10, 0}}, nil},
		"nothing was kept":   {-100, -50, nil, ErrNotKept},
		"nothing kept since": {200, 220, nil, ErrNotKept},
		"within the gap":     {52, 58, nil, ErrNotKept},
		"the whole of it":    {10, 20, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var a album
			f, err := c.Backfill(t.Context(), Span{From: at(w.from), To: at(w.to)}, &a)
			if !errors.Is(err, w.err) {
				t.Fatalf("%+v, %v", f, err)
			}
			if w.err != nil {
				return
			}
			if len(f.Holes) != len(w.holes) || f.Whole != (len(w.holes) == 0) {
				t.Fatalf("holes %+v, want %v; %s", f.Holes, w.holes, f.End)
			}
			for i, h := range w.holes {
				if !near(f.Holes[i].From, at(h[0]), 1200*time.Millisecond) || !near(f.Holes[i].To, at(h[1]), 1200*time.Millisecond) {
					t.Errorf("hole %v to %v, want %v to %v", f.Holes[i].From.Sub(began), f.Holes[i].To.Sub(began), h[0], h[1])
				}
			}
		})
	}
}

// A replay that goes wrong gives what it gave, and says what it is worth.
func TestBackfillFaults(t *testing.T) {
	began := time.Now().Add(-5 * time.Minute).Truncate(time.Second)
	set := onviftest.Setup{}
	set.Params, set.Kept = card(camera.H264, began, 60)
	d := onviftest.Serve(t, set)
	c := connect(t, Config{URL: d.URL()})
	span := Span{From: began.Add(10 * time.Second), To: began.Add(30 * time.Second)}
	for fault, w := range map[onviftest.ReplayFault]struct {
		err   error
		least int
		whole bool
	}{
		onviftest.NoOption:  {ErrUnsupported, 0, false},
		onviftest.NoStamps:  {ErrNotKept, 0, false},
		onviftest.TimesBack: {camera.ErrGarbage, 20, false},
		onviftest.CutShort:  {nil, 20, false},
		onviftest.Mute:      {ErrNotKept, 0, false},
		onviftest.NoFlags:   {nil, 300, true},
	} {
		d.Spoil(fault)
		var a album
		f, err := c.Backfill(t.Context(), span, &a)
		if !errors.Is(err, w.err) || f.Whole != w.whole || len(a.pics) < w.least || f.Pictures != len(a.pics) {
			t.Errorf("fault %d: %+v, %v", fault, f, err)
		}
	}
	d.Spoil(onviftest.Sound)
	full := errors.New("the disk is full")
	a := album{fail: func(n int) error {
		if n == 5 {
			return full
		}
		return nil
	}}
	if f, err := c.Backfill(t.Context(), span, &a); !errors.Is(err, full) || f.Pictures != 5 || f.Whole || len(a.pics) != 5 {
		t.Errorf("a sink that fails: %+v, %v", f, err)
	}
	a = album{fail: func(n int) error { // a slow disk is no silence
		if n == 3 {
			time.Sleep(quick().silence * 3 / 2)
		}
		return nil
	}}
	if f, err := c.Backfill(t.Context(), span, &a); err != nil || !f.Whole {
		t.Errorf("a slow sink: %+v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a = album{fail: func(n int) error { cancel(); return nil }}
	if _, err := c.Backfill(ctx, span, &a); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
	for _, bad := range []Span{{}, {From: began, To: began}, {From: began, To: began.Add(2 * time.Hour)}} {
		if _, err := c.Backfill(t.Context(), bad, &a); err == nil {
			t.Errorf("span %v accepted", bad)
		}
	}
}

// The header's own time, over NTP's turn in 2036 (RFC 5905 section 6).
func TestReplayStamp(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 11, 26, 12, 0, 0, 500_000_000, time.UTC),
		time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC),
		time.Date(2036, 2, 7, 6, 28, 17, 0, time.UTC),
		time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		b := make([]byte, 16)
		binary.BigEndian.PutUint32(b, uint32(at.Unix()+2_208_988_800))
		binary.BigEndian.PutUint32(b[4:], uint32(uint64(at.Nanosecond())<<32/1e9))
		b[8], b[9] = 0x90, 42
		s, ok := readStamp(b)
		if !ok || !near(s.at, at, time.Microsecond) || !s.clean || s.end || s.broken || !s.terminal || s.cseq != 42 {
			t.Errorf("%v read as %+v", at, s)
		}
	}
	for _, b := range [][]byte{nil, make([]byte, 11), make([]byte, 12)} {
		if _, ok := readStamp(b); ok {
			t.Errorf("%x read", b)
		}
	}
}
