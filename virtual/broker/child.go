package broker

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// child is one process. It is reaped by the goroutine that started it.
type child struct {
	cmd  *exec.Cmd
	pid  int
	done chan struct{} // closed when the process is gone
	tail tail
}

// spawn starts the process from a goroutine that keeps its thread until the process is gone: on Linux the promise that
// the child dies with its parent is bound to the starting thread.
func spawn(program, config string) (*child, error) {
	c := &child{cmd: exec.Command(program, "-c", config), done: make(chan struct{})}
	c.cmd.SysProcAttr = dieWithParent()
	c.cmd.Stdout, c.cmd.Stderr = &c.tail, &c.tail
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		if err := c.cmd.Start(); err != nil {
			started <- fmt.Errorf("broker: start %s: %w", program, err)
			return
		}
		c.pid = c.cmd.Process.Pid
		started <- nil
		_ = c.cmd.Wait() // how it ended is in lastWords
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// end asks the process to end, kills it after limit, and returns when it is gone. A limit of 0 kills at once.
func (c *child) end(limit time.Duration) {
	if limit > 0 {
		_ = askToEnd(c.cmd.Process) // already gone is as good
		t := time.NewTimer(limit)
		defer t.Stop()
		select {
		case <-c.done:
			return
		case <-t.C:
		}
	}
	_ = c.cmd.Process.Kill()
	<-c.done
}

func (c *child) lastWords() string {
	if s := strings.TrimSpace(c.tail.String()); s != "" {
		return s
	}
	return "it said nothing"
}

// tail keeps the newest 4 KiB that were written: enough for an error message, whatever a process says.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 4 << 10

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
