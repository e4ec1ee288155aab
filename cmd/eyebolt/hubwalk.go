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
	"path/filepath"
	"slices"
	"strings"
	"time"

	"eyebolt/hub/gate"
	door "eyebolt/hub/walk"
	walkrun "eyebolt/hub/walk/run"
	"eyebolt/interlock"
	"eyebolt/web"
)

// HubWalkCmd walks one door with a person at it.
type HubWalkCmd struct {
	Config   string `required:"" type:"existingfile" help:"The hub's configuration."`
	Door     string `help:"The door to walk; may be left out if there is one."`
	Listen   string `default:"127.0.0.1:8431" help:"Where the page is. An address of a network, such as 192.168.1.5:8431, opens it to your phone on that network, encrypted."`
	Terminal bool   `help:"No page: ask and answer here."`
	Log      string `default:"warn" help:"debug, info, warn or error."`

	in  io.Reader // os.Stdin when nil
	out io.Writer // os.Stdout when nil
}

// Run walks until the context ends. It exits 0 if the door has passed, and 1 if not.
func (c *HubWalkCmd) Run(ctx context.Context) error {
	if c.in == nil {
		c.in = os.Stdin
	}
	if c.out == nil {
		c.out = os.Stdout
	}
	log, err := logger(c.Log)
	if err != nil {
		return err
	}
	var cfg HubConfig
	if err := load(c.Config, &cfg); err != nil {
		return err
	}
	name, err := c.which(cfg)
	if err != nil {
		return err
	}
	if err := asOwner(os.Geteuid(), os.Args, c.Config, cfg.State); err != nil {
		return err
	}
	if err := private(cfg.State); err != nil {
		return err
	}
	release, err := keepAway(cfg, name)
	if err != nil {
		return err
	}
	defer func() { _ = release() }()
	w, err := startWalk(ctx, cfg, name, log, nil)
	if err != nil {
		return err
	}
	if c.Terminal {
		err = c.talk(ctx, w)
	} else {
		err = c.serve(ctx, w, name)
	}
	if err = errors.Join(err, w.Stop()); err != nil {
		return err
	}
	if v := w.View(); !v.Passed || v.Lost {
		return verifyExit{1, "the door has not passed its walk test: nobody is let in there unattended"}
	}
	return nil
}

// walkBeside begins a door's walk test for a page that somebody else serves, such as the set-up's; end ends it.
func walkBeside(ctx context.Context, config, name string, log *slog.Logger) (pages http.Handler, end func() error, err error) {
	var cfg HubConfig
	if err := load(config, &cfg); err != nil {
		return nil, nil, err
	}
	if name, err = (&HubWalkCmd{Door: name}).which(cfg); err != nil {
		return nil, nil, err
	}
	if err := private(cfg.State); err != nil {
		return nil, nil, err
	}
	release, err := keepAway(cfg, name)
	if err != nil {
		return nil, nil, err
	}
	w, err := startWalk(ctx, cfg, name, log, nil)
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return w.Handler(), func() error { return errors.Join(w.Stop(), release()) }, nil
}

func (c *HubWalkCmd) which(cfg HubConfig) (string, error) {
	if cfg.State == "" {
		return "", errors.New("hub: state: name the folder for the record, the keys and the clips")
	}
	names := []string{}
	for _, d := range cfg.Doors {
		names = append(names, d.Name)
	}
	switch {
	case c.Door == "" && len(names) == 1:
		return names[0], nil
	case !slices.Contains(names, c.Door):
		return "", fmt.Errorf("--door: name one of %s", strings.Join(names, ", "))
	}
	return c.Door, nil
}

// keepAway keeps every other Eyebolt of this machine from the state folder and from the lock of a door that is to be walked.
func keepAway(cfg HubConfig, name string) (release func() error, err error) {
	folder, err := inUse(cfg.State)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(cfg.Doors, func(d DoorConfig) bool { return d.Name == name })
	if i < 0 {
		return nil, errors.Join(fmt.Errorf("door %s is not in the configuration", name), folder())
	}
	if err := cfg.oneLockEach(); err != nil {
		return nil, errors.Join(err, folder())
	}
	locks, err := holdLocks(cfg.Doors[i : i+1])
	if err != nil {
		return nil, errors.Join(err, folder())
	}
	return func() error { return errors.Join(locks(), folder()) }, nil
}

