package main

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/nats"
	"eyebolt/camera"
	"eyebolt/camera/rtsp"
	"eyebolt/grant"
	"eyebolt/hub/hass"
	"eyebolt/hub/run"
	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/live"
	"eyebolt/live/webrtc"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/matter"
	"eyebolt/lock/modbus"
	"eyebolt/lock/mqtt"
	"eyebolt/lock/zwavejs"
	keep "eyebolt/record"
	"eyebolt/record/fmp4"
)

// HubCmd runs a hub.
type HubCmd struct {
	Config      string `required:"" type:"path" help:"The hub's configuration (docs/hub.example.yaml)."`
	AddResident bool   `help:"Print one more pairing code, for a further resident of a paired hub."`
}

// Run runs a hub until the context ends.
func (c *HubCmd) Run(ctx context.Context) error {
	var cfg HubConfig
	if err := load(c.Config, &cfg); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		cameras := 0
		for _, d := range cfg.Doors {
			cameras += len(d.Cameras)
		}
		debug.SetGCPercent(gcPercent(cameras))
	}
	log, err := logger(or(cfg.Log, "info"))
	if err != nil {
		return err
	}
	h, err := startHub(ctx, cfg, hubOptions{
		Log: log, AddResident: c.AddResident,
		Pairing: func(code string) { log.Info("pair this hub: enter the code in the app, at home", "code", code) },
	})
	if err != nil {
		return err
	}
	log.Info("hub is up", "id", cfg.ID, "key", h.PublicKey, "record_key", h.LedgerKey, "doors", len(cfg.Doors), "state", cfg.State)
	<-ctx.Done()
	return h.Stop()
}

