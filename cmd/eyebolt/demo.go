package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"eyebolt/api"
	"eyebolt/ledger"
	"eyebolt/virtual"
	"eyebolt/virtual/person"
	"eyebolt/web"
)

// DemoCmd runs everything in one process, with a pretend home that speaks real protocols.
type DemoCmd struct {
	Listen   string `default:"127.0.0.1:8420" help:"Where the demo's page is."`
	Dir      string `type:"path" help:"Keep the record, the clips and all state here; default: a temporary folder, removed at the end."`
	Headless bool   `help:"No page: play a story, print its timeline, and exit 0 only if the visit ended as it must."`
	Play     string `enum:",honest,rhino" default:"" help:"With --headless: honest (a visit as it should be) or rhino (the attack of 2017)."`
	Devices  bool   `help:"Only a pretend camera, lock and contact, for trying your own hub.yaml; prints what to write into it."`
	Log      string `default:"error" help:"debug, info, warn or error."`
	Walk     bool   `help:"Have a pretend person walk the door first, with the real walk test on its broker, lock and camera: half a minute. Else its certificate comes from a walk in no time."`
	Width    int    `default:"640" help:"Of the pretend camera's picture; the height is 9/16 of it."`
}

// demoLimits are the published limits but for two, so that a story does not take minutes: the tail and the wait for "I am
// out".
var demoLimits = LimitConfig{Tail: 10 * time.Second, Out: 20 * time.Second}

// Run runs the demo.
func (c *DemoCmd) Run(ctx context.Context) error {
	if c.Headless != (c.Play != "") {
		return errors.New("demo: --headless and --play go together: --headless --play honest, or --headless --play rhino")
	}
	if c.Devices && c.Headless {
		return errors.New("demo: --devices has no visit to play: leave --headless and --play out")
	}
	log, err := logger(c.Log)
	if err != nil {
		return err
	}
	if c.Devices {
		return c.devices(ctx, log)
	}
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return err
	}
	defer clean()
	if _, err := os.Stat(filepath.Join(dir, ledger.FileDB)); err == nil {
		return fmt.Errorf("demo: %s holds the record of an earlier run: check it with `eyebolt verify %s`, and name another folder", dir, dir)
	}
	tokens := map[string]string{"resident": rand.Text(), "courier": rand.Text()}
	d := &demo{ctx: ctx, tokens: tokens}
	begin := time.Now()
	town, err := startTown(ctx, townConfig{
		Stills: "auto",
		Dir:    dir, Doors: 1, Width: c.Width, Height: c.Width * 9 / 16 &^ 1, Limits: demoLimits, Travel: 700 * time.Millisecond, Log: log, Listen: c.listen(), API: d.options, Walk: c.Walk,
		Say: func(what string) { fmt.Fprintf(os.Stderr, "starting %s …\n", what) },
	})
	if err != nil {
		return err
	}
	defer town.Close()
	d.begun(town)
	fmt.Fprintf(os.Stderr, "ready after %.1f s\n", time.Since(begin).Seconds())
	if c.Headless {
		return d.headless(ctx, c.Play, dir, c.Dir != "")
	}
	return d.serve(ctx, log)
}

// devices are a pretend home without a hub, until the context ends. Standard output is what a door of hub.yaml says of them.
func (c *DemoCmd) devices(ctx context.Context, log *slog.Logger) error {
	begin := time.Now()
	h, err := startHouse(ctx, houseConfig{
		Doors: 1, Width: c.Width, Height: c.Width * 9 / 16 &^ 1, Now: func() time.Duration { return time.Since(begin) }, Log: log,
		Bus: "127.0.0.1:0", // nobody uses its uplink
	})
	if err != nil {
		return err
	}
	defer h.Close()
	d := h.hub.Doors[0]
	fmt.Fprint(os.Stderr, handsHelp)
	fmt.Printf("# a pretend home's door, until you press Ctrl-C; write this into hub.yaml:\ndoors:\n  - name: %s\n    lock:\n      mqtt: {broker: \"%s\", lock: %s, contact: %s}\n    cameras:\n      - {name: %s, url: \"%s\", link: wired}\n",
		d.Name, d.Lock.MQTT.Broker, d.Lock.MQTT.Lock, d.Lock.MQTT.Contact, d.Cameras[0].Name, d.Cameras[0].URL)
	go h.walker(0).hands(ctx, os.Stdin, os.Stderr) // ends with the process: a terminal cannot be given up on
	<-ctx.Done()
	return nil
}

