package liveness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

const (
	// calibrationVersion is the one that is written and read.
	calibrationVersion = 1
	// maxCalibration bounds its JSON: ten times what it can be.
	maxCalibration = 16 << 10
)

// ErrCalibration is wrapped by every refusal of a calibration, and says what to do.
var ErrCalibration = errors.New("the camera's calibration cannot be used: remove it, and let set-up learn the camera anew")

// Calibration is what was learned of a camera and outlives a restart: numbers alone, no picture. Judge and Prints each give
// and take their own part of it.
type Calibration struct {
	Version int `json:"version"`
	// Cover is the complexity of the camera's key pictures, for each light that was learned.
	Cover []CoverLevel `json:"cover,omitempty"`
	// KeyEvery is how often a key picture comes unasked, and KeyAnswer how long the camera takes to give one that is asked for,
	// in milliseconds; 0: not learned.
	KeyEvery  int64 `json:"key_every_ms,omitempty"`
	KeyAnswer int64 `json:"key_answer_ms,omitempty"`
	// Noise is the least noise of a scene that was learned, in squared grey levels a pixel; 0: not learned.
	Noise float64 `json:"noise,omitempty"`
}

// CoverLevel is what key pictures of an uncovered lens weigh.
type CoverLevel struct {
	Light Light   `json:"light"`
	Bytes float64 `json:"bytes"` // at quantiser 26
	Keys  int     `json:"keys"`  // it was learned from
}

// ParseCalibration reads a calibration. What is not one, or cannot have been learned, is refused whole with ErrCalibration.
func ParseCalibration(b []byte) (Calibration, error) {
	if len(b) > maxCalibration {
		return Calibration{}, fmt.Errorf("%w (it has %d bytes, more than %d)", ErrCalibration, len(b), maxCalibration)
	}
	var c Calibration
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Calibration{}, fmt.Errorf("%w (%w)", ErrCalibration, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Calibration{}, fmt.Errorf("%w (something follows it)", ErrCalibration)
	}
	if err := c.check(); err != nil {
		return Calibration{}, err
	}
	return c, nil
}

// Join gives a calibration with what o has learned and c has not.
func (c Calibration) Join(o Calibration) Calibration {
	c.Version = calibrationVersion
	if c.Cover == nil {
		c.Cover = o.Cover
	}
	if c.KeyEvery == 0 {
		c.KeyEvery = o.KeyEvery
	}
	if c.KeyAnswer == 0 {
		c.KeyAnswer = o.KeyAnswer
	}
	if c.Noise == 0 {
		c.Noise = o.Noise
	}
	return c
}

func (c Calibration) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w (%s)", ErrCalibration, fmt.Sprintf(format, args...))
	}
	const longest = int64(time.Minute / time.Millisecond)
	switch {
	case c.Version != calibrationVersion:
		return bad("its version is %d, not %d", c.Version, calibrationVersion)
	case len(c.Cover) > int(lights):
		return bad("it has %d lights", len(c.Cover))
	case c.KeyEvery < 0 || c.KeyEvery > longest || c.KeyAnswer < 0 || c.KeyAnswer > longest:
		return bad("key pictures every %d ms, answered in %d ms", c.KeyEvery, c.KeyAnswer)
	case !(c.Noise >= 0 && c.Noise <= 255*255):
		return bad("noise of %v", c.Noise)
	}
	var had [lights]bool
	for _, l := range c.Cover {
		switch {
		case l.Light >= lights || had[l.Light]:
			return bad("light %d is unknown, or there twice", l.Light)
		case !(l.Bytes > 0 && l.Bytes < 1e12) || math.IsInf(l.Bytes, 0):
			return bad("key pictures of %v bytes", l.Bytes)
		case l.Keys < 1 || l.Keys > 1<<20:
			return bad("learned from %d key pictures", l.Keys)
		}
		had[l.Light] = true
	}
	return nil
}

// Calibration gives what the Judge has learned.
func (j *Judge) Calibration() Calibration {
	c := Calibration{
		Version: calibrationVersion, KeyEvery: int64(j.ask.every() / time.Millisecond), KeyAnswer: int64(j.ask.longest / time.Millisecond),
	}
	for i := range j.cover.levels {
		if l := &j.cover.levels[i]; l.learned > 0 {
			c.Cover = append(c.Cover, CoverLevel{Light: Light(i), Bytes: l.learned, Keys: l.n})
		}
	}
	return c
}

// Restore takes what was learned before. What the calibration does not hold is left as it is.
func (j *Judge) Restore(c Calibration) error {
	if err := c.check(); err != nil {
		return err
	}
	for _, l := range c.Cover {
		j.cover.levels[l.Light] = level{learned: l.Bytes, now: l.Bytes, n: coverLearn}
	}
	if c.KeyEvery > 0 {
		for range askKnown {
			j.ask.step(time.Duration(c.KeyEvery) * time.Millisecond)
		}
	}
	if c.KeyAnswer > 0 {
		j.ask.longest = time.Duration(c.KeyAnswer) * time.Millisecond
	}
	return nil
}

// Calibration gives what the prints have learned.
func (p *Prints) Calibration() Calibration {
	c := Calibration{Version: calibrationVersion, Noise: p.certified}
	for _, sc := range p.scenes {
		if sc != nil && sc.learned >= learnStills {
			if n := float64(median(append(p.scratch[:0], sc.noise...))); n > 0 && (c.Noise == 0 || n < c.Noise) {
				c.Noise = n
			}
		}
	}
	return c
}

// Restore takes what was learned before. The scene itself is not kept (it is a picture of a home): 20 stills learn it again, and
// are refused if their noise is far weaker than what was certified.
func (p *Prints) Restore(c Calibration) error {
	if err := c.check(); err != nil {
		return err
	}
	p.certified = c.Noise
	return nil
}
