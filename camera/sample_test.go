package camera_test

import (
	"bytes"
	"testing"

	"eyebolt/camera"
)

// A sample has a picture's slices and what explains them (SEI), is a copy, and gives them back as they were.
func TestSample(t *testing.T) {
	for _, k := range []struct {
		name      string
		codec     camera.Codec
		in, wants [][]byte
	}{
		{"H.264", camera.H264, [][]byte{{9, 1}, {7, 2}, {8, 3}, {6, 4}, {}, {0x65, 5, 6}, {12, 7}, {0x41, 8}}, [][]byte{{6, 4}, {0x65, 5, 6}, {0x41, 8}}},
		{"H.265", camera.H265, [][]byte{{35 << 1, 1}, {32 << 1, 1}, {33 << 1, 1}, {34 << 1, 1}, {39 << 1, 4}, {19 << 1, 5}, {38 << 1, 1}}, [][]byte{{39 << 1, 4}, {19 << 1, 5}}},
		{"nothing", camera.H264, [][]byte{{9, 1}, {}}, nil},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := camera.Pack(k.codec, k.in)
			if k.wants == nil && s != nil {
				t.Fatalf("got %v", s)
			}
			for _, n := range k.in {
				clear(n) // the driver's buffer is used again
			}
			got := s.Units(nil)
			if len(got) != len(k.wants) {
				t.Fatalf("%d units, want %d", len(got), len(k.wants))
			}
			for i := range got {
				if !bytes.Equal(got[i], k.wants[i]) || cap(got[i]) != len(got[i]) {
					t.Errorf("unit %d: %v (capacity %d), want %v", i, got[i], cap(got[i]), k.wants[i])
				}
			}
		})
	}
	// What Pack did not make is cut at its end, and nothing is read past it.
	if got := (camera.Sample{0, 0, 0, 9, 1, 2}).Units(nil); len(got) != 1 || !bytes.Equal(got[0], []byte{1, 2}) {
		t.Errorf("a stump gave %v", got)
	}
	if got := (camera.Sample{0, 0, 1}).Units(nil); len(got) != 0 {
		t.Errorf("half a length gave %v", got)
	}
}
