package fmp4

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

// check reads a clip as a stranger would: every hash against the bytes on disk, the segments in order and inside their
// files, every file decodes without a complaint and holds the pictures that its segments count.
func (b *bench) check(c record.Clip) []probed {
	b.tb.Helper()
	var all []probed
	var end time.Duration
	for _, f := range c.Files {
		data, err := os.ReadFile(filepath.Join(b.dir, f.Path))
		if err != nil {
			b.tb.Fatal(err)
		}
		if int64(len(data)) != f.Bytes || sha256.Sum256(data) != f.SHA256 {
			b.tb.Errorf("%s: %d bytes, hash or length are not those of the clip (%d)", f.Path, len(data), f.Bytes)
		}
		count, at := 0, int64(0)
		for _, s := range c.Segments {
			if s.Path != f.Path {
				continue
			}
			if s.Offset < at || s.Offset+s.Bytes > f.Bytes {
				b.tb.Fatalf("%s: segment at %d+%d", f.Path, s.Offset, s.Bytes)
			}
			at = s.Offset + s.Bytes
			if sha256.Sum256(data[s.Offset:at]) != s.SHA256 {
				b.tb.Errorf("%s: segment at %d has another hash", f.Path, s.Offset)
			}
			if s.To <= s.From || s.From < end-2*time.Millisecond || s.To-s.From > segmentLength+frame {
				b.tb.Errorf("%s: segment from %v to %v, after %v", f.Path, s.From, s.To, end)
			}
			end = s.To
			count += s.Count
		}
		p := play(b.tb, filepath.Join(b.dir, f.Path))
		if len(p.times) != count {
			b.tb.Errorf("%s: %d pictures decoded, %d counted", f.Path, len(p.times), count)
		}
		all = append(all, p)
	}
	return all
}

// even says where two pictures are not one frame apart.
func even(times []float64) (gaps []string) {
	for i := 1; i < len(times); i++ {
		if d := times[i] - times[i-1]; math.Abs(d-frame.Seconds()) > 0.0005 {
			gaps = append(gaps, fmt.Sprintf("%.3f at %.3f", d, times[i-1]))
		}
	}
	return gaps
}

// S1: a visit's film begins with the pre-roll, at a key picture, and holds every picture until it is stopped; each confirmed
// picture is on disk. The wall times are those of the pictures' arrival.
func TestVisit(t *testing.T) {
	for _, name := range []string{"hall.h264", "hall.h265"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			b := start(t, t.TempDir(), osDisk{}, func(c *Config) { c.PreRoll = time.Second })
			b.Opened(f.params)
			before := 40 // the ring keeps the key picture at 15: 1 s before the 40th is the 25th
			b.show(f.pics[:before])
			if err := b.Start("v1"); err != nil {
				t.Fatal(err)
			}
			if err := b.Start("v1"); err != nil {
				t.Errorf("starting the same visit again: %v", err)
			}
			if err := b.Start("v2"); !errors.Is(err, ErrBusy) {
				t.Errorf("starting another visit: %v, want ErrBusy", err)
			}
			last := time.Duration(0)
			for i := before; i < len(f.pics); i += 5 { // the clock of the test waits for the real disk
				few := f.pics[i:min(i+5, len(f.pics))]
				b.show(few)
				last = few[len(few)-1].Media
				b.confirmed(last - partLength - frame)
			}
			if n := strings.Count(fmt.Sprint(b.told), "{false"); n != 0 {
				t.Errorf("told %d times that pictures do not reach the disk: %v", n, b.told)
			}
			c, err := b.finish("v1")
			if err != nil {
				t.Fatal(err)
			}
			p := b.check(c)[0]
			if want := len(f.pics) - 15; len(p.times) != want {
				t.Errorf("%d pictures, want %d", len(p.times), want)
			}
			if gaps := even(p.times); gaps != nil || p.times[0] != 0 {
				t.Errorf("first at %v, uneven: %v", p.times[0], gaps)
			}
			if want := float64(len(f.pics)-15) / 15; math.Abs(p.duration-want) > 0.1 {
				t.Errorf("shows a length of %.2f s, want %.2f", p.duration, want)
			}
			if want := wall0.Add(16 * frame); !c.From.Equal(c.Segments[0].Wall) || c.From.Sub(want).Abs() > time.Millisecond {
				t.Errorf("from %v, want %v", c.From, want)
			}
			if want := wall0.Add(time.Duration(len(f.pics)+1) * frame); c.To.Sub(want).Abs() > time.Millisecond {
				t.Errorf("to %v, want %v", c.To, want)
			}
			if c.Lost != 0 || c.Recovered || c.Visit != "v1" || c.Door != "front" || c.Camera != "hall" {
				t.Errorf("clip %+v", c)
			}
			if want := map[string]string{"hall.h264": `video/mp4; codecs="avc1.64000c"`, "hall.h265": `video/mp4; codecs="hvc1.1.6.L60.90"`}[name]; c.Files[0].MIME != want {
				t.Errorf("MIME %s, want %s", c.Files[0].MIME, want)
			}
			if len(b.segs) != len(c.Segments) {
				t.Errorf("told %d segments, filed %d", len(b.segs), len(c.Segments))
			}
			for i, s := range b.segs {
				if s != c.Segments[i] {
					t.Errorf("segment %d was told as %+v and filed as %+v", i, s, c.Segments[i])
				}
			}
			sum := c.Files[0].SHA256
			got, file, err := b.Open("v1", sum)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if data, err := io.ReadAll(file); err != nil || sha256.Sum256(data) != sum || got != c.Files[0] {
				t.Errorf("Open gives other bytes (%v), or %+v", err, got)
			}
			if _, _, err := b.Open("v1", [32]byte{}); !errors.Is(err, ErrUnknown) {
				t.Errorf("an unknown file: %v", err)
			}
			if _, _, err := b.Open("v2", sum); !errors.Is(err, ErrUnknown) {
				t.Errorf("an unknown clip: %v", err)
			}
			if _, _, err := b.Open("../../etc", sum); !errors.Is(err, ErrUnknown) {
				t.Errorf("a name that climbs: %v", err)
			}
		})
	}
}

