package hub

import (
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/record"
)

// S7, T1: a visit's film of several files is several entries, each with its own times, hash and segments; so is its removal.
func TestEveryFileOfAFilmIsOnRecord(t *testing.T) {
	h := ready(t)
	file := func(name string, n byte, from, to time.Duration) record.File {
		return record.File{Path: "front/hall/v/" + name, SHA256: [32]byte{n}, Bytes: int64(n), From: noon.Add(from), To: noon.Add(to)}
	}
	clip := record.Clip{Visit: "v", Files: []record.File{file("clip.mp4", 1, 0, 12*time.Second), file("clip-2.mp4", 2, 15*time.Second, 40*time.Second)}}
	// What was fetched from the camera afterwards is told by another word: it is no film of the watch.
	late := file("backfill-1.mp4", 3, 12*time.Second, 15*time.Second)
	late.Backfilled = true
	clip.Files = append(clip.Files, late)
	for _, f := range clip.Files[:2] {
		clip.Segments = append(clip.Segments, record.Segment{Path: f.Path, SHA256: f.SHA256, Bytes: f.Bytes})
	}
	h.in(Filed{Door: h.who.Door, Camera: "hall", Visit: "v", Clip: clip})
	h.in(Removed{Door: h.who.Door, Camera: "hall", Clip: clip})
	h.run(100 * time.Millisecond)
	var got []string
	for _, e := range h.disk {
		if e.Kind == ledger.KindClip && e.Visit == "v" {
			d, _ := decode[ledger.ClipData](e.Data)
			line := e.Word + " " + d.Path + " " + d.SHA256[:2] + " " + d.Camera + " " + d.To.Sub(d.From).String()
			for _, s := range d.Segments {
				line += " segment " + s.SHA256[:2] + " of " + s.Path
			}
			got = append(got, line)
		}
	}
	want := []string{
		"filed front/hall/v/clip.mp4 01 hall 12s segment 01 of front/hall/v/clip.mp4",
		"filed front/hall/v/clip-2.mp4 02 hall 25s segment 02 of front/hall/v/clip-2.mp4",
		"backfilled front/hall/v/backfill-1.mp4 03 hall 3s",
		"removed front/hall/v/clip.mp4 01 hall 12s",
		"removed front/hall/v/clip-2.mp4 02 hall 25s",
		"removed front/hall/v/backfill-1.mp4 03 hall 3s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("on record:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
