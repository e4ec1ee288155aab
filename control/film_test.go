package control_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
)

// S7, T1: a visit whose camera came back with other parameters, or whose hub began anew, has several files. The resident's page
// names every one, by camera and in order, with the gap between them; a file that is told twice is one, and one that retention
// removed, or that could not be kept, takes nothing from the others.
func TestEveryFileOfAFilmIsNamed(t *testing.T) {
	w := newTown(t)
	d := w.ready(w.a)
	l := newHubLog(w, w.a)
	began := w.now
	sec := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
	file := func(sha, camera string, from, to float64) ledger.ClipData {
		return ledger.ClipData{Path: sha + ".mp4", SHA256: sha, Bytes: 10, Camera: camera, From: sec(from), To: sec(to)}
	}
	see := func() string {
		p, err := w.s.Visit(context.Background(), w.a.resident, "V1")
		if err != nil {
			t.Fatal(err)
		}
		if p.HasClip != (p.Clip != nil) {
			t.Errorf("has_clip %v beside %+v", p.HasClip, p.Clip)
		}
		if p.Clip == nil {
			return "no film"
		}
		var all []string
		for _, f := range p.Clip.Files {
			all = append(all, fmt.Sprintf("%s %s %.1f–%.1f", f.Camera, f.SHA256, f.From.Sub(began).Seconds(), f.To.Sub(began).Seconds()))
		}
		for _, f := range p.Clip.Backfilled {
			all = append(all, fmt.Sprintf("not watched %s %s %.1f–%.1f", f.Camera, f.SHA256, f.From.Sub(began).Seconds(), f.To.Sub(began).Seconds()))
		}
		return fmt.Sprintf("%.1f s, %d bytes: %s", p.Clip.Seconds, p.Clip.Bytes, strings.Join(all, ", "))
	}
	l.add("V1", ledger.KindVisit, ledger.WordBegan, "arrived", ledger.VisitData{Household: d.Household, Grant: d.Grant})
	l.add("V1", ledger.KindClip, ledger.WordFiled, "", file("a2", "hall", 20, 60.5))
	l.add("V1", ledger.KindClip, ledger.WordFiled, "", file("a1", "hall", 0, 12.5))
	l.add("V1", ledger.KindClip, ledger.WordFiled, "", file("a1", "hall", 0, 12.5))
	l.add("V1", ledger.KindClip, "lost", "not-recorded", map[string]string{"text": "disk full"})
	l.add("V1", ledger.KindClip, ledger.WordFiled, "", file("b1", "door", 1, 59))
	l.add("V1", ledger.KindClip, ledger.WordBackfilled, "", file("c1", "hall", 12, 20)) // nobody watched it: it is no film of the visit
	n := len(l.leaves)
	l.send(0)
	if got, want := see(), "111.0 s, 30 bytes: door b1 1.0–59.0, hall a1 0.0–12.5, hall a2 20.0–60.5, not watched hall c1 12.0–20.0"; got != want {
		t.Errorf("film:\n%s, want\n%s", got, want)
	}
	l.add("V1", ledger.KindClip, ledger.WordRemoved, "", file("b1", "door", 1, 59))
	l.send(n)
	if got, want := see(), "53.0 s, 20 bytes: hall a1 0.0–12.5, hall a2 20.0–60.5, not watched hall c1 12.0–20.0"; got != want {
		t.Errorf("film:\n%s, want\n%s", got, want)
	}
	n = len(l.leaves)
	l.add("V1", ledger.KindClip, ledger.WordRemoved, "", file("a1", "hall", 0, 12.5))
	l.add("V1", ledger.KindClip, ledger.WordRemoved, "", file("a2", "hall", 20, 60.5))
	l.send(n)
	if got, want := see(), "0.0 s, 0 bytes: not watched hall c1 12.0–20.0"; got != want {
		t.Errorf("what was fetched outlives the film: %s, want %s", got, want)
	}
	n = len(l.leaves)
	l.add("V1", ledger.KindClip, ledger.WordRemoved, "", file("c1", "hall", 12, 20))
	l.send(n)
	if got := see(); got != "no film" {
		t.Errorf("after retention: %s", got)
	}
}
