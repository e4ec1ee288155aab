// Package webtest drives a real Chromium from Go tests, over the DevTools protocol: pages, clicks, screenshots, passkeys.
// Every failure ends the test; every wait has a limit and says what it waited for.
package webtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Limit is how long one DevTools command or one Wait may take: a loaded two-core machine starts a renderer in seconds.
const Limit = 30 * time.Second

// Browser is a test's Chromium: its own (Start), or its share of one (Shared). Its pages end with the test.
type Browser struct {
	tb testing.TB
	*chromium
	profiles []string // of its pages, as the DevTools name them; owned by the test's goroutine
	sessions []string // likewise
}

// chromium is a running Chromium with a folder of its own, and the connection to it.
type chromium struct {
	cmd    *exec.Cmd
	dir    string
	conn   *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	next    int64                  // guarded by mu
	waiting map[int64]chan reply   // guarded by mu
	events  map[string]func(event) // by session, guarded by mu
	dead    error                  // guarded by mu
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

type event struct {
	Method string
	Params json.RawMessage
}

// Start runs a Chromium for this test alone, headless, on a free port, with further flags. The name is $CHROMIUM or the first
// of chromium, chromium-browser and google-chrome in the path; without one the test fails.
func Start(tb testing.TB, flags ...string) *Browser {
	tb.Helper()
	c, err := launch(flags...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.stop)
	return &Browser{tb: tb, chromium: c}
}

// launch runs Chromium; stop ends it.
func launch(flags ...string) (*chromium, error) {
	name, err := find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "webtest")
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
		"--disable-dev-shm-usage", "--disable-domain-reliability", "--metrics-recording-only", "--mute-audio",
		"--hide-scrollbars", "--force-color-profile=srgb",
		// A page in the background of a headless run is a phone in the hand: its timers and videos run.
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
		"--autoplay-policy=no-user-gesture-required",
		// WebRTC stays on this machine: candidates on loopback, none by multicast DNS.
		"--allow-loopback-in-peer-connection",
		"--disable-features=WebRtcHideLocalIpsWithMdns,Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
		"--remote-debugging-port=0", "--user-data-dir=" + dir,
	}, flags...)
	cmd := exec.Command(name, append(args, "about:blank")...)
	ownGroup(cmd)
	c := &chromium{cmd: cmd, dir: dir, waiting: map[int64]chan reply{}, events: map[string]func(event){}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.cancel()
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	stepBack(cmd)
	if err := c.connect(stderr); err != nil {
		c.stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// connect waits until Chromium says where its DevTools are, and connects to them.
func (c *chromium) connect(stderr io.Reader) error {
	addr := make(chan string, 1)
	go func() {
		sc := bufio.NewScanner(stderr)
		for sc.Scan() {
			if _, ws, ok := strings.Cut(sc.Text(), "DevTools listening on "); ok {
				addr <- ws
			}
		}
		close(addr)
	}()
	var ws string
	select {
	case ws = <-addr:
	case <-time.After(Limit):
	}
	if ws == "" {
		return fmt.Errorf("its DevTools port did not open in %v", Limit)
	}
	conn, _, err := websocket.Dial(c.ctx, ws, nil)
	if err != nil {
		return fmt.Errorf("DevTools at %s: %w", ws, err)
	}
	c.conn = conn
	c.conn.SetReadLimit(64 << 20) // a screenshot of a tall page is some MiB of base64
	go c.read()
	return nil
}

// stop ends Chromium and all its helpers, and removes what it wrote.
func (c *chromium) stop() {
	if c.conn != nil {
		_, _ = c.try("", "Browser.close", nil)
		_ = c.conn.CloseNow()
	}
	c.cancel()
	killGroup(c.cmd)
	_ = c.cmd.Wait()
	// Chromium's last helpers may still write: try for a while.
	for range 20 {
		if os.RemoveAll(c.dir) == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// gone says that the connection ended.
func (c *chromium) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead != nil
}

func find() (string, error) {
	if name := os.Getenv("CHROMIUM"); name != "" {
		return name, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM to its path")
}

// read hands every message to whom it belongs, until the connection ends.
func (c *chromium) read() {
	for {
		_, data, err := c.conn.Read(c.ctx)
		if err != nil {
			c.mu.Lock()
			c.dead = fmt.Errorf("chromium is gone: %w", err)
			for id, ch := range c.waiting {
				close(ch)
				delete(c.waiting, id)
			}
			c.mu.Unlock()
			return
		}
		var m struct {
			ID        int64
			SessionID string
			event
			reply
		}
		if json.Unmarshal(data, &m) != nil {
			continue
		}
		c.mu.Lock()
		ch, on := c.waiting[m.ID], c.events[m.SessionID]
		delete(c.waiting, m.ID)
		c.mu.Unlock()
		switch {
		case m.ID != 0 && ch != nil:
			ch <- m.reply
		case m.ID == 0 && on != nil:
			on(m.event)
		}
	}
}

// try sends one command and waits for its answer.
func (c *chromium) try(session, method string, params any) (json.RawMessage, error) {
	if params == nil {
		params = struct{}{}
	}
	ch := make(chan reply, 1)
	c.mu.Lock()
	if c.dead != nil {
		c.mu.Unlock()
		return nil, c.dead
	}
	c.next++
	id := c.next
	c.waiting[id] = ch
	c.mu.Unlock()
	msg := map[string]any{"id": id, "method": method, "params": params}
	if session != "" {
		msg["sessionId"] = session
	}
	data, err := json.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if err := c.conn.Write(c.ctx, websocket.MessageText, data); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	select {
	case r, ok := <-ch:
		if !ok {
			return nil, fmt.Errorf("%s: chromium is gone", method)
		}
		if r.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, r.Error.Message)
		}
		return r.Result, nil
	case <-time.After(Limit):
		return nil, fmt.Errorf("%s: no answer in %v", method, Limit)
	}
}

// closePages ends the pages and their profiles.
func (b *Browser) closePages() {
	b.mu.Lock()
	for _, s := range b.sessions {
		delete(b.events, s)
	}
	b.mu.Unlock()
	for _, p := range b.profiles {
		if _, err := b.try("", "Target.disposeBrowserContext", map[string]any{"browserContextId": p}); err != nil && !b.gone() {
			b.tb.Errorf("closing a page: %v", err)
		}
	}
}

var errNoJSON = errors.New("undefined")
