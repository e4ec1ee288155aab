package liveness

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"eyebolt/camera"
)

const (
	// replaySlice is how long a coded slice must be to be remembered. A picture that repeats the one before it whole is coded
	// in a few dozen bytes, the same ones every time, and is nothing strange; 256 bytes hold a sensor's noise.
	replaySlice = 256
	// replayHead is what is left out at the front: the slice header, which a player counts anew when it repeats a clip.
	replayHead = 32
	// replayTail is how much of a slice's end is looked at: it depends on everything before it.
	replayTail = 256
	// replayKey is how large a repeated key picture must be to convict alone. A key picture of a dark, noise-free lens is
	// a few hundred bytes, and the same ones every time.
	replayKey = 4096
	// replayRun is how many repeated pictures in a row convict.
	replayRun = 3
	// ways is how many places there are for one slice: a bound on the search, whatever a stream is made of.
	ways = 8
)

// replay remembers coded slices, so that one that is shown again is known (T5). It holds a hash of 63 bits of each, in sets of
// ways places of which the oldest is given up: 65536 slices are 73 minutes of 15 pictures a second, in 512 KiB. Two slices of
// a live sensor are never the same bytes: each codes its noise; and two that differ meet by chance once in 2^63/65536 = 1.4e14.
// Key pictures alone are kept for hours in a table of their own.
type replay struct {
	sets  [][ways]uint64 // each set newest first; 0: free
	shift uint
	keys  keys
	codec camera.Codec
	run   int // repeated pictures in a row

	// Of the newest picture that was looked at:
	looked int           // bytes
	old    int           // of these, how many were seen before
	since  time.Duration // how long ago, if a key picture was seen before; 0: not known
}

// init makes room for n slices, rounded up to a power of two, 512 KiB for 65536.
func (r *replay) init(n int) {
	const most = 1 << 24 // 128 MiB: past that the number is a mistake
	n = min(max(n, 2*ways), most)
	b := bits.Len(uint((n - 1) / ways))
	r.sets = make([][ways]uint64, 1<<b)
	r.shift = 64 - uint(b)
}

// picture takes a picture and says whether it convicts. While the delay is not settled, repeats are expected: a server may
// begin with pictures out of its cache that were seen on the connection before.
func (r *replay) picture(p *camera.Picture, settled bool) bool {
	if p.Key {
		r.codec = sniff(p.NALs, r.codec)
	}
	old, all, key := 0, 0, uint64(0)
	for _, n := range p.NALs {
		if len(n) < replaySlice || !isSlice(n, r.codec) {
			continue
		}
		n = trim(n)
		if len(n) < replaySlice {
			continue
		}
		all += len(n)
		h := hash(n[max(replayHead, len(n)-replayTail):])
		if r.seen(h) {
			old += len(n)
		}
		key = bits.RotateLeft64(key, 1)*0x9e3779b97f4a7c15 ^ h // of all its slices: a corner that never changes is no repeat
	}
	r.looked, r.since = all, 0
	if p.Key && all >= replayKey {
		if before, was := r.keys.seen(key, p.Arrival); was {
			old, r.since = all, max(p.Arrival-before, 1)
		}
	}
	r.old = old
	switch {
	case all == 0:
		return false
	case !settled || old*2 < all: // a corner that never changes, coded as a slice of its own, is no repeat of the picture
		r.run = 0
		return false
	}
	r.run++
	return r.run >= replayRun || p.Key && all >= replayKey
}

// fact says what was found in the newest picture.
func (r *replay) fact(at time.Duration) fact {
	f := fact{state: Live, at: at, limit: 0.5, n: r.run, of: int(r.since / time.Second)}
	if r.looked > 0 {
		f.score = float64(r.old) / float64(r.looked)
	} else {
		f.state = Unknown // too few bytes to tell
	}
	return f
}

func sayReplay(f fact) string {
	switch {
	case f.state == Replayed && f.of > 0:
		return fmt.Sprintf("a key picture came again, byte for byte, that was shown %s ago", time.Duration(f.of)*time.Second)
	case f.state == Replayed:
		return fmt.Sprintf("%.0f %% of the picture's bytes were shown before, for %d pictures in a row", 100*f.score, f.n)
	case f.state == Unknown:
		return "the newest picture is coded in too few bytes to be told from another"
	default:
		return "no coded picture came twice"
	}
}

// seen says whether h is remembered, and remembers it as the newest.
func (r *replay) seen(h uint64) bool {
	set := &r.sets[h>>r.shift]
	i := 0
	for i < ways-1 && set[i] != h {
		i++
	}
	was := set[i] == h
	copy(set[1:i+1], set[:i])
	set[0] = h
	return was
}

// sniff tells the codec from a key picture. The first byte of an H.264 key slice is odd; in H.265's base layer every NAL
// unit's is even, but then so is that of H.264's picture parameter sets, so the odd one is looked for first.
func sniff(nals [][]byte, was camera.Codec) camera.Codec {
	for _, n := range nals {
		if len(n) > 0 && n[0]&0x1f == 5 {
			return camera.H264
		}
	}
	for _, n := range nals {
		if len(n) > 0 && n[0] >= 16<<1 && n[0] <= 21<<1 && n[0]&1 == 0 {
			return camera.H265
		}
	}
	return was
}

// isSlice says whether a NAL unit holds coded picture (H.264 table 7-1, H.265 table 7-1).
func isSlice(n []byte, c camera.Codec) bool {
	switch c {
	case camera.H264:
		t := n[0] & 0x1f
		return t == 1 || t == 5
	case camera.H265:
		t := n[0] >> 1 & 0x3f
		return t <= 9 || t >= 16 && t <= 21
	default:
		return false
	}
}

// trim leaves out what may be added to a slice's end without changing its picture: zero bytes and cabac_zero_words
// (H.264 section 7.3.2.10).
func trim(n []byte) []byte {
	for len(n) > 0 && n[len(n)-1] == 0 || len(n) > 2 && n[len(n)-1] == 3 && n[len(n)-2] == 0 && n[len(n)-3] == 0 {
		n = n[:len(n)-1]
	}
	return n
}

// hash mixes b, of at least 8 bytes, into 64 bits that are not 0. It is fast, and the same on every machine; it need not
// resist forgers: a forged collision makes a repeat of what is none, which only its forger would suffer from.
func hash(b []byte) uint64 {
	const k0, k1 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := uint64(len(b)) * k0
	last := binary.LittleEndian.Uint64(b[len(b)-8:])
	for ; len(b) >= 16; b = b[16:] {
		hi, lo := bits.Mul64(binary.LittleEndian.Uint64(b)^k0^h, binary.LittleEndian.Uint64(b[8:])^k1)
		h = hi ^ lo
	}
	if len(b) >= 8 {
		last ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b), 29)
	}
	hi, lo := bits.Mul64(last^k1^h, k0)
	return hi ^ lo | 1
}
