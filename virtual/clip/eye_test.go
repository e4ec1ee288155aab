package clip

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

func BenchmarkPicture720(b *testing.B) {
	e, err := NewEye(View{Room: "kitchen", Condition: "wind", Width: 1280, Height: 720, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		e.Picture(float64(i) / 15)
	}
}

// TestLook writes each room in each condition as PNG for a person, if CLIP_LOOK names a folder.
func TestLook(t *testing.T) {
	dir := os.Getenv("CLIP_LOOK")
	if dir == "" {
		t.Skip("set CLIP_LOOK=FOLDER to get pictures of every room")
	}
	for _, r := range rooms {
		for _, c := range []string{"day", "night", "wind"} {
			e, err := NewEye(View{Room: r.name, Condition: c, Width: 1280, Height: 720, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			var p []byte
			for i := range 12 {
				p = e.Picture(5 + float64(i)/15)
			}
			stamp(p, 1280, 720, 45296)
			cmd := exec.Command("ffmpeg", "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1280x720", "-i", "-", "-s", "640x360", dir+"/"+r.name+"-"+c+".png")
			cmd.Stdin = bytes.NewReader(p)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatal(err, string(out))
			}
		}
	}
}
