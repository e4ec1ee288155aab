package fmp4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"eyebolt/camera"
	"eyebolt/record"
)

// film is one visit's folder while it is written. The writer's goroutine owns it.
type film struct {
	disk disk
	dir  string // absolute
	rel  string // relative to the store
	side sidecar
	cur  *reel
	// clock: where the newest written picture lies, so that a new connection's media time continues by its arrival.
	conn    uint64
	shift   time.Duration // clip time = media + shift, on connection conn
	started bool
	arrival time.Duration
	clip    time.Duration
	closed  []record.Segment // complete, not yet told
	// What was filed before, if the visit was: pictures lost, when the first came, and the clip time of the end.
	lost uint64
	from time.Time
	to   time.Duration

	altered error

	buf []byte // of the newest write, to be used again
}

// reel is one file of a film: one set of parameters.
type reel struct {
	f      file
	params *camera.Params
	head   []byte
	base   time.Duration // clip time of its tick 0
	size   int64         // all of it is synced
	seq    uint32
	dts    int64 // of the newest sample; -1: none
	end    int64 // after the newest sample
	frame  int64 // how long the newest picture with a known follower was shown
	keys   []key
	seg    sideSegment
	sum    hash.Hash // of seg
}

// maxFiles bounds the files of one visit. A camera changes its parameters when somebody changes its settings, and a hub is started
// again a few times at the most; each file is also an entry of the ledger.
const maxFiles = 64

// frameGuess is how long a picture is shown if no other says: 15 pictures a second.
const frameGuess = timescale / 15

