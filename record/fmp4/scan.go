package fmp4

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
)

// maxBox bounds what is read at once: a fragment is half a second of video, or one picture of at most the ring's memory.
const maxBox = 64 << 20

// found is what lies whole in a file that a crash left.
type found struct {
	head  []byte
	size  int64 // of the head and every whole fragment
	end   int64 // ticks after the last picture
	last  int64 // tick at which it is decoded
	keys  []key
	side  sideFile
	parts int
}

var errHead = errors.New("fmp4: no whole init segment")

// scan reads a file from its start and stops at the first thing that is not a whole fragment of ours. What follows was
// never confirmed. base is the clip time of its tick 0. An error means that nothing of it can be used.
func scan(f io.ReaderAt, length int64, base time.Duration) (found, error) {
	var v found
	at := int64(0)
	box := func(want string) ([]byte, error) {
		var h [8]byte
		if at+8 > length {
			return nil, io.ErrUnexpectedEOF
		}
		if _, err := f.ReadAt(h[:], at); err != nil {
			return nil, err
		}
		size := int64(binary.BigEndian.Uint32(h[:]))
		if string(h[4:]) != want || size < 8 || size > maxBox || size > length-at {
			return nil, io.ErrUnexpectedEOF
		}
		b := make([]byte, size)
		if _, err := f.ReadAt(b, at); err != nil {
			return nil, err
		}
		at += size
		return b, nil
	}
	for _, kind := range []string{"ftyp", "moov"} {
		b, err := box(kind)
		if err != nil {
			return v, fmt.Errorf("%w: %s: %w", errHead, kind, err)
		}
		v.head = append(v.head, b...)
	}
	v.size = at
	sum := sha256.New()
	var seg *sideSegment
	shut := func() {
		if seg != nil {
			seg.SHA256 = hex.EncodeToString(sum.Sum(nil))
			v.side.Segments = append(v.side.Segments, *seg)
			seg = nil
		}
	}
	for {
		var frag []byte
		for _, kind := range []string{"prft", "moof", "mdat"} {
			b, err := box(kind)
			if err != nil {
				shut()
				return v, nil
			}
			frag = append(frag, b...)
		}
		p, ok := parse(frag)
		// A camera's time may step back: then pictures follow each other by a tick, and a fragment may end before the one before it.
		if !ok || p.seq != uint32(v.parts)+1 || v.parts > 0 && p.dts <= v.last {
			shut()
			return v, nil
		}
		from, to := base+fromTicks(p.dts), base+fromTicks(p.dts+p.length)
		if seg != nil && (p.key || to-seg.From > segmentLength || from-seg.To > joint) {
			shut()
		}
		if seg == nil {
			sum.Reset()
			seg = &sideSegment{Offset: v.size, Key: p.key, From: from, Wall: p.wall}
		}
		if p.key {
			v.keys = append(v.keys, key{p.dts, v.size + prftSize})
		}
		sum.Write(frag)
		seg.Bytes += int64(len(frag))
		seg.Count += p.count
		seg.To = to
		if v.parts == 0 {
			v.side.From = p.wall
		}
		v.parts++
		v.size, v.end, v.last = at, p.dts+p.length, p.last
		v.side.To = p.wall.Add(fromTicks(p.length))
	}
}

// fragment is what scan needs to know of one.
type fragment struct {
	wall   time.Time
	seq    uint32
	dts    int64
	last   int64 // its last picture's
	length int64
	count  int
	key    bool
}

// parse reads one fragment as encode made it; ok is false for anything else, and for samples that are not NAL units
// to their last byte.
func parse(b []byte) (p fragment, ok bool) {
	if len(b) < prftSize || binary.BigEndian.Uint32(b) != prftSize || b[8] != 1 {
		return p, false
	}
	p.wall = fromNTP(binary.BigEndian.Uint64(b[16:]))
	var parts fmp4.Parts
	if parts.Unmarshal(b[prftSize:]) != nil || len(parts) != 1 || len(parts[0].Tracks) != 1 {
		return p, false
	}
	t := parts[0].Tracks[0]
	if t.ID != 1 || len(t.Samples) == 0 || t.BaseTime > 1<<48 {
		return p, false
	}
	p.seq = parts[0].SequenceNumber
	p.dts, p.count, p.key = int64(t.BaseTime), len(t.Samples), !t.Samples[0].IsNonSyncSample
	size := 0
	for _, s := range t.Samples {
		if !whole(s.Payload) {
			return p, false
		}
		size += len(s.Payload)
		p.last = p.dts + p.length
		p.length += int64(s.Duration)
	}
	// Every byte of mdat is a sample's: nothing hides behind them.
	return p, bytes.HasSuffix(b, t.Samples[len(t.Samples)-1].Payload) && mdat(b) == size
}

func mdat(b []byte) int {
	moof := int(binary.BigEndian.Uint32(b[prftSize:]))
	return len(b) - prftSize - moof - 8
}
