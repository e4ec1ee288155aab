package mqtt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/virtual/broker"
)

// peer is the real Zigbee2MQTT of npm and a real mosquitto, over a radio whose air is our house. All on loopback. One of each setup
// serves all tests of the package: it needs some ten seconds to know its devices.
type peer struct {
	b     *broker.Broker
	house *house
	dir   string // what Zigbee2MQTT keeps

	mu  sync.Mutex
	z2m *program
}

// setup is how Zigbee2MQTT is configured.
type setup string

const (
	asAsked    setup = "as the manual asks"
	remembered setup = "values are repeated, with last_seen"
	asItComes  setup = "values are repeated, without last_seen"
)

// without are the lines of testdata/peer/configuration.yaml that a setup does not have.
var without = map[setup]*regexp.Regexp{
	asAsked:    nil,
	remembered: regexp.MustCompile(`(?m)^ *(filtered_cache|optimistic):.*\n`),
	asItComes:  regexp.MustCompile(`(?m)^ *(filtered_cache|optimistic|last_seen):.*\n`),
}

var shared struct {
	mu    sync.Mutex
	peers map[setup]*peer
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, p := range shared.peers {
		p.end()
	}
	os.Exit(code)
}

var errNoPeer = errors.New("no Zigbee2MQTT here: run make locks, or scripts/z2mpeer.sh")

// thePeer gives the peer, started, with an honest house: bolt thrown, door closed. Where it was never installed the test skips, but
// not under make locks.
func thePeer(t testing.TB, s setup) *peer {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	p := shared.peers[s]
	if p == nil {
		var err error
		p, err = startPeer(s)
		if errors.Is(err, errNoPeer) && os.Getenv("EYEBOLT_PEERS") == "" {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if shared.peers == nil {
			shared.peers = map[setup]*peer{}
		}
		shared.peers[s] = p
	}
	p.house.reset()
	if err := p.b.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !p.running() {
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
	}
	p.house.do(func() { p.house.tellBolt(0, 0, 0) })
	t.Cleanup(func() {
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("Zigbee2MQTT said (running: %v):\n%s", p.z2m.running(), p.z2m.said())
		}
	})
	return p
}

func (p *peer) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.z2m.running()
}

const peerRoot = "../../bin/peers/z2m"

func startPeer(s setup) (*peer, error) {
	if _, err := os.Stat(filepath.Join(peerRoot, "node_modules", "zigbee2mqtt")); err != nil {
		return nil, errNoPeer
	}
	dir, err := os.MkdirTemp("", "eyebolt-z2m-")
	if err != nil {
		return nil, err
	}
	conf, err := os.ReadFile("testdata/peer/configuration.yaml")
	if err != nil {
		return nil, err
	}
	if re := without[s]; re != nil {
		conf = re.ReplaceAll(conf, nil)
	}
	if err := os.WriteFile(filepath.Join(dir, "configuration.yaml"), conf, 0o600); err != nil {
		return nil, err
	}
	p := &peer{dir: dir}
	if p.b, err = broker.Start(context.Background(), broker.Config{}); err != nil {
		return nil, err
	}
	if p.house, err = newHouse(); err != nil {
		return nil, err
	}
	if err := p.start("Connected to MQTT server"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	z2m := p.z2m
	p.mu.Unlock()
	p.house.do(func() { p.house.tell(map[string]bool{"join": true}) })
	return p, z2m.wait("Successfully configured 'front_lock'", "Successfully interviewed 'front_door'", "Successfully interviewed 'hall_smoke'")
}

// start returns when Zigbee2MQTT listens and its retained messages are at the broker.
func (p *peer) start(ready ...string) error {
	root, err := filepath.Abs(peerRoot)
	if err != nil {
		return err
	}
	at, err := filepath.Abs("testdata/peer")
	if err != nil {
		return err
	}
	c := exec.Command(filepath.Join(root, "node"), "-r", filepath.Join(at, "guard.cjs"), "-r", filepath.Join(at, "radio.cjs"),
		filepath.Join(root, "node_modules/zigbee2mqtt/index.js"))
	c.Dir = p.dir // in a checkout of ours it would ask git for the version that it is built from, and build itself anew
	c.Env = append(os.Environ(), "PEER_MODULES="+filepath.Join(root, "node_modules"), "AIR_PORT="+p.house.port(), "ZIGBEE2MQTT_DATA="+p.dir,
		"Z2M_ONBOARD_NO_SERVER=1", "ZIGBEE2MQTT_CONFIG_MQTT_SERVER="+p.b.URL())
	k, err := startProgram(c)
	p.mu.Lock()
	p.z2m = k
	p.mu.Unlock()
	if err != nil {
		return err
	}
	return k.wait(append(ready, "Zigbee2MQTT started!")...)
}

func (p *peer) kill() {
	p.mu.Lock()
	k := p.z2m
	p.mu.Unlock()
	k.kill()
}

func (p *peer) end() {
	p.kill()
	p.b.Stop()
	_ = p.house.l.Close()
	_ = os.RemoveAll(p.dir)
}

// program is one process of the peer.
type program struct {
	c    *exec.Cmd
	in   io.Closer
	done chan struct{}

	mu     sync.Mutex
	lines  []string // the newest
	change chan struct{}
}

func startProgram(c *exec.Cmd) (*program, error) {
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
		return nil, fmt.Errorf("%w (scripts/z2mpeer.sh puts it there)", err)
	}
	k := &program{c: c, in: in, done: make(chan struct{}), change: make(chan struct{})}
	go func() {
		defer close(k.done)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			k.heard(lines.Text())
		}
		_, _ = io.Copy(io.Discard, out)
		_ = c.Wait()
	}()
	return k, nil
}

// keepLines is what a start says, and what is shown of it when a test fails.
const keepLines = 150

func (k *program) heard(line string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.lines) == keepLines {
		k.lines = append(k.lines[:0], k.lines[1:]...)
	}
	if !strings.Contains(line, "topic 'homeassistant/") {
		k.lines = append(k.lines, line[:min(len(line), 500)])
	}
	close(k.change)
	k.change = make(chan struct{})
}

// startLimit is how long Zigbee2MQTT may take to start on a starved machine.
const startLimit = 2 * time.Minute

// wait returns when each word was said, of the newest lines.
func (k *program) wait(words ...string) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	for {
		k.mu.Lock()
		change := k.change
		k.mu.Unlock()
		all, missing := k.said(), ""
		for _, w := range words {
			if !strings.Contains(all, w) {
				missing = w
			}
		}
		if missing == "" {
			return nil
		}
		select {
		case <-change:
		case <-k.done:
			return fmt.Errorf("the peer ended before it said %q: %s", missing, k.said())
		case <-limit.C:
			return fmt.Errorf("the peer did not say %q: %s", missing, k.said())
		}
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
