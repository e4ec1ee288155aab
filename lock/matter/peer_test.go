package matter_test

import (
	"context"
	"encoding/hex"
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
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// peer is the real Matter server, of PyPI, with a house of matter.js, of npm, on its network (testdata/peer/house.cjs), both in a room of
// their own (room_linux_test.go). One serves all tests of the package: it needs some ten seconds to start.
type peer struct {
	modules string // node_modules
	python  string
	dir     string // what all keep
	root    string // the server's root folder
	addr    string // of the server's WebSocket
	hands   http.Client
	keeper  *exec.Cmd

	mu     sync.Mutex
	house  *program
	server *program
}

var shared struct {
	once sync.Once
	p    *peer
	err  error
}

var (
	errNoPeer = errors.New("no Matter server here: run make locks, or scripts/matterpeer.sh")
	errNoRoom = errors.New("no Linux namespaces for the Matter server here")
	errRoom   error // why there is no room
)

func TestMain(m *testing.M) {
	code, elsewhere, err := enterRoom()
	if elsewhere {
		os.Exit(code)
	}
	errRoom = err
	code = m.Run()
	if shared.p != nil {
		shared.p.end()
	}
	os.Exit(code)
}

const peers = "../../bin/peers/matter"

func installed() bool {
	_, err := os.Stat(filepath.Join(peers, "installed"))
	return err == nil
}

// thePeer gives the peer, started, with an honest house: bolt thrown, door closed. Where it was never installed the test skips,
// but not under make locks.
func thePeer(t testing.TB) *peer {
	t.Helper()
	shared.once.Do(func() { shared.p, shared.err = startPeer() })
	if (errors.Is(shared.err, errNoPeer) || errors.Is(shared.err, errNoRoom)) && os.Getenv("EYEBOLT_PEERS") == "" {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	p := shared.p
	p.mu.Lock()
	house, server := p.house.running(), p.server.running()
	p.mu.Unlock()
	if !house {
		if _, err := p.startHouse("thrown"); err != nil {
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
			t.Logf("the house said (running: %v):\n%s\nthe server said (running: %v):\n%s", p.house.running(), p.house.said(), p.server.running(), p.server.said())
		}
	})
	return p
}

func startPeer() (*peer, error) {
	if !installed() {
		return nil, errNoPeer
	}
	if errRoom != nil {
		return nil, errRoom
	}
	at, err := filepath.Abs(peers)
	if err != nil {
		return nil, err
	}
	p := &peer{modules: filepath.Join(at, "node_modules"), python: filepath.Join(at, "venv", "bin", "python")}
	if p.dir, p.root, p.keeper, err = furnish(); err != nil {
		return nil, err
	}
	p.hands.Timeout = 20 * time.Second
	p.hands.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(p.dir, "house"))
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.addr = l.Addr().String()
	_ = l.Close()
	if err := p.trust(); err != nil {
		return nil, err
	}
	code, err := p.startHouse("thrown")
	if err != nil {
		return nil, err
	}
	if err := p.startServer(); err != nil {
		return nil, err
	}
	if _, err := p.ask("commission_with_code", map[string]any{"code": code, "network_only": true}); err != nil {
		return nil, fmt.Errorf("%w: the server said:\n%s", err, p.server.said())
	}
	return p, nil
}

// trust writes the root certificate of the maker of matter.js's development devices, which stands in matter.js itself, to where the
// server looks, with a mark that spares it asking the world for more.
func (p *peer) trust() error {
	source, err := os.ReadFile(filepath.Join(p.modules, "@matter/protocol/dist/cjs/certificate/ChipPAAuthorities.js"))
	if err != nil {
		return err
	}
	found := regexp.MustCompile(`TestCert_PAA_NoVID_Cert = [^"]*"([0-9a-f]+)"`).FindSubmatch(source)
	if found == nil {
		return errors.New("matter.js holds no test root")
	}
	der, err := hex.DecodeString(string(found[1]))
	if err != nil {
		return err
	}
	roots := filepath.Join(p.dir, "roots")
	return errors.Join(os.Mkdir(roots, 0o755), os.WriteFile(filepath.Join(roots, "test.der"), der, 0o600), os.WriteFile(filepath.Join(roots, ".version"), []byte("1"), 0o600))
}

