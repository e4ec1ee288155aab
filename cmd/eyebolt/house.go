package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"eyebolt/hub/walk/walktest"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/eye"
	"eyebolt/virtual/home"
	"eyebolt/virtual/uplink"
)

// houseConfig is a pretend home.
type houseConfig struct {
	Travel        time.Duration // of the bolts; 0: 1.5 s, as a Danalock takes
	Dir           string        // hub.yaml, hub/, broker/
	Doors         int
	Width, Height int
	FPS           int    // 0: 15
	GOP           int    // pictures from key to key; 0: 2 s of them
	Stills        string // of the hub's cameras
	Kbit          int
	Limits        LimitConfig
	Now           func() time.Duration
	Log           *slog.Logger
	Origins       []string
	Bus           string           // host:port of the service's bus
	HomeEvents    func(home.Event) // may be nil
	Passkeys      string           // relying party
	A1            string           // link of the cameras: wired, wifi
	Relays        []string         // the service's, for the live picture
	Camera        cameraPort       // where the cameras listen; zero: on this machine alone
	State         string           // of the hub; empty: Dir
	HubSays       func(string)     // hears each line of the log of a hub that is a process of its own; may be nil
}

// pretendHouse is one hub's home with any number of doors: real broker, real RTSP, real MQTT.
type pretendHouse struct {
	cfg     houseConfig
	broker  *broker.Broker
	source  *eye.Source
	scene   *eye.Scene
	cameras []*eye.Camera
	homes   []*home.Home
	uplink  *uplink.Uplink
	hub     HubConfig

	mu      sync.Mutex
	running *runningHub // in this process
	child   *hubChild   // or another
}

// cameraPort is where a pretend camera listens.
type cameraPort struct {
	Addr   string
	Listen func(network, address string) (net.Listener, error)
}

const hubID = "home-1"

// checkInEvery is how often the pretend sensors report unasked. Real ones do every hour or two; a demo that has just started
// would wait that long for its door.
const checkInEvery = 3 * time.Second

func doorName(i int) string {
	if i == 0 {
		return "front"
	}
	return fmt.Sprintf("door-%d", i+1)
}

// startHouse starts everything in the home but the hub.
func startHouse(ctx context.Context, cfg houseConfig) (_ *pretendHouse, err error) {
	h := &pretendHouse{cfg: cfg, scene: eye.NewScene(uint64(time.Now().UnixNano()))}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if h.broker, err = broker.Start(ctx, broker.Config{Log: cfg.Log}); err != nil {
		return nil, err
	}
	if h.source, err = eye.NewSource(ctx, eye.SourceConfig{Scene: h.scene, Width: cfg.Width, Height: cfg.Height, FPS: cfg.FPS, GOP: cfg.GOP, Bitrate: cfg.Kbit, Now: cfg.Now, Log: cfg.Log}); err != nil {
		return nil, err
	}
	if h.uplink, err = uplink.Start(cfg.Bus); err != nil {
		return nil, err
	}
	h.hub = HubConfig{
		ID: hubID, State: or(cfg.State, cfg.Dir), Service: ServiceConfig{URL: "nats://" + h.uplink.Addr()},
		Passkeys: PasskeyConfig{ID: cfg.Passkeys, Origins: cfg.Origins}, Live: LiveConfig{Loopback: true, Relays: cfg.Relays}, Log: "info",
	}
	for i := range cfg.Doors {
		base := "zigbee2mqtt"
		if i > 0 {
			base = fmt.Sprintf("zigbee2mqtt-%d", i+1)
		}
		dev, err := home.Start(ctx, home.Config{Broker: h.broker.URL(), Base: base, Travel: cfg.Travel, Supervision: checkInEvery, Now: cfg.Now, Events: cfg.HomeEvents, Log: cfg.Log})
		if err != nil {
			return nil, err
		}
		h.homes = append(h.homes, dev)
		cam, err := eye.NewCamera(eye.CameraConfig{Addr: or(cfg.Camera.Addr, "127.0.0.1:0"), Listen: cfg.Camera.Listen, User: "eyebolt", Password: "hallway", Source: h.source, Now: cfg.Now, Log: cfg.Log})
		if err != nil {
			return nil, err
		}
		h.cameras = append(h.cameras, cam)
		h.hub.Doors = append(h.hub.Doors, DoorConfig{
			Name: doorName(i), Limits: cfg.Limits,
			Lock:    LockConfig{MQTT: &mqtt.Settings{Broker: h.broker.URL(), Base: base, Lock: "front_lock", Contact: "front_door"}},
			Cameras: []CameraConfig{{Name: "hall", URL: cam.URL(), Link: or(cfg.A1, "wifi"), Stills: cfg.Stills}},
		})
	}
	return h, nil
}

