package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/rtsp"
	"eyebolt/radio"
	"eyebolt/radio/monitor"
)

// airReader reads the camera beside the hub, to know what came over the air and when.
type airReader struct {
	b      *airBench
	last   time.Duration
	closed bool // told already
}

func (r *airReader) Opened(camera.Params) {}
func (r *airReader) Closed(err error) {
	if !r.closed {
		r.b.line.add(r.b.town.now(), "reader", "connection closed: "+err.Error())
	}
	r.closed = true
}

func (r *airReader) Picture(p camera.Picture) {
	gap := p.Arrival - r.last
	if first := r.last == 0; first {
		gap = 0
	}
	r.last = p.Arrival
	r.closed = false
	r.b.mu.Lock()
	bad := r.b.from > 0
	if r.b.quiet && gap > 0 && p.Arrival-gap >= r.b.calmed {
		r.b.gaps = append(r.b.gaps, gap)
	}
	r.b.last = p.Arrival
	if bad && gap > r.b.gap.length {
		r.b.gap = airGap{p.Arrival - gap, gap}
	}
	r.b.mu.Unlock()
	if bad && gap > time.Second {
		r.b.line.add(p.Arrival-gap, "reader", "the last picture before a gap")
		r.b.line.add(p.Arrival, "reader", fmt.Sprintf("pictures again, after %.2f s", gap.Seconds()))
	}
}

// airGap is the longest time without a picture.
type airGap struct{ from, length time.Duration }

func (b *airBench) read(ctx context.Context) error {
	_, err := rtsp.Open(ctx, camera.Config{Name: "reader", URL: b.town.house.cameras[0].URL(), Now: b.town.now, Log: slog.New(slog.DiscardHandler)}, &airReader{b: b})
	return err
}

// follower is another program that watches the same camera; what it says is stamped as it says it.
type follower struct {
	name string
	b    *airBench
	cmd  []string
	dir  string
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	armed  bool
	lost   *regexp.Regexp // what it says when it has lost the camera
	at     time.Duration  // when it first did since it was armed
	says   string
	frames string // ffmpeg's own count
	moved  time.Duration
}

func (b *airBench) startPeers(ctx context.Context, dir string) error {
	url := b.town.house.cameras[0].URL()
	if b.MediaMTX != "" {
		port, err := freePort()
		if err != nil {
			return err
		}
		conf := filepath.Join(dir, "mediamtx.yml")
		if err := os.WriteFile(conf, []byte(mediamtxConf(port, url)), 0o600); err != nil {
			return err
		}
		path, err := filepath.Abs(b.MediaMTX)
		if err != nil {
			return err
		}
		b.start(ctx, &follower{name: "MediaMTX", cmd: []string{path, conf}, dir: dir, lost: regexp.MustCompile(`ERR \[path cam\]|(?i)\[path cam\].*(destroyed|not ready|timed out|timeout|offline|stopped)`)})
	}
	if b.FFmpeg {
		b.start(ctx, &follower{name: "ffmpeg", dir: dir, lost: regexp.MustCompile(`(?i)timed out|error|end of file|ended`), cmd: []string{
			"ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-f", "null", "-progress", "pipe:1", "-stats_period", "0.5", "-",
		}})
	}
	return nil
}

func (b *airBench) start(ctx context.Context, f *follower) {
	ctx, f.stop = context.WithCancel(ctx)
	f.b, f.done = b, make(chan struct{})
	b.peers = append(b.peers, f)
	go func() {
		defer close(f.done)
		for ctx.Err() == nil {
			f.run(ctx)
			_ = sleep(ctx, time.Second) // started anew, as by whoever relies on it
		}
	}()
}

func (b *airBench) stopPeers() {
	for _, p := range b.peers {
		p.stop()
		<-p.done
	}
}

func (f *follower) run(ctx context.Context) {
	cmd := exec.CommandContext(ctx, f.cmd[0], f.cmd[1:]...)
	cmd.Dir = f.dir
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		f.line("cannot start: " + err.Error())
		return
	}
	go func() {
		_ = cmd.Wait()
		_ = write.Close()
	}()
	scan := bufio.NewScanner(read)
	for scan.Scan() {
		f.line(scan.Text())
	}
	_, _ = io.Copy(io.Discard, read)
	if ctx.Err() == nil {
		f.line("ended")
	}
}

// progress is a line of ffmpeg's -progress.
var progress = regexp.MustCompile(`^[a-z_0-9]+=`)