// S7: when nothing came, nothing is shown: the film's clock goes on, and no segment covers the hole.
func TestHoleStaysReal(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:50])
	b.pass(3 * time.Second)
	b.confirmed(f.pics[49].Media)
	for i := 60; i < 120; i++ {
		f.pics[i].Media += 3*time.Second - 10*frame
	}
	b.show(f.pics[60:120]) // the GOP that began at 45 went on while nothing was heard
	c, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	p := b.check(c)[0]
	if want := fmt.Sprintf("[%.3f at %.3f]", 3+frame.Seconds(), (49 * frame).Seconds()); fmt.Sprint(even(p.times)) != want {
		t.Errorf("gaps %v, want %v", even(p.times), want)
	}
	var holes []time.Duration
	for i := 1; i < len(c.Segments); i++ {
		if d := c.Segments[i].From - c.Segments[i-1].To; d > time.Millisecond {
			holes = append(holes, d.Round(time.Millisecond))
		}
	}
	if fmt.Sprint(holes) != "[3s]" {
		t.Errorf("holes between segments %v, want 3 s", holes)
	}
}

// A connection that is lost and found continues the film by the pictures' arrival; what cannot be decoded, before the
// first key picture, is counted.
func TestReconnect(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:40])
	b.Closed()
	b.pass(2 * time.Second)
	b.Opened(f.params)
	again := f.pics[50:110] // 60 is the next key picture
	for i := range again {
		again[i].Media -= again[0].Media // a new connection counts anew; keep order: the first is zeroed last
	}
	b.show(again)
	c, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	p := b.check(c)[0]
	if len(c.Files) != 1 || len(p.times) != 40+50 || c.Lost != 10 {
		t.Errorf("%d files, %d pictures, %d lost; want one file, 90, 10", len(c.Files), len(p.times), c.Lost)
	}
	if gaps := even(p.times); len(gaps) != 1 || !strings.HasPrefix(gaps[0], fmt.Sprintf("%.3f at", 2+11*frame.Seconds())) {
		t.Errorf("gaps %v, want one of 2 s and eleven frames", gaps)
	}
}

// A file has one set of parameters: new ones begin a new file, and both play.
func TestNewParameters(t *testing.T) {
	f, g := load(t, "hall.h264"), load(t, "hall.h265")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:30])
	b.Closed()
	b.pass(time.Second)
	b.Opened(g.params)
	b.show(g.pics[:30])
	c, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Files) != 2 || filepath.Base(c.Files[1].Path) != "clip-2.mp4" {
		t.Fatalf("files: %+v", c.Files)
	}
	for i, p := range b.check(c) {
		if len(p.times) != 30 {
			t.Errorf("file %d: %d pictures", i, len(p.times))
		}
	}
	last := c.Segments[len(c.Segments)-1]
	if want := 60*frame + time.Second; (last.To - want).Abs() > frame/2 {
		t.Errorf("the film ends at %v, want %v", last.To, want)
	}
	one, two := c.Files[0], c.Files[1]
	if !c.From.Equal(one.From) || !c.To.Equal(two.To) || (two.From.Sub(one.To)-time.Second).Abs() > 2*time.Millisecond {
		t.Errorf("times: clip %v to %v, files %v to %v and %v to %v, want one second between", c.From, c.To, one.From, one.To, two.From, two.To)
	}
}

