package still

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"sync"

	"eyebolt/camera"
)

const (
	// JPEGMost bounds a JPEG's bytes: 4K at a camera's best quality is under 4 MB.
	JPEGMost = 8 << 20
	// scansMost bounds the scans of a progressive JPEG: each costs a pass over the whole picture, however few bytes it has.
	// Encoders write ten.
	scansMost = 16
	// progressiveMost bounds its pixels: Go keeps every coefficient of one until the end.
	progressiveMost = 4 << 20
)

// JPEG decodes pictures one after the other and keeps what it needs between them. One goroutine uses it. Its zero value is
// ready.
//
// A picture is refused by its header alone when it is beyond JPEGMost bytes or PixelsMost pixels, has more than 16 scans, or
// is of a kind that Go does not decode. Decoding takes at most 64 MiB.
type JPEG struct{ luma []byte }

// Decode gives the still of a JPEG. Media is left 0: a JPEG does not tell where in a stream it belongs. The still's Luma is
// used again by the next call.
func (j *JPEG) Decode(b []byte) (camera.Still, error) {
	h, err := head(b)
	if err != nil {
		return camera.Still{}, err
	}
	if !h.tables {
		b = withTables(b, h)
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return camera.Still{}, fmt.Errorf("%w: %w", ErrNotJPEG, err)
	}
	var pix []byte
	stride := 0
	switch img := img.(type) {
	case *image.YCbCr:
		pix, stride = img.Y, img.YStride
	case *image.Gray:
		pix, stride = img.Pix, img.Stride
	default: // RGB or CMYK, which no camera sends
		return camera.Still{}, fmt.Errorf("%w: its colours are %T", ErrNotJPEG, img)
	}
	r := img.Bounds()
	var s camera.Still
	j.luma, s.Width, s.Height = shrink(j.luma, pix, stride, r.Dx(), r.Dy(), Factor(r.Dx(), r.Dy()))
	s.Luma = j.luma
	return s, nil
}

// header is what is read of a JPEG before it is decoded.
type header struct {
	width, height int
	scans         int
	frame         int  // where the frame header begins
	tables        bool // it has Huffman tables of its own
}

// head walks a JPEG's markers (ITU-T T.81, annex B) without decoding anything.
func head(b []byte) (h header, err error) {
	if len(b) > JPEGMost {
		return h, fmt.Errorf("%w (%d bytes)", ErrTooLarge, len(b))
	}
	bad := func(format string, args ...any) (header, error) {
		return h, fmt.Errorf("%w: "+format, append([]any{ErrNotJPEG}, args...)...)
	}
	if len(b) < 4 || b[0] != 0xff || b[1] != 0xd8 {
		return bad("it does not begin as one")
	}
	for at := 2; ; {
		at = marker(b, at)
		if at < 0 {
			break
		}
		kind := b[at+1]
		at += 2
		if kind == 0xd9 { // end of image
			break
		}
		if kind >= 0xd0 && kind <= 0xd8 || kind == 1 { // stands alone
			continue
		}
		if at+2 > len(b) {
			return bad("it is cut short")
		}
		n := int(binary.BigEndian.Uint16(b[at:]))
		if n < 2 || at+n > len(b) {
			return bad("it is cut short")
		}
		part := b[at : at+n]
		switch {
		case kind == 0xc4:
			h.tables = true
		case kind == 0xda:
			if h.width == 0 {
				return bad("a scan comes before its frame")
			}
			if h.scans++; h.scans > scansMost {
				return bad("it has more than %d scans", scansMost)
			}
		case kind >= 0xc0 && kind <= 0xc2 && n >= 8:
			if h.width != 0 {
				return bad("it has two frames")
			}
			h.frame = at - 2
			h.height, h.width = int(binary.BigEndian.Uint16(part[3:])), int(binary.BigEndian.Uint16(part[5:]))
			if err := fits(h.width, h.height); err != nil {
				return h, err
			}
			if kind == 0xc2 && h.width*h.height > progressiveMost {
				return h, fmt.Errorf("%w (progressive, %d × %d)", ErrTooLarge, h.width, h.height)
			}
		case kind >= 0xc0 && kind <= 0xcf && kind != 0xc8 && kind != 0xcc:
			return bad("its coding (%#x) is not baseline or progressive", kind)
		}
		at += n
	}
	if h.width == 0 || h.scans == 0 {
		return bad("it holds no picture")
	}
	return h, nil
}

// marker finds the next marker at or after at; -1: there is none. Within a scan ff 00 is a coded ff.
func marker(b []byte, at int) int {
	for at < len(b) {
		i := bytes.IndexByte(b[at:], 0xff)
		if i < 0 {
			return -1
		}
		at += i
		if at+1 >= len(b) {
			return -1
		}
		if b[at+1] != 0 && b[at+1] != 0xff {
			return at
		}
		at++
	}
	return -1
}

// withTables adds the typical Huffman tables (T.81 annex K.3), which motion JPEG of old cameras leaves out.
func withTables(b []byte, h header) []byte {
	add := typical()
	out := make([]byte, 0, len(b)+len(add))
	out = append(out, b[:h.frame]...)
	out = append(out, add...)
	return append(out, b[h.frame:]...)
}

// typical is the segment of those tables: Go's encoder uses them.
var typical = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420), nil) // a buffer takes everything
	at := bytes.Index(b.Bytes(), []byte{0xff, 0xc4})
	n := 2 + int(binary.BigEndian.Uint16(b.Bytes()[at+2:]))
	return b.Bytes()[at : at+n]
})