func (f *follower) line(s string) {
	now := f.b.town.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, ok := strings.CutPrefix(s, "frame="); ok {
		if n != f.frames {
			if still := now - f.moved; f.armed && f.moved > 0 && still > 2*time.Second {
				f.b.line.add(now, f.name, fmt.Sprintf("counts pictures again; none for %.1f s", still.Seconds()))
			}
			f.frames, f.moved = n, now
		}
		return
	}
	if s = strings.TrimSpace(s); s == "" || progress.MatchString(s) {
		return
	}
	f.b.line.add(now, f.name, s)
	if f.armed && f.at == 0 && f.lost.MatchString(s) {
		f.at, f.says = now, s
	}
}

// arm makes the next sign of a lost camera count.
func (f *follower) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.at, f.says = true, 0, ""
}

// collect puts together what was seen from elsewhere.
func (b *airBench) collect(ctx context.Context, r *airResult) {
	b.mu.Lock()
	r.marks = map[string]time.Duration{}
	for k, v := range b.marks {
		r.marks[k] = v
	}
	r.gap = b.gap
	b.gap, b.from = airGap{}, 0
	b.mu.Unlock()
	b.readCapture(r)
	for _, j := range b.Journal {
		b.readJournal(j, r)
	}
	for _, p := range b.peers {
		p.mu.Lock()
		if p.at > 0 && p.at >= r.begin {
			r.peers = append(r.peers, airPeer{p.name, p.at, p.says})
		} else {
			r.peers = append(r.peers, airPeer{p.name, 0, "said nothing"})
		}
		p.mu.Unlock()
	}
	_ = waitFor(ctx, 15*time.Second, func() bool {
		page := visitPage{}
		err := b.town.cast.Resident.Call(ctx, http.MethodGet, "/api/visits/"+r.Visit, nil, &page)
		if err == nil {
			r.page, r.Outcome, r.Reason, r.GapS = page, page.Outcome, page.Reason, page.GapS
		}
		return err == nil && page.Clip != nil && page.Outcome != "going"
	})
}

// wall is a moment of the machine's clock on the run's own. Nobody sets that clock in the lab's machine.
func (b *airBench) wall(at time.Time) time.Duration { return at.Sub(b.town.begin.Round(0)) }

// readCapture finds the frames that ended connections while the air was bad.
func (b *airBench) readCapture(r *airResult) {
	if b.Capture == "" {
		return
	}
	f, err := os.Open(b.Capture)
	if err != nil {
		b.line.add(r.begin, "sensor", err.Error())
		return
	}
	defer f.Close()
	c, err := monitor.NewCapture(f)
	if err != nil {
		b.line.add(r.begin, "sensor", err.Error())
		return
	}
	var networks []radio.Addr
	for _, n := range b.Network {
		if a, err := radio.ParseAddr(n); err == nil {
			networks = append(networks, a)
		}
	}
	tally := radio.NewTally("sensor", networks...)
	for {
		wall, frame, err := c.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) { // the capture is being written
				b.line.add(r.begin, "sensor", err.Error())
			}
			return
		}
		at := b.wall(wall)
		if at < r.begin {
			continue
		}
		s, told := tally.Frame(at, frame)
		if !frame.Protected && at <= r.stopped+time.Second {
			if r.Frames == 0 {
				r.first = at
			}
			r.Frames++
			r.lastFrame = at
		}
		if told && s.Kind == radio.Flood && r.heard == 0 {
			r.heard = at
		}
		if told && (s.Kind != radio.Flood || s.Count == radio.FloodFrames) {
			b.line.add(at, "sensor", fmt.Sprintf("%s, %d frame(s), reason %d, station %s", s.Kind, s.Count, s.Reason, s.Station))
		}
	}
}

// told are the events of hostapd and wpa_supplicant that belong to a story.
var journalEvent = regexp.MustCompile(`AP-STA-(?:DIS)?CONNECTED.*|CTRL-EVENT-(?:DIS)?CONNECTED.*|CTRL-EVENT-BEACON-LOSS.*|.*WRONG_KEY.*`)

func (b *airBench) readJournal(flag string, r *airResult) {
	who, path, ok := strings.Cut(flag, "=")
	if !ok {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		b.line.add(r.begin, who, err.Error())
		return
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		stamp, text, _ := strings.Cut(scan.Text(), ": ")
		sec, err := strconv.ParseFloat(stamp, 64)
		if err != nil {
			continue
		}
		at := b.wall(time.UnixMicro(int64(sec * 1e6)))
		if ev := journalEvent.FindString(text); ev != "" && at >= r.begin {
			b.line.add(at, who, ev)
			if strings.HasPrefix(ev, "CTRL-EVENT-DISCONNECTED") && r.thrownOff == 0 {
				r.thrownOff = at
			}
			if strings.HasPrefix(ev, "AP-STA-DISCONNECTED") && r.gone == 0 {
				r.gone = at
			}
		}
	}
}
