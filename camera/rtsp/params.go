package rtsp

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"eyebolt/camera"
)

// params follows a stream's parameter sets, from the session description and from the pictures.
type params struct {
	now   camera.Params
	fresh bool // changed since last told
}

// sizeMost bounds a picture's sides: 8K is 7680 wide.
const sizeMost = 16384

// take looks for new parameter sets in a unit. An error means that the unit cannot be decoded.
func (p *params) take(nals [][]byte, kinds []nalKind) error {
	var seen [nalPPS + 1]bool
	for i, k := range kinds {
		if k < nalVPS || k > nalPPS || seen[k] {
			continue // of several sets of one kind the first is the stream's; the others are in the picture anyway
		}
		seen[k] = true
		if err := p.set(k, nals[i]); err != nil {
			return err
		}
	}
	return nil
}

// set takes one parameter set.
func (p *params) set(k nalKind, n []byte) error {
	to := &p.now.PPS
	switch k {
	case nalVPS:
		to = &p.now.VPS
	case nalSPS:
		to = &p.now.SPS
	}
	if bytes.Equal(*to, n) {
		return nil
	}
	if k == nalSPS {
		w, h, err := size(p.now.Codec, n)
		if err != nil {
			return err
		}
		p.now.Width, p.now.Height = w, h
	}
	*to, p.fresh = bytes.Clone(n), true // what was told before belongs to whom it was told
	return nil
}

// complete says whether decoding can begin.
func (p *params) complete() bool {
	return p.now.SPS != nil && p.now.PPS != nil && (p.now.Codec == camera.H264 || p.now.VPS != nil)
}

// size reads the picture's size from a sequence parameter set.
func size(c camera.Codec, sps []byte) (w, h int, err error) {
	switch c {
	case camera.H264:
		var s h264.SPS
		if err = s.Unmarshal(sps); err == nil {
			w, h = s.Width(), s.Height()
		}
	case camera.H265:
		var s h265.SPS
		if err = s.Unmarshal(sps); err == nil {
			w, h = s.Width(), s.Height()
		}
	}
	if err == nil && (w <= 0 || h <= 0 || w > sizeMost || h > sizeMost) {
		err = fmt.Errorf("picture of %d × %d", w, h)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("sequence parameter set: %w", err)
	}
	return w, h, nil
}
