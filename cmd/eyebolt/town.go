package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"eyebolt/api"
	"eyebolt/bus/nats"
	"eyebolt/ledger"
	"eyebolt/virtual"
	"eyebolt/virtual/home"
	"eyebolt/virtual/person"
)

// townConfig is everything in one process: the service, a pretend home and its people.
type townConfig struct {
	Dir           string
	Doors         int
	Width, Height int
	GOP           int    // the camera's pictures from key to key; 0: 2 s of them
	Stills        string // how the hub decodes pictures of its cameras; empty: not at all
	FPS           int    // 0: 15
	Kbit          int    // of each camera; 0: 900
	Child         bool   // the hub is a process of its own
	Limits        LimitConfig
	Travel        time.Duration
	Link          string // wired, wifi
	Listen        string // the apps' address
	TURN          *TURNConfig
	Camera        cameraPort // where the cameras listen; zero: on this machine alone
	Log           *slog.Logger
	HomeEvents    func(home.Event)
	State         string       // of the hub; empty: Dir
	HubSays       func(string) // hears each line of the log of a hub that is a process of its own; may be nil
	API           func(i int, urls []string, o *api.Options)
	Hub           func(*HubConfig) // nil, or changes the hub's configuration before it starts
	Say           func(string)     // progress
	// Strangers leaves resident and courier unregistered and the hub unpaired: people with phones of their own come by
	// town.invites. The operator alone is one of ours.
	Strangers bool
	// Walk has every door walked before the hub starts, by a pretend person with the real walk test.
	Walk bool
}

// town is a running one.
type town struct {
	cfg     townConfig
	begin   time.Time
	service *runningService
	house   *pretendHouse
	cast    *virtual.Cast
	world   *virtual.World
	codes   chan string
	invites struct{ Resident, Courier string }
}

// now is the town's one monotonic clock.
func (t *town) now() time.Duration { return time.Since(t.begin) }

// since is a moment on that clock.
func (t *town) since(at time.Time) time.Duration { return at.Sub(t.begin) }

const (
	demoCarrier   = "Swallow Parcels"
	demoHousehold = "Oak Street 7"
)

// startTown starts everything, and has everybody register, pair and consent through the public API.
func startTown(ctx context.Context, cfg townConfig) (_ *town, err error) {
	if cfg.Say == nil {
		cfg.Say = func(string) {}
	}
	t := &town{cfg: cfg, begin: time.Now(), codes: make(chan string, 8)}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	cfg.Say("the service")
	t.service, err = startService(ctx, ControlConfig{
		State: filepath.Join(cfg.Dir, "control"), Listen: or(cfg.Listen, "127.0.0.1:0"), Bus: BusConfig{Listen: "127.0.0.1:0"}, Carrier: demoCarrier, TURN: cfg.TURN,
	}, serviceOptions{Log: cfg.Log, Handlers: 2, API: cfg.API})
	if err != nil {
		return nil, err
	}
	cfg.Say("the pretend home: broker, lock, contact, camera")
	bus, err := url.Parse(t.service.BusAddr)
	if err != nil {
		return nil, err
	}
	t.house, err = startHouse(ctx, houseConfig{
		Dir: cfg.Dir, Doors: cfg.Doors, Width: cfg.Width, Height: cfg.Height, GOP: cfg.GOP, Stills: cfg.Stills, Kbit: cfg.Kbit, FPS: cfg.FPS, Limits: cfg.Limits, Travel: cfg.Travel, Now: t.now, Log: cfg.Log,
		Origins: t.service.URLs, Passkeys: "localhost", Bus: bus.Host, HomeEvents: cfg.HomeEvents, A1: cfg.Link, Relays: t.service.Relays, Camera: cfg.Camera, State: cfg.State, HubSays: cfg.HubSays,
	})
	if err != nil {
		return nil, err
	}
	t.world = virtual.NewWorld(virtual.Parts{Scene: t.house.scene, Source: t.house.source, Camera: t.house.cameras[0], Home: t.house.homes[0], Uplink: t.house.uplink, Log: cfg.Log})
	if err := t.found(ctx); err != nil {
		return nil, fmt.Errorf("the town's operator: %w", err)
	}
	for i := range cfg.Doors {
		if !cfg.Walk {
			break
		}
		cfg.Say("the walk test of " + doorName(i))
		if _, err := t.house.walk(ctx, i); err != nil {
			return nil, fmt.Errorf("the walk test: %w", err)
		}
	}
	cfg.Say("the hub")
	if cfg.Hub != nil {
		cfg.Hub(&t.house.hub)
	}
	if err := t.startHub(ctx); err != nil {
		return nil, err
	}
	cfg.Say("people: passkeys, pairing, consent, screening")
	if err := t.populate(ctx); err != nil {
		return nil, fmt.Errorf("the town's people: %w", err)
	}
	return t, nil
}

func (t *town) startHub(ctx context.Context) error {
	show := func(code string) {
		select {
		case t.codes <- code:
		default: // nobody pairs any more
		}
	}
	if t.cfg.Child {
		return t.house.startChild(ctx, show)
	}
	return t.house.startHub(ctx, show)
}

