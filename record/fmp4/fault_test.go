package fmp4

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

// badDisk is a disk with faults that the test switches on: a write that is refused half done, a sync that fails after
// it took effect, a sync that hangs.
type badDisk struct {
	mu     sync.Mutex
	full   bool
	noSync bool
	hang   chan struct{} // while not nil, Sync waits until it is closed
	hung   int           // how often it has
	synced map[string]int64
	length map[string]int64
}

func (d *badDisk) set(f func()) { d.mu.Lock(); f(); d.mu.Unlock() }

type badFile struct {
	file
	d    *badDisk
	path string
}

func (d *badDisk) Create(path string) (file, error) {
	f, err := osDisk{}.Create(path)
	return &badFile{f, d, path}, err
}

func (d *badDisk) Open(path string) (file, error) {
	f, err := osDisk{}.Open(path)
	return &badFile{f, d, path}, err
}

func (f *badFile) WriteAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	full := f.d.full
	f.d.mu.Unlock()
	if full {
		n, _ := f.file.WriteAt(b[:len(b)/2], off)
		return n, syscall.ENOSPC
	}
	n, err := f.file.WriteAt(b, off)
	f.d.set(func() { f.d.note(f.path, off+int64(n)) })
	return n, err
}

func (d *badDisk) note(path string, end int64) {
	if d.length == nil {
		d.length, d.synced = map[string]int64{}, map[string]int64{}
	}
	d.length[path] = max(d.length[path], end)
}

func (f *badFile) Sync() error {
	f.d.mu.Lock()
	hang, fail := f.d.hang, f.d.noSync
	f.d.mu.Unlock()
	if hang != nil {
		f.d.set(func() { f.d.hung++ })
		<-hang
	}
	if fail {
		return syscall.EIO
	}
	err := f.file.Sync()
	f.d.set(func() { f.d.note(f.path, 0); f.d.synced[f.path] = f.d.length[f.path] })
	return err
}

// T18: a disk that is full, or that fails to sync, is told at once and again and again; when it takes writes again, nothing
// that was still in memory is missing.
func TestDiskFullAndHealed(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(*badDisk, bool)
		want  error
	}{
		{"full", func(d *badDisk, on bool) { d.full = on }, syscall.ENOSPC},
		{"no sync", func(d *badDisk, on bool) { d.noSync = on }, syscall.EIO},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := load(t, "hall.h264")
			d := &badDisk{}
			b := start(t, t.TempDir(), d, nil)
			b.Opened(f.params)
			_ = b.Start("v")
			b.show(f.pics[:30])
			b.confirmed(f.pics[20].Media)
			d.set(func() { tc.fault(d, true) })
			b.show(f.pics[30:90])
			b.until("two refusals", func(all []told) bool {
				n := 0
				for _, a := range all {
					if !a.ok && errors.Is(a.err, tc.want) {
						n++
					}
				}
				return n >= 2
			})
			through := b.last()
			if !through.ok && through.through > f.pics[30].Media {
				t.Errorf("confirmed up to %v while nothing was written", through.through)
			}
			d.set(func() { tc.fault(d, false) })
			b.show(f.pics[90:])
			b.confirmed(f.pics[150].Media)
			c, err := b.finish("v")
			if err != nil {
				t.Fatal(err)
			}
			if p := b.check(c)[0]; len(p.times) != len(f.pics) || even(p.times) != nil || c.Lost != 0 {
				t.Errorf("%d pictures of %d, lost %d", len(p.times), len(f.pics), c.Lost)
			}
		})
	}
}

func (b *bench) last() told {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told[len(b.told)-1]
}

