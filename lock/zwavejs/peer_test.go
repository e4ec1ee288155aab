package zwavejs_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// peer is the real Z-Wave JS server over its authors' virtual stick, both of npm, with our house (testdata/peer/house.cjs) on the
// stick's air. It listens on loopback only. One serves all tests of the package: it needs some ten seconds to know its nodes.
type peer struct {
	modules string // node_modules
	dir     string // what the server keeps
	stickAt string
	houseAt string
	addr    string // of the server's WebSocket

	mu     sync.Mutex
	stick  *program
	server *program
}

var shared struct {
	once sync.Once
	p    *peer
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.p != nil {
		shared.p.end()
	}
	os.Exit(code)
}

var errNoPeer = errors.New("no Z-Wave JS here: run make locks, or scripts/zwavepeer.sh")

// thePeer gives the peer, started, with an honest house: bolt thrown, door closed. Where it was never installed the test skips,
// but not under make locks.
func thePeer(t testing.TB) *peer {
	t.Helper()
	shared.once.Do(func() { shared.p, shared.err = startPeer() })
	if errors.Is(shared.err, errNoPeer) && os.Getenv("EYEBOLT_PEERS") == "" {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	p := shared.p
	p.mu.Lock()
	stick, server := p.stick.running(), p.server.running()
	p.mu.Unlock()
	if !stick {
		if err := p.startStick(); err != nil {
			t.Fatal(err)
		}
	}
	if !server {
		if err := p.startServer(); err != nil {
			t.Fatal(err)
		}
	}
	p.hand(t, "/reset", nil)
	t.Cleanup(func() {
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("the stick said (running: %v):\n%s\nthe server said (running: %v):\n%s", p.stick.running(), p.stick.said(), p.server.running(), p.server.said())
		}
	})
	return p
}

func startPeer() (*peer, error) {
	root, err := filepath.Abs("../../bin/peers/zwave")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "node_modules", "zwave-js")); err != nil {
		return nil, errNoPeer
	}
	dir, err := os.MkdirTemp("", "eyebolt-zwave-")
	if err != nil {
		return nil, err
	}
	p := &peer{modules: filepath.Join(root, "node_modules"), dir: dir}
	for _, a := range []*string{&p.stickAt, &p.houseAt, &p.addr} {
		if *a, err = freeAddr(); err != nil {
			return nil, err
		}
	}
	// Optimistic values and their events, as the server has them by default. The key is needed and never used: no node is secure.
	// A stick that acknowledges late is no broken stick here, but a starved machine.
	options := fmt.Sprintf(`{"securityKeys":{"S0_Legacy":"0102030405060708090a0b0c0d0e0f10"},"timeouts":{"ack":5000,"report":2000},"storage":{"cacheDir":%q},"logConfig":{"enabled":false}}`, filepath.Join(dir, "cache"))
	if err := os.WriteFile(filepath.Join(dir, "options.json"), []byte(options), 0o600); err != nil {
		return nil, err
	}
	if err := p.startStick(); err != nil {
		return nil, err
	}
	return p, p.startServer()
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// startLimit is how long a program of the peer may take to start on a starved machine.
const startLimit = 2 * time.Minute

func (p *peer) startStick() error {
	_, port, _ := net.SplitHostPort(p.stickAt)
	_, house, _ := net.SplitHostPort(p.houseAt)
	at, err := filepath.Abs("testdata/peer")
	if err != nil {
		return err
	}
	c := exec.Command("node", "-r", filepath.Join(at, "guard.cjs"), filepath.Join(p.modules, "zwave-js/bin/mock-server.cjs"),
		"-i", "127.0.0.1", "-p", port, "-c", filepath.Join(at, "house.cjs"))
	c.Env = append(os.Environ(), "HOUSE_MODULES="+p.modules, "HOUSE_PORT="+house)
	k, err := startProgram(c, "house is open", "Server listening")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stick = k
	return err
}

func (p *peer) startServer() error {
	_, port, _ := net.SplitHostPort(p.addr)
	at, err := filepath.Abs("testdata/peer")
	if err != nil {
		return err
	}
	c := exec.Command("node", "-r", filepath.Join(at, "guard.cjs"), filepath.Join(p.modules, "@zwave-js/server/dist-esm/bin/server.js"),
		"tcp://"+p.stickAt, "--config", filepath.Join(p.dir, "options.json"), "--host", "127.0.0.1", "--port", port, "--disable-dns-sd", "--reconnect")
	if r, err := http.Get("http://" + p.houseAt + "/cable"); err == nil {
		_ = r.Body.Close()
	}
	c.Env = append(os.Environ(), "ZWAVEJS_LOCK_DIRECTORY="+filepath.Join(p.dir, "locks"))
	k, err := startProgram(c, "server listening")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = k
	return err
}

func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server.kill()
	p.stick.kill()
	_ = os.RemoveAll(p.dir)
}

// program is one process of the peer.
type program struct {
	c    *exec.Cmd
	in   io.Closer
	done chan struct{}

	mu    sync.Mutex
	lines []string
}

// startProgram returns when the program has printed every word of ready.
func startProgram(c *exec.Cmd, ready ...string) (*program, error) {
	in, err := c.StdinPipe() // it ends when this does
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%w (node 20 is needed)", err)
	}
	k := &program{c: c, in: in, done: make(chan struct{})}
	up := make(chan struct{})
	go func() {
		defer close(k.done)
		lines := bufio.NewScanner(out)
		waits := append([]string(nil), ready...)
		for lines.Scan() {
			k.mu.Lock()
			if len(k.lines) == 50 {
				k.lines = append(k.lines[:0], k.lines[1:]...)
			}
			k.lines = append(k.lines, lines.Text())
			k.mu.Unlock()
			for i, w := range waits {
				if strings.Contains(lines.Text(), w) {
					waits = append(waits[:i], waits[i+1:]...)
					break
				}
			}
			if len(waits) == 0 && ready != nil {
				close(up)
				ready = nil
			}
		}
		_ = c.Wait()
	}()
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-up:
		return k, nil
	case <-k.done:
		return nil, fmt.Errorf("the peer ended at once: %s", k.said())
	case <-limit.C:
		k.kill()
		return nil, fmt.Errorf("the peer did not start: %s", k.said())
	}
}

func (k *program) said() string {
	if k == nil {
		return "it did not start"
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(k.lines, "\n")
}

func (k *program) running() bool {
	if k == nil {
		return false
	}
	select {
	case <-k.done:
		return false
	default:
		return true
	}
}

// kill ends the program as a power cut would.
func (k *program) kill() {
	if k == nil {
		return
	}
	_ = k.c.Process.Kill()
	<-k.done
	_ = k.in.Close()
}

// hand asks something of the house.
func (p *peer) hand(t testing.TB, what string, args url.Values) []byte {
	t.Helper()
	c := http.Client{Timeout: 20 * time.Second}
	r, err := c.Get("http://" + p.houseAt + what + "?" + args.Encode())
	if err != nil {
		t.Fatalf("house: %v", err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("house %s: %s %s %v", what, r.Status, b, err)
	}
	return b
}

// truth is what the house knows of itself.
type truth struct {
	Bolt, Door string
	Gets       int
}

func (p *peer) truth(t testing.TB) truth {
	t.Helper()
	var x truth
	if err := json.Unmarshal(p.hand(t, "/truth", nil), &x); err != nil {
		t.Fatal(err)
	}
	return x
}

func yesNo(on bool) string { return map[bool]string{true: "1", false: "0"}[on] }

func num(n int) string { return strconv.Itoa(n) }