// gcPercent bounds what the hub's memory holds beside what it needs. Most of that is the pre-roll's pictures, which a collection
// does not look into: collecting four times as often as by default costs little and saves a third of the memory of a hub with many
// cameras. With few cameras there is little to save, and collecting as often would be a third of all that the hub does: it may hold
// some 8 MiB beside what it needs, whatever that is. GOGC overrides it.
func gcPercent(cameras int) int {
	const own, each, beside = 5, 3, 8 // MiB: the hub's own, a camera's, and what may lie beside them
	return max(25, 100*beside/(own+each*cameras))
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// hubOptions are what a role gives a hub beside its configuration.
type hubOptions struct {
	Log         *slog.Logger
	Now         func() time.Duration // nil: since now
	AddResident bool
	Pairing     func(code string)
}

// runningHub is a hub and all that it opened.
type runningHub struct {
	PublicKey string // nkey: what the service must know it by
	LedgerKey string // verifier key of the record (C2SP signed-note)
	Key       ed25519.PublicKey
	stops     []func() error
}

// Stop ends the hub, then what it stood on, last opened first.
func (h *runningHub) Stop() error {
	var errs []error
	for i := len(h.stops) - 1; i >= 0; i-- {
		errs = append(errs, h.stops[i]())
	}
	h.stops = nil
	return errors.Join(errs...)
}

// recorders finds the recorders of a door's cameras, for its films.
type recorders struct {
	mu sync.Mutex
	by map[string][]*fmp4.Recorder
}

func (r *recorders) put(door string, rec *fmp4.Recorder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by[door] = append(r.by[door], rec)
}

// clip opens the file with this SHA-256 of a visit's film, whichever of the door's cameras made it.
func (r *recorders) clip(door, visit string, sum [32]byte) (webrtc.Clip, error) {
	r.mu.Lock()
	recs := r.by[door]
	r.mu.Unlock()
	why := error(webrtc.ErrDoor)
	for _, rec := range recs {
		f, read, err := rec.Open(visit, sum)
		if err == nil {
			return webrtc.Clip{Read: read, Bytes: f.Bytes, SHA256: f.SHA256, MIME: f.MIME}, nil
		}
		why = err
	}
	return webrtc.Clip{}, why
}

// startHub opens everything a hub stands on and starts it.
func startHub(ctx context.Context, cfg HubConfig, opt hubOptions) (_ *runningHub, err error) {
	h := &runningHub{}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Stop())
		}
	}()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := private(cfg.State); err != nil {
		return nil, err
	}
	release, err := inUse(cfg.State)
	if err != nil {
		return nil, err
	}
	h.stops = append(h.stops, release)
	if release, err = holdLocks(cfg.Doors); err != nil {
		return nil, err
	}
	h.stops = append(h.stops, release)
	if opt.Now == nil {
		begin := time.Now()
		opt.Now = func() time.Duration { return time.Since(begin) }
	}
	private, err := key(filepath.Join(cfg.State, "hub.key"))
	if err != nil {
		return nil, err
	}
	h.Key = private.Public().(ed25519.PublicKey)
	if h.PublicKey, err = nats.PublicKey(h.Key); err != nil {
		return nil, err
	}
	record, err := sqlite.Open(ctx, sqlite.Config{Dir: cfg.State, Origin: recordName(cfg.ID), Key: private, Log: opt.Log})
	if err != nil {
		return nil, err
	}
	h.stops = append(h.stops, record.Close)
	public, err := os.ReadFile(filepath.Join(cfg.State, ledger.FileKey))
	if err != nil {
		return nil, fmt.Errorf("hub: its public key: %w", err)
	}
	h.LedgerKey = strings.TrimSpace(string(public))

	var conn bus.Conn
	if cfg.Service.URL != "" {
		seed, err := nats.Seed(private.Seed())
		if err != nil {
			return nil, err
		}
		trust, err := authority(cfg.Service.CA)
		if err != nil {
			return nil, err
		}
		c, err := nats.Connect(nats.Config{URL: cfg.Service.URL, Seed: seed, Name: cfg.ID, TLS: trust, Log: opt.Log})
		if err != nil {
			return nil, err
		}
		conn = c
		h.stops = append(h.stops, c.Close)
	}

	films := &recorders{by: map[string][]*fmp4.Recorder{}}
	view, err := webrtc.New(webrtc.Config{
		Key: private, Now: opt.Now, Clip: films.clip, Loopback: cfg.Live.Loopback, Listen: cfg.Live.Listen, Relays: cfg.Live.Relays, Log: opt.Log,
		// The service has checked that the viewer's session is a resident's; the hub has no proof of its own yet (docs/SAFETY.md).
		Admit: func(context.Context, live.Offer) error { return nil },
		Second: func(door string) bool {
			return slices.ContainsFunc(cfg.Doors, func(d DoorConfig) bool { return d.Name == door && len(d.Cameras) > 0 && d.Cameras[0].LiveURL != "" })
		},
	})
	if err != nil {
		return nil, err
	}
	h.stops = append(h.stops, view.Close)

	rc, err := cfg.home(films, opt)
	if err != nil {
		return nil, err
	}
	rc.Ledger, rc.Bus, rc.Live = record, conn, view
	for i, d := range cfg.Doors {
		proven, certificate, err := walked(cfg.State, d, h.Key)
		if err != nil {
			return nil, err
		}
		door := &rc.Doors[i]
		if door.Walk = proven; proven.Passed {
			door.Limits = certified(door.Limits, certificate)
		} else {
			opt.Log.Warn("nobody is let in unattended at this door", "door", d.Name, "why", proven.Say)
		}
	}
	shown, err := cfg.homeAssistant(opt)
	if err != nil {
		return nil, err
	}
	if shown != nil {
		rc.Shown = shown.Show
	}
	r, err := run.New(rc)
	if err != nil {
		return nil, err
	}
	if err := r.Start(ctx); err != nil {
		return nil, err
	}
	h.stops = append(h.stops, r.Stop)
	if shown != nil {
		if err := shown.Start(ctx, r.Block); err != nil {
			return nil, err
		}
		h.stops = append(h.stops, shown.Stop)
	}
	return h, nil
}

// homeAssistant is the way to Home Assistant; nil if none is configured.
func (cfg HubConfig) homeAssistant(opt hubOptions) (*hass.Bridge, error) {
	if cfg.HomeAssistant == nil {
		return nil, nil
	}
	c := hass.Config{Hub: cfg.ID, Version: version(), Settings: *cfg.HomeAssistant, Now: opt.Now, Log: opt.Log}
	for _, d := range cfg.Doors {
		c.Doors = append(c.Doors, d.Name)
	}
	return hass.New(c)
}

// check refuses a configuration that lacks what no hub can do without.
func (cfg HubConfig) check() error {
	if cfg.State == "" {
		return errors.New("hub: state: name the folder for the record, the keys and the clips")
	}
	if cfg.Passkeys.ID == "" || len(cfg.Passkeys.Origins) == 0 {
		return errors.New("hub: passkeys: name the id and origins that your apps are served under, the same as the service's")
	}
	if err := cfg.Service.check(); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return cfg.oneLockEach()
}

