// Package webtest drives a real Chromium from Go tests, over the DevTools protocol: pages, clicks, screenshots, passkeys.
// Every failure ends the test; every wait has a limit and says what it waited for.
package webtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// Browser is a running Chromium with a profile of its own. It ends with the test.
type Browser struct {
	tb   testing.TB
	conn *websocket.Conn
	ctx  context.Context

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

// Start runs Chromium, headless, on a free port. The name is $CHROMIUM or the first of chromium, chromium-browser and
// google-chrome in the path; without one the test fails.
func Start(tb testing.TB, flags ...string) *Browser {
	tb.Helper()
	name := find(tb)
	dir, err := os.MkdirTemp("", "webtest")
	if err != nil {
		tb.Fatal(err)
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
	stderr, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("starting %s: %v", name, err)
	}
	stepBack(cmd)
	ctx, cancel := context.WithCancel(context.Background())
	b := &Browser{tb: tb, ctx: ctx, waiting: map[int64]chan reply{}, events: map[string]func(event){}}
	tb.Cleanup(func() {
		if b.conn != nil {
			_, _ = b.try("", "Browser.close", nil)
			_ = b.conn.CloseNow()
		}
		cancel()
		killGroup(cmd)
		_ = cmd.Wait()
		// Chromium's last helpers may still write: try for a while.
		for range 20 {
			if os.RemoveAll(dir) == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
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
		tb.Fatalf("%s did not open its DevTools port in %v", name, Limit)
	}
	b.conn, _, err = websocket.Dial(ctx, ws, nil)
	if err != nil {
		tb.Fatalf("DevTools at %s: %v", ws, err)
	}
	b.conn.SetReadLimit(64 << 20) // a screenshot of a tall page is some MiB of base64
	go b.read()
	return b
}

func find(tb testing.TB) string {
	tb.Helper()
	if name := os.Getenv("CHROMIUM"); name != "" {
		return name
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	tb.Fatal("no Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM to its path")
	return ""
}

// read hands every message to whom it belongs, until the connection ends.
func (b *Browser) read() {
	for {
		_, data, err := b.conn.Read(b.ctx)
		if err != nil {
			b.mu.Lock()
			b.dead = fmt.Errorf("chromium is gone: %w", err)
			for id, ch := range b.waiting {
				close(ch)
				delete(b.waiting, id)
			}
			b.mu.Unlock()
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
		b.mu.Lock()
		ch, on := b.waiting[m.ID], b.events[m.SessionID]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		switch {
		case m.ID != 0 && ch != nil:
			ch <- m.reply
		case m.ID == 0 && on != nil:
			on(m.event)
		}
	}
}

// try sends one command and waits for its answer.
func (b *Browser) try(session, method string, params any) (json.RawMessage, error) {
	if params == nil {
		params = struct{}{}
	}
	ch := make(chan reply, 1)
	b.mu.Lock()
	if b.dead != nil {
		b.mu.Unlock()
		return nil, b.dead
	}
	b.next++
	id := b.next
	b.waiting[id] = ch
	b.mu.Unlock()
	msg := map[string]any{"id": id, "method": method, "params": params}
	if session != "" {
		msg["sessionId"] = session
	}
	data, err := json.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if err := b.conn.Write(b.ctx, websocket.MessageText, data); err != nil {
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

var errNoJSON = errors.New("undefined")