// startHouse gives the house power. Its bolt is where it is.
func (p *peer) startHouse(bolt string) (code string, err error) {
	at, err := filepath.Abs("testdata/peer/house.cjs")
	if err != nil {
		return "", err
	}
	c := exec.Command("nsenter", "-t", strconv.Itoa(p.keeper.Process.Pid), "-n", "node", at)
	c.Env = append(os.Environ(), "HOUSE_MODULES="+p.modules, "HOUSE_SOCKET="+filepath.Join(p.dir, "house"), "HOUSE_BOLT="+bolt, "MATTER_STORAGE_PATH="+filepath.Join(p.dir, "node"))
	k, err := startProgram(c, "house is open")
	p.mu.Lock()
	p.house = k
	p.mu.Unlock()
	if err != nil {
		return "", err
	}
	_, code, _ = strings.Cut(k.said(), "house is open ")
	code, _, _ = strings.Cut(code, "\n")
	return code, nil
}

func (p *peer) startServer() error {
	_, port, _ := net.SplitHostPort(p.addr)
	store := filepath.Join(p.dir, "store")
	c := exec.Command(p.python, "-m", "matter_server.server", "--storage-path", store, "--port", port, "--listen-address", "127.0.0.1",
		"--paa-root-cert-dir", filepath.Join(p.dir, "roots"), "--ota-provider-dir", filepath.Join(p.dir, "ota"), "--primary-interface", "va", "--log-level", "info")
	c.Env = append(os.Environ(), "HOME="+p.dir)
	inRoot(c, p.root)
	c.Dir = "/"
	k, err := startProgram(c, "Matter Server successfully initialized")
	p.mu.Lock()
	p.server = k
	p.mu.Unlock()
	for err == nil { // it listens a little later
		conn, derr := net.Dial("tcp", p.addr)
		if derr == nil {
			_ = conn.Close()
			break
		}
		if !k.running() {
			err = fmt.Errorf("the server ended at once: %s", k.said())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server.kill()
	p.house.kill()
	if p.keeper != nil {
		_ = p.keeper.Process.Kill()
		_ = p.keeper.Wait()
	}
}

// ask has the server do something, as a person at its page would, on a connection of its own.
func (p *peer) ask(command string, args map[string]any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, "ws://"+p.addr+"/ws", nil)
	if err != nil {
		return nil, err
	}
	if resp != nil && resp.Body != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(32 << 20)
	b, err := json.Marshal(map[string]any{"message_id": "1", "command": command, "args": args})
	if err != nil {
		return nil, err
	}
	if err := c.Write(ctx, websocket.MessageText, b); err != nil {
		return nil, err
	}
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			return nil, err
		}
		var m struct {
			ID      string          `json:"message_id"`
			Result  json.RawMessage `json:"result"`
			Code    *int            `json:"error_code"`
			Details string          `json:"details"`
		}
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, err
		}
		if m.ID != "1" {
			continue
		}
		if m.Code != nil {
			return nil, fmt.Errorf("%s: %s", command, m.Details)
		}
		return m.Result, nil
	}
}

// remembered is a value that the server remembers of the house's node.
func (p *peer) remembered(t testing.TB, path string) string {
	t.Helper()
	b, err := p.ask("get_node", map[string]any{"node_id": 1})
	if err != nil {
		t.Fatal(err)
	}
	var n struct {
		Attributes map[string]json.RawMessage `json:"attributes"`
	}
	if err := json.Unmarshal(b, &n); err != nil {
		t.Fatal(err)
	}
	return string(n.Attributes[path])
}

// hand asks something of the house.
func (p *peer) hand(t testing.TB, what string, args url.Values) []byte {
	t.Helper()
	r, err := p.hands.Get("http://house" + what + "?" + args.Encode())
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