// home wires what is the home's own: all but the record, the bus and the live view.
func (cfg HubConfig) home(films *recorders, opt hubOptions) (run.Config, error) {
	rc := run.Config{
		ID: cfg.ID, RP: grant.RP{ID: cfg.Passkeys.ID, Origins: cfg.Passkeys.Origins}, Epoch: max(1, cfg.Epoch),
		Log: opt.Log, Now: opt.Now, Pairing: opt.Pairing, AddResident: opt.AddResident, Dir: filepath.Join(cfg.State, "cameras"),
	}
	var err error
	if rc.Radios, err = cfg.Radio.radios(); err != nil {
		return rc, err
	}
	for _, d := range cfg.Doors {
		door, err := cfg.door(d, films, opt)
		if err != nil {
			return rc, fmt.Errorf("door %s: %w", d.Name, err)
		}
		rc.Doors = append(rc.Doors, door)
	}
	return rc, nil
}

// driver is the one that a door's lock names. The list of drivers is here and nowhere else.
func (c LockConfig) driver() (open lock.Open, settings any, err error) {
	named := 0
	for _, d := range []struct {
		named    bool
		open     lock.Open
		settings any
	}{
		{c.MQTT != nil, mqtt.Open, c.MQTT},
		{c.ZWaveJS != nil, zwavejs.Open, c.ZWaveJS},
		{c.Matter != nil, matter.Open, c.Matter},
		{c.Modbus != nil, modbus.Open, c.Modbus},
		{c.HomeAssistant != nil, homeassistant.Open, c.HomeAssistant},
	} {
		if d.named {
			named++
			open, settings = d.open, d.settings
		}
	}
	const all = "mqtt, zwavejs, matter, modbus or homeassistant"
	switch named {
	case 0:
		return nil, nil, errors.New("lock: name a driver: " + all)
	case 1:
		return open, settings, nil
	}
	return nil, nil, errors.New("lock: names two drivers: keep one of " + all)
}

// door wires one door's devices.
func (cfg HubConfig) door(d DoorConfig, films *recorders, opt hubOptions) (run.Door, error) {
	limits, err := d.Limits.limits()
	if err != nil {
		return run.Door{}, err
	}
	out := run.Door{Name: d.Name, Limits: limits}
	if out.Lock, out.LockCfg.Settings, err = d.Lock.driver(); err != nil {
		return out, err
	}
	out.LockCfg.Name = d.Name
	if len(d.Cameras) == 0 {
		return out, errors.New("cameras: at least one: no eye, no bolt")
	}
	for _, c := range d.Cameras {
		a1, err := c.a1()
		if err != nil {
			return out, err
		}
		var second *camera.Config
		if c.LiveURL != "" {
			second = &camera.Config{URL: c.LiveURL, Transport: c.Transport, CertHash: c.CertHash}
		}
		cam := run.Camera{
			Name: c.Name, Second: second, Open: rtsp.Open, Judge: liveness.Config{A1: a1},
			Config: camera.Config{URL: c.URL, Transport: c.Transport, CertHash: c.CertHash},
			Recorder: func(confirmed func(bool, time.Duration, error)) (run.Recorder, error) {
				rec, err := fmp4.New(fmp4.Config{
					Dir: filepath.Join(cfg.State, "clips"), Door: d.Name, Camera: c.Name, PreRoll: cfg.Clips.PreRoll,
					Now: opt.Now, Wall: time.Now, Confirmed: confirmed, Log: opt.Log, Retention: cfg.retention(),
				})
				if err != nil {
					return nil, err
				}
				films.put(d.Name, rec)
				return filer{rec}, nil
			},
		}
		if err := c.watching(&cam); err != nil {
			return out, err
		}
		if err := c.besides(&cam, opt); err != nil {
			return out, err
		}
		out.Cameras = append(out.Cameras, cam)
	}
	return out, nil
}

// recordName is the name of a hub's record (C2SP checkpoint origin).
func recordName(hub string) string { return "eyebolt/" + hub }

// retention lays the configuration over a week and 10 GiB. The space is for the clips of all cameras: each has an equal share.
func (cfg HubConfig) retention() keep.Retention {
	c, r := cfg.Clips, keep.Retention{Age: 168 * time.Hour, Bytes: 10 << 30}
	if c.KeepFor != nil {
		r.Age = *c.KeepFor
	}
	if c.KeepMB != nil {
		r.Bytes = *c.KeepMB << 20
	}
	cameras := int64(0)
	for _, d := range cfg.Doors {
		cameras += int64(len(d.Cameras))
	}
	if r.Bytes > 0 {
		r.Bytes = max(1, r.Bytes/max(1, cameras))
	}
	return r
}

// authority reads a certificate authority; nil trusts the system's.
func authority(path string) (*tls.Config, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("service ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("service ca %s: no PEM certificate in it", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, nil
}
