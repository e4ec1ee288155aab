package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"eyebolt/liveness"
	"eyebolt/virtual/clip"
)

// A promise is what one detector is there for, and the target that it is held to.
type promise struct {
	detector string
	target   string
	kinds    []string
	states   []liveness.State                       // verdicts that name it rightly
	share    float64                                // of the trials that must be hits
	hit      func(r *trial, key time.Duration) bool // whether what was found was found soon enough; key is from key to key
}

var promises = []promise{
	{
		"freeze", "95 % within 8 s, or four keys where these take longer",
		[]string{clip.Frozen},
		[]liveness.State{liveness.Frozen, liveness.Replayed},
		0.95,
		func(r *trial, key time.Duration) bool { return r.after <= max(4*key, 8*time.Second) },
	},
	{
		"replay", "all, with the first repeated picture",
		[]string{clip.Copied, clip.Replayed},
		[]liveness.State{liveness.Replayed},
		1,
		func(r *trial, _ time.Duration) bool { return r.after == 0 },
	},
	{
		"loop", "90 % within 20 s",
		[]string{clip.Aligned, clip.Shifted},
		[]liveness.State{liveness.Replayed, liveness.Frozen},
		0.9,
		func(r *trial, _ time.Duration) bool { return r.after <= 20*time.Second },
	},
	{
		"cover", "all, by the second key", clip.Covers,
		[]liveness.State{liveness.Covered, liveness.Frozen},
		1,
		func(r *trial, _ time.Duration) bool { return r.keys <= 2 },
	},
}

func promiseOf(kind string) *promise {
	for i := range promises {
		if slices.Contains(promises[i].kinds, kind) {
			return &promises[i]
		}
	}
	return nil
}

// trial is one clip's outcome: a camera that was watched for its live minute, and then this clip, without a break.
type trial struct {
	clip     clip.Clip
	falsely  []lapsed      // verdicts while it was live
	honest   time.Duration // how long that was
	spoiled  bool          // it was a lapse already when it was still live: no hit
	found    bool
	state    liveness.State
	by       []string
	after    time.Duration // from onset
	keys     int           // key pictures shown from onset to the verdict
	near     map[string]margin
	far      map[string]margin
	explains []liveness.Finding
}

// tapes reads clips, and keeps the live minute of the camera that is being tried.
type tapes struct {
	dir    string
	camera string
	units  []clip.Unit
	stills [][]byte
}

func (t *tapes) read(ctx context.Context, file string) ([]clip.Unit, [][]byte, error) {
	b, err := os.ReadFile(filepath.Join(t.dir, file))
	if err != nil {
		return nil, nil, err
	}
	units := clip.Split(b)
	stills, err := stillsOf(ctx, units)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return units, stills, nil
}

// run plays a trial. Between the live minute and a recording of yesterday lie apart hours of other pictures.
func (t *tapes) run(ctx context.Context, c clip.Clip, apart time.Duration) (*trial, error) {
	if t.camera != c.Camera {
		units, stills, err := t.read(ctx, c.Camera+"."+clip.Live+".264")
		if err != nil {
			return nil, err
		}
		t.camera, t.units, t.stills = c.Camera, units, stills
	}
	w := watch(c.FPS)
	play := func(units []clip.Unit, stills [][]byte, each func(i int, u clip.Unit)) {
		k := 0
		for i, u := range units {
			var luma []byte
			if u.Key {
				luma = stills[k]
				k++
			}
			w.picture(u.NALs, u.Key, luma)
			if each != nil {
				each(i, u)
			}
		}
	}
	play(t.units, t.stills, nil)
	r := &trial{clip: c, near: map[string]margin{}, far: map[string]margin{}}
	if c.Kind == clip.Replayed && apart > 0 {
		t.pass(w, apart)
	}
	if c.Kind == clip.Live {
		r.honest = max(0, w.now()-time.Duration(learning*c.Encoder.GOP)*w.period)
		r.falsely, r.near, _ = w.forget()
		return r, nil
	}
	w.forget() // the live minute is counted once, in the trial of its own clip
	units, stills, err := t.read(ctx, c.File)
	if err != nil {
		return nil, err
	}
	// A loop of coded pictures was seen when it was live, and repeats from its first picture. One that was coded anew is of the
	// part of the live minute that the camera was learned from: it repeats what can be known from its second pass on, and its
	// time is counted from there. It is not live from its first picture either way.
	onset, lag := 0, time.Duration(0)
	switch {
	case c.Repeat == 0:
		onset = int(c.Onset*float64(c.FPS) + 0.5)
	case c.Kind != clip.Copied:
		lag = time.Duration(c.Repeat * float64(time.Second))
	}
	p := promiseOf(c.Kind)
	from := w.now() + time.Duration(onset)*w.period + cameraDelay
	began := w.now()
	spoiled := isLapse(w.judge.Verdict().State)
	play(units, stills, func(i int, u clip.Unit) {
		if i < onset {
			spoiled = isLapse(w.judge.Verdict().State)
			if i == onset-1 {
				r.falsely, r.near, _ = w.forget()
				r.honest = w.now() - began
			}
			return
		}
		if i == onset {
			r.spoiled = spoiled
		}
		if u.Key && !r.found {
			r.keys++
		}
		if s := w.judge.Verdict().State; !r.found && !r.spoiled && isLapse(s) && (p == nil || slices.Contains(p.states, s)) {
			r.found, r.state, r.after = true, s, max(0, w.at-from-lag)
			for _, f := range w.judge.Explain() {
				if isLapse(f.State) {
					r.by = append(r.by, f.By)
					r.explains = append(r.explains, f)
				}
			}
		}
	})
	_, _, r.far = w.forget()
	return r, nil
}

// pass lets hours go by with pictures of this camera that were never shown: its live minute over and over, each slice changed
// in eight bytes of its end, so that none is the same as another. The stills do not come with them.
func (t *tapes) pass(w *judged, long time.Duration) {
	until := w.now() + long
	n := uint64(0)
	for w.now() < until {
		for _, u := range t.units {
			for _, s := range u.NALs {
				if kind := s[0] & 31; (kind == 1 || kind == 5) && len(s) >= 64 {
					n++
					at := s[len(s)-24:]
					binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)^n*0x9e3779b97f4a7c15)
				}
			}
			w.picture(u.NALs, u.Key, nil)
		}
	}
	w.forget()
	t.camera = "" // what it kept is no longer the clip
}