// T18: a disk that refuses to the end gives an error and a clip of what was confirmed; when the recorder starts again, that
// is filed and plays.
func TestDiskFullToTheEnd(t *testing.T) {
	f := load(t, "hall.h264")
	d := &badDisk{}
	dir := t.TempDir()
	b := start(t, dir, d, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:60])
	b.confirmed(f.pics[50].Media)
	d.set(func() { d.full = true })
	b.show(f.pics[60:])
	c, err := b.finish("v")
	if !errors.Is(err, syscall.ENOSPC) || c.Lost == 0 {
		t.Fatalf("filed %+v, %v; want ENOSPC and the number of lost pictures", c, err)
	}
	d.set(func() { d.full = false })
	_ = b.Close()
	b = start(t, dir, osDisk{}, nil)
	if len(b.Orphans()) != 1 || b.Orphans()[0].Visit != "v" || !b.Orphans()[0].Recovered {
		t.Fatalf("orphans %+v", b.Orphans())
	}
	if p := b.check(b.Orphans()[0])[0]; len(p.times) < 50 {
		t.Errorf("%d pictures, want those that were confirmed", len(p.times))
	}
}

// S1, T18: a disk that hangs does not hold up the camera; that pictures wait is told within about a second; memory is
// bounded; what did not fit is counted, and the film goes on at a key picture.
func TestDiskHangs(t *testing.T) {
	f := load(t, "hall.h264")
	d := &badDisk{}
	b := start(t, t.TempDir(), d, func(c *Config) { c.Memory = 40_000 })
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:30])
	b.confirmed(f.pics[20].Media)
	hang := make(chan struct{})
	d.set(func() { d.hang = hang })
	began := time.Now()
	b.show(f.pics[30:150])
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the camera's goroutine waited %v", took)
	}
	b.until("both reasons", func(all []told) bool {
		b.pass(50 * time.Millisecond)
		var slow, over bool
		for _, a := range all {
			slow = slow || errors.Is(a.err, ErrSlow)
			over = over || errors.Is(a.err, ErrOverrun)
		}
		return slow && over
	})
	b.Recorder.mu.Lock()
	if b.ring.bytes > 40_000 {
		t.Errorf("%d bytes in memory", b.ring.bytes)
	}
	b.Recorder.mu.Unlock()
	d.set(func() { d.hang = nil })
	close(hang)
	b.show(f.pics[150:])
	c, err := b.finish("v")
	if !errors.Is(err, ErrOverrun) || c.Lost == 0 {
		t.Errorf("filed with %v, %d lost; want ErrOverrun", err, c.Lost)
	}
	if p := b.check(c)[0]; len(p.times)+int(c.Lost) != len(f.pics) || len(even(p.times)) == 0 {
		t.Errorf("%d pictures and %d lost are not %d", len(p.times), c.Lost, len(f.pics))
	}
}

// S1: what the disk still takes of a visit that was stopped says nothing about the next one, which has nothing on disk.
func TestStoppedVisitConfirmsNothing(t *testing.T) {
	f := load(t, "hall.h264")
	d := &badDisk{}
	b := start(t, t.TempDir(), d, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:30])
	b.confirmed(f.pics[20].Media)
	hang := make(chan struct{})
	d.set(func() { d.hang = hang })
	b.show(f.pics[30:60])
	b.until("the disk to hang", func([]told) (hangs bool) { d.set(func() { hangs = d.hung > 0 }); return hangs })
	filed := make(chan error, 1)
	b.Stop("v", func(_ record.Clip, err error) { filed <- err })
	if err := b.Start("w"); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.told = nil
	b.mu.Unlock()
	d.set(func() { d.hang, d.full = nil, true })
	close(hang) // the first visit's pictures are on disk; the second's do not come there
	for end := time.Now().Add(20 * time.Second); len(filed) == 0; b.pass(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the first visit was not filed")
		}
		time.Sleep(time.Millisecond)
	}
	b.until("the second visit's refusal", func(all []told) bool {
		for _, a := range all {
			if a.ok {
				t.Fatalf("confirmed up to %v, of a visit that has nothing on disk", a.through)
			}
		}
		return len(all) > 0
	})
	d.set(func() { d.full = false })
}

// T18: a store that cannot be written is told and does no harm.
func TestStoreGone(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	// A file stands where the visit's folder must be.
	if err := os.WriteFile(filepath.Join(b.dir, "front", "hall", "v"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:30])
	b.until("the reason", func(all []told) bool { return len(all) > 1 && !all[0].ok && all[0].err != nil })
	c, err := b.finish("v")
	if err == nil || c.Lost != 30 {
		t.Errorf("filed %+v, %v", c, err)
	}
	_ = b.Start("w")
	b.show(f.pics[30:60])
	if c, err := b.finish("w"); err != nil || c.Size() == 0 {
		t.Errorf("the next visit: %+v, %v", c, err)
	}
}