// certify gives every door that has no certificate the one that the walk test gives of a pretend door: what this house does is played,
// and so is its walk, by the code that judges real ones (walktest). A door that was walked keeps its own.
func (h *pretendHouse) certify() error {
	k, err := key(filepath.Join(h.hub.State, "hub.key"))
	if err != nil {
		return err
	}
	for _, d := range h.hub.Doors {
		if proven, _, err := walked(h.hub.State, d, k.Public().(ed25519.PublicKey)); err != nil || proven.Passed {
			if err != nil {
				return err
			}
			continue
		}
		made, err := d.walkedFor()
		if err != nil {
			return err
		}
		names := []string{}
		for _, c := range d.Cameras {
			names = append(names, c.Name)
		}
		if err := keepWalk(h.hub.State, k, walktest.Certificate(d.Name, made, names...)); err != nil {
			return err
		}
	}
	return nil
}

// startHub runs the hub in this process.
func (h *pretendHouse) startHub(ctx context.Context, pairing func(string)) error {
	if err := h.certify(); err != nil {
		return err
	}
	r, err := startHub(ctx, h.hub, hubOptions{Log: h.cfg.Log, Now: h.cfg.Now, Pairing: pairing})
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = r
	return nil
}

// Close ends everything, hub first.
func (h *pretendHouse) Close() {
	h.mu.Lock()
	running, child := h.running, h.child
	h.running, h.child = nil, nil
	h.mu.Unlock()
	if running != nil {
		if err := running.Stop(); err != nil {
			h.cfg.Log.Warn("hub stopped", "err", err)
		}
	}
	if child != nil {
		child.kill()
	}
	for _, c := range h.cameras {
		_ = c.Close()
	}
	for _, d := range h.homes {
		d.Close()
	}
	if h.uplink != nil {
		_ = h.uplink.Close()
	}
	if h.source != nil {
		_ = h.source.Close()
	}
	if h.broker != nil {
		h.broker.Stop()
	}
}

// hubChild is the hub as a process of its own, the way it is shipped.
type hubChild struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func (c *hubChild) kill() {
	_ = c.cmd.Process.Kill() // SIGKILL: no goodbye
	<-c.done
}

var pairingCode = regexp.MustCompile(`enter the code in the app, at home" code="?([A-Za-z0-9-]+)`)

// startChild runs the hub as its own process; paired gets the pairing code if it prints one. Its log goes to hub.log.
func (h *pretendHouse) startChild(ctx context.Context, paired func(code string)) error {
	if err := h.certify(); err != nil {
		return err
	}
	path := filepath.Join(h.cfg.Dir, "hub.yaml")
	raw, err := yaml.Marshal(h.hub)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(h.cfg.Dir, "hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "hub", "--config", path)
	read, write := io.Pipe()
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		return errors.Join(err, out.Close())
	}
	c := &hubChild{cmd: cmd, done: make(chan struct{})}
	go func() {
		scan := bufio.NewScanner(read)
		for scan.Scan() {
			line := scan.Bytes()
			_, _ = out.Write(append(bytes.Clone(line), '\n'))
			if h.cfg.HubSays != nil {
				h.cfg.HubSays(string(line))
			}
			if m := pairingCode.FindSubmatch(line); m != nil && paired != nil {
				paired(string(m[1]))
			}
		}
		_, _ = io.Copy(io.Discard, read) // a line too long for the scanner must not stop the hub
	}()
	go func() {
		_ = cmd.Wait()
		_ = write.Close()
		_ = out.Close()
		close(c.done)
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.child = c
	return nil
}
