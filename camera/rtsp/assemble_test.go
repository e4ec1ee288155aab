package rtsp

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// rig feeds an assembler and writes down what it gives: "ts/slices" for a unit, with what is missing before it.
type rig struct {
	a   assembler
	seq uint16
	now time.Duration
	got []string
	rng *rand.Rand
}

func newRig(c camera.Codec) *rig {
	r := &rig{rng: rand.New(rand.NewPCG(1, 1)), seq: 65530}
	r.a.codec = c
	r.a.out = func(u *unit) {
		n := 0
		for _, k := range u.kinds {
			if k == nalSlice || k == nalKeySlice {
				n++
			}
		}
		s := fmt.Sprintf("%d/%d", u.ts, n)
		if u.key {
			s += "k"
		}
		if u.missing > 0 {
			s += fmt.Sprintf("-%d", u.missing)
		}
		if u.at > r.now {
			s += " early"
		}
		r.got = append(r.got, s+fmt.Sprintf("@%d", u.at))
	}
	return r
}

func (r *rig) slice(key, first bool, size int) []byte {
	return cameratest.Slice(r.a.codec, key, first, size, r.rng)
}

// send sends one packet; the time is its number.
func (r *rig) send(ts uint32, marker bool, payload []byte) {
	r.now++
	r.a.push(packet{seq: r.seq, ts: ts, marker: marker, payload: payload, at: r.now})
	r.seq++
}

func (r *rig) lose(n uint16) { r.seq += n }

func (r *rig) want(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(r.got, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func both(t *testing.T, f func(t *testing.T, r *rig)) {
	for _, c := range []camera.Codec{camera.H264, camera.H265} {
		t.Run(fmt.Sprint(c), func(t *testing.T) { f(t, newRig(c)) })
	}
}

// The first unit waits for the next one's timestamp, which shows that its marker was true; then each is given with its marker.
func TestMarkers(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		for ts := uint32(1); ts <= 4; ts++ {
			r.send(ts, false, r.slice(ts == 1, true, 40))
			r.send(ts, true, r.slice(ts == 1, false, 40))
		}
		r.want(t, "1/2k@2 2/2@4 3/2@6 4/2@8")
	})
}

// Without markers a unit ends where the next begins, and its arrival stays its own.
func TestNoMarkers(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		for ts := uint32(1); ts <= 4; ts++ {
			r.send(ts, false, r.slice(ts == 1, true, 40))
			r.send(ts, false, r.slice(ts == 1, false, 40))
		}
		r.want(t, "1/2k@2 2/2@4 3/2@6")
	})
}

// A camera that marks each slice: no part of a picture is ever given as a whole one, from the first on.
func TestMarkersWithinPictures(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		for ts := uint32(1); ts <= 4; ts++ {
			r.send(ts, true, r.slice(ts == 1, true, 40))
			r.send(ts, true, r.slice(ts == 1, false, 40))
			r.send(ts, true, r.slice(ts == 1, false, 40))
		}
		r.want(t, "1/3k@3 2/3@6 3/3@9")
	})
	t.Run("found out later", func(t *testing.T) {
		r := newRig(camera.H264)
		r.send(1, true, r.slice(true, true, 40))
		r.send(2, true, r.slice(false, true, 40))
		for ts := uint32(3); ts <= 5; ts++ {
			r.send(ts, true, r.slice(false, true, 40))
			r.send(ts, true, r.slice(false, false, 40))
		}
		r.want(t, "1/1k@1 2/1@2 3/1@3 4/2-1@6")
	})
}

// Parameter sets and the like may come with a marker or a timestamp of their own: they go with the picture behind them.
func TestParameterSetsApart(t *testing.T) {
	r := newRig(camera.H264)
	p := cameratest.Noise(camera.H264, 1).Params()
	for ts := uint32(10); ts <= 30; ts += 10 {
		r.send(ts-1, true, p.SPS)
		r.send(ts, true, p.PPS)
		r.send(ts, true, r.slice(true, true, 40))
	}
	r.want(t, "10/1k@3 20/1k@6 30/1k@9")
	if n := len(r.a.u.nals); n != 3 {
		t.Errorf("the last unit has %d NAL units, want 3", n)
	}
}

// fragments are a unit as FU-A or FU packets.
func (r *rig) fragments(n []byte, parts int) [][]byte {
	head, kind := n[:1], n[0]&0x1f
	if r.a.codec == camera.H265 {
		head, kind = n[:2], n[0]>>1
	}
	body := n[len(head):]
	var all [][]byte
	for i := range parts {
		fu := kind
		if i == 0 {
			fu |= 0x80
		}
		if i == parts-1 {
			fu |= 0x40
		}
		part := body[i*len(body)/parts : (i+1)*len(body)/parts]
		if r.a.codec == camera.H265 {
			all = append(all, slices.Concat([]byte{head[0]&0x81 | 49<<1, head[1], fu}, part))
		} else {
			all = append(all, slices.Concat([]byte{head[0]&0xe0 | 28, fu}, part))
		}
	}
	return all
}

