// Package broker runs Debian's mosquitto as a child on a free loopback port: the MQTT broker of the pretend home.
// It never outlives its parent where the system can promise that (Linux), and keeps nothing unless it is asked to.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Config says how the broker shall run. The zero value is a broker without password or memory on a free port.
type Config struct {
	// Dir holds the broker's configuration, and its database with Persist. Empty: a temporary folder, removed by Stop.
	Dir string
	// Port on 127.0.0.1. 0: a free one, which stays the same over Restart.
	Port int
	// Persist keeps retained messages and sessions over a restart.
	Persist bool
	// Username and Password, when set, are demanded from every client.
	Username, Password string
	// Log may be nil.
	Log *slog.Logger
}

// ErrMissing says that no mosquitto is installed, and how to get it.
var ErrMissing = errors.New("mosquitto is not installed: apt-get install --no-install-recommends mosquitto")

// startTries is how many ports are tried: another program may take a free port between the look and the listening.
const startTries = 5

// startLimit is how long the child may take to listen; it needs some 20 ms on an idle machine.
const startLimit = 15 * time.Second

// stopLimit is how long the child may take to end before it is killed.
const stopLimit = 5 * time.Second

// Broker is one running mosquitto. Methods may be called from several goroutines.
type Broker struct {
	cfg     Config
	program string
	ownDir  bool

	mu    sync.Mutex
	child *child // nil while stopped
}

// Start runs a broker and returns when it accepts connections. ErrMissing if there is no mosquitto.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	b := &Broker{cfg: cfg, program: program}
	if b.cfg.Log == nil {
		b.cfg.Log = slog.New(slog.DiscardHandler)
	}
	if b.cfg.Dir == "" {
		if b.cfg.Dir, err = os.MkdirTemp("", "eyebolt-broker-"); err != nil {
			return nil, fmt.Errorf("broker: make a temporary folder: %w", err)
		}
		b.ownDir = true
	}
	for range startTries {
		if err = b.startOnce(ctx); err == nil {
			return b, nil
		}
		if cfg.Port != 0 || ctx.Err() != nil {
			break
		}
		b.cfg.Port = 0
	}
	b.cleanUp()
	return nil, err
}

func find() (string, error) {
	if p, err := exec.LookPath("mosquitto"); err == nil {
		return p, nil
	}
	// Debian keeps it in sbin, which is not on everybody's path.
	for _, p := range []string{"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"} {
		if st, err := os.Stat(p); err == nil && !st.IsDir() {
			return p, nil
		}
	}
	return "", ErrMissing
}

func (b *Broker) startOnce(ctx context.Context) error {
	if b.cfg.Port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		b.cfg.Port = port
	}
	// Whoever listens there already would be taken for our child.
	l, err := net.Listen("tcp", b.Addr())
	if err != nil {
		return fmt.Errorf("broker: port %d is taken, choose another: %w", b.cfg.Port, err)
	}
	_ = l.Close()
	file, err := writeConfig(b.cfg)
	if err != nil {
		return err
	}
	c, err := spawn(b.program, file)
	if err != nil {
		return err
	}
	if err := waitAccept(ctx, b.Addr(), c); err != nil {
		c.end(stopLimit)
		return err
	}
	b.cfg.Log.Debug("broker runs", "addr", b.Addr(), "pid", c.pid)
	b.child = c
	return nil
}

// Addr is host:port.
func (b *Broker) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.cfg.Port)) }

// URL is what a client's configuration takes.
func (b *Broker) URL() string { return "mqtt://" + b.Addr() }

// PID is the child's, 0 while it is stopped.
func (b *Broker) PID() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.child == nil {
		return 0
	}
	return b.child.pid
}

// Halt ends the broker and keeps its port and folder for Resume. graceful asks it to end (it tells its clients and
// saves); otherwise it is killed at once, as by a power cut.
func (b *Broker) Halt(graceful bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.child == nil {
		return
	}
	limit := time.Duration(0)
	if graceful {
		limit = stopLimit
	}
	b.child.end(limit)
	b.child = nil
}

// Resume starts a halted broker on the same port. It does nothing when the broker runs.
func (b *Broker) Resume(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.child != nil {
		return nil
	}
	return b.startOnce(ctx)
}

// Restart halts and resumes.
func (b *Broker) Restart(ctx context.Context) error {
	b.Halt(true)
	return b.Resume(ctx)
}

// Stop ends the broker for good and removes its temporary folder.
func (b *Broker) Stop() {
	b.Halt(true)
	b.cleanUp()
}

func (b *Broker) cleanUp() {
	if b.ownDir {
		if err := os.RemoveAll(b.cfg.Dir); err != nil {
			b.cfg.Log.Warn("broker: temporary folder stays", "dir", b.cfg.Dir, "err", err)
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("broker: find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func waitAccept(ctx context.Context, addr string, c *child) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		var d net.Dialer
		if conn, err := d.DialContext(ctx, "tcp", addr); err == nil {
			_ = conn.Close()
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("broker: mosquitto ended at once: %s", c.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("broker: mosquitto does not accept connections on %s: %w: %s", addr, ctx.Err(), c.lastWords())
		case <-again.C:
		}
	}
}

func configPath(dir string) string { return filepath.Join(dir, "mosquitto.conf") }
