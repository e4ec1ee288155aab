package matter_test

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

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
		return nil, fmt.Errorf("%w", err)
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

// startLimit is how long a program of the peer may take to start on a starved machine.
const startLimit = 3 * time.Minute
