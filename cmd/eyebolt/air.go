package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"eyebolt/virtual"
	"eyebolt/virtual/home"
	"eyebolt/virtual/person"
	"eyebolt/virtual/spy"
)

// AirCmd plays visits over a real radio while a program that the caller names does something to the air. It has no attack of its
// own: the lab's virtual machine brings the distribution's. The hub is a process of its own, as shipped; everything is timed on this
// process's monotonic clock.
type AirCmd struct {
	Air       string        `required:"" placeholder:"PROGRAM" help:"Run as PROGRAM start STORY and PROGRAM stop STORY; must return at once."`
	Story     []string      `default:"flood,reentry,return,bystander,outage" enum:"flood,reentry,return,bystander,outage" help:"flood: deauthentication with the door closed and unlocked; reentry: with the door open, the courier walks in again (T1); return: after he has shut the door, he pushes it again (T1); bystander: between his leaving and the closing of the door (T2); outage: the radio falls silent."`
	Rounds    int           `default:"1" help:"How often each story is played."`
	Camera    string        `default:"127.0.0.1:0" help:"Where the pretend camera listens: an address that is reached over the radio."`
	Netns     string        `help:"The network namespace of the camera's radio."`
	For       time.Duration `default:"20s" help:"How long the air is bad."`
	Quiet     time.Duration `default:"20s" help:"How long the undisturbed stream is measured before each story."`
	Honest    time.Duration `default:"0s" help:"How long it is measured once, after all stories."`
	Protected bool          `help:"Forged frames must change nothing: the network protects its management frames (802.11w)."`
	Capture   string        `type:"path" help:"A capture (pcap) of the air that is being written; its frames are put into the timeline."`
	Journal   []string      `placeholder:"WHO=PATH" help:"A log whose lines begin with seconds since 1970 (hostapd -t, wpa_supplicant -t): its events are put into the timeline."`
	MediaMTX  string        `name:"mediamtx" type:"path" help:"MediaMTX reads the same camera. scripts/peers.sh builds it."`
	FFmpeg    bool          `name:"ffmpeg" help:"ffmpeg reads the same camera."`
	Interface string        `help:"The hub's radio.interface."`
	Hostapd   string        `help:"The hub's radio.hostapd."`
	Monitor   string        `help:"The hub's radio.monitor."`
	Network   []string      `help:"The hub's radio.networks."`
	Label     string        `help:"What is printed beside each story: pmf0."`
	Out       string        `type:"path" required:"" help:"Folder for timelines and results."`
	Dir       string        `type:"path" help:"Keep the state here; default: a temporary folder, removed."`
	Width     int           `default:"256" help:"Of the pretend camera's picture; the height is 9/16 of it. An emulated processor encodes it live."`
	FPS       int           `default:"10" help:"Pictures a second of the pretend camera."`

	inside bool // the hub runs in this process: a test's binary has no role of a hub
}

// airBench is one run.
type airBench struct {
	AirCmd
	town *town
	line *timeline
	bell chan struct{}

	mu     sync.Mutex
	view   virtual.View
	marks  map[string]time.Duration // first of each sign
	drawn  time.Duration            // when this visit's bolt was drawn; 0: not yet
	from   time.Duration            // when the air went bad; 0: not yet
	gaps   []time.Duration          // between pictures, while quiet is measured
	quiet  bool
	calmed time.Duration // when quiet began
	gap    airGap        // the longest since the air went bad
	last   time.Duration // arrival of the newest picture
	late   int           // times that the hub called itself late in the quiet
	lags   int           // times that the watch was not live in the quiet
	peers  []*follower
}

// Run plays the stories.
func (c *AirCmd) Run(ctx context.Context) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return err
	}
	defer clean()
	listen, err := listenIn(c.Netns)
	if err != nil {
		return err
	}
	b := &airBench{AirCmd: *c, bell: make(chan struct{}, 1), marks: map[string]time.Duration{}, line: &timeline{}}
	begin := time.Now()
	b.town, err = startTown(ctx, townConfig{
		Dir: dir, Doors: 1, Child: !c.inside, Width: c.Width, Height: c.Width * 9 / 16 &^ 1, FPS: c.FPS, Log: slog.New(slog.DiscardHandler),
		Camera: cameraPort{Addr: c.Camera, Listen: listen},
		// A visit waits longer for its courier than published, so that the story goes on after the air has healed; the watch,
		// arming and Lock are as published.
		Limits: LimitConfig{Tail: 2 * time.Second, Out: 5 * time.Second, Enter: 2 * time.Minute, Open: 5 * time.Minute},
		Hub: func(h *HubConfig) {
			h.Radio = RadioConfig{Interface: c.Interface, Hostapd: c.Hostapd, Monitor: c.Monitor, Networks: c.Network}
			h.Log = "debug"
		},
		HomeEvents: b.happened,
		Say:        func(what string) { fmt.Fprintf(os.Stderr, "%5.1f s  starting %s\n", time.Since(begin).Seconds(), what) },
	})
	if err != nil {
		return err
	}
	defer b.town.Close()
	defer func() { b.keepLog(dir) }()
	wire, err := spy.Start(ctx, b.town.house.broker.URL(), "zigbee2mqtt/front_lock/set", b.town.now, func(m spy.Message) {
		b.line.add(m.At, "MQTT", "to the lock: "+m.Payload)
		if strings.Contains(m.Payload, `"LOCK"`) {
			b.mark("lock", m.At)
		}
	})
	if err != nil {
		return err
	}
	defer wire.Close()
	follow, stop := context.WithCancel(ctx)
	defer stop()
	go b.follow(follow)
	if err := b.read(follow); err != nil {
		return err
	}
	if err := b.startPeers(follow, dir); err != nil {
		return err
	}
	defer b.stopPeers()
	fmt.Fprintf(os.Stderr, "%5.1f s  ready\n", time.Since(begin).Seconds())
	var failed []error
	for round := range max(1, c.Rounds) {
		for _, story := range c.Story {
			if ctx.Err() != nil {
				return errors.Join(append(failed, ctx.Err())...)
			}
			fmt.Fprintf(os.Stderr, "%5.1f s  %s, round %d of %d\n", time.Since(begin).Seconds(), story, round+1, max(1, c.Rounds))
			r, err := b.play(ctx, story)
			r.Round = round + 1
			if err == nil {
				err = b.mustBe(r)
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("%s, round %d: %w", story, round+1, err))
				r.Failed = err.Error()
			}
			if err := b.save(r); err != nil {
				return err
			}
		}
	}
	if err := b.honest(ctx); err != nil {
		failed = append(failed, fmt.Errorf("the undisturbed stream: %w", err))
	}
	return errors.Join(failed...)
}

