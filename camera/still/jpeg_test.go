package still

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"testing"
)

// A JPEG's still is its luma, shrunk.
func TestJPEGIsItsLumaShrunk(t *testing.T) {
	for _, size := range [][4]int{{1280, 720, 640, 360}, {1920, 1080, 960, 540}, {640, 360, 640, 360}, {3840, 2160, 960, 540}, {645, 363, 322, 181}} {
		b := noisy(size[0], size[1])
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		var j JPEG
		s, err := j.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if s.Width != size[2] || s.Height != size[3] || len(s.Luma) != s.Width*s.Height {
			t.Fatalf("%d × %d gives %d × %d", size[0], size[1], s.Width, s.Height)
		}
		y := img.(*image.YCbCr)
		f := Factor(size[0], size[1])
		for _, at := range [][2]int{{0, 0}, {s.Width - 1, s.Height - 1}, {s.Width / 3, s.Height / 2}} {
			sum := f * f / 2
			for dy := range f {
				for dx := range f {
					sum += int(y.Y[(at[1]*f+dy)*y.YStride+at[0]*f+dx])
				}
			}
			if got, want := int(s.Luma[at[1]*s.Width+at[0]]), sum/(f*f); got != want {
				t.Errorf("%d × %d at %v: %d, want %d", size[0], size[1], at, got, want)
			}
		}
		// Old cameras leave the typical tables out.
		at := bytes.Index(b, []byte{0xff, 0xc4})
		n := 2 + int(b[at+2])<<8 + int(b[at+3])
		bare := append(bytes.Clone(b[:at]), b[at+n:]...)
		luma := bytes.Clone(s.Luma)
		if s, err = j.Decode(bare); err != nil || !bytes.Equal(s.Luma, luma) {
			t.Errorf("without its tables: %v", err)
		}
	}
}

// What is too large or no JPEG is refused before anything is decoded, with what to do next (T20).
func TestJPEGRefuses(t *testing.T) {
	good := noisy(64, 64)
	sof := bytes.Index(good, []byte{0xff, 0xc0})
	huge := bytes.Clone(good)
	copy(huge[sof+5:], []byte{0xff, 0xff, 0xff, 0xff})
	progressive := bytes.Clone(good)
	progressive[sof+1] = 0xc2
	copy(progressive[sof+5:], []byte{0x10, 0, 0x10, 0})
	sos := bytes.Index(good, []byte{0xff, 0xda})
	scans := bytes.Clone(good[:sos])
	for range 1000 {
		scans = append(scans, good[sos:len(good)-2]...)
	}
	two := append(bytes.Clone(good[:sof+19]), good[sof:]...)
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":             {nil, ErrNotJPEG},
		"text":                {[]byte("<html>401</html>"), ErrNotJPEG},
		"65535 × 65535":       {huge, ErrTooLarge},
		"a large progressive": {progressive, ErrTooLarge},
		"1000 scans":          {scans, ErrNotJPEG},
		"two frames":          {two, ErrNotJPEG},
		"cut short":           {good[:sof+6], ErrNotJPEG},
		"no picture":          {[]byte{0xff, 0xd8, 0xff, 0xd9}, ErrNotJPEG},
		"nine megabytes":      {append(bytes.Clone(good), make([]byte, JPEGMost)...), ErrTooLarge},
	} {
		var j JPEG
		if _, err := j.Decode(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Whatever comes, a JPEG is refused or gives a still within its bounds.
func FuzzJPEG(f *testing.F) {
	good := noisy(48, 32)
	f.Add(good)
	at := bytes.Index(good, []byte{0xff, 0xc4})
	f.Add(append(bytes.Clone(good[:at]), good[at+2+int(good[at+2])<<8+int(good[at+3]):]...))
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := head(b)
		if err == nil && h.width*h.height > 1<<20 {
			t.Skip("allowed, and slow")
		}
		var j JPEG
		s, err := j.Decode(b)
		if err != nil {
			if !errors.Is(err, ErrNotJPEG) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("an error that does not say what to do: %v", err)
			}
			return
		}
		if len(s.Luma) != s.Width*s.Height || s.Width > sideMost || s.Height > sideMost {
			t.Fatalf("a still of %d × %d with %d bytes", s.Width, s.Height, len(s.Luma))
		}
	})
}