// snapshot copies a store as it lies on disk now.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "store")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// T18: after a power cut at any byte of the unsynced tail, and with zeros where data had not been written, the visit is found,
// holds at least every confirmed picture, and plays.
func TestPowerCut(t *testing.T) {
	f := load(t, "hall.h264")
	d := &badDisk{}
	b := start(t, t.TempDir(), d, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:60])
	b.confirmed(f.pics[50].Media)
	path := filepath.Join(b.dir, "front", "hall", "v", "clip.mp4")
	d.mu.Lock()
	synced := d.synced[path]
	d.mu.Unlock()
	sure := b.last().through
	b.show(f.pics[60:75])
	b.confirmed(f.pics[66].Media)
	after := snapshot(t, b.dir)
	data, err := os.ReadFile(filepath.Join(after, "front/hall/v/clip.mp4"))
	if err != nil {
		t.Fatal(err)
	}

	// Every eleventh length, by the scanner alone: boxes are longer than that, so a cut falls into each.
	for n := synced; n <= int64(len(data)); n += 11 {
		v, err := scan(reader(data[:n]), n, 0)
		if err != nil || v.size > n || fromTicks(v.end) < sure {
			t.Fatalf("cut at %d: %d bytes whole, up to %v, %v; confirmed up to %v", n, v.size, fromTicks(v.end), err, sure)
		}
	}
	// Some lengths, whole: each is opened as the hub would open it.
	for i := range int64(5) {
		for _, zeros := range []int{0, 5000} {
			n := synced + (int64(len(data))-synced)*i/4
			cut := append(append([]byte{}, data[:n]...), make([]byte, zeros)...)
			t.Run(fmt.Sprintf("%d+%d", n, zeros), func(t *testing.T) {
				store := snapshot(t, after)
				if err := os.WriteFile(filepath.Join(store, "front/hall/v/clip.mp4"), cut, 0o600); err != nil {
					t.Fatal(err)
				}
				b := start(t, store, osDisk{}, nil)
				if len(b.Orphans()) != 1 {
					t.Fatalf("orphans %+v", b.Orphans())
				}
				c := b.Orphans()[0]
				if c.Visit != "v" || c.Door != "front" || !c.Recovered || c.From.Sub(wall0.Add(frame)).Abs() > time.Millisecond {
					t.Errorf("orphan %+v", c)
				}
				p := b.check(c)[0]
				if got := time.Duration(len(p.times)) * frame; got < sure {
					t.Errorf("%v of film, %v were confirmed", got, sure)
				}
				if even(p.times) != nil {
					t.Errorf("uneven: %v", even(p.times))
				}
				// And not for ever.
				if _, err := b.Sweep(wall0, nil); err != nil {
					t.Error(err)
				}
				_ = b.Close()
				if again := start(t, store, osDisk{}, nil); len(again.Orphans()) != 0 {
					t.Errorf("found again: %+v", again.Orphans())
				}
			})
		}
	}
}

type sliceReader []byte

func reader(b []byte) sliceReader { return b }

func (r sliceReader) ReadAt(p []byte, off int64) (int, error) {
	if off > int64(len(r)) {
		return 0, io.EOF
	}
	n := copy(p, r[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// A hub that ends in a visit files what it has; that it did is told at the next start, or the film would be on no record.
func TestClosedInAVisit(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:60])
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, b.dir, osDisk{}, nil)
	if len(again.Orphans()) != 1 || again.Orphans()[0].Visit != "v" || len(again.check(again.Orphans()[0])[0].times) != 60 {
		t.Errorf("told at the next start: %+v", again.Orphans())
	}
}

