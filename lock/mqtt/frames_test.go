package mqtt

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// TestFrames: T20: a packet beyond the limit ends the connection before room is made for it; others pass, however they are cut.
func TestFrames(t *testing.T) {
	var stream bytes.Buffer
	for _, n := range []int{0, 1, 200, 70_000} {
		if _, err := (&packets.Publish{Topic: "t", Payload: make([]byte, n), Properties: &packets.Properties{}}).WriteTo(&stream); err != nil {
			t.Fatal(err)
		}
	}
	want := bytes.Clone(stream.Bytes())
	for _, step := range []int{1, 2, 3, 1000, 1 << 20} {
		f := frameReader{r: &chopped{want, step}}
		got, err := io.ReadAll(&f)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("step %d: %d bytes of %d, %v", step, len(got), len(want), err)
		}
	}
	huge := append(bytes.Clone(want), 0x30, 0xFF, 0xFF, 0xFF, 0x7F) // 256 MiB are announced
	for _, step := range []int{1, 5, 1 << 20} {
		f := frameReader{r: &chopped{huge, step}}
		if _, err := io.ReadAll(&f); !errors.Is(err, errHuge) {
			t.Errorf("step %d: got %v, want errHuge", step, err)
		}
	}
}

type chopped struct {
	b    []byte
	step int
}

func (c *chopped) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.step)], c.b)
	c.b = c.b[n:]
	return n, nil
}

// FuzzFrames: no stream crashes the limiter, and what passes is what came.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x30, 0x03, 0, 1, 't'}, 1)
	f.Add([]byte{0xD0, 0}, 2)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		if step < 1 {
			step = 1
		}
		r := frameReader{r: &chopped{b, step}}
		got, err := io.ReadAll(&r)
		if !bytes.HasPrefix(b, got) || (err == nil && len(got) != len(b)) {
			t.Fatalf("%d of %d bytes passed, %v", len(got), len(b), err)
		}
	})
}
