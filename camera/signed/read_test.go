package signed

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"eyebolt/camera"
)

// A clip is a coded stream, access unit by access unit.
type clip struct {
	codec camera.Codec
	units [][][]byte
}

// clone is a deep copy, to be tampered with.
func (c *clip) clone() *clip {
	d := &clip{codec: c.codec}
	for _, u := range c.units {
		var w [][]byte
		for _, n := range u {
			w = append(w, bytes.Clone(n))
		}
		d.units = append(d.units, w)
	}
	return d
}

// nals counts the clip's NAL units of that kind.
func (c *clip) nals(kinds ...nalKind) (n int) {
	for _, u := range c.units {
		for _, b := range u {
			for _, k := range kinds {
				if look(c.codec, b) == k {
					n++
				}
			}
		}
	}
	return n
}

const pace = time.Second / 15

// play feeds a clip to a verifier at 15 pictures a second and returns all that it says. wall is the clock at the first picture.
func play(v *Verifier, c *clip, wall time.Time) []Result {
	v.Opened(camera.Params{Codec: c.codec})
	var out []Result
	base := v.now
	for i, u := range c.units {
		at := time.Duration(i) * pace
		w := wall
		if !w.IsZero() {
			w = w.Add(at)
		}
		out = append(out, keep(v.Picture(camera.Picture{Media: at, Arrival: base + at, NALs: u}, w))...)
	}
	return append(out, keep(v.Closed())...)
}

func keep(r []Result) []Result { return append([]Result(nil), r...) }

// readMP4 reads the first video track of an MP4 file that fits in memory (ISO/IEC 14496-12): enough for the vectors.
func readMP4(t testing.TB, b []byte) *clip {
	t.Helper()
	c := &clip{codec: camera.H264}
	var sizes, offsets []int
	var chunks [][2]int
	video := false
	u32 := func(b []byte, i int) int { return int(binary.BigEndian.Uint32(b[i:])) }
	var walk func([]byte)
	walk = func(b []byte) {
		for len(b) >= 8 {
			n, h := u32(b, 0), 8
			if n == 1 {
				n, h = int(binary.BigEndian.Uint64(b[8:])), 16
			}
			if n < h || n > len(b) {
				return
			}
			p := b[h:n]
			switch kind := string(b[4:8]); {
			case kind == "trak":
				video = bytes.Contains(p, []byte("vide"))
				walk(p)
			case kind == "moov" || kind == "mdia" || kind == "minf" || kind == "stbl":
				walk(p)
			case !video:
			case kind == "stsd" && bytes.Contains(p, []byte("hvcC")):
				c.codec = camera.H265
			case kind == "stsz":
				for i := range u32(p, 8) {
					sizes = append(sizes, u32(p, 12+4*i))
				}
			case kind == "stco":
				for i := range u32(p, 4) {
					offsets = append(offsets, u32(p, 8+4*i))
				}
			case kind == "stsc":
				for i := range u32(p, 4) {
					chunks = append(chunks, [2]int{u32(p, 8+12*i), u32(p, 12+12*i)})
				}
			}
			b = b[n:]
		}
	}
	walk(b)
	s := 0
	for i, at := range offsets {
		per := 1
		for _, e := range chunks {
			if i+1 >= e[0] {
				per = e[1]
			}
		}
		for ; per > 0 && s < len(sizes); per-- {
			d := b[at : at+sizes[s]]
			at += sizes[s]
			s++
			var u [][]byte
			for len(d) > 4 {
				n := u32(d, 0)
				u = append(u, d[4:4+n])
				d = d[4+n:]
			}
			c.units = append(c.units, u)
		}
	}
	return c
}

// readAnnexB cuts a byte stream (H.264 annex B) into access units: one begins with the first NAL unit after a slice that is no further
// slice of the same picture.
func readAnnexB(codec camera.Codec, b []byte) *clip {
	c := &clip{codec: codec}
	var unit [][]byte
	slices := false
	for {
		i := bytes.Index(b, []byte{0, 0, 1})
		if i < 0 {
			break
		}
		b = b[i+3:]
		n := b
		if j := bytes.Index(b, []byte{0, 0, 1}); j >= 0 {
			n = b[:j]
		}
		n = trim(n)
		kind := look(codec, n)
		slice := kind == nalSlice || kind == nalStart
		if slices && (!slice || n[headerLen(codec)]&0x80 != 0) {
			c.units = append(c.units, unit)
			unit, slices = nil, false
		}
		slices = slices || slice
		unit = append(unit, n)
	}
	if unit != nil {
		c.units = append(c.units, unit)
	}
	return c
}

// public finds the public vectors, which are not in the repository: in EYEBOLT_VECTORS, or beside the repository.
func public(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("EYEBOLT_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("the public vector %s is not here: point EYEBOLT_VECTORS to the folder that has onvif-media-signing (examples/test-files of onvif/media-signing-framework) and axis-signed-video (test-files of AxisCommunications/signed-video-framework-examples): %v", name, err)
	}
	return b
}

func publicClip(t testing.TB, name string) *clip {
	t.Helper()
	b := public(t, name)
	if filepath.Ext(name) == ".h264" {
		return readAnnexB(camera.H264, b)
	}
	return readMP4(t, b)
}

func show(t testing.TB, rs []Result) {
	t.Helper()
	t.Logf("\n%s", transcript(rs))
}