// happened takes what the home does.
func (b *airBench) happened(e home.Event) {
	switch e.What {
	case home.BoltDrawn, home.BoltThrown:
		b.line.add(e.At, "bolt", string(e.What))
		if e.What == home.BoltThrown {
			b.mark("thrown", e.At)
		}
	case home.DoorOpens, home.DoorForced, home.DoorCloses:
		b.line.add(e.At, "door", string(e.What))
		if e.What == home.DoorCloses {
			b.mark("door_closed", e.At)
		}
	case home.SomebodyIn, home.SomebodyOut:
		b.line.add(e.At, "door", string(e.What))
		if e.What == home.SomebodyIn {
			b.markBad("inside_again", e.At)
		}
	}
	b.ring()
}

func (b *airBench) ring() {
	select {
	case b.bell <- struct{}{}:
	default:
	}
}

// mark takes the first time of a sign since the bolt was drawn in this visit.
func (b *airBench) mark(sign string, at time.Duration) { b.put(sign, at, false) }

// markBad takes the first time of a sign since the air went bad.
func (b *airBench) markBad(sign string, at time.Duration) { b.put(sign, at, true) }

func (b *airBench) put(sign string, at time.Duration, bad bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if since := b.drawn; since == 0 || at < since || bad && (b.from == 0 || at < b.from) {
		return
	}
	if _, ok := b.marks[sign]; !ok {
		b.marks[sign] = at
	}
	b.ring()
}

// follow takes what the resident is told.
func (b *airBench) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_ = b.town.cast.Resident.Events(ctx, "/api/events", func(e person.Event) { b.told(b.town.since(e.At), e) })
		_ = sleep(ctx, 100*time.Millisecond)
	}
}

func (b *airBench) told(at time.Duration, e person.Event) {
	switch e.Type {
	case "view":
		var v virtual.View
		if json.Unmarshal(e.Data, &v) != nil {
			return
		}
		b.mu.Lock()
		was := b.view
		b.view = v
		if b.quiet && v.Watch != was.Watch && v.Watch != "live" {
			b.lags++
			if v.Watch == "hub-late" {
				b.late++
			}
		}
		b.mu.Unlock()
		if v.Watch != was.Watch {
			b.line.add(at, "hub", "watch: "+v.Watch)
			b.markBad(v.Watch, at)
		}
		if v.Phase != was.Phase {
			b.line.add(at, "hub", "visit: "+v.Phase)
		}
		b.ring()
	case "alarm", "notice":
		var a struct{ Reason, Text string }
		if json.Unmarshal(e.Data, &a) != nil {
			return
		}
		b.line.add(at, "resident", fmt.Sprintf("%s %s: %s", e.Type, a.Reason, a.Text))
		if e.Type == "alarm" && strings.HasPrefix(a.Reason, "lapse-") {
			b.markBad("alarm", at)
		}
	}
}

// until waits for the door's view or a mark.
func (b *airBench) until(ctx context.Context, what string, limit time.Duration, ok func(v virtual.View, marks map[string]time.Duration) bool) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		b.mu.Lock()
		v := b.view
		yes := ok(v, b.marks)
		b.mu.Unlock()
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return fmt.Errorf("waited %v for %s; the door is %s, watch %s, bolt %s: %s %s", limit, what, v.Phase, v.Watch, v.Bolt, v.Reason, v.Sentence)
		case <-b.bell:
		}
	}
}

// onAir has the caller's program change the air, and puts that into the timeline.
func (b *airBench) onAir(ctx context.Context, what, story string) error {
	b.line.add(b.town.now(), "air", what+" "+story)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, b.Air, what, story).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s %s: %w: %s", b.Air, what, story, err, out)
	}
	return nil
}

// keepLog leaves the hub's own log beside the timelines.
func (b *airBench) keepLog(dir string) {
	if raw, err := os.ReadFile(filepath.Join(dir, "hub.log")); err == nil {
		_ = os.WriteFile(filepath.Join(b.Out, "hub-"+or(b.Label, "run")+".log"), raw, 0o600)
	}
}
