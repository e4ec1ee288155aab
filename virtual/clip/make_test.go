package clip

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func needs(t *testing.T) {
	t.Helper()
	for _, p := range []string{"ffmpeg", "gst-launch-1.0"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

var smallTake = Take{
	Split: "train", View: View{Room: "stairs", Condition: "indoor", Width: 320, Height: 180, Seed: 1},
	Encoders: []string{"x264-cbr-g30", "openh264-q28-g30"}, Kinds: []string{Live, Frozen, Copied, Shifted, Replayed, "bag"},
}

// TestMakeTellsTheTruth: the clips are what their list says, the same on every run, and not made twice.
func TestMakeTellsTheTruth(t *testing.T) {
	needs(t)
	dir, again := t.TempDir(), t.TempDir()
	quiet := func(int, int, string) {}
	m, err := Make(context.Background(), dir, []Take{smallTake}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Make(context.Background(), again, []Take{smallTake}, quiet); err != nil {
		t.Fatal(err)
	}
	if n := len(smallTake.Encoders) * len(smallTake.Kinds); len(m.Clips) != n {
		t.Fatalf("%d clips are listed, of %d", len(m.Clips), n)
	}
	for _, c := range m.Clips {
		a, err := os.ReadFile(filepath.Join(dir, c.File))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(again, c.File))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not the same on the second run", c.File)
		}
		units := Split(a)
		if !bytes.Equal(Join(Split(Join(units))), Join(units)) {
			t.Errorf("%s: cut and joined, it is another", c.File)
		}
		for i, u := range units {
			if want := c.Kind == Live || c.Kind == Frozen || c.Kind == "bag"; want && u.Key != (i%c.Encoder.GOP == 0) {
				t.Fatalf("%s: picture %d is a key: %v", c.File, i, u.Key)
			}
		}
		slice := func(i int) []byte {
			for _, n := range units[i].NALs {
				if k := n[0] & 31; k == 1 || k == 5 {
					return n
				}
			}
			return nil
		}
		at := int(c.Onset * fps)
		switch c.Kind {
		case Live:
			if c.Onset != -1 {
				t.Errorf("%s is live, but lapses at %v s", c.File, c.Onset)
			}
		case Copied:
			if !bytes.Equal(slice(at), slice(0)) || bytes.Equal(slice(at-1), slice(at)) {
				t.Errorf("%s: picture %d is not the first repeated one", c.File, at)
			}
		case Replayed:
			from, err := os.ReadFile(filepath.Join(dir, c.From))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(from, slice(at-30)) || !bytes.Contains(from, slice(at)) {
				t.Errorf("%s: picture %d is not the first out of %s", c.File, at, c.From)
			}
		}
	}
	made := 0
	if _, err := Make(context.Background(), dir, []Take{smallTake}, func(int, int, string) { made++ }); err != nil || made != 0 {
		t.Errorf("%d clips were made although all were there (%v)", made, err)
	}
}

func TestMakeSaysWhatIsWrong(t *testing.T) {
	needs(t)
	bad := smallTake
	bad.Encoders = []string{"h266"}
	if _, err := Make(context.Background(), t.TempDir(), []Take{bad}, nil); err == nil {
		t.Error("an encoder that nobody knows was used")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, manifestName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(context.Background(), dir, nil, nil); err == nil {
		t.Error("a list that is cut short was taken")
	}
}

func TestPlan(t *testing.T) {
	for _, split := range []string{"train", "heldout"} {
		programs, sizes, rates, conditions, names := map[string]bool{}, map[int]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, take := range Plan(split, false, 1) {
			if !slices.Contains(Rooms(split), take.View.Room) {
				t.Errorf("%s has the room %s", split, take.View.Room)
			}
			sizes[take.View.Height], conditions[take.View.Condition] = true, true
			for _, name := range take.Encoders {
				e, err := EncoderNamed(name)
				if err != nil {
					t.Fatal(err)
				}
				programs[e.Program], rates[e.Program+e.Rate] = true, true
				for _, kind := range take.Kinds {
					file := take.camera(e) + kind
					if names[file] {
						t.Errorf("%s is planned twice", file)
					}
					names[file] = true
				}
			}
		}
		if len(programs) < 2 || len(sizes) < 2 || len(rates) < 4 || !conditions["day"] || !conditions["night"] || !conditions["wind"] {
			t.Errorf("%s: programs %v, sizes %v, rates %v, conditions %v", split, programs, sizes, rates, conditions)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x65, 0x88, 3, 0, 0, 1, 0x41, 0x9a, 4, 0, 0, 1, 0x41, 0x1a, 5})
	f.Add([]byte{0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 1, 0x65})
	f.Fuzz(func(t *testing.T, b []byte) {
		units := Split(b)
		again := Split(Join(units))
		if len(again) != len(units) {
			t.Fatalf("%d pictures, and %d when cut again", len(units), len(again))
		}
		for i := range units {
			if units[i].Key != again[i].Key || len(units[i].NALs) != len(again[i].NALs) {
				t.Fatalf("picture %d differs when cut again", i)
			}
		}
	})
}
