package setup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/hub/setup"
	"eyebolt/lock"

	"github.com/goccy/go-yaml"
)

// house is a home with the truth inside: what a test changes is what a set-up finds.
type house struct {
	t    *testing.T
	dir  string
	path string

	mu       sync.Mutex
	seen     []setup.Seen
	cameras  []setup.SeenCamera
	devices  map[string][]lock.Device // by address
	want     map[string]string        // address → user:password
	look     func(setup.CameraAsk) (setup.Look, error)
	check    func(path string, secrets map[string]string) error
	slow     chan struct{} // a search waits for it; nil: it does not
	told     []string
	asked    []string // who asked a bridge for its devices
	searched error
	tried    []bridgeSettings // a lock that was asked, with its secrets' files read
	answer   lock.Report      // of its bolt; its zero value: it says nothing
}

type bridgeSettings struct {
	URL     string        `yaml:"url"`
	User    string        `yaml:"username"`
	File    string        `yaml:"password_file"`
	Lock    string        `yaml:"lock"`
	Contact string        `yaml:"contact"`
	Smoke   string        `yaml:"smoke"`
	Sense   bool          `yaml:"door_sense"`
	Prove   time.Duration `yaml:"prove"`
	PIN     string        `yaml:"pin_file"`
	Family  string        `yaml:"family"`
	Topic   string        `yaml:"topic"`
}

const bridgeAt = "mqtt://192.0.2.10:1883"

var bridgeDevices = []lock.Device{
	{ID: "front_lock", Name: "Front lock", Make: "Danalock V3-BTZB", Kind: lock.KindLock, Can: lock.Can{Bolt: true}},
	{ID: "old_lock", Name: "Cellar lock", Kind: lock.KindLock, Why: "its battery is empty: change it"},
	{ID: "front_door", Name: "Front door", Make: "Aqara MCCGQ11LM", Kind: lock.KindContact},
	{ID: "hall_smoke", Name: "Hall smoke", Kind: lock.KindSmoke},
}

func newHouse(t *testing.T) *house {
	dir, err := os.MkdirTemp("", "home-") // its name is in the screenshots
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := &house{t: t, dir: dir, path: filepath.Join(dir, "hub.yaml"), devices: map[string][]lock.Device{bridgeAt: bridgeDevices}, want: map[string]string{}}
	h.seen = []setup.Seen{{Service: "_mqtt._tcp", Name: "Home broker", Addr: netip.MustParseAddrPort("192.0.2.10:1883")}}
	h.cameras = []setup.SeenCamera{{Address: "http://192.0.2.30/onvif/device_service", Name: "Hall", Model: "Acme C1"}}
	h.look = func(a setup.CameraAsk) (setup.Look, error) {
		if a.Password != "s3cret p@ss" {
			return setup.Look{}, fmt.Errorf("%w: the camera refuses them", setup.ErrLogin)
		}
		return setup.Look{
			Name: "Acme C1", ONVIF: "192.0.2.30", Said: "no picture here", Streams: []setup.Stream{
				{ID: "main", Text: "H265 2560×1440", URL: "rtsp://eye:" + setup.Secret + "@192.0.2.30/main", Watch: true, View: "sub"},
				{ID: "sub", Text: "H264 640×360", URL: "rtsp://eye:" + setup.Secret + "@192.0.2.30/sub?password=" + setup.Secret, Plays: true},
			},
		}, nil
	}
	h.check = func(string, map[string]string) error { return nil }
	return h
}

func (h *house) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *house) list(_ context.Context, settings any, _ *slog.Logger) ([]lock.Device, error) {
	s := settings.(bridgeSettings)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, s.User)
	if want := h.want[s.URL]; want != "" {
		secret, _ := os.ReadFile(s.File)
		if info, err := os.Stat(s.File); err == nil && info.Mode().Perm() != 0o600 {
			h.t.Errorf("the password's file has mode %v", info.Mode())
		}
		if s.User+":"+strings.TrimSpace(string(secret)) != want {
			return nil, errors.New("lock/mqtt: the broker refuses this name or password")
		}
	}
	d, ok := h.devices[s.URL]
	if !ok {
		return nil, errors.New("the broker cannot be reached")
	}
	return d, nil
}

