// Package hass runs the real Home Assistant as a child on a free loopback port, for tests. It is installed by scripts/hapeer.sh,
// and never outlives whoever started it.
package hass

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says how Home Assistant shall run.
type Config struct {
	// Root is the repository's root, where bin/peers/ha lies.
	Root string
	// Dir is Home Assistant's folder of configuration and state; it must exist.
	Dir string
	// Integrations are further lines of configuration.yaml.
	Integrations string
}

// ErrMissing says that Home Assistant is not installed, and how to get it.
var ErrMissing = errors.New("no Home Assistant here: run make locks, or scripts/hapeer.sh")

// startLimit is how long it may take until it serves; it needs a second on an idle machine.
const startLimit = 60 * time.Second

// HA is one Home Assistant. Its methods may be called from several goroutines.
type HA struct {
	cfg    Config
	python string
	script string
	port   int

	mu    sync.Mutex
	child *child
	token string
}

// child is one process; closing in ends it.
type child struct {
	cmd  *exec.Cmd
	in   io.Closer
	done chan struct{}
	said tail
}

// Start runs Home Assistant and returns when its API answers.
func Start(ctx context.Context, cfg Config) (*HA, error) {
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return nil, err
	}
	h := &HA{cfg: cfg, python: filepath.Join(root, "bin", "peers", "ha", "env", "bin", "python"), script: filepath.Join(root, "virtual", "hass", "peer", "ha.py")}
	if _, err := os.Stat(filepath.Join(root, "bin", "peers", "ha", "installed.txt")); err != nil {
		return nil, ErrMissing
	}
	if h.port, err = freePort(); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("homeassistant:\n  name: Test\n  latitude: 0\n  longitude: 0\n  elevation: 0\n  unit_system: metric\n  time_zone: UTC\n"+
		"http:\n  server_host: 127.0.0.1\n  server_port: %d\napi:\nwebsocket_api:\nauth:\nconfig:\nlogger:\n  default: warning\n%s", h.port, cfg.Integrations)
	if err := os.WriteFile(filepath.Join(cfg.Dir, "configuration.yaml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	return h, h.Resume(ctx)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Resume starts it again, on the same port and folder, and waits until its API answers.
func (h *HA) Resume(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child != nil {
		return nil
	}
	c := &child{cmd: exec.Command(h.python, h.script, h.cfg.Dir), done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.said, &c.said
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return err
	}
	c.in = in
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start Home Assistant: %w", err)
	}
	go func() {
		_ = c.cmd.Wait() // how it ended is in what it said
		close(c.done)
	}()
	h.child = c
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		raw, err := os.ReadFile(h.TokenFile())
		if err == nil {
			h.token = strings.TrimSpace(string(raw))
			if err = h.request(ctx, h.token, http.MethodGet, "/api/", nil, nil); err == nil {
				return nil
			}
		}
		select {
		case <-again.C:
		case <-c.done:
			h.child = nil
			return fmt.Errorf("hass: Home Assistant ended at once: %s", c.said.String())
		case <-ctx.Done():
			return fmt.Errorf("hass: Home Assistant does not answer: %w; it said: %s", err, c.said.String())
		}
	}
}

// Kill ends it at once, as a power cut does.
func (h *HA) Kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child == nil {
		return
	}
	_ = h.child.cmd.Process.Kill()
	<-h.child.done
	_ = h.child.in.Close()
	h.child = nil
}

// Process is the child's, or nil.
func (h *HA) Process() *os.Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child == nil {
		return nil
	}
	return h.child.cmd.Process
}

// Addr is host:port.
func (h *HA) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(h.port)) }

// TokenFile holds a long-lived access token.
func (h *HA) TokenFile() string { return filepath.Join(h.cfg.Dir, "token") }

// Said is the end of its log.
func (h *HA) Said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child == nil {
		return "it does not run"
	}
	return h.child.said.String()
}

// Get reads path into out.
func (h *HA) Get(ctx context.Context, path string, out any) error {
	return h.request(ctx, h.bearer(), http.MethodGet, path, nil, out)
}

// Post sends body to path and reads the answer into out, if out is not nil.
func (h *HA) Post(ctx context.Context, path string, body, out any) error {
	return h.request(ctx, h.bearer(), http.MethodPost, path, body, out)
}

func (h *HA) bearer() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.token
}

func (h *HA) request(ctx context.Context, token, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+h.Addr()+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return err
	}
	if r.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, r.Status, got)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(got, out)
}

// State is one entity's.
type State struct {
	Entity      string         `json:"entity_id"`
	State       string         `json:"state"`
	Attributes  map[string]any `json:"attributes"`
	LastUpdated time.Time      `json:"last_updated"`
}

// States are all entities, by ID.
func (h *HA) States(ctx context.Context) (map[string]State, error) {
	var list []State
	if err := h.Get(ctx, "/api/states", &list); err != nil {
		return nil, err
	}
	out := map[string]State{}
	for _, s := range list {
		out[s.Entity] = s
	}
	return out, nil
}

// Call calls a service with data.
func (h *HA) Call(ctx context.Context, domain, service string, data any) error {
	return h.Post(ctx, "/api/services/"+domain+"/"+service, data, nil)
}

// UseBroker adds the MQTT integration through its own dialogue, which tries the broker.
func (h *HA) UseBroker(ctx context.Context, host string, port int, username, password string) error {
	type step struct {
		Flow   string            `json:"flow_id"`
		Type   string            `json:"type"`
		Errors map[string]string `json:"errors"`
	}
	var s step
	if err := h.Post(ctx, "/api/config/config_entries/flow", map[string]any{"handler": "mqtt"}, &s); err != nil {
		return err
	}
	answer := map[string]any{"broker": host, "port": port}
	if username != "" {
		answer["username"], answer["password"] = username, password
	}
	if err := h.Post(ctx, "/api/config/config_entries/flow/"+s.Flow, answer, &s); err != nil {
		return err
	}
	if s.Type != "create_entry" {
		return fmt.Errorf("hass: Home Assistant does not take the broker: %+v", s)
	}
	return nil
}

// tail keeps the newest 16 KiB that were written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
