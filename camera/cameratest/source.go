package cameratest

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"eyebolt/camera"
)

// Source gives a camera's pictures.
type Source interface {
	Params() camera.Params
	Next() [][]byte
}

// gop is how often a Noise source begins anew: once a second at 15 pictures a second.
const gop = 15

type noise struct {
	p   camera.Params
	rng *rand.Rand
	n   int
}

// Noise is pictures whose NAL units parse as far as a slice header and are random behind it: a new GOP each second, key
// pictures of 12 kB with their parameter sets, others of 2 kB.
func Noise(c camera.Codec, seed uint64) Source {
	un := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			panic(err)
		}
		return b
	}
	p := camera.Params{Codec: c, Width: 1280, Height: 720}
	if c == camera.H265 {
		p.VPS = un("40010c01ffff01600000030090000003000003005dba0240")
		p.SPS = un("42010101600000030090000003000003005da00280802d165ba4a4c2f0168080000003008000000784")
		p.PPS = un("4401c0718312")
	} else {
		p.SPS = un("6742c01fda014016ec04400000030040000007a3c60ca8")
		p.PPS = un("68ce0fc8")
	}
	return &noise{p: p, rng: rand.New(rand.NewPCG(seed, 0))}
}

func (s *noise) Params() camera.Params { return s.p }

func (s *noise) Next() [][]byte {
	key := s.n%gop == 0
	s.n++
	size := 2000
	var au [][]byte
	if key {
		size = 12000
		if s.p.VPS != nil {
			au = append(au, s.p.VPS)
		}
		au = append(au, s.p.SPS, s.p.PPS)
	}
	return append(au, Slice(s.p.Codec, key, true, size, s.rng))
}

// Slice is a coded slice of about size random bytes behind a header that parses.
func Slice(c camera.Codec, key, first bool, size int, rng *rand.Rand) []byte {
	var n []byte
	switch {
	case c == camera.H265: // first_slice_segment_in_pic_flag, for key slices no_output_of_prior_pics_flag, pps 0
		n = []byte{1 << 1, 1, 0b0_1_000000}
		if key {
			n = []byte{19 << 1, 1, 0b0_0_1_00000}
		}
		if first {
			n[2] |= 0x80
		}
	case key && first: // first_mb_in_slice 0, slice_type 7, pps 0
		n = []byte{0x65, 0b1_0001000, 0b1_0000001}
	case key: // first_mb_in_slice 1
		n = []byte{0x65, 0b010_00010, 0b00_1_00001}
	case first: // first_mb_in_slice 0, slice_type 5, pps 0
		n = []byte{0x41, 0b1_00110_1_1}
	default:
		n = []byte{0x41, 0b010_00110, 0b1_0000001}
	}
	for zeros := 0; len(n) < size; {
		b := byte(rng.Uint32())
		if zeros >= 2 && b <= 3 {
			n = append(n, 3)
			zeros = 0
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		n = append(n, b)
	}
	return append(n, 0x80)
}

// Clip plays pictures over and over.
func Clip(p camera.Params, pictures [][][]byte) Source { return &clip{p, pictures, 0} }

type clip struct {
	p        camera.Params
	pictures [][][]byte
	n        int
}

func (c *clip) Params() camera.Params { return c.p }

func (c *clip) Next() [][]byte {
	au := c.pictures[c.n%len(c.pictures)]
	c.n++
	return au
}

// Pictures takes n pictures of a source.
func Pictures(tb testing.TB, s Source, n int) [][][]byte {
	tb.Helper()
	all := make([][][]byte, n)
	for i := range all {
		all[i] = s.Next()
	}
	return all
}