// openFilm makes or continues a visit's folder.
func openFilm(d disk, root, rel string, side sidecar) (*film, error) {
	m := &film{disk: d, dir: filepath.Join(root, rel), rel: rel, side: side}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, wrap(err)
	}
	// A disk that refused to the end left the visit open: what it holds is film.
	if left, err := readSidecar(filepath.Join(m.dir, openName)); err == nil {
		if _, err := recoverOne(d, m.dir, rel, left); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(m.dir, 0o700); err != nil {
			return nil, wrap(err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if old, err := readSidecar(filepath.Join(m.dir, doneName)); err == nil {
		m.side, m.lost = old, old.Lost
		for _, f := range old.Files {
			for _, g := range f.Segments {
				m.from, m.to = old.Files[0].From, max(m.to, g.To)
			}
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := m.side.write(filepath.Join(m.dir, openName)); err != nil {
		return nil, err
	}
	// The names above are durable when their folders are.
	for _, up := range []string{filepath.Dir(m.dir), filepath.Dir(filepath.Dir(m.dir)), root} {
		if err := syncDir(up); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// write files the parts, synced. n counts the parts that are on disk for good; the rest may be given again.
func (m *film) write(parts []part) (n int, err error) {
	for n < len(parts) {
		p := parts[n].pics[0].params
		if m.cur == nil || !sameParams(m.cur.params, p) {
			if err := m.next(&parts[n].pics[0]); err != nil {
				return n, err
			}
		}
		batch := n + 1
		for batch < len(parts) && sameParams(m.cur.params, parts[batch].pics[0].params) {
			batch++
		}
		if err := m.append(parts[n:batch]); err != nil {
			return n, err
		}
		n = batch
	}
	return n, nil
}

// place gives a picture's clip time, and remembers the clock that it needed.
func (m *film) place(p *picture) time.Duration {
	switch {
	case !m.started:
		m.shift = -p.media
		// A visit that was filed before continues by the wall clock: its files say when they ended.
		if !m.from.IsZero() {
			m.shift += max(p.wall.Sub(m.from), m.to+time.Millisecond)
		}
	case p.conn != m.conn:
		m.shift = m.clip + max(p.arrival-m.arrival, time.Millisecond) - p.media
	}
	m.started, m.conn = true, p.conn
	m.arrival, m.clip = p.arrival, p.media+m.shift
	return m.clip
}

// next ends the present file and begins one with the picture's parameters.
func (m *film) next(p *picture) error {
	if len(m.side.Files) >= maxFiles {
		return fmt.Errorf("%w (%d files)", ErrFiles, maxFiles)
	}
	b, err := head(p.params)
	if err != nil {
		return err
	}
	if err := m.endReel(); err != nil {
		return err
	}
	name := m.side.name()
	path := filepath.Join(m.dir, name)
	_ = os.Remove(path) // what a failed attempt left: no file of the film has this name
	f, err := m.disk.Create(path)
	if err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	if _, err = f.WriteAt(b, 0); err == nil {
		err = f.Sync()
	}
	before := *m
	base := m.place(p)
	*m = before // the pictures are placed when they are written; only the base was asked
	side := m.side
	side.Files = append(side.Files[:len(side.Files):len(side.Files)], sideFile{Name: name, MIME: mime(p.params), Base: base, From: p.wall})
	if err == nil {
		err = side.write(filepath.Join(m.dir, openName))
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("fmp4: begin %s: %w", name, err)
	}
	m.side = side
	m.cur = &reel{f: f, params: p.params, head: b, base: base, size: int64(len(b)), dts: -1, frame: frameGuess}
	return nil
}

// append writes fragments behind the present file and syncs them once; all of them count, or none.
func (m *film) append(parts []part) error {
	r, was := m.cur, *m
	work := *r // counts only if the write succeeds
	out := m.buf[:0]
	var marks []mark
	for _, part := range parts {
		pics := make([]timed, len(part.pics))
		for i := range part.pics {
			p := &part.pics[i]
			pts := ticks(m.place(p) - r.base)
			dts := max(pts, work.dts+1)
			work.dts, pics[i] = dts, timed{p, dts, int32(pts - dts)}
			if i > 0 {
				work.frame = min(dts-pics[i-1].dts, timescale)
			}
		}
		last := work.frame
		if part.follow > 0 {
			last = max(ticks(m.clip+part.follow-r.base)-work.dts, 1)
		}
		from := len(out)
		out = encode(out, work.seq+1, pics, last)
		work.seq++
		work.end = work.dts + last
		marks = append(marks, mark{pics, from, len(out), work.end})
	}
	if cap(out) <= bufferKept {
		m.buf, was.buf = out, out
	}
	_, err := r.f.WriteAt(out, r.size)
	if err == nil {
		err = r.f.Sync()
	}
	if err != nil {
		// What is there is not known to be durable, even if a later sync succeeds: it is written anew.
		*m = was
		return fmt.Errorf("fmp4: write: %w", errors.Join(err, r.f.Truncate(r.size)))
	}
	work.keys, work.seg, work.sum = r.keys, r.seg, r.sum
	*r = work
	for _, k := range marks {
		m.account(k, out[k.from:k.to])
	}
	return nil
}

// bufferKept bounds what a film keeps of its buffer for the next write: two seconds of 2 Mbit/s. A longer wait for the disk makes a
// larger one, which is given back.
const bufferKept = 512 << 10

// mark is a fragment that was just written.
type mark struct {
	pics     []timed
	from, to int // its bytes
	end      int64
}

// account adds a written fragment to the present file's segment, index and sidecar.
func (m *film) account(k mark, bytes []byte) {
	r, first := m.cur, k.pics[0]
	at, end := r.base+fromTicks(first.dts), r.base+fromTicks(k.end)
	if r.sum != nil && (first.key || end-r.seg.From > segmentLength || at-r.seg.To > joint) {
		m.endSegment()
	}
	if first.key {
		r.keys = append(r.keys, key{first.dts, r.size + prftSize})
	}
	if r.sum == nil {
		r.sum = sha256.New()
		r.seg = sideSegment{Offset: r.size, Key: first.key, From: at, Wall: first.wall}
	}
	r.sum.Write(bytes) // a hash's Write does not fail
	r.size += int64(len(bytes))
	r.seg.Bytes += int64(len(bytes))
	r.seg.Count += len(k.pics)
	r.seg.To = end
	f := &m.side.Files[len(m.side.Files)-1]
	last := k.pics[len(k.pics)-1]
	f.To = last.wall.Add(fromTicks(k.end - last.dts))
}

func (m *film) endSegment() {
	r := m.cur
	if r.sum == nil {
		return
	}
	r.seg.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	f := &m.side.Files[len(m.side.Files)-1]
	f.Segments = append(f.Segments, r.seg)
	m.closed = append(m.closed, record.Segment{
		Path: filepath.ToSlash(filepath.Join(m.rel, f.Name)), Offset: r.seg.Offset, Bytes: r.seg.Bytes, SHA256: [32]byte(r.sum.Sum(nil)),
		Key: r.seg.Key, From: r.seg.From, To: r.seg.To, Wall: r.seg.Wall, Count: r.seg.Count,
	})
	r.sum = nil
}

// endReel completes the present file: index, duration, hash. It may be tried again. A file without a picture is removed.
func (m *film) endReel() error {
	r := m.cur
	if r == nil {
		return nil
	}
	m.endSegment()
	last := len(m.side.Files) - 1
	f := &m.side.Files[last]
	if r.dts < 0 {
		m.cur, m.side.Files = nil, m.side.Files[:last]
		return wrap(errors.Join(r.f.Close(), os.Remove(filepath.Join(m.dir, f.Name))))
	}
	err := complete(r.f, f, r.head, r.size, r.keys, fromTicks(r.end))
	if errors.Is(err, ErrAltered) {
		m.altered = errors.Join(m.altered, err)
	} else if err != nil {
		return err
	}
	m.cur = nil
	return wrap(r.f.Close())
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	return nil
}

// complete writes a file's index behind size and its duration into its head, then reads all of it back: its hash is of what
// the disk gives, and each segment must be what was hashed when it was written.
func complete(f file, side *sideFile, head []byte, size int64, keys []key, length time.Duration) error {
	tail := index(keys)
	setDuration(head, length)
	_, err := f.WriteAt(tail, size)
	if err == nil {
		_, err = f.WriteAt(head, 0)
	}
	if err == nil {
		err = f.Truncate(size + int64(len(tail)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("fmp4: end %s: %w", side.Name, err)
	}
	side.Bytes = size + int64(len(tail))
	all := sha256.New()
	at := int64(0)
	var altered error
	read := func(to int64, w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, at, to-at))
		at = to
		return err
	}
	for i, g := range side.Segments {
		sum := sha256.New()
		err := errors.Join(read(g.Offset, all), read(g.Offset+g.Bytes, io.MultiWriter(all, sum)))
		if err != nil {
			return fmt.Errorf("fmp4: read back %s: %w", side.Name, err)
		}
		if hex.EncodeToString(sum.Sum(nil)) != g.SHA256 {
			altered = fmt.Errorf("%w: segment %d of %s", ErrAltered, i, side.Name)
		}
	}
	if err := read(side.Bytes, all); err != nil {
		return fmt.Errorf("fmp4: read back %s: %w", side.Name, err)
	}
	side.SHA256 = hex.EncodeToString(all.Sum(nil))
	return altered
}

// end completes the film and files its description. A film without a picture leaves nothing behind.
func (m *film) end(lost uint64) (record.Clip, error) {
	m.side.Lost = m.lost + lost
	if err := m.endReel(); err != nil {
		return record.Clip{Visit: m.side.Visit, Door: m.side.Door, Camera: m.side.Camera, Lost: m.side.Lost}, err
	}
	clip, err := m.side.file(m.dir, m.rel)
	return clip, errors.Join(m.altered, err)
}

// file writes a finished visit's description, and marks it as new instead of open.
func (s sidecar) file(dir, rel string) (record.Clip, error) {
	if len(s.Files) == 0 {
		return record.Clip{Visit: s.Visit, Door: s.Door, Camera: s.Camera, Lost: s.Lost}, os.RemoveAll(dir)
	}
	clip, err := s.clip(rel)
	if err != nil {
		return clip, err
	}
	if err := s.write(filepath.Join(dir, doneName)); err != nil {
		return clip, err
	}
	if err := os.Rename(filepath.Join(dir, openName), filepath.Join(dir, newName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return clip, fmt.Errorf("fmp4: %w", err)
	}
	return clip, syncDir(dir)
}
