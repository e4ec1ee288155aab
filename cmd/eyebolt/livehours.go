package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"eyebolt/sim"
	"eyebolt/virtual/clip"
)

// An hour is one simulated hour of an honest camera in one of the rooms, of which only the key pictures are painted, coded and
// decoded: the detectors of pictures look at nothing else. Between them come coded pictures too small for any detector, as of a
// room in which nothing happens, so that the detectors of time work as ever; they arrive as over the cable of bench tradeoff.
type hour struct {
	view    clip.View
	encoder clip.Encoder
	dusk    bool // half-way, the camera changes to infrared
}

// hourPlan is the i-th hour: rooms, conditions and encoders take turns.
func hourPlan(i int, split string, seed uint64) hour {
	names := clip.Rooms(split)
	h := hour{encoder: clip.Encoders[(i/len(names))%len(clip.Encoders)]}
	h.view = clip.View{Room: names[i%len(names)], Condition: clip.Conditions[(i/3+i)%len(clip.Conditions)], Width: stillWidth, Height: stillHeight, Seed: seed<<20 + uint64(i)}
	if i%8 == 5 {
		h.dusk, h.view.Condition = true, "day"
	}
	return h
}

const hourFPS = 15

// hourOut is what an hour gave.
type hourOut struct {
	watched time.Duration
	keys    int
	falsely []lapsed
	near    map[string]margin
}

// run watches keys key pictures.
func (h hour) run(ctx context.Context, keys int) (*hourOut, error) {
	coded, err := h.code(ctx, keys)
	if err != nil {
		return nil, err
	}
	units := clip.Split(coded)
	if len(units) != keys {
		return nil, fmt.Errorf("%s gave %d key pictures of %d", h.encoder.Name, len(units), keys)
	}
	s, err := newStiller(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(s.feed)
		for _, u := range units {
			select {
			case s.feed <- clip.Join([]clip.Unit{u}):
			case <-ctx.Done():
				return
			}
		}
	}()
	defer s.Close()
	w := watch(hourFPS)
	by := sim.NewArrivals(sim.Links[0], h.view.Seed)
	between := bytes.Repeat([]byte{0x41, 0x9a, 0x24, 0x6c}, 12)
	luma := make([]byte, stillWidth*stillHeight)
	out := &hourOut{}
	for k, u := range units {
		if err := s.next(luma); err != nil {
			return nil, err
		}
		for i := range h.encoder.GOP {
			_, at := by.Next()
			arrival := time.Duration(at * float64(time.Second))
			if i == 0 {
				w.arrives(arrival, u.NALs, true, luma)
			} else {
				w.arrives(arrival, [][]byte{between}, false, nil)
			}
		}
		if k == learning {
			out.watched = -w.now()
		}
	}
	_, _ = io.Copy(io.Discard, s.out)
	out.watched += w.now()
	out.keys = keys
	out.falsely, out.near, _ = w.forget()
	return out, nil
}

// learning is how many key pictures a camera is learned from: that time is not counted as watched.
const learning = 20

// code paints and codes the key pictures.
func (h hour) code(ctx context.Context, keys int) ([]byte, error) {
	if !h.dusk {
		return h.segment(ctx, 0, keys)
	}
	day, err := h.segment(ctx, 0, keys/2)
	if err != nil {
		return nil, err
	}
	h.view.Condition = "night"
	night, err := h.segment(ctx, keys/2, keys)
	return append(day, night...), err
}

// segment codes the key pictures from … to-1 of the view. An encoder that gives all its bits to keys is set so that a key has
// the bytes that it has among the others.
func (h hour) segment(ctx context.Context, from, to int) ([]byte, error) {
	eye, err := clip.NewEye(h.view)
	if err != nil {
		return nil, err
	}
	e, err := h.likeWhole(ctx)
	if err != nil {
		return nil, err
	}
	gop := float64(h.encoder.GOP) / hourFPS
	return h.encode(ctx, e, 1, 1, to-from, func(i int) ([]byte, int) {
		second := float64(from+i) * gop
		return eye.Key(second), int(second)
	})
}

func (h hour) encode(ctx context.Context, e clip.Encoder, fps, gop, n int, paint func(i int) (pix []byte, second int)) ([]byte, error) {
	var coded bytes.Buffer
	s, err := e.Encode(ctx, h.view.Width, h.view.Height, fps, gop, "", &coded)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		pix, second := paint(i)
		if !e.Clock {
			second = -1
		}
		s.Write(pix, h.view.Width, h.view.Height, second)
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return coded.Bytes(), ctx.Err()
}

// likeWhole finds the setting at which key pictures alone have the bytes, on the mean, that they have in the whole coding of the
// same view: that is what noise the encoder leaves in them. The first key is left out, since its encoder has not settled.
func (h hour) likeWhole(ctx context.Context) (clip.Encoder, error) {
	e := h.encoder
	const gops, probe, rounds = 5, 8, 4
	eye, err := clip.NewEye(h.view)
	if err != nil {
		return e, err
	}
	whole, err := h.encode(ctx, e, hourFPS, e.GOP, gops*e.GOP, func(i int) ([]byte, int) { return eye.Picture(float64(i) / hourFPS), i / hourFPS })
	if err != nil {
		return e, err
	}
	want := keyBytesOf(whole)
	if e.Program == "x264" && e.Rate == "cbr" { // a constant bit rate of keys alone would be a constant quality after all
		e.Rate, e.Quality = "vbr", 26
	}
	for range rounds {
		got, err := h.encode(ctx, e, 1, 1, probe, func(i int) ([]byte, int) { return eye.Key(float64(100 + 2*i)), i })
		if err != nil {
			return e, err
		}
		off := keyBytesOf(got) / want
		switch {
		case off > 0.97 && off < 1.03:
			return e, nil
		case e.Rate == "cbr":
			e.Kbit = int(float64(e.Kbit) / off)
		case e.Program == "x264":
			e.Quality += 6 * math.Log2(off) // six steps of the quantizer halve the bits, about
		default:
			e.Quality = math.Round(e.Quality + 6*math.Log2(off))
		}
		e.Quality = min(48, max(4, e.Quality))
	}
	return e, nil
}

// keyBytesOf is the mean size of the key pictures but the first.
func keyBytesOf(coded []byte) float64 {
	sum, n := 0, -1
	for _, u := range clip.Split(coded) {
		if !u.Key {
			continue
		}
		if n++; n > 0 {
			sum += len(clip.Join([]clip.Unit{u}))
		}
	}
	return float64(sum) / float64(max(1, n))
}
