package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/rtsp"
	"eyebolt/liveness"
)

// CameraTestCmd is the quick test of a link. It exits 0 if the link may be relied on as far as was seen, and 1 if not.
type CameraTestCmd struct {
	Camera    string        `arg:"" help:"rtsp:// or rtsps:// address, or with --config a camera's name, or door/name."`
	Config    string        `type:"existingfile" help:"The hub's configuration, to name a camera of it."`
	For       time.Duration `default:"10m" help:"How long to watch. Under ten minutes there is no grade."`
	Link      string        `enum:",wired,wifi" default:"" help:"wired or wifi; default: what the configuration says, else wifi."`
	Transport string        `enum:",tcp,udp" default:"" help:"tcp or udp; default: what the configuration says, else tcp."`
	CertHash  string        `help:"rtsps: the camera's certificate, pinned by its SHA-256 in hex."`

	out, progress io.Writer
}

// progressEvery is how often the test says how far it is.
const progressEvery = 10 * time.Second

// Run watches and prints. An interrupt ends the test early; what was seen by then is printed.
func (c *CameraTestCmd) Run(ctx context.Context) error {
	if c.out == nil {
		c.out, c.progress = os.Stdout, os.Stderr
	}
	cam, err := c.which()
	if err != nil {
		return err
	}
	begin := time.Now()
	t := newLinkTrial(cam.Link == "wired", func() time.Duration { return time.Since(begin) })
	driver, err := rtsp.Open(ctx, camera.Config{Name: or(cam.Name, "camera"), URL: cam.URL, Transport: cam.Transport, CertHash: cam.CertHash, Now: t.now, Log: slog.New(slog.DiscardHandler)}, t)
	if err != nil {
		return fmt.Errorf("camera: %w", err)
	}
	t.watch(ctx, driver, c.For, c.progress)
	if err := driver.Close(); err != nil {
		return fmt.Errorf("camera: %w", err)
	}
	return t.report(c.out)
}

// which finds the camera that is meant.
func (c *CameraTestCmd) which() (CameraConfig, error) {
	cam := CameraConfig{URL: c.Camera}
	if u, err := url.Parse(c.Camera); c.Config == "" && (err != nil || u.Scheme != "rtsp" && u.Scheme != "rtsps") {
		return cam, errors.New("camera: write its address, rtsp://user:password@192.0.2.20/path, or its name and --config hub.yaml")
	}
	if c.Config != "" {
		var cfg HubConfig
		if err := load(c.Config, &cfg); err != nil {
			return cam, err
		}
		var names []string
		found := false
		for _, d := range cfg.Doors {
			for _, k := range d.Cameras {
				names = append(names, d.Name+"/"+k.Name)
				if !found && (c.Camera == k.Name || c.Camera == d.Name+"/"+k.Name) {
					cam, found = k, true
				}
			}
		}
		if !found {
			return cam, fmt.Errorf("camera: %s names no camera %q: it has %s", c.Config, c.Camera, strings.Join(names, ", "))
		}
	}
	cam.Link, cam.Transport, cam.CertHash = or(c.Link, cam.Link), or(c.Transport, cam.Transport), or(c.CertHash, cam.CertHash)
	if _, err := cam.a1(); err != nil {
		return cam, err
	}
	return cam, nil
}

// bars are the steps of the histogram.
var bars = [...]time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond, time.Second}

// linkTrial watches one camera: its driver's sink.
type linkTrial struct {
	now   func() time.Duration
	wired bool

	mu      sync.Mutex // guards what follows
	link    *liveness.Link
	judge   *liveness.Judge // says which pictures are strictly newer, and lapses
	answers liveness.Answers
	params  camera.Params
	newer   uint64
	last    time.Duration
	longest time.Duration
	n       uint64
	hist    [len(bars) + 1]uint64
	closed  error // the newest reason why there is no connection
	drops   int
}

var _ camera.Sink = (*linkTrial)(nil)

func newLinkTrial(wired bool, now func() time.Duration) *linkTrial {
	return &linkTrial{now: now, wired: wired, link: liveness.NewLink(wired), judge: liveness.New(liveness.Config{})}
}

