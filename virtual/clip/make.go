package clip

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Make sees to it that dir holds every clip of the takes, and tells of each one that it makes. What is there already is
// kept, so that a run that was stopped goes on. Clips of one plan are the same bytes on every run of the same programs.
func Make(ctx context.Context, dir string, takes []Take, tell func(done, all int, file string)) (*Manifest, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	k := &maker{dir: dir, m: m, tell: tell}
	for _, t := range takes {
		k.all += len(t.Encoders) * len(t.Kinds)
	}
	for _, t := range takes {
		if err := k.take(ctx, t); err != nil {
			return nil, err
		}
	}
	return m, nil
}

type maker struct {
	dir       string
	m         *Manifest
	tell      func(done, all int, file string)
	done, all int
}

func (k *maker) path(file string) string { return filepath.Join(k.dir, file) }

func (k *maker) take(ctx context.Context, t Take) error {
	var encoders []Encoder
	for _, name := range t.Encoders {
		e, err := EncoderNamed(name)
		if err != nil {
			return err
		}
		encoders = append(encoders, e)
	}
	for _, kind := range t.Kinds {
		var err error
		switch {
		case kind == Live || kind == Frozen || slices.Contains(Covers, kind):
			err = k.painted(ctx, t, kind, encoders)
		default:
			for _, e := range encoders {
				if err = k.recorded(ctx, t, kind, e); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) add(c Clip) error {
	b, err := os.ReadFile(k.path(c.File))
	if err != nil {
		return err
	}
	if n := len(Split(b)); n != c.Frames {
		return fmt.Errorf("clip: %s has %d pictures and not %d: its encoder left some out", c.File, n, c.Frames)
	}
	k.m.Clips = append(k.m.Clips, c)
	k.done++
	k.tell(k.done, k.all, c.File)
	return k.m.write(k.dir)
}

// painted makes the clips of one kind that begin at the sensor, for all encoders at once.
func (k *maker) painted(ctx context.Context, t Take, kind string, encoders []Encoder) error {
	v := t.View
	v.Seed = t.seed(kind)
	frames, onset := liveFor*fps, -1
	switch kind {
	case Live:
	case Frozen:
		frames, onset = (leadFor+frozenFor)*fps, leadFor*fps
	default:
		frames, onset = (coverLead+coveredFor)*fps, coverLead*fps
	}
	var clips []Clip
	var streams []*Stream
	for _, e := range encoders {
		c := Clip{File: t.camera(e) + "." + kind + ".264", Kind: kind, Split: t.Split, Camera: t.camera(e), View: v, Encoder: e, FPS: fps, Frames: frames, Onset: -1}
		if onset >= 0 {
			c.Onset = float64(onset) / fps
		}
		if k.m.has(c.File) {
			k.done++
			continue
		}
		s, err := e.Encode(ctx, v.Width, v.Height, fps, e.GOP, k.path(c.File), nil)
		if err != nil {
			return err
		}
		clips, streams = append(clips, c), append(streams, s)
	}
	if len(clips) == 0 {
		return nil
	}
	eye, err := NewEye(v)
	if err != nil {
		return err
	}
	begin := v.Seed % 40000 // of its day
	var pix []byte
	for i := range frames {
		if ctx.Err() != nil {
			break
		}
		if i == onset && kind != Frozen {
			if err := eye.Cover(kind); err != nil {
				return err
			}
		}
		if kind != Frozen || i < onset {
			pix = eye.Picture(float64(i) / fps)
		}
		for j, s := range streams {
			second := -1
			if clips[j].Encoder.Clock {
				second = int(begin) + i/fps
			}
			s.Write(pix, v.Width, v.Height, second)
		}
	}
	for j, s := range streams {
		if err := s.Close(); err != nil {
			return err
		}
		if err := k.add(clips[j]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// recorded makes the clips that begin with a recording of the camera's coded stream.
func (k *maker) recorded(ctx context.Context, t Take, kind string, e Encoder) error {
	v := t.View
	v.Seed = t.seed(Live)
	camera := t.camera(e)
	c := Clip{File: camera + "." + kind + ".264", Kind: kind, Split: t.Split, Camera: camera, View: v, Encoder: e, FPS: fps, Frames: loopFor * fps}
	if k.m.has(c.File) {
		k.done++
		return nil
	}
	read := func(of string) ([]Unit, error) {
		b, err := os.ReadFile(k.path(camera + "." + of + ".264"))
		return Split(b), err
	}
	live, err := read(Live)
	if err != nil {
		return err
	}
	period := 10 * fps
	for period%e.GOP != 0 {
		period += fps
	}
	if len(live) < 2*period {
		return fmt.Errorf("clip: %s has %d pictures, which is too few for a loop", camera, len(live))
	}
	live = live[period:] // not the very first seconds
	switch kind {
	case Copied:
		var out []Unit
		for i := range c.Frames {
			out = append(out, live[i%period])
		}
		c.Onset, c.Repeat = float64(period)/fps, float64(period)/fps
		err = os.WriteFile(k.path(c.File), Join(out), 0o600)
	case Replayed, Retaken:
		// Ten seconds of today, then a piece of the live clip, which a hub has seen before.
		var today []Unit
		if today, err = read(Frozen); err != nil {
			return err
		}
		lead := leadFor * fps / e.GOP * e.GOP
		c.Onset, c.From = float64(lead)/fps, camera+"."+Live+".264"
		out := slices.Concat(today[:lead], live[:c.Frames-lead])
		if kind == Retaken {
			err = k.recode(ctx, c, e, out, len(out))
		} else {
			err = os.WriteFile(k.path(c.File), Join(out), 0o600)
		}
	case Aligned, Shifted:
		if kind == Shifted {
			period += 5
		}
		c.Onset, c.Repeat = float64(period)/fps, float64(period)/fps
		err = k.recode(ctx, c, e, live, period)
	default:
		err = fmt.Errorf("clip: no kind is called %q", kind)
	}
	if err != nil {
		return err
	}
	return k.add(c)
}

// recode decodes the first period of units and codes them anew, again and again. The clock in the picture, if any, is
// part of the recording.
func (k *maker) recode(ctx context.Context, c Clip, e Encoder, units []Unit, period int) error {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return ErrNoFFmpeg
	}
	w, h := c.View.Width, c.View.Height
	cmd := exec.CommandContext(ctx, path, "-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1", "-f", "h264", "-i", "pipe:0", "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1")
	var raw, said bytes.Buffer
	raw.Grow(period * w * h * 3 / 2)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(Join(units[:period])), &raw, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ffmpeg: %w: %s", err, said.String())
	}
	size := w * h * 3 / 2
	if raw.Len() != period*size {
		return fmt.Errorf("ffmpeg decoded %d bytes of %s, and not %d pictures", raw.Len(), c.Camera, period)
	}
	s, err := e.Encode(ctx, w, h, fps, e.GOP, k.path(c.File), nil)
	if err != nil {
		return err
	}
	for i := range c.Frames {
		s.Write(raw.Bytes()[i%period*size:][:size], w, h, -1)
	}
	return s.Close()
}
