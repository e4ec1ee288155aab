package fmp4

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

// frame is how long a picture lasts in the test streams.
const frame = time.Second / 15

// footage is a coded stream, picture by picture, as a camera driver gives it.
type footage struct {
	params camera.Params
	pics   []camera.Picture // Media in steps of frame; Arrival unset
}

// load reads an Annex B stream with access unit delimiters.
func load(tb testing.TB, name string) footage {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return parseAnnexB(tb, data, strings.HasSuffix(name, "265"))
}

func parseAnnexB(tb testing.TB, data []byte, hevc bool) footage {
	tb.Helper()
	var f footage
	f.params.Codec = camera.H264
	if hevc {
		f.params.Codec = camera.H265
	}
	for len(data) > 0 {
		i := bytes.Index(data, []byte{0, 0, 1})
		if i < 0 {
			break
		}
		data = data[i+3:]
		end := bytes.Index(data, []byte{0, 0, 1})
		if end < 0 {
			end = len(data)
		}
		nal := bytes.TrimRight(data[:end], "\x00")
		aud, key := nal[0]&0x1f == 9, nal[0]&0x1f == 5
		if hevc {
			kind := nal[0] >> 1 & 0x3f
			aud, key = kind == 35, kind >= 16 && kind <= 21
			switch kind {
			case 32:
				f.params.VPS = nal
			case 33:
				f.params.SPS = nal
			case 34:
				f.params.PPS = nal
			}
		} else if nal[0]&0x1f == 7 {
			f.params.SPS = nal
		} else if nal[0]&0x1f == 8 {
			f.params.PPS = nal
		}
		if aud {
			f.pics = append(f.pics, camera.Picture{Media: time.Duration(len(f.pics)) * frame})
		}
		p := &f.pics[len(f.pics)-1]
		p.NALs = append(p.NALs, nal)
		p.Key = p.Key || key
		data = data[end:]
	}
	if len(f.pics) == 0 || !f.pics[0].Key {
		tb.Fatal("the test stream holds no pictures")
	}
	return f
}

// told is one call of Confirmed.
type told struct {
	ok      bool
	through time.Duration
	err     error
}

// bench is a Recorder on a clock that the test moves, and everything it said.
type bench struct {
	*Recorder
	tb   testing.TB
	dir  string
	mu   sync.Mutex
	now  time.Duration
	told []told
	segs []record.Segment
}

var wall0 = time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)

func start(tb testing.TB, dir string, d disk, change func(*Config)) *bench {
	tb.Helper()
	b := &bench{tb: tb, dir: dir, now: time.Hour}
	cfg := Config{
		Dir: dir, Door: "front", Camera: "hall", PreRoll: 4 * time.Second,
		Now:  b.clock,
		Wall: func() time.Time { return wall0.Add(b.clock() - time.Hour) },
		Confirmed: func(ok bool, through time.Duration, err error) {
			b.mu.Lock()
			b.told = append(b.told, told{ok, through, err})
			b.mu.Unlock()
		},
		Segmented: func(_ string, s record.Segment) { b.mu.Lock(); b.segs = append(b.segs, s); b.mu.Unlock() },
		Log:       logTo(tb),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if b.Recorder, err = open(cfg, d); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *bench) clock() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	b.now += d
	b.mu.Unlock()
}

// show gives pictures, each a frame after the one before.
func (b *bench) show(pics []camera.Picture) {
	for _, p := range pics {
		b.pass(frame)
		p.Arrival = b.clock()
		b.Picture(p)
	}
}

// until waits for the writer; the limit is for a machine that is busy with other things.
func (b *bench) until(what string, ok func(all []told) bool) {
	b.tb.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		b.mu.Lock()
		all := slices.Clone(b.told)
		b.mu.Unlock()
		if ok(all) {
			return
		}
		if time.Now().After(end) {
			b.tb.Fatalf("waited for %s; told so far: %v", what, all)
		}
	}
}

func (b *bench) confirmed(through time.Duration) {
	b.tb.Helper()
	b.until("pictures up to "+through.String()+" on disk", func(all []told) bool {
		return slices.ContainsFunc(all, func(t told) bool { return t.ok && t.through >= through })
	})
}

func (b *bench) finish(visit string) (record.Clip, error) {
	b.tb.Helper()
	type result struct {
		c   record.Clip
		err error
	}
	ch := make(chan result, 1)
	b.Stop(visit, func(c record.Clip, err error) { ch <- result{c, err} })
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		select {
		case r := <-ch:
			return r.c, r.err
		case <-time.After(5 * time.Millisecond):
			b.pass(50 * time.Millisecond) // a refusing disk is given up by this clock
		}
	}
	b.tb.Fatal("the clip was not filed")
	return record.Clip{}, nil
}

// probed is what ffprobe reads from a file: presentation times in seconds, and the length it shows.
type probed struct {
	times    []float64
	keys     int
	duration float64
}

// play decodes a file with ffmpeg, which must find nothing wrong, and lists its pictures.
func play(tb testing.TB, path string) probed {
	tb.Helper()
	if out, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
		tb.Fatalf("ffmpeg (Debian: apt-get install ffmpeg): %v\n%s", err, out)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "frame=pts_time,key_frame:format=duration", "-of", "json", path).CombinedOutput()
	if err != nil {
		tb.Fatalf("ffprobe: %v\n%s", err, out)
	}
	var m struct {
		Frames []struct {
			Key int    `json:"key_frame"`
			PTS string `json:"pts_time"`
		}
		Format struct{ Duration string }
	}
	if err := json.Unmarshal(out, &m); err != nil {
		tb.Fatal(err)
	}
	var p probed
	for _, f := range m.Frames {
		s, err := strconv.ParseFloat(f.PTS, 64)
		if err != nil {
			tb.Fatal(err)
		}
		p.times = append(p.times, s)
		p.keys += f.Key
	}
	p.duration, _ = strconv.ParseFloat(m.Format.Duration, 64)
	return p
}
