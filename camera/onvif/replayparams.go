package onvif

import (
	"bytes"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"eyebolt/camera"
)

// parameter keeps parameter sets among NAL units, and says whether one is new.
func (p *replay) parameter(nals ...[]byte) (fresh bool) {
	for _, n := range nals {
		to := p.set(n)
		if to == nil || bytes.Equal(*to, n) {
			continue
		}
		if to == &p.params.SPS {
			w, h, ok := sizeOf(p.params.Codec, n)
			if !ok {
				continue
			}
			p.params.Width, p.params.Height = w, h
		}
		*to, fresh = bytes.Clone(n), true
	}
	return fresh
}

// set says which of the parameter sets a NAL unit is (H.264 table 7-1, H.265 table 7-1).
func (p *replay) set(n []byte) *[]byte {
	if len(n) < 4 {
		return nil
	}
	if p.params.Codec == camera.H265 {
		switch n[0] >> 1 & 0x3f {
		case 32:
			return &p.params.VPS
		case 33:
			return &p.params.SPS
		case 34:
			return &p.params.PPS
		}
		return nil
	}
	switch n[0] & 0x1f {
	case 7:
		return &p.params.SPS
	case 8:
		return &p.params.PPS
	}
	return nil
}

func (p *replay) complete() bool {
	return p.params.SPS != nil && p.params.PPS != nil && (p.params.Codec == camera.H264 || p.params.VPS != nil)
}

// isKey says whether decoding can begin at an access unit: an IDR, or for H.265 an IRAP.
func isKey(c camera.Codec, nals [][]byte) bool {
	for _, n := range nals {
		if len(n) == 0 {
			continue
		}
		if t := n[0] >> 1 & 0x3f; c == camera.H265 && t >= 16 && t <= 21 {
			return true
		}
		if c == camera.H264 && n[0]&0x1f == 5 {
			return true
		}
	}
	return false
}

// sizeMost bounds a picture's sides: 8K is 7680 wide.
const sizeMost = 16384

func sizeOf(c camera.Codec, sps []byte) (w, h int, ok bool) {
	if c == camera.H265 {
		var s h265.SPS
		if s.Unmarshal(sps) != nil {
			return 0, 0, false
		}
		w, h = s.Width(), s.Height()
	} else {
		var s h264.SPS
		if s.Unmarshal(sps) != nil {
			return 0, 0, false
		}
		w, h = s.Width(), s.Height()
	}
	return w, h, w > 0 && h > 0 && w <= sizeMost && h <= sizeMost
}
