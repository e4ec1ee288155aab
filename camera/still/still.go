// Package still gets decoded pictures out of a camera, for detectors that must see the sensor's noise: by JPEG (a snapshot, or
// an MJPEG sub-stream), or from the stream's own key pictures through an ffmpeg process that lives as long as a visit.
//
// Whatever the route, a still is the picture's luma, shrunk by a whole factor with a box filter. A factor of 2 keeps what a
// fingerprint of the noise needs; JPEG decoding is Go's, so ffmpeg is needed on the third route only.
package still

import (
	"errors"
	"fmt"

	"eyebolt/camera"
)

const (
	// PixelsMost bounds a picture before it is decoded: 16 Mi is more than 5K (5120 × 2880).
	PixelsMost = 16 << 20
	// sideMost bounds a still: 1080p halved is 960 × 540.
	sideMost = 960
)

var (
	// ErrTooLarge is a picture beyond PixelsMost, or beyond a route's bound of bytes.
	ErrTooLarge = errors.New("picture is too large to be decoded: set the camera's snapshot or stream to 4K or less")
	// ErrNotJPEG is what cannot be decoded as JPEG.
	ErrNotJPEG = errors.New("not a JPEG picture that can be decoded: set the camera's snapshot or sub-stream to baseline JPEG")
)

// Factor is by what a picture of this size is shrunk: 1 up to 640 × 640, then 2 or more, so that no side of the still is
// over 960.
func Factor(width, height int) int {
	side := max(width, height)
	if side <= 640 {
		return 1
	}
	return max(2, (side+sideMost-1)/sideMost)
}

// shrink averages squares of factor × factor; what is left over at the right and lower edge is cut. It writes into dst, which
// it grows when it must, and gives the still's size.
func shrink(dst, luma []byte, stride, width, height, factor int) (out []byte, w, h int) {
	w, h = width/factor, height/factor
	if cap(dst) < w*h {
		dst = make([]byte, w*h)
	}
	dst = dst[:w*h]
	switch factor {
	case 1:
		for y := range h {
			copy(dst[y*w:(y+1)*w], luma[y*stride:])
		}
	case 2:
		for y := range h {
			a, b, to := luma[2*y*stride:][:2*w], luma[(2*y+1)*stride:][:2*w], dst[y*w:][:w]
			for x := range to {
				to[x] = byte((uint(a[2*x]) + uint(a[2*x+1]) + uint(b[2*x]) + uint(b[2*x+1]) + 2) / 4)
			}
		}
	default:
		n := uint(factor * factor)
		for y := range h {
			for x := range w {
				sum := n / 2
				for dy := range factor {
					for _, v := range luma[(y*factor+dy)*stride+x*factor:][:factor] {
						sum += uint(v)
					}
				}
				dst[y*w+x] = byte(sum / n)
			}
		}
	}
	return dst, w, h
}

// fits says whether a picture may be decoded.
func fits(width, height int) error {
	if width < 16 || height < 16 || width > PixelsMost/height {
		return fmt.Errorf("%w (%d × %d)", ErrTooLarge, width, height)
	}
	return nil
}

// Sink takes a still. It belongs to the sink for the length of the call only.
type Sink func(camera.Still)