// A cut in the middle of filing leaves either an open visit or a filed one, whole.
func TestPowerCutWhileFiling(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:60])
	b.confirmed(f.pics[45].Media)
	open, err := os.ReadFile(filepath.Join(b.dir, "front/hall/v", openName))
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.finish("v")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) error{
		"description not yet renamed": func(v string) error {
			return errors.Join(os.Rename(filepath.Join(v, doneName), filepath.Join(v, doneName+".tmp")),
				os.WriteFile(filepath.Join(v, openName), open, 0o600))
		},
		"open mark not yet removed":  func(v string) error { return os.WriteFile(filepath.Join(v, openName), open, 0o600) },
		"folder made, nothing in it": func(v string) error { return errors.Join(os.RemoveAll(v), os.Mkdir(v, 0o700)) },
		"filed, not yet on record":   func(string) error { return nil },
		"being deleted": func(v string) error {
			return os.Rename(v, filepath.Join(filepath.Dir(v), trash+"v"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := snapshot(t, b.dir)
			if err := change(filepath.Join(store, "front/hall/v")); err != nil {
				t.Fatal(err)
			}
			b := start(t, store, osDisk{}, nil)
			all, err := b.Clips()
			if err != nil {
				t.Fatal(err)
			}
			if name == "folder made, nothing in it" || name == "being deleted" {
				left, _ := os.ReadDir(filepath.Join(store, "front/hall"))
				if name == "being deleted" {
					// That it goes may not be on record yet: it is told again, and goes when that is done.
					if len(b.Gone()) != 1 || b.Gone()[0].Visit != "v" || len(b.Gone()[0].Files) != 1 || b.Gone()[0].Files[0] != c.Files[0] {
						t.Errorf("gone: %+v", b.Gone())
					}
					if _, err := b.Sweep(wall0, nil); err != nil {
						t.Error(err)
					}
					left, _ = os.ReadDir(filepath.Join(store, "front/hall"))
				}
				if len(all)+len(left)+len(b.Orphans()) != 0 {
					t.Errorf("left: %v %v %v", all, left, b.Orphans())
				}
				return
			}
			if len(all) != 1 || len(b.Orphans()) != 1 || len(b.check(all[0])[0].times) != 60 || len(all[0].Segments) != len(c.Segments) {
				t.Errorf("clips %+v, orphans %+v", all, b.Orphans())
			}
			if _, err := b.Sweep(wall0, nil); err != nil { // by then it is on record
				t.Error(err)
			}
			_ = b.Close()
			if again := start(t, store, osDisk{}, nil); len(again.Orphans())+len(again.Gone()) != 0 {
				t.Errorf("told again for ever: %+v %+v", again.Orphans(), again.Gone())
			}
		})
	}
}

// Whatever lies in a clip file, scanning ends, stays inside it, and what it accepts is in order.
func FuzzScan(f *testing.F) {
	t := load(f, "hall.h264")
	h, err := head(&t.params)
	if err != nil {
		f.Fatal(err)
	}
	pic := func(i int) timed {
		p := t.pics[i]
		return timed{&picture{media: p.Media, key: p.Key, wall: wall0, data: camera.Pack(camera.H264, p.NALs)}, ticks(p.Media), 0}
	}
	one := encode(nil, 1, []timed{pic(0), pic(1)}, 6000)
	two := encode(nil, 2, []timed{pic(2), pic(3)}, 6000)
	whole := append(append(append([]byte{}, h...), one...), two...)
	f.Add(whole)
	f.Add(append(whole, index([]key{{0, 700}})...))
	f.Add(whole[:len(whole)-9])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := scan(reader(data), int64(len(data)), 0)
		if err != nil {
			return
		}
		if v.size > int64(len(data)) {
			t.Fatalf("%d of %d bytes", v.size, len(data))
		}
		at, count := int64(len(v.head)), 0
		for _, s := range v.side.Segments {
			if s.Offset != at || s.Count < 1 || s.Bytes < 1 {
				t.Fatalf("segment %+v at %d", s, at)
			}
			at += s.Bytes
			count += s.Count
		}
		if at != v.size || (v.parts > 0) != (count > 0) {
			t.Fatalf("segments end at %d, %d are whole", at, v.size)
		}
	})
}
