package fmp4

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

const (
	// backfillMost bounds what one backfill takes of the disk: an hour of 2 Mbit/s.
	backfillMost = 1 << 30
	// pendMost bounds the pictures in memory: a camera whose times hardly rise, and that gives no key picture, must not fill it.
	pendMost = 8 << 20
	// partName is what a file is called until it is whole.
	partName = "backfill.part"
)

// ErrBackfill wraps what is wrong with a backfill: there is no such visit, it goes on, or it grew too large.
var ErrBackfill = errors.New("fmp4: backfill")

// Backfill files pictures that nobody watched beside a visit's film: a camera had kept them, and they were fetched afterwards. They
// lie in files of their own, marked as backfilled, and nothing of the film changes (S7). One goroutine owns it; it blocks for
// the disk.
type Backfill struct {
	r    *Recorder
	dir  string // absolute
	rel  string
	side sidecar
	n    int // files when it began

	params *camera.Params
	used   *camera.Params // of the present file
	f      file
	file   sideFile
	head   []byte
	size   int64
	total  int64
	seq    uint32
	keys   []key
	base   time.Time // of tick 0
	dts    int64     // of the newest picture written or pending; -1: none
	frame  int64     // how long the newest picture with a known follower was shown
	pend   []picture
	held   int // bytes of pend
	ended  bool
}

