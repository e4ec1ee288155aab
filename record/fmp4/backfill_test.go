package fmp4

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

// visited records a visit of the whole footage and files it.
func visited(t *testing.T, b *bench, f footage, visit string) record.Clip {
	t.Helper()
	b.Opened(f.params)
	if err := b.Start(visit); err != nil {
		t.Fatal(err)
	}
	b.show(f.pics)
	done := make(chan record.Clip, 1)
	b.Stop(visit, func(c record.Clip, err error) {
		if err != nil {
			t.Error(err)
		}
		done <- c
	})
	return <-done
}

// give gives pictures with a wall time a frame after the one before.
func give(t *testing.T, b *Backfill, f footage, from time.Time) {
	t.Helper()
	b.Opened(f.params)
	for i, p := range f.pics {
		if err := b.Picture(p, from.Add(time.Duration(i)*frame)); err != nil {
			t.Fatal(err)
		}
	}
}

// S7: what was fetched afterwards lies in files of its own, marked, playable, each one run without a hole; the film is as it was.
func TestBackfill(t *testing.T) {
	for _, name := range []string{"hall.h264", "hall.h265"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			b := start(t, t.TempDir(), osDisk{}, nil)
			film := visited(t, b, f, "v1")
			back, err := b.Backfill("v1")
			if err != nil {
				t.Fatal(err)
			}
			from := wall0.Add(time.Minute)
			again := from.Add(time.Duration(len(f.pics))*frame + 10*time.Second)
			give(t, back, f, from)
			give(t, back, f, again) // behind a hole
			clip, err := back.End()
			if err != nil {
				t.Fatal(err)
			}
			if len(clip.Files) != 2 || clip.Visit != "v1" {
				t.Fatalf("%+v", clip)
			}
			for i, at := range []time.Time{from, again} {
				got := clip.Files[i]
				if !got.Backfilled || !got.From.Equal(at) || got.To.Sub(at.Add(time.Duration(len(f.pics))*frame)).Abs() > time.Millisecond {
					t.Errorf("file %d: %+v", i, got)
				}
				p := play(t, filepath.Join(b.dir, got.Path))
				if len(p.times) != len(f.pics) {
					t.Errorf("file %d: %d pictures decoded, %d given", i, len(p.times), len(f.pics))
				}
				if gaps := even(p.times); len(gaps) > 0 {
					t.Errorf("file %d: uneven: %v", i, gaps)
				}
			}
			now, err := b.Clip("v1")
			if err != nil || len(now.Files) != len(film.Files)+2 || !now.From.Equal(film.From) || !now.To.Equal(film.To) || len(now.Segments) != len(film.Segments) {
				t.Errorf("the clip is now %+v, %v", now, err)
			}
			b.check(record.Clip{Files: now.Files[:len(film.Files)], Segments: now.Segments})
			// What a crash may have kept from the record is told again, by its mark.
			store := start(t, snapshot(t, b.dir), osDisk{}, nil)
			told := store.Orphans()
			if len(told) != 1 || len(told[0].Files) != len(film.Files)+2 || told[0].Files[0].Backfilled || !told[0].Files[len(film.Files)].Backfilled {
				t.Errorf("told again: %+v", told)
			}
			// A visit that goes on (the hub crashed in it) keeps what was fetched, and its film goes on by the film's own clock.
			more := visited(t, store, f, "v1")
			if n := len(film.Files) + 2; len(more.Files) != n+1 || !more.Files[n-1].Backfilled || more.Files[n].Backfilled || !strings.HasSuffix(more.Files[n].Path, "clip-2.mp4") {
				t.Errorf("%+v", more.Files)
			}
		})
	}
}

func TestBackfillRefusals(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	if _, err := b.Backfill("never"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a visit that is not there: %v", err)
	}
	b.Opened(f.params)
	if err := b.Start("v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Backfill("v1"); !errors.Is(err, ErrBackfill) {
		t.Errorf("a visit that goes on: %v", err)
	}
	done := make(chan bool, 1)
	b.show(f.pics)
	b.Stop("v1", func(record.Clip, error) { done <- true })
	<-done
	files := func() []string {
		all, err := filepath.Glob(filepath.Join(b.dir, "front/hall/v1/*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := files()
	back, err := b.Backfill("v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Picture(f.pics[0], wall0); !errors.Is(err, ErrBackfill) {
		t.Errorf("before its parameters: %v", err)
	}
	back.Opened(f.params)
	if err := back.Picture(f.pics[1], wall0); err != nil { // no key picture: nothing can decode it
		t.Error(err)
	}
	if c, err := back.End(); err != nil || len(c.Files) != 0 {
		t.Errorf("nothing came: %+v, %v", c, err)
	}
	if _, err := back.End(); !errors.Is(err, ErrBackfill) {
		t.Errorf("ended twice: %v", err)
	}
	back, err = b.Backfill("v1")
	if err != nil {
		t.Fatal(err)
	}
	back.Opened(f.params)
	for i, at := range []time.Duration{0, frame} {
		if err := back.Picture(f.pics[i], wall0.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := back.Picture(f.pics[2], wall0); !errors.Is(err, ErrBackfill) {
		t.Errorf("times that do not rise: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(b.dir, "front/hall/v1", doneName)); err != nil { // swept away meanwhile
		t.Fatal(err)
	}
	if _, err := back.End(); err == nil {
		t.Error("filed beside a visit that is gone")
	}
	after := files()
	if !slices.Equal(slices.DeleteFunc(before, func(s string) bool { return strings.HasSuffix(s, doneName) }), after) {
		t.Errorf("before %v, after %v", before, after)
	}
}

// A disk that fails leaves the film as it was, and nothing of the backfill.
func TestBackfillDiskFails(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	film := visited(t, b, f, "v1")
	back, err := b.Backfill("v1")
	if err != nil {
		t.Fatal(err)
	}
	back.Opened(f.params)
	if err := back.Picture(f.pics[0], wall0); err != nil {
		t.Fatal(err)
	}
	if err := back.f.Close(); err != nil { // its next write fails
		t.Fatal(err)
	}
	if _, err := back.End(); err == nil {
		t.Error("no error")
	}
	now, err := b.Clip("v1")
	if err != nil || len(now.Files) != len(film.Files) {
		t.Errorf("%+v, %v", now, err)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "front/hall/v1", partName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

// T20: a camera whose times hardly rise, and that gives no key picture, does not fill the memory.
func TestBackfillHoldsLittle(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	visited(t, b, f, "v1")
	back, err := b.Backfill("v1")
	if err != nil {
		t.Fatal(err)
	}
	back.Opened(f.params)
	at := wall0.Add(time.Minute)
	if err := back.Picture(f.pics[0], at); err != nil {
		t.Fatal(err)
	}
	nal := make([]byte, 1<<20)
	nal[0] = 0x41
	for range 64 {
		at = at.Add(time.Microsecond)
		if err := back.Picture(camera.Picture{NALs: [][]byte{nal}}, at); err != nil {
			t.Fatal(err)
		}
		held := 0
		for _, p := range back.pend {
			held += len(p.data)
		}
		if held > pendMost || held != back.held {
			t.Fatalf("%d bytes are held, counted as %d", held, back.held)
		}
	}
	clip, err := back.End()
	if err != nil || len(clip.Files) != 1 || clip.Files[0].Bytes < 64<<20 {
		t.Errorf("%+v, %v", clip, err)
	}
}
