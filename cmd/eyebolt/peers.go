package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A peer is another program that watches the same stream with its own defaults: how long does it take to notice?
type peer struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}

	mu     sync.Mutex
	armed  bool
	signs  chan time.Duration // when it said that it lost the stream
	now    func() time.Duration
	sign   *regexp.Regexp
	reader *exec.Cmd // somebody who watches through it, where it connects only on demand
}

// peerOf knows how each peer is told to watch a camera and what it says when it has lost one. Everything else is its default.
func startPeer(ctx context.Context, name, path, dir, url string, now func() time.Duration) (*peer, error) {
	p := &peer{name: name, now: now, signs: make(chan time.Duration, 8), done: make(chan struct{})}
	dir = filepath.Join(dir, "peer-"+name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	rtspPort, err := freePort()
	if err != nil {
		return nil, err
	}
	var conf string
	switch name {
	case "mediamtx":
		conf = mediamtxConf(rtspPort, url)
		p.sign = regexp.MustCompile(`ERR \[path cam\]|\[path cam\].*(?i:destroyed|not ready|timed out|timeout|offline)`)
	case "go2rtc":
		api, err := freePort()
		if err != nil {
			return nil, err
		}
		conf = fmt.Sprintf("api: {listen: \"127.0.0.1:%d\"}\nrtsp: {listen: \"127.0.0.1:%d\"}\nwebrtc: {listen: \"\"}\nlog: {level: debug, format: text}\nstreams:\n  cam: %s\n", api, rtspPort, url)
		p.sign = regexp.MustCompile(`(?i)(timeout|EOF|reset).*`)
	default:
		return nil, fmt.Errorf("peer %q is not known: mediamtx or go2rtc", name)
	}
	file := filepath.Join(dir, name+".yml")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	args := []string{file}
	if name == "go2rtc" {
		args = []string{"-config", file}
	}
	p.cmd = exec.CommandContext(ctx, path, args...)
	p.cmd.Dir = dir
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("peer %s: %w", name, err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	go p.listen(out, log)
	if name == "go2rtc" {
		if err := waitPort(ctx, rtspPort); err != nil {
			return nil, fmt.Errorf("peer %s: %w", name, err)
		}
		p.reader = exec.CommandContext(ctx, "ffmpeg", "-v", "quiet", "-nostdin", "-rtsp_transport", "tcp", "-i", fmt.Sprintf("rtsp://127.0.0.1:%d/cam", rtspPort), "-c", "copy", "-f", "null", "-")
		if err := p.reader.Start(); err != nil {
			return nil, fmt.Errorf("peer %s: a viewer: %w", name, err)
		}
		go func() { _ = p.reader.Wait() }()
	}
	return p, nil
}

// mediamtxConf has MediaMTX read one camera and leave everything else at its default.
func mediamtxConf(port int, url string) string {
	return fmt.Sprintf("rtspAddress: 127.0.0.1:%d\nrtspTransports: [tcp]\nrtmp: no\nhls: no\nwebrtc: no\nsrt: no\napi: no\npaths:\n  cam:\n    source: %s\n    rtspTransport: tcp\n", port, url)
}

// listen stamps what the peer says as it says it.
func (p *peer) listen(out io.Reader, log *os.File) {
	defer close(p.done)
	defer log.Close()
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		at, line := p.now(), scan.Text()
		fmt.Fprintf(log, "%v %s\n", at, line)
		p.mu.Lock()
		armed := p.armed
		if armed && p.sign.MatchString(line) {
			p.armed = false
			select {
			case p.signs <- at:
			default:
			}
		}
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
}

// arm makes the peer's next sign of a lost stream count; earlier ones are forgotten.
func (p *peer) arm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.signs) > 0 {
		<-p.signs
	}
	p.armed = true
}

func (p *peer) stop() {
	if p.reader != nil {
		_ = p.reader.Process.Kill()
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func waitPort(ctx context.Context, port int) error {
	limit := time.Now().Add(10 * time.Second)
	for {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(limit) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// peerFlags reads name=path.
func peerFlags(flags []string) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range flags {
		name, path, ok := strings.Cut(f, "=")
		if !ok {
			return nil, fmt.Errorf("--peer %s: write mediamtx=PATH or go2rtc=PATH", f)
		}
		path, err := filepath.Abs(path) // a peer runs in a folder of its own
		if err != nil {
			return nil, fmt.Errorf("--peer %s: %w", f, err)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("--peer %s: %w: scripts/peers.sh builds both", f, err)
		}
		out[name] = path
	}
	return out, nil
}
