package modbus_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/modbus"
)

// peer is the real Modbus server of pymodbus as a process of its own (testdata/peer/board.py), on loopback, before a house.
type peer struct {
	addr string
	h    *house

	c    *exec.Cmd
	in   io.Closer
	done chan struct{}
	mu   sync.Mutex
	said []string
}

var errNoPeer = errors.New("no pymodbus here: run make locks, or scripts/modbuspeer.sh")

const python = "../../bin/peers/modbus/env/bin/python"

// newPeer starts one. Where it was never installed the test skips, but not under make locks.
func newPeer(t testing.TB, h *house) *peer {
	t.Helper()
	if _, err := os.Stat(python); err != nil {
		if os.Getenv("EYEBOLT_PEERS") == "" {
			t.Skip(errNoPeer)
		}
		t.Fatal(errNoPeer)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{addr: l.Addr().String(), h: h}
	_ = l.Close()
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("the server said:\n%s", strings.Join(p.said, "\n"))
		}
	})
	return p
}

// startLimit is how long Python may take to load the server on a starved machine.
const startLimit = 2 * time.Minute

// run returns when the server listens.
func (p *peer) run() error {
	_, port, _ := net.SplitHostPort(p.addr)
	p.c = exec.Command(python, "-u", "testdata/peer/board.py", port, strconv.Itoa(p.h.port))
	var err error
	if p.in, err = p.c.StdinPipe(); err != nil {
		return err
	}
	out, err := p.c.StdoutPipe()
	if err != nil {
		return err
	}
	p.c.Stderr = p.c.Stdout
	if err := p.c.Start(); err != nil {
		return err
	}
	c, up, done := p.c, make(chan struct{}), make(chan struct{})
	p.done = done
	go func() {
		defer close(done)
		once := sync.OnceFunc(func() { close(up) })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.said = append(p.said[max(0, len(p.said)-50):], lines.Text())
			p.mu.Unlock()
			if lines.Text() == "listening" {
				once()
			}
		}
		_ = c.Wait()
	}()
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-up:
		return nil
	case <-done:
	case <-limit.C:
		p.kill()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("the server did not start:\n%s", strings.Join(p.said, "\n"))
}

// kill ends the server as a power cut would.
func (p *peer) kill() {
	_ = p.c.Process.Kill()
	<-p.done
	_ = p.in.Close()
}

var (
	well = locktest.Well
	ill  = locktest.Ill
	bolt = locktest.Bolt
)

func open(t testing.TB, now func() time.Duration, s modbus.Settings) (lock.Lock, *locktest.Ears) {
	t.Helper()
	e := &locktest.Ears{}
	l, err := modbus.Open(t.Context(), lock.Config{Name: "door", Now: now, Settings: s}, e.Report)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, e
}

// start opens a driver and waits until it knows the bolt.
func start(t testing.TB, w *world) (lock.Lock, *locktest.Ears) {
	t.Helper()
	l, e := open(t, w.now, w.settings())
	e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	return l, e
}