// hubKeys are what the service must know a hub by. A hub's owner reads them from its log and folder; here the key is made
// before the hub starts, so that it is known when it comes.
func (t *town) hubKeys() (map[string]string, error) {
	private, err := key(filepath.Join(t.house.hub.State, "hub.key"))
	if err != nil {
		return nil, err
	}
	public := private.Public().(ed25519.PublicKey)
	nkey, err := nats.PublicKey(public)
	if err != nil {
		return nil, err
	}
	text, err := ledger.KeyText(recordName(hubID), public)
	return map[string]string{"nkey": nkey, "key": base64.RawURLEncoding.EncodeToString(public), "ledger_key": text}, err
}

// populate has everybody register; it uses nothing but the public API.
func (t *town) populate(ctx context.Context) error {
	if t.cfg.Strangers {
		return nil
	}
	if err := t.cast.Resident.Register(ctx, t.invites.Resident, "Rosa (resident)"); err != nil {
		return err
	}
	if err := t.cast.Courier.Register(ctx, t.invites.Courier, courierName); err != nil {
		return err
	}
	return t.trust(ctx)
}

const courierName = "Carlo (courier)"

// found has the operator register and set up the household, its hub and doors, and a screened courier.
func (t *town) found(ctx context.Context) error {
	base := t.service.URLs
	people := make([]*person.Person, 3)
	for i, at := range []string{base[0], base[1], base[0]} {
		p, err := person.New(at, "localhost")
		if err != nil {
			return err
		}
		people[i] = p
	}
	operator := people[2]
	t.cast = &virtual.Cast{Resident: people[0], Courier: people[1], Operator: operator, Hub: hubID, Door: doorName(0)}

	if err := operator.Register(ctx, t.service.Invite, "Olga (operator)"); err != nil {
		return err
	}
	var house struct{ Household, Invite string }
	if err := operator.Call(ctx, http.MethodPost, "/api/ops/households", map[string]string{"name": demoHousehold, "address": "7 Oak Street, ground floor"}, &house); err != nil {
		return err
	}
	t.cast.Household, t.invites.Resident = house.Household, house.Invite
	hub, err := t.hubKeys()
	if err != nil {
		return err
	}
	hub["id"], hub["household"] = hubID, house.Household
	if err := operator.Call(ctx, http.MethodPost, "/api/ops/hubs", hub, nil); err != nil {
		return err
	}
	for i := range t.cfg.Doors {
		title := "Front door"
		if i > 0 {
			title = fmt.Sprintf("Door %d", i+1)
		}
		if err := operator.Call(ctx, http.MethodPost, "/api/ops/doors", map[string]string{"hub": hubID, "name": doorName(i), "title": title, "instructions": "Just inside, on the floor to the right."}, nil); err != nil {
			return err
		}
	}
	var hired struct{ Courier, Invite string }
	if err := operator.Call(ctx, http.MethodPost, "/api/ops/couriers", map[string]string{"name": courierName}, &hired); err != nil {
		return err
	}
	t.cast.CourierID, t.invites.Courier = hired.Courier, hired.Invite
	return operator.Call(ctx, http.MethodPost, "/api/ops/couriers/"+hired.Courier+"/screening",
		map[string]any{"status": "passed", "until": time.Now().AddDate(1, 0, 0).UTC(), "reference": "demo"}, nil)
}

// trust pairs the hub and signs the household's consent for every door.
func (t *town) trust(ctx context.Context) error {
	var code string
	select {
	case code = <-t.codes:
	case <-time.After(20 * time.Second):
		return errors.New("the hub has shown no pairing code: see its log")
	case <-ctx.Done():
		return ctx.Err()
	}
	// The hub connects by itself, a moment after the service knows its key.
	err := retryAsk(ctx, func() error {
		return t.cast.Pair(ctx, code)
	})
	if err != nil {
		return fmt.Errorf("pairing: %w", err)
	}
	for i := range t.cfg.Doors {
		if err := t.cast.Consent(ctx, doorName(i), t.service.Carrier.ID); err != nil {
			return fmt.Errorf("consent: %w", err)
		}
	}
	return nil
}

// Close ends everything.
func (t *town) Close() {
	if t.house != nil {
		t.house.Close()
	}
	if t.service != nil {
		if err := t.service.Stop(); err != nil {
			t.cfg.Log.Warn("service stopped", "err", err)
		}
	}
}

// workDir is a folder for a run's state: the named one, or a temporary one that clean removes.
func workDir(named string) (dir string, clean func(), err error) {
	if named != "" {
		return named, func() {}, private(named)
	}
	dir, err = os.MkdirTemp("", "eyebolt-")
	if err != nil {
		return "", nil, fmt.Errorf("a temporary folder: %w: name one with --dir", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

// baseIndex is the door of an MQTT base topic of a pretend home.
func baseIndex(base string) (int, bool) {
	if base == "zigbee2mqtt" {
		return 0, true
	}
	var n int
	if _, err := fmt.Sscanf(base, "zigbee2mqtt-%d", &n); err != nil || n < 2 {
		return 0, false
	}
	return n - 1, true
}