// startWalk opens one door's devices for a walk test. The folder's lock is held by the caller. A nil clock is one that begins now.
func startWalk(ctx context.Context, cfg HubConfig, name string, log *slog.Logger, now func() time.Duration) (*walkrun.Run, error) {
	i := slices.IndexFunc(cfg.Doors, func(d DoorConfig) bool { return d.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("door %s is not in the configuration", name)
	}
	d := cfg.Doors[i]
	k, err := key(filepath.Join(cfg.State, "hub.key"))
	if err != nil {
		return nil, err
	}
	if now == nil {
		begin := time.Now()
		now = func() time.Duration { return time.Since(begin) }
	}
	wired, err := cfg.door(d, nil, hubOptions{Log: log, Now: now})
	if err != nil {
		return nil, fmt.Errorf("door %s: %w", d.Name, err)
	}
	made, err := d.walkedFor()
	if err != nil {
		return nil, err
	}
	wc := walkrun.Config{
		Walk: door.Config{
			Door: d.Name, For: made, Smoke: d.Lock.smoke(),
			Answer: millis(wired.Limits.Answer), Close: millis(wired.Limits.Close),
		},
		Lock: wired.Lock, LockCfg: wired.LockCfg, Now: now, Log: log,
		Keep: func(c door.Certificate) error { return keepWalk(cfg.State, k, c) },
	}
	for _, cam := range wired.Cameras {
		wc.Walk.Cameras = append(wc.Walk.Cameras, cam.Name)
		wc.Cameras = append(wc.Cameras, walkrun.Camera{Name: cam.Name, Open: cam.Open, Config: cam.Config, Judge: cam.Judge})
	}
	return walkrun.Start(ctx, wc)
}

func millis(m interlock.Millis) time.Duration { return time.Duration(m) * time.Millisecond }

// smoke says whether a smoke or CO sensor is configured, whichever driver it is of.
func (l LockConfig) smoke() bool {
	return l.MQTT != nil && l.MQTT.Smoke != "" || l.ZWaveJS != nil && l.ZWaveJS.Smoke != "" ||
		l.Matter != nil && l.Matter.Smoke != "" || l.HomeAssistant != nil && l.HomeAssistant.Smoke != "" ||
		l.Modbus != nil && l.Modbus.Smoke != ""
}

// serve shows the page until the context ends.
func (c *HubWalkCmd) serve(ctx context.Context, w *walkrun.Run, name string) error {
	l, err := gate.Listen(c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	t := &terminal{out: c.out}
	t.say("Eyebolt: the walk test of the door %s. No hub runs meanwhile, and nobody is let in.", name)
	if l.Fingerprint == "" {
		t.say("\nThe page is open to this machine alone. For your phone, press Ctrl-C and begin again with its network:\n  --listen %s", or(phoneAddress(), "ADDRESS-OF-THIS-MACHINE:8431"))
	} else {
		t.say("\nThe page is open to the network of %s, encrypted with a certificate that was made just now.\nYour phone warns of it: go on only if it shows this SHA-256 fingerprint:\n  %s", l.At, l.Fingerprint)
	}
	g := gate.New(gate.Config{Addr: l.At, Scheme: l.Scheme, Page: "/walk", Say: func(link, from string) {
		if from != "" {
			t.say("\nThe link was opened from %s. If that was not you, press Ctrl-C now. For another phone:\n\n    %s\n", hostOf(from), link)
			return
		}
		where := "on this machine"
		if l.Fingerprint != "" {
			where = "on your phone"
		}
		t.say("\nOpen this link %s and go to the door. It works once; whoever has it can move the bolt.\n\n    %s\n\nCtrl-C ends the walk test.\n", where, link)
	}})
	server := gate.Server(g.Mux(web.Handler(web.WithHub()), map[string]http.Handler{"/walk/api/": w.Handler()}))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	told := false
	for err == nil && ctx.Err() == nil {
		select {
		case err = <-failed:
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		if v := w.View(); (v.Stage == "end" && v.Kept != "" || v.Over) && !told {
			told = true
			t.say("%s: %s %s\nCtrl-C ends the walk test; then start the hub.", v.Title, v.Say, v.Kept)
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if errors.Is(server.Shutdown(end), context.DeadlineExceeded) {
		_ = server.Close()
	}
	return err
}

// talk asks and answers on the terminal, for those who have only a shell.
func (c *HubWalkCmd) talk(ctx context.Context, w *walkrun.Run) error {
	t := &terminal{out: c.out}
	lines := make(chan string)
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(c.in)
		for scan.Scan() {
			select {
			case lines <- strings.TrimSpace(scan.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	turn, hint, ended := ^uint32(0), "", false
	for {
		v := w.View()
		if (v.Over || v.Stage == "end" && v.Kept != "") && !ended {
			ended, turn = true, ^uint32(0)
			t.say("\n%s. %s\n%s", v.Title, v.Say, v.Kept)
		}
		if v.Turn != turn {
			turn, hint = v.Turn, ""
			if !ended {
				t.say("\n%s", heading(v))
				t.say("  %s", v.Say)
			}
			if v.Way != "" {
				t.say("  ! %s", v.Way)
			}
			for i, b := range v.Buttons {
				t.say("  [%d] %s", i+1, b.Label)
			}
		}
		if ended && (v.Over || len(v.Buttons) == 0 && v.WayLeftMs == 0) {
			return nil // else somebody may be behind a bolt that only this terminal draws (S11): Ctrl-C ends it
		}
		if v.Hint != hint {
			if hint = v.Hint; hint != "" {
				t.say("  ! %s", hint)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		case line, ok := <-lines:
			if !ok {
				return errors.New("the terminal was closed: the walk test was not finished")
			}
			i := slices.IndexFunc(v.Buttons, func(b door.Button) bool { return b.Press == line || b.Press[:1] == strings.ToLower(line) })
			if n := strings.Index("123456789", line); line != "" && len(line) == 1 && n >= 0 {
				i = n
			}
			if i < 0 || i >= len(v.Buttons) {
				t.say("  Type the number of what you mean.")
				continue
			}
			p, _ := door.ParsePress(v.Buttons[i].Press)
			switch err := w.Press(p, v.Turn, w.View().At()); {
			case err != nil:
				t.say("  ! %v", err)
			case w.View().Turn == v.Turn && w.View().Hint == "":
				t.say("  ! That was typed before it could be read. Read, and type it again.")
			}
		}
	}
}

func heading(v walkrun.View) string {
	at := v.Title
	if v.Number > 0 && v.Stage != "end" {
		at = fmt.Sprintf("%d of %d · %s", v.Number, v.Of, at)
	}
	if v.Camera != "" {
		at += ": " + v.Camera
	}
	if v.Stage == "failed" {
		at += " · failed"
	}
	return at
}