func (t *linkTrial) Opened(p camera.Params) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.params, t.closed = p, nil
	t.judge.Opened(t.now())
	t.newer = t.judge.Verdict().Pictures
}

func (t *linkTrial) Picture(p camera.Picture) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.judge.Picture(p)
	v := t.judge.Verdict()
	if v.Pictures == t.newer {
		return
	}
	t.newer = v.Pictures
	t.link.Picture(p.Arrival)
	t.answers.Picture(p.Key, p.Arrival)
	if t.n++; t.n > 1 {
		gap := p.Arrival - t.last
		t.longest = max(t.longest, gap)
		i := 0
		for i < len(bars) && gap > bars[i] {
			i++
		}
		t.hist[i]++
	}
	t.last = p.Arrival
}

func (t *linkTrial) Closed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newer > 0 {
		t.drops++
	}
	t.closed, t.newer = err, 0
	t.judge.Closed(t.now())
}

// watch lets time pass until the test is over: it ticks, asks for key pictures now and then, and says how far it is.
func (t *linkTrial) watch(ctx context.Context, driver camera.Camera, long time.Duration, progress io.Writer) {
	asker, _ := driver.(camera.Asker)
	tick := time.NewTicker(liveness.TickEvery)
	defer tick.Stop()
	end, said, ask := t.now()+long, time.Duration(0), time.Duration(0)
	for now := t.now(); now < end; now = t.now() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due := false
		t.mu.Lock()
		if t.judge.Tick(now).State == liveness.HubLate {
			t.link.Skip() // this machine was late, not the camera
		}
		if now >= ask && asker != nil && t.answers.Ready(now) {
			due, ask = true, now+1500*time.Millisecond+rand.N(3*time.Second)
		}
		t.mu.Unlock()
		if due && asker.Ask(ctx) == nil {
			t.mu.Lock()
			t.answers.Asked(t.now())
			t.mu.Unlock()
		}
		if now-said >= progressEvery {
			said = now
			t.say(progress, end-now)
		}
	}
}

func (t *linkTrial) say(w io.Writer, left time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed != nil {
		_, _ = fmt.Fprintf(w, "no picture: %v\n", t.closed)
		return
	}
	c := t.link.Certificate(t.now())
	_, _ = fmt.Fprintf(w, "%d pictures, longest gap %d ms, %d over 500 ms; %v to go\n", t.n, t.longest.Milliseconds(), c.Gaps[2], left.Round(time.Second))
}

// report prints the certificate: grade, histogram, sentence.
func (t *linkTrial) report(w io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n < 2 {
		if t.closed == nil {
			t.closed = errors.New("it gave no picture in this time")
		}
		return fmt.Errorf("camera: %w", t.closed)
	}
	c := t.link.Certificate(t.now())
	codec := "H.264"
	if t.params.Codec == camera.H265 {
		codec = "H.265"
	}
	var b strings.Builder
	link := "wifi"
	if t.wired {
		link = "wired"
	}
	fmt.Fprintf(&b, "%s %d×%d, %d pictures in %v, %.1f a second, %d connections lost; judged as %s\n\n", codec, t.params.Width, t.params.Height, t.n, c.Watched.Round(time.Second), float64(t.n-1)/max(0.001, c.Watched.Seconds()), t.drops, link)
	most := uint64(1)
	for _, n := range t.hist {
		most = max(most, n)
	}
	from := "0"
	for i, n := range t.hist {
		to := "more"
		if i < len(bars) {
			to = fmt.Sprint(bars[i].Milliseconds())
		}
		fmt.Fprintf(&b, "%5s – %-5s ms %8d %s\n", from, to, n, strings.Repeat("█", int((n*40+most-1)/most)))
		from = to
	}
	fmt.Fprintf(&b, "longest gap %d ms\n\n", t.longest.Milliseconds())
	for i, over := range liveness.Gaps {
		fmt.Fprintf(&b, "over %4d ms: %d\n", over.Milliseconds(), c.Gaps[i])
	}
	fmt.Fprintf(&b, "\nasked for key pictures: %s\n", t.answers.Say())
	fmt.Fprintf(&b, "grade %s: %s\n", or(string(c.Grade), "–"), c.Say)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if c.Refused {
		return verifyExit{1, ""}
	}
	return nil
}