// pinAsked asks for the PIN of a lock that takes orders with one only.
func pinAsked(l lock.Device) []setup.Question {
	if !l.PIN {
		return nil
	}
	return []setup.Question{{Key: "pin", Label: "A PIN code of this lock", Hint: "It opens from afar with a PIN only.", Secret: true, Fits: func(v string) error {
		if len(v) < 4 || strings.Trim(v, "0123456789") != "" {
			return errors.New("a PIN code is 4 to 32 digits and nothing else")
		}
		return nil
	}}}
}

// open is a driver whose lock says the house's answer when it is asked.
func (h *house) open(_ context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	s := cfg.Settings.(bridgeSettings)
	for _, f := range []*string{&s.File, &s.PIN} {
		if *f == "" {
			continue
		}
		if info, err := os.Stat(*f); err != nil || info.Mode().Perm() != 0o600 {
			h.t.Errorf("%v, %v", info, err)
		}
		b, err := os.ReadFile(*f)
		if err != nil {
			h.t.Error(err)
		}
		*f = string(b)
	}
	h.set(func() { h.tried = append(h.tried, s) })
	return &askedLock{h: h, report: report}, nil
}

type askedLock struct {
	h      *house
	report func(lock.Report)
	work   sync.WaitGroup
}

func (l *askedLock) Lock(context.Context) error                { return l.order() }
func (l *askedLock) Unlock(context.Context, lock.Order) error  { return l.order() }
func (l *askedLock) Retract(context.Context, lock.Order) error { return l.order() }
func (l *askedLock) Can() lock.Can                             { return lock.Can{Bolt: true, Poll: true} }

func (l *askedLock) order() error {
	l.h.t.Error("the bolt was moved by a question")
	return nil
}

func (l *askedLock) Poll(context.Context) error {
	l.h.mu.Lock()
	defer l.h.mu.Unlock()
	r := l.h.answer
	if r.What == lock.OfHealth {
		l.work.Go(func() { l.report(r) })
		return r.Err
	}
	l.work.Go(func() {
		for _, door := range []lock.Door{lock.DoorOpen, lock.DoorClosed} {
			l.report(lock.Report{What: lock.OfDoor, Door: door})
		}
		l.report(r)
	})
	return nil
}

func (l *askedLock) Close() error {
	l.work.Wait()
	return nil
}

func (h *house) config() setup.Config {
	return setup.Config{
		Path: h.path, Command: "eyebolt", Program: "/usr/bin/eyebolt", User: "ada", Host: "Oak Street", State: filepath.Join(h.dir, "hub-state"),
		Log: slog.New(slog.DiscardHandler), Again: 50 * time.Millisecond,
		Drivers: []setup.Driver{
			{
				Key: "mqtt", Name: "Zigbee2MQTT", Service: "_mqtt._tcp", Scheme: "mqtt", Secure: "mqtts", Login: setup.Password, List: h.list,
				Settings: func(a setup.Access, p setup.Pick) any {
					return bridgeSettings{
						URL: a.Address, User: a.User, File: a.SecretFile, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, Sense: p.DoorSense && p.Family == "",
						PIN: p.Answers["pin"], Family: p.Family, Topic: p.Answers["topic"],
					}
				},
				Open: h.open, Asks: pinAsked, Families: []setup.Family{{
					Key: "strike", Name: "A strike of its own", About: "A contact in the strike must tell whether the latch is in it.", Steps: []string{"In the device’s console: SetOption114 1."},
					Asks: []setup.Question{
						{Key: "topic", Label: "Its topic", Hint: "In its own page: Configuration, MQTT, Topic."},
						{Key: "relay", Label: "Number of the relay", Propose: "1", More: true},
						{Key: "draw", Label: "What opens the door", Propose: "unlatch", Choices: []setup.Choice{{Value: "unlatch", Label: "Unlatch"}, {Value: "unlock", Label: "Unlock"}}},
					},
					Fits: func(is map[string]string) error {
						if is["topic"] == "order" {
							return errors.New("the topic that asks is one of orders")
						}
						return nil
					},
				}},
			},
			{Key: "ws", Name: "A server of tokens", Port: 8123, Scheme: "ws", Secure: "wss", Path: "/api/websocket", Login: setup.Token, List: h.list, LoginHelp: []string{"Open your profile."}},
			{Key: "homeassistant", Name: "Home Assistant", Service: "_home-assistant._tcp", Scheme: "http", Secure: "https", Login: setup.Token, None: "No driver yet."},
		},
		Search: func(ctx context.Context) ([]setup.Seen, []string, error) {
			h.mu.Lock()
			slow := h.slow
			h.mu.Unlock()
			if slow != nil {
				select {
				case <-slow:
				case <-ctx.Done():
				}
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.seen, []string{"eth0"}, h.searched
		},
		Cameras: func(context.Context) ([]setup.SeenCamera, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.cameras, nil
		},
		Look: func(_ context.Context, a setup.CameraAsk) (setup.Look, error) {
			h.mu.Lock()
			look := h.look
			h.mu.Unlock()
			return look(a)
		},
		Read: h.read,
		Check: func(_ context.Context, path string, secrets map[string]string) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.check(path, secrets)
		},
		Identity: func(string) (setup.Identity, error) {
			return setup.Identity{ID: "oak-street", Key: "UAAAKEY", RecordKey: "eyebolt/oak-street+12345678+AAAA"}, nil
		},
		Tell: func(line string) { h.set(func() { h.told = append(h.told, line) }) },
	}
}

