package monitor

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"eyebolt/radio"
)

// tell gives the signs of a capture.
func tell(t *testing.T, name string) (signs []radio.Sign, frames int) {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".pcap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := NewCapture(f)
	if err != nil {
		t.Fatal(err)
	}
	tally := radio.NewTally(name, radio.Addr{2})
	var first time.Time
	for {
		at, frame, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if frames++; frames == 1 {
			first = at
		}
		if s, ok := tally.Frame(at.Sub(first), frame); ok {
			signs = append(signs, s)
		}
	}
	if c.Bad != 0 {
		t.Errorf("%d frames were not understood", c.Bad)
	}
	return signs, frames
}

// T1: what a sensor heard in the lab (docs/LAB.md), with the counts that tcpdump gives for the same files. A device that leaves
// by itself and an access point that starts anew are no attack.
func TestSignsOfCaptures(t *testing.T) {
	for _, k := range []struct {
		name    string
		frames  int
		gravest radio.Severity
		flood   bool
		begins  time.Duration // of the flood's sign, after the first frame, at the latest
	}{
		{"normal-pmf0", 1, radio.Info, false, 0},
		{"normal-pmf2", 1, radio.Info, false, 0},
		{"roam-reboot-pmf0", 2, radio.Warning, false, 0},
		{"roam-reboot-pmf2", 2, radio.Info, false, 0},
		{"burst-pmf0", 130, radio.Attack, true, 50 * time.Millisecond},
		{"burst-pmf2", 128, radio.Attack, true, 60 * time.Millisecond},
		{"flood-pmf0", 484, radio.Attack, true, 50 * time.Millisecond},
		{"flood-pmf2", 438, radio.Attack, true, 50 * time.Millisecond},
		{"bflood-pmf0", 500, radio.Attack, true, 50 * time.Millisecond},
		{"bflood-pmf2", 594, radio.Attack, true, 50 * time.Millisecond},
		{"visit-flood-pmf0", 257, radio.Attack, true, 50 * time.Millisecond}, // beside a visit, docs/LAB.md
		{"visit-flood-pmf2", 103, radio.Attack, true, 50 * time.Millisecond},
	} {
		t.Run(k.name, func(t *testing.T) {
			signs, frames := tell(t, k.name)
			if frames != k.frames {
				t.Errorf("%d frames, want %d", frames, k.frames)
			}
			gravest, flooded := radio.Info, false
			for _, s := range signs {
				gravest = max(gravest, s.Severity())
				if s.Kind == radio.Flood && !flooded {
					flooded = true
					if s.At > k.begins {
						t.Errorf("the flood was told after %v, want at most %v", s.At, k.begins)
					}
				}
			}
			if gravest != k.gravest || flooded != k.flood {
				t.Errorf("gravest %v, flood %v; want %v, %v: %+v", gravest, flooded, k.gravest, k.flood, signs)
			}
			if k.flood && len(signs) > 8 {
				t.Errorf("%d signs of one flood of 3 s: it is told once a second", len(signs))
			}
		})
	}
}

// frame is a deauthentication under a radiotap header.
func frame(radiotap []byte, more ...byte) []byte {
	f := []byte{0xc0, 0, 0x3a, 1, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x30, 0x12, 7, 0}
	return append(append(radiotap, f...), more...)
}

func TestParse(t *testing.T) {
	plain := []byte{0, 0, 8, 0, 0, 0, 0, 0}
	cases := map[string]struct {
		in  []byte
		ok  bool
		err error
	}{
		"plain":                    {frame(plain), true, nil},
		"check bytes at the end":   {frame([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x10}, 1, 2, 3, 4), true, nil},
		"with time, flags aligned": {frame([]byte{0, 0, 17, 0, 3, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0}), true, nil},
		"two words, time aligned":  {frame([]byte{0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0x40}), false, nil},
		"broken on the air":        {frame([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x40}), false, nil},
		"empty":                    {nil, false, ErrFrame},
		"header alone":             {plain, false, ErrFrame},
		"header longer than all":   {[]byte{0, 0, 99, 0, 0, 0, 0, 0}, false, ErrFrame},
		"header shorter than all":  {[]byte{0, 0, 7, 0, 0, 0, 0, 0}, false, ErrFrame},
		"another radiotap":         {frame([]byte{1, 0, 8, 0, 0, 0, 0, 0}), false, ErrFrame},
		"endless words":            {[]byte{0, 0, 8, 0, 0, 0, 0, 0x80}, false, ErrFrame},
		"flags beyond the header":  {frame([]byte{0, 0, 8, 0, 2, 0, 0, 0}), false, ErrFrame},
		"cut before the reason":    {frame(plain)[:8+25], false, ErrFrame},
		"check bytes cut":          {append([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x10}, 0xc0, 0, 0), false, ErrFrame},
		"a beacon":                 {append(bytes.Clone(plain), 0x80, 0), false, nil},
		"version 1":                {append(bytes.Clone(plain), 0xc1, 0), false, ErrFrame},
	}
	for name, k := range cases {
		f, ok, err := Parse(k.in)
		if ok != k.ok || !errors.Is(err, k.err) {
			t.Errorf("%s: %v, %v; want %v, %v", name, ok, err, k.ok, k.err)
		}
		if ok && (f.Reason != 7 || f.Sequence != 0x123 || f.From != (radio.Addr{2}) || f.To != (radio.Addr{2, 0, 0, 0, 1, 0}) || f.Network != f.From) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _, _ = Parse(cases["plain"].in) }); n != 0 {
		t.Errorf("%v allocations a frame: a busy channel has thousands a second", n)
	}
}

// T20: a damaged capture ends with an error, and takes no memory for what it claims to hold.
func TestADamagedCapture(t *testing.T) {
	raw, err := os.ReadFile("testdata/normal-pmf0.pcap")
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(raw[:40])
	copy(huge[32:], []byte{255, 255, 255, 255})
	wired := bytes.Clone(raw)
	wired[20] = 1
	for name, in := range map[string][]byte{"empty": nil, "no pcap": []byte("hello, this is no capture at all"), "wired": wired, "huge packet": huge, "cut": raw[:len(raw)-3]} {
		c, err := NewCapture(bytes.NewReader(in))
		for err == nil {
			_, _, err = c.Next()
		}
		if errors.Is(err, io.EOF) && name != "empty" {
			t.Errorf("%s: ended as if it were whole", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(frame([]byte{0, 0, 8, 0, 0, 0, 0, 0}))
	f.Add(frame([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x10}, 1, 2, 3, 4))
	f.Add(frame([]byte{0, 0, 17, 0, 3, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, ok, err := Parse(b)
		if ok && err != nil {
			t.Error("a frame and an error")
		}
		if ok && fr.Protected && fr.Reason != 0 {
			t.Error("the reason of an encrypted frame was read")
		}
	})
}

func FuzzCapture(f *testing.F) {
	raw, err := os.ReadFile("testdata/normal-pmf0.pcap")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[:400])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := NewCapture(bytes.NewReader(b))
		n := 0
		for ; err == nil; n++ {
			_, _, err = c.Next()
		}
		if n > len(b)/16+1 {
			t.Errorf("%d frames out of %d bytes", n, len(b))
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := frame([]byte{0, 0, 17, 0, 3, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0})
	for b.Loop() {
		_, _, _ = Parse(in)
	}
}