func (c *DemoCmd) listen() string {
	if c.Headless {
		return "127.0.0.1:0"
	}
	return c.Listen
}

// demo is one running demo.
type demo struct {
	ctx    context.Context
	town   *town             // set once it has started
	tokens map[string]string // role → what its link carries

	mu       sync.Mutex
	world    http.Handler      // nil until the town has started: a page may be open from an earlier demo; guarded by mu
	accounts map[string]string // role → account, guarded by mu
}

// begun gives the page its world.
func (d *demo) begun(t *town) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.town, d.world = t, t.world.Handler(d.play)
}

// options give the handlers their demo-only parts: frames, links, the world.
func (d *demo) options(i int, urls []string, o *api.Options) {
	o.Link = func(token string) (string, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for role, want := range d.tokens {
			if token == want && d.accounts[role] != "" {
				return d.accounts[role], true
			}
		}
		return "", false
	}
	if i == 0 {
		o.Pages = []web.Option{web.WithWorld(urls...), web.FramedBy(urls[0])}
		o.Extra = map[string]http.Handler{"/world/api/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.mu.Lock()
			world := d.world
			d.mu.Unlock()
			if world == nil {
				http.Error(w, "starting", http.StatusServiceUnavailable)
				return
			}
			world.ServeHTTP(w, r)
		})}
		return
	}
	o.Pages = []web.Option{web.FramedBy(urls[0])}
}

// logins gives the world's page a link to each phone.
func (d *demo) logins(ctx context.Context) error {
	t := d.town
	accounts := map[string]string{}
	var logins []virtual.Login
	for i, who := range []struct {
		role, name string
		person     *person.Person
	}{{"resident", "Rosa, at home", t.cast.Resident}, {"courier", "Carlo, at the door", t.cast.Courier}} {
		var me struct{ Account string }
		if err := who.person.Call(ctx, http.MethodGet, "/api/me", nil, &me); err != nil {
			return err
		}
		accounts[who.role] = me.Account
		logins = append(logins, virtual.Login{Role: who.role, Name: who.name, URL: t.service.URLs[i] + "/?login=" + d.tokens[who.role]})
	}
	d.mu.Lock()
	d.accounts = accounts
	d.mu.Unlock()
	t.world.SetLogins(logins)
	t.world.Tell("demo", "a quiet hallway; play a story, or press the buttons")
	return nil
}

// serve shows the page until the context ends.
func (d *demo) serve(ctx context.Context, log *slog.Logger) error {
	if err := d.logins(ctx); err != nil {
		return err
	}
	t := d.town
	fmt.Printf("\n  Eyebolt demo: %s/world\n\n  Press Ctrl-C to end it.\n", t.service.URLs[0])
	log.Debug("demo is up")
	select {
	case <-ctx.Done():
		return nil
	case err := <-t.service.failed:
		return err
	}
}

// play starts a story from the page.
func (d *demo) play(what string) error {
	w := d.town.world
	if !w.Playing(what) {
		return errors.New("a story is being played: wait until it ends")
	}
	go func() {
		defer w.Playing("")
		told := d.tell(d.ctx, what)
		if told.Err != nil && d.ctx.Err() == nil {
			w.Tell("demo", "the story stopped: %v", told.Err)
			return
		}
		w.Tell("demo", "the story is told: see the visit on the resident's phone")
	}()
	return nil
}

func (d *demo) tell(ctx context.Context, what string) virtual.Told {
	parcel := "EB-" + rand.Text()[:8]
	if what == "rhino" {
		return d.town.world.Rhino(ctx, d.town.cast, parcel)
	}
	return d.town.world.Honest(ctx, d.town.cast, parcel)
}