// Backfill begins to file beside a visit that is over and filed. One at a time for a visit.
func (r *Recorder) Backfill(visit string) (*Backfill, error) {
	name, err := folder(visit)
	if err != nil {
		return nil, err
	}
	if r.recording(visit) {
		return nil, fmt.Errorf("%w: visit %q is being recorded: fetch what is missing when it is over", ErrBackfill, visit)
	}
	rel := filepath.Join(r.rel, name)
	dir := filepath.Join(r.cfg.Dir, rel)
	side, err := readSidecar(filepath.Join(dir, doneName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w: %q", ErrBackfill, ErrUnknown, visit)
	} else if err != nil {
		return nil, err
	}
	_ = os.Remove(filepath.Join(dir, partName)) // what a crash left of an earlier one
	return &Backfill{r: r, dir: dir, rel: rel, side: side, n: len(side.Files), dts: -1}, nil
}

// Opened takes the parameter sets of the pictures that follow.
func (b *Backfill) Opened(p camera.Params) {
	b.params = &camera.Params{
		Codec: p.Codec, VPS: bytes.Clone(p.VPS), SPS: bytes.Clone(p.SPS), PPS: bytes.Clone(p.PPS),
		Width: p.Width, Height: p.Height,
	}
}

// Picture takes a picture and when it was taken, by the wall clock; times rise.
func (b *Backfill) Picture(p camera.Picture, at time.Time) error {
	if b.params == nil {
		return fmt.Errorf("%w: a picture before its parameters", ErrBackfill)
	}
	data := camera.Pack(b.params.Codec, p.NALs)
	if data == nil {
		return nil
	}
	gap := time.Duration(0)
	if n := len(b.pend); n > 0 {
		if gap = at.Sub(b.pend[n-1].wall); gap <= 0 {
			return fmt.Errorf("%w: times do not rise", ErrBackfill)
		}
	}
	switch {
	case b.f == nil, gap > hole, !sameParams(b.used, b.params):
		// A file is one run without a hole, so that its times say which minutes there are.
		if err := b.endFile(); err != nil || !p.Key {
			return err // what is no key picture cannot be decoded
		}
		if err := b.begin(at); err != nil {
			return err
		}
	case at.Sub(b.pend[0].wall) >= partLength, p.Key, b.held+len(data) > pendMost:
		if err := b.flush(gap); err != nil {
			return err
		}
	}
	b.held += len(data)
	b.pend = append(b.pend, picture{params: b.params, wall: at.UTC(), key: p.Key, data: data})
	return nil
}

// begin begins a file.
func (b *Backfill) begin(at time.Time) error {
	if len(b.side.Files) >= maxFiles {
		return fmt.Errorf("%w (%d files)", ErrFiles, maxFiles)
	}
	h, err := head(b.params)
	if err != nil {
		return err
	}
	f, err := b.r.disk.Create(filepath.Join(b.dir, partName))
	if err == nil {
		_, err = f.WriteAt(h, 0)
	}
	if err != nil {
		return fmt.Errorf("fmp4: backfill: %w", err)
	}
	b.f, b.used, b.head, b.size, b.seq, b.keys, b.base, b.dts, b.frame = f, b.params, h, int64(len(h)), 0, nil, at, -1, frameGuess
	b.file = sideFile{Name: b.name(), MIME: mime(b.params), From: at.UTC(), Backfilled: true}
	if n := len(b.side.Files); n > 0 {
		b.file.Base = at.Sub(b.side.Files[0].From)
	}
	return nil
}

// name is one that no file of the visit has.
func (b *Backfill) name() string {
	for n := 1; ; n++ {
		name := fmt.Sprintf("backfill-%d.mp4", n)
		if !slices.ContainsFunc(b.side.Files, func(f sideFile) bool { return f.Name == name }) {
			return name
		}
	}
}

// flush writes the pending pictures as one fragment; follow is how long after the last of them the next one comes.
func (b *Backfill) flush(follow time.Duration) error {
	if len(b.pend) == 0 {
		return nil
	}
	pics := make([]timed, len(b.pend))
	for i := range b.pend {
		dts := max(ticks(b.pend[i].wall.Sub(b.base)), b.dts+1)
		if i > 0 {
			b.frame = min(dts-b.dts, timescale)
		}
		b.dts, pics[i] = dts, timed{&b.pend[i], dts, 0}
	}
	last := b.frame
	if follow > 0 {
		last = max(ticks(b.pend[len(b.pend)-1].wall.Add(follow).Sub(b.base))-b.dts, 1)
	}
	out := encode(nil, b.seq+1, pics, last)
	if b.total += int64(len(out)); b.total > backfillMost {
		return fmt.Errorf("%w: more than %d bytes", ErrBackfill, backfillMost)
	}
	if _, err := b.f.WriteAt(out, b.size); err != nil {
		return fmt.Errorf("fmp4: backfill: %w", err)
	}
	if pics[0].key {
		b.keys = append(b.keys, key{pics[0].dts, b.size + prftSize})
	}
	b.seq++
	b.size += int64(len(out))
	b.file.To = b.pend[len(b.pend)-1].wall.Add(fromTicks(last))
	b.pend, b.held = b.pend[:0], 0
	return nil
}

// endFile completes the present file and gives it its name.
func (b *Backfill) endFile() error {
	if b.f == nil {
		return nil
	}
	if err := b.flush(0); err != nil {
		return err
	}
	err := complete(b.f, &b.file, b.head, b.size, b.keys, b.file.To.Sub(b.file.From))
	if err := errors.Join(err, b.f.Close()); err != nil {
		return wrap(err)
	}
	b.f = nil
	if err := os.Rename(filepath.Join(b.dir, partName), filepath.Join(b.dir, b.file.Name)); err != nil {
		return wrap(err)
	}
	b.side.Files = append(b.side.Files, b.file)
	return nil
}

// End files what came: it gives a clip of the new files alone, which the caller puts on record. Without a picture there are none, and
// nothing is left behind. Whatever happens in between, the visit's film is as it was.
func (b *Backfill) End() (record.Clip, error) {
	none := record.Clip{Visit: b.side.Visit, Door: b.side.Door, Camera: b.side.Camera}
	if b.ended {
		return none, fmt.Errorf("%w: it has ended", ErrBackfill)
	}
	b.ended = true
	if err := b.endFile(); err != nil {
		b.drop()
		return none, err
	}
	if len(b.side.Files) == b.n {
		return none, nil
	}
	// The visit may have been swept away, or filed anew, meanwhile.
	now, err := readSidecar(filepath.Join(b.dir, doneName))
	if err == nil && (len(now.Files) != b.n || b.r.recording(b.side.Visit)) {
		err = fmt.Errorf("%w: the visit's film has changed meanwhile: fetch it again", ErrBackfill)
	}
	if err == nil {
		err = replaceNew(b.dir)
	}
	if err == nil {
		err = b.side.write(filepath.Join(b.dir, doneName))
	}
	if err != nil {
		for _, f := range b.side.Files[b.n:] {
			_ = os.Remove(filepath.Join(b.dir, f.Name))
		}
		return none, err
	}
	fresh := b.side
	fresh.Files = fresh.Files[b.n:]
	return fresh.clip(b.rel)
}

// replaceNew marks a visit as one of which not everything may be on record (see Orphans).
func replaceNew(dir string) error { return replace(filepath.Join(dir, newName), []byte("{}\n")) }

// drop leaves nothing of a backfill that failed.
func (b *Backfill) drop() {
	if b.f != nil {
		_ = b.f.Close()
		b.f = nil
	}
	_ = os.Remove(filepath.Join(b.dir, partName))
	for _, f := range b.side.Files[b.n:] {
		_ = os.Remove(filepath.Join(b.dir, f.Name))
	}
}
