package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"eyebolt/bus/nats"
	"eyebolt/camera"
	"eyebolt/hub/run"
	"eyebolt/hub/setup"
	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/lock"
	"eyebolt/record/fmp4"
)

// checkHub holds a configuration to all that a hub checks at its start, as far as it can without being one: the hub's state is not
// touched, nothing is recorded and no bolt is moved. Each lock's driver and each camera's is opened and closed again, since only they
// know what can never work; whether their devices answer is no part of it. beside is what ${NAME} stands for beside the environment.
func checkHub(ctx context.Context, path string, beside map[string]string) error {
	var cfg HubConfig
	if err := loadWith(path, &cfg, beside); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "eyebolt-check-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	key, err := key(filepath.Join(dir, "hub.key"))
	if err != nil {
		return err
	}
	begin := time.Now()
	opt := hubOptions{Log: slog.New(slog.DiscardHandler), Now: func() time.Duration { return time.Since(begin) }}
	if err := cfg.check(); err != nil {
		return err
	}
	if _, err := authority(cfg.Service.CA); err != nil {
		return err
	}
	rc, err := cfg.home(&recorders{by: map[string][]*fmp4.Recorder{}}, opt)
	if err != nil {
		return err
	}
	record, err := sqlite.Open(ctx, sqlite.Config{Dir: dir, Origin: recordName(cfg.ID), Key: key, Log: opt.Log})
	if err != nil {
		return err
	}
	defer func() { _ = record.Close() }()
	rc.Ledger = record
	if _, err := run.New(rc); err != nil {
		return err
	}
	for _, d := range rc.Doors {
		if err := tryDoor(ctx, d, opt); err != nil {
			return fmt.Errorf("door %s: %w", d.Name, err)
		}
	}
	return ctx.Err()
}

// tryDoor opens a door's drivers, which refuse what can never work, and closes them.
func tryDoor(ctx context.Context, d run.Door, opt hubOptions) error {
	d.LockCfg.Now, d.LockCfg.Log = opt.Now, opt.Log
	l, err := d.Lock(ctx, d.LockCfg, func(lock.Report) {})
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	for _, c := range d.Cameras {
		streams := []camera.Config{c.Config}
		if c.Second != nil {
			streams = append(streams, *c.Second)
		}
		for _, cfg := range streams {
			cfg.Name, cfg.Now, cfg.Log = c.Name, opt.Now, opt.Log
			k, err := c.Open(ctx, cfg, deaf{})
			if err != nil {
				return fmt.Errorf("camera %s: %w", c.Name, err)
			}
			if err := k.Close(); err != nil {
				return fmt.Errorf("camera %s: %w", c.Name, err)
			}
		}
	}
	return nil
}

// deaf is a camera.Sink that hears nothing.
type deaf struct{}

func (deaf) Opened(camera.Params)   {}
func (deaf) Picture(camera.Picture) {}
func (deaf) Closed(error)           {}

// existingHub reads a configuration for what a further door must fit into.
func existingHub(path string) (setup.Existing, error) {
	if _, err := os.Stat(path); err != nil {
		return setup.Existing{}, err
	}
	var cfg HubConfig
	if err := load(path, &cfg); err != nil {
		return setup.Existing{}, fmt.Errorf("%w\nIt is left as it is: put it right, or name another file with --config", err)
	}
	out := setup.Existing{ID: cfg.ID, State: cfg.State, Doors: []string{}}
	for _, d := range cfg.Doors {
		out.Doors = append(out.Doors, d.Name)
	}
	return out, nil
}

// identity makes the hub's key, if it has none yet, and says what the service must know it by: the same that the hub prints.
func identity(path string) (setup.Identity, error) {
	var cfg HubConfig
	if err := load(path, &cfg); err != nil {
		return setup.Identity{}, err
	}
	if cfg.State == "" {
		return setup.Identity{}, errors.New("hub: state: name the folder for the record, the keys and the clips")
	}
	if err := private(cfg.State); err != nil {
		return setup.Identity{}, err
	}
	key, err := key(filepath.Join(cfg.State, "hub.key"))
	if err != nil {
		return setup.Identity{}, err
	}
	public := key.Public().(ed25519.PublicKey)
	out := setup.Identity{ID: cfg.ID}
	if out.Key, err = nats.PublicKey(public); err != nil {
		return out, err
	}
	out.RecordKey, err = ledger.KeyText(recordName(cfg.ID), public)
	return out, err
}
