package fmp4

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"eyebolt/camera"
)

// T15, T18: a camera whose time steps back in a visit is watched no more, but filmed all the same; a power cut takes none of the
// film that was confirmed.
func TestPowerCutAfterTimeStepsBack(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:45])
	b.pass(time.Second) // nothing follows: what has come is filed
	b.confirmed(f.pics[44].Media)
	for i := range f.pics[45:] {
		f.pics[45+i].Media -= 10 * time.Second
	}
	b.show(f.pics[45:60])
	b.pass(time.Second)
	b.show(f.pics[60:105])
	b.pass(time.Second)
	b.until("the newest pictures on disk", func(all []told) bool {
		return len(all) > 0 && all[len(all)-1].ok && all[len(all)-1].through == f.pics[104].Media
	})
	sure := 105
	store := start(t, snapshot(t, b.dir), osDisk{}, nil)
	if len(store.Orphans()) != 1 {
		t.Fatalf("orphans %+v", store.Orphans())
	}
	n := 0
	for _, s := range store.Orphans()[0].Segments {
		n += s.Count
	}
	if n < sure {
		t.Errorf("%d pictures after the power cut, %d were confirmed", n, sure)
	}
}

// T20: a flood of pictures of a few bytes is held to the memory that pictures may take, whatever the bookkeeping of each costs.
func TestTinyPicturesAreBounded(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, func(c *Config) { c.Memory = 1 << 20 })
	b.Opened(f.params)
	b.show(f.pics[:1])
	tiny := camera.Picture{NALs: [][]byte{{0x41, 0x9a, 0x80}}}
	for i := range 50_000 {
		b.pass(10 * time.Microsecond)
		tiny.Media, tiny.Arrival = time.Duration(i)*time.Microsecond, b.clock()
		b.Picture(tiny)
	}
	b.Recorder.mu.Lock()
	defer b.Recorder.mu.Unlock()
	if got := int64(len(b.ring.pics)) * pictureCost; got > 1<<20 {
		t.Errorf("%d pictures in memory, which take %d bytes at least; 1 MiB was allowed", len(b.ring.pics), got)
	}
}

// T20: a camera that changes its parameters all the time makes no end of files: at some number the rest is not recorded, and
// that is told (S1).
func TestParametersThatFlap(t *testing.T) {
	f, g := load(t, "hall.h264"), load(t, "reorder.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	_ = b.Start("v")
	for i := range maxFiles + 20 {
		x := f
		if i%2 == 1 {
			x = g
		}
		b.Opened(x.params)
		p := x.pics[0]
		p.Media = time.Duration(i) * frame
		b.pass(frame)
		p.Arrival = b.clock()
		b.Picture(p)
	}
	b.pass(time.Second)
	b.until("the refusal", func(all []told) bool {
		return len(all) > 0 && !all[len(all)-1].ok && errors.Is(all[len(all)-1].err, ErrFiles)
	})
	c, err := b.finish("v")
	if !errors.Is(err, ErrFiles) || len(c.Files) != maxFiles || c.Lost != 20 {
		t.Errorf("%d files, %d lost, %v; want %d, 20 and ErrFiles", len(c.Files), c.Lost, err, maxFiles)
	}
	if again, err := b.Clip("v"); err != nil || fmt.Sprint(again) != fmt.Sprint(c) {
		t.Errorf("filed as %+v, %v", again, err)
	}
}