// Every loss, wherever it is: the unit it touches is not given, and is counted.
func TestEveryLossIsSeen(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		codec := r.a.codec
		for lost := range 8 {
			r := newRig(codec)
			whole := map[string]bool{}
			for ts := uint32(1); ts <= 5; ts++ {
				n := r.slice(ts == 1, true, 400)
				pkts := append(r.fragments(n, 4), r.fragments(r.slice(ts == 1, false, 400), 4)...)
				for i, p := range pkts {
					if ts == 3 && i == lost {
						r.lose(1)
						continue
					}
					r.send(ts, i == len(pkts)-1, p)
				}
			}
			for _, g := range r.got {
				whole[strings.Split(g, "/")[0]] = true
			}
			// When the marker is lost, the unit and the one behind it cannot be told from a longer one before its end.
			if whole["3"] || !whole["1"] || !whole["2"] || !whole["4"] || !whole["5"] {
				t.Errorf("packet %d lost: got %v", lost, r.got)
			}
			if !strings.Contains(strings.Join(r.got, " "), "4/2-8@") {
				t.Errorf("packet %d lost: got %v, want 8 missing before unit 4", lost, r.got)
			}
		}
	})
}

// What does not parse is no picture.
func TestUnsoundUnits(t *testing.T) {
	good := newRig(camera.H264)
	sl := func() []byte { return good.slice(false, true, 60) }
	for name, bad := range map[string][]byte{
		"forbidden bit":               append([]byte{0xc1}, sl()[1:]...),
		"a number without a meaning":  append([]byte{0x40 | 23}, sl()[1:]...),
		"interleaved packet":          {25, 0, 0, 4, 0x41, 0x9a, 1, 2},
		"no slice header":             {0x41, 0, 0},
		"slice type 10":               {0x41, 0b1_0001011, 0x80, 1},
		"part without a beginning":    {28, 1, 1, 2, 3},
		"aggregate, cut":              {24, 0, 9, 1},
		"aggregate of nothing":        {24},
		"start code of no kind":       slices.Concat(sl(), []byte{0, 0, 0, 5, 1}),
		"reserved sequence":           slices.Concat(sl(), []byte{0, 0, 2, 1}),
		"a key slice among others":    slices.Concat(sl(), []byte{0, 0, 1}, good.slice(true, false, 20)),
		"not a picture's first slice": good.slice(false, false, 60),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(camera.H264)
			r.send(1, true, r.slice(true, true, 60))
			r.send(2, true, bad)
			r.send(3, true, r.slice(false, true, 60))
			r.send(4, true, r.slice(false, true, 60))
			if len(r.got) != 3 || r.got[1] != "3/1-1@3" {
				t.Errorf("got %v; want 1, 3 with 1 missing, 4", r.got)
			}
		})
	}
}

// Several units in one packet behind start codes, as some cameras send them, are several units.
func TestStartCodesWithin(t *testing.T) {
	r := newRig(camera.H264)
	p := cameratest.Noise(camera.H264, 1).Params()
	n := r.slice(true, true, 60)
	joined := slices.Concat([]byte{0, 0, 0, 1}, p.SPS, []byte{0, 0, 0, 1}, p.PPS, []byte{0, 0, 1}, n, []byte{0, 0})
	r.send(1, true, joined)
	r.send(2, true, r.slice(false, true, 60))
	r.want(t, "1/1k@1 2/1@2")
	r.got = nil
	r.a.out = func(u *unit) {
		if len(u.nals) != 3 || string(u.nals[0]) != string(p.SPS) || string(u.nals[1]) != string(p.PPS) || string(u.nals[2]) != string(n) {
			t.Errorf("units %x", u.nals)
		}
		r.got = append(r.got, "seen")
	}
	r.send(3, true, joined)
	r.want(t, "seen")
}

// T20: memory is bounded, whatever comes.
func TestAssemblerIsBounded(t *testing.T) {
	r := newRig(camera.H264)
	r.send(1, true, r.slice(true, true, 60))
	r.send(2, true, r.slice(false, true, 60))
	head := r.slice(false, true, 1000)
	r.send(3, false, append([]byte{28, 0x81}, head[1:]...))
	part := append([]byte{28, 0x01}, make([]byte, 60_000)...)
	for i := range part[2:] {
		part[2+i] = 0xff
	}
	for range 200 {
		r.send(3, false, part)
	}
	r.send(3, true, append([]byte{28, 0x41}, 1, 2, 3))
	for range 3 * nalsMost {
		r.send(4, false, r.slice(false, true, 8))
	}
	r.send(5, true, r.slice(false, true, 60))
	if got := strings.Join(r.got, " "); !strings.HasSuffix(got, fmt.Sprintf("5/1-%d@%d", 202+3*nalsMost, r.now)) || len(r.got) != 3 {
		t.Errorf("got %v", r.got)
	}
	if cap(r.a.buf) > 2*unitMost || cap(r.a.spans) > 2*nalsMost {
		t.Errorf("%d bytes and %d units kept, bounds are %d and %d", cap(r.a.buf), cap(r.a.spans), unitMost, nalsMost)
	}
}

// A picture costs no allocation once the buffers have grown.
func BenchmarkAssemble(b *testing.B) {
	p, all := cameratest.Encode(b, cameratest.Encoding{Seconds: 2, Args: []string{"-b:v", "1500k"}})
	r := newRig(p.Codec)
	var packets [][]packet
	for i, au := range all {
		var pkts []packet
		for _, n := range au {
			parts := [][]byte{n}
			if len(n) > 1400 {
				parts = r.fragments(n, len(n)/1400+1)
			}
			for _, part := range parts {
				pkts = append(pkts, packet{payload: part})
			}
		}
		pkts[len(pkts)-1].marker = true
		_ = i
		packets = append(packets, pkts)
	}
	n := 0
	r.a.out = func(*unit) { n++ }
	seq, ts, total := uint16(0), uint32(0), 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ts += 6000
		for _, p := range packets[i%len(packets)] {
			p.seq, p.ts = seq, ts
			seq++
			r.a.push(p)
		}
		total++
	}
	if n < total-1 {
		b.Fatalf("%d units of %d", n, total)
	}
}
