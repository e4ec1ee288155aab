package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"eyebolt/virtual/clip"
)

// span is a piece of a clip, in seconds.
type span struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// filtered is what ffmpeg's two filters say of a clip, with the defaults that they ship with but for blackdetect's least time,
// which is freezedetect's 2 s; and what decoding and judging it cost.
type filtered struct {
	Freeze []span        `json:"freeze"`
	Black  []span        `json:"black"`
	cpu    time.Duration // user and system
}

var (
	freezeStart = regexp.MustCompile(`freeze_start: ([0-9.]+)`)
	freezeEnd   = regexp.MustCompile(`freeze_end: ([0-9.]+)`)
	blackSpan   = regexp.MustCompile(`black_start:([0-9.]+) black_end:([0-9.]+)`)
)

// filter decodes a clip through freezedetect, and through blackdetect if both is set.
func filter(ctx context.Context, path string, fps int, both bool) (*filtered, error) {
	exe, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, clip.ErrNoFFmpeg
	}
	chain := "freezedetect"
	if both {
		chain += ",blackdetect"
	}
	cmd := exec.CommandContext(ctx, exe, "-hide_banner", "-nostdin", "-threads", "1", "-f", "h264", "-framerate", strconv.Itoa(fps), "-i", path, "-vf", chain, "-f", "null", "-")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("ffmpeg: %w: %s", err, said.String())
	}
	f := &filtered{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	number := func(b []byte) float64 { v, _ := strconv.ParseFloat(string(b), 64); return v }
	ends := freezeEnd.FindAllSubmatch(said.Bytes(), -1)
	for i, m := range freezeStart.FindAllSubmatch(said.Bytes(), -1) {
		s := span{number(m[1]), 1e9}
		if i < len(ends) {
			s.To = number(ends[i][1])
		}
		f.Freeze = append(f.Freeze, s)
	}
	for _, m := range blackSpan.FindAllSubmatch(said.Bytes(), -1) {
		f.Black = append(f.Black, span{number(m[1]), number(m[2])})
	}
	return f, nil
}

// filterBook keeps what ffmpeg said of the clips of a folder, beside them: the same clip is not decoded twice.
type filterBook struct {
	path string

	mu   sync.Mutex
	said map[string]*filtered
}

func openFilterBook(dir string) *filterBook {
	b := &filterBook{path: filepath.Join(dir, "ffmpeg.json"), said: map[string]*filtered{}}
	if raw, err := os.ReadFile(b.path); err == nil && json.Unmarshal(raw, &b.said) != nil {
		b.said = map[string]*filtered{} // cut short: all of it again
	}
	return b
}

// of gives what ffmpeg says of a clip.
func (b *filterBook) of(ctx context.Context, dir string, c clip.Clip) (*filtered, error) {
	b.mu.Lock()
	f := b.said[c.File]
	b.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := filter(ctx, filepath.Join(dir, c.File), c.FPS, true)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said[c.File] = f
	return f, nil
}

// keep writes the book.
func (b *filterBook) keep() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	raw, err := json.Marshal(b.said)
	if err != nil {
		return err
	}
	return os.WriteFile(b.path, raw, 0o600)
}

// covers gives how many seconds of from … to the spans cover, and how many of them begin there.
func covers(spans []span, from, to float64) (seconds float64, begun int) {
	for _, s := range spans {
		if over := min(s.To, to) - max(s.From, from); over > 0 {
			seconds += over
			begun++
		}
	}
	return seconds, begun
}

// peerTally is what the two filters were told of the same clips.
type peerTally struct {
	n, hits          map[string]int // by kind: freezedetect's
	live, called     float64        // seconds of honest pictures, and those called frozen
	events           int
	black, blackHits int
	blackCalled      float64
	blackFalse       int
}

func (p *peerTally) take(c clip.Clip, f *filtered) {
	if p.n == nil {
		p.n, p.hits = map[string]int{}, map[string]int{}
	}
	end := float64(c.Frames) / float64(c.FPS)
	onset := end
	switch {
	case c.Onset >= 0 && c.Repeat == 0:
		onset = c.Onset
	case c.Repeat > 0: // its first pass is a recording as well, but looks alive
		onset = 0
	}
	if onset > 0 {
		called, events := covers(f.Freeze, 0, onset)
		p.live += onset
		p.called += called
		p.events += events
		dark, begun := covers(f.Black, 0, onset)
		p.blackCalled += dark
		p.blackFalse += begun
	}
	if c.Kind == clip.Live {
		return
	}
	p.n[c.Kind]++
	if s, _ := covers(f.Freeze, onset, end); s > 0 {
		p.hits[c.Kind]++
	}
	if c.Kind == "black" || c.Kind == "blackout" || c.Kind == "bag" {
		p.black++
		if s, _ := covers(f.Black, onset, end); s > 0 {
			p.blackHits++
		}
	}
}