// Pictures that are decoded in another order than they are shown keep both.
func TestReorderedPictures(t *testing.T) {
	f := load(t, "reorder.h264")
	data, err := os.ReadFile("testdata/reorder.pts")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range strings.Fields(string(data)) {
		var n int
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatal(err)
		}
		f.pics[i].Media = time.Duration(n) * frame
	}
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics)
	c, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	p := play(t, filepath.Join(b.dir, c.Files[0].Path))
	if gaps := even(p.times); len(p.times) != len(f.pics) || gaps != nil {
		t.Errorf("%d of %d pictures, uneven: %v", len(p.times), len(f.pics), gaps)
	}
}

// A visit that is recorded again (the hub restarted in the middle) keeps its first film and gets another file.
func TestContinuedVisit(t *testing.T) {
	f := load(t, "hall.h264")
	dir := t.TempDir()
	b := start(t, dir, osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:30])
	first, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Sweep(wall0, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, dir, osDisk{}, nil)
	if len(b.Orphans()) != 0 {
		t.Errorf("orphans of a visit that was filed: %v", b.Orphans())
	}
	b.pass(10 * time.Second)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[30:75])
	c, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Files) != 2 || c.Files[0] != first.Files[0] {
		t.Fatalf("clip %+v", c)
	}
	if p := b.check(c); len(p[0].times) != 30 || len(p[1].times) != 45 {
		t.Errorf("%d and %d pictures", len(p[0].times), len(p[1].times))
	}
}

// A visit whose camera gave nothing leaves nothing, and says so.
func TestNothingSeen(t *testing.T) {
	b := start(t, t.TempDir(), osDisk{}, nil)
	_ = b.Start("v")
	c, err := b.finish("v")
	if err != nil || c.Files != nil || c.Visit != "v" {
		t.Errorf("clip %+v, %v", c, err)
	}
	if all, err := b.Clips(); len(all) != 0 || err != nil {
		t.Errorf("clips %v, %v", all, err)
	}
	b.Stop("never", func(_ record.Clip, err error) {
		b.mu.Lock()
		b.told = append(b.told, told{err: err})
		b.mu.Unlock()
	})
	b.until("the refusal", func(all []told) bool { return len(all) == 1 && errors.Is(all[0].err, ErrUnknown) })
}

// S13: pictures that cannot be decoded are not a recording. The reason names the camera's setting.
func TestNoKeyPicture(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	for range 3 { // none of these is a key picture
		b.show(f.pics[1:15])
	}
	b.until("the reason", func(all []told) bool { return len(all) > 0 && errors.Is(all[0].err, ErrNoKey) && !all[0].ok })
	b.show([]camera.Picture{f.pics[15]})
	b.show(f.pics[16:30])
	b.confirmed(f.pics[20].Media)
	c, err := b.finish("v")
	if err != nil || c.Lost != 42 {
		t.Errorf("%d pictures lost, %v; want 42", c.Lost, err)
	}
	b.check(c)
}

// What lies in a folder beside visits is left alone and named, and clips that go are gone whole.
func TestSweep(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, func(c *Config) { c.Retention = record.Retention{Age: time.Hour} })
	b.Opened(f.params)
	for _, v := range []string{"old", "kept", "new"} {
		_ = b.Start(v)
		b.show(f.pics[:30])
		if _, err := b.finish(v); err != nil {
			t.Fatal(err)
		}
		b.pass(30 * time.Minute)
	}
	_ = b.Start("going")
	now := wall0.Add(b.clock() - time.Hour)
	gone, err := b.Sweep(now, func(v string) bool { return v == "kept" })
	if err != nil || len(gone) != 1 || gone[0].Visit != "old" {
		t.Errorf("gone %v, %v", gone, err)
	}
	if _, err := b.Clip("old"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a clip that went is given: %v", err)
	}
	all, err := b.Clips()
	if err != nil || len(all) != 2 || all[0].Visit != "kept" || all[1].Visit != "new" {
		t.Errorf("left %v, %v", all, err)
	}
	if gone, err := b.Sweep(now.Add(-24*time.Hour), nil); len(gone) != 0 || err != nil {
		t.Errorf("a clock that was set back deleted %v, %v", gone, err)
	}
	if names, _ := filepath.Glob(filepath.Join(b.dir, "front", "hall", "*old*")); len(names) != 0 {
		t.Errorf("left over: %v", names)
	}
}