// read is as the hub's own reading, without its checks.
func (h *house) read(path string) (setup.Existing, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return setup.Existing{}, err
	}
	var c struct {
		ID, State string
		Doors     []struct{ Name string }
	}
	if err := yaml.Unmarshal(b, &c); err != nil {
		return setup.Existing{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	out := setup.Existing{ID: c.ID, State: c.State}
	for _, d := range c.Doors {
		out.Doors = append(out.Doors, d.Name)
	}
	return out, nil
}

// client is a set-up and somebody who asks it.
type client struct {
	h *house
	s *setup.Setup
}

func (h *house) start() *client {
	h.t.Helper()
	s, err := setup.New(h.t.Context(), h.config())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = s.Close() })
	return &client{h, s}
}

// page is what the page shows of it.
type page struct {
	Search struct {
		Running bool
		Done    int
		Said    string
		Where   []string
	}
	Peers []struct {
		ID, Driver, Address, State, Said string
		Families                         []struct{ Key string }
		Devices                          []struct {
			ID, Name, Kind, Why, Note string
			Asks                      []struct {
				Key, Label string
				Had        bool
			}
		}
	}
	Cameras []struct {
		ID, Address, State, Said, Looks string
		Streams                         []struct{ ID string }
	}
	Draft    setup.Draft
	Problems []setup.Problem
	Written  *setup.Written
	Existing *setup.Existing
}

func (c *client) call(method, path string, body any) (int, string) {
	c.h.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		c.h.t.Fatal(err)
	}
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(string(b)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (c *client) page() page {
	c.h.t.Helper()
	code, text := c.call(http.MethodGet, "/setup/api/state", nil)
	var p page
	if err := json.Unmarshal([]byte(text), &p); err != nil || code != 200 {
		c.h.t.Fatalf("%d %s: %v", code, text, err)
	}
	return p
}

// until waits until the page shows something.
func (c *client) until(what string, holds func(page) bool) page {
	c.h.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p := c.page()
		if holds(p) {
			return p
		}
		if time.Now().After(end) {
			c.h.t.Fatalf("never: %s: %+v", what, p)
		}
	}
}

func (c *client) post(path string, body any) page {
	c.h.t.Helper()
	code, text := c.call(http.MethodPost, "/setup/api/"+path, body)
	if code != 200 {
		c.h.t.Fatalf("%s: %d %s", path, code, text)
	}
	var p page
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		c.h.t.Fatal(err)
	}
	return p
}

// full is a whole draft of the house's devices.
func (c *client) full() setup.Draft {
	c.h.t.Helper()
	p := c.until("the bridge's list", func(p page) bool { return len(p.Peers) == 1 && p.Peers[0].State == "listed" && len(p.Cameras) == 1 })
	cam := p.Cameras[0].ID
	c.post("camera", map[string]string{"Camera": cam, "User": "eye", "Password": "s3cret p@ss"})
	c.until("the camera's streams", func(p page) bool { return p.Cameras[0].State == "listed" })
	return setup.Draft{
		Step: "write", Hub: "oak-street", App: "https://eyebolt.example.org", Door: "front", Peer: p.Peers[0].ID, Lock: "front_lock", Contact: "front_door", Smoke: "hall_smoke",
		Cameras: []setup.DraftCamera{{Camera: cam, Name: "hall", Stream: "main", Link: "wired", Seen: true}},
	}
}

func (h *house) files() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, h.dir+"/")] = string(b)
		if info, serr := os.Stat(path); serr == nil && info.Mode().Perm() != 0o600 {
			h.t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}
