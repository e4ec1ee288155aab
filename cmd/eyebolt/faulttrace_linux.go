package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tracer is strace(1) that tampers with a process's system calls. The process is the shipped one, and does not know.
type tracer struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// trace attaches to every thread of pid and gives back when it has. Each of inject is what strace's --inject takes:
// SYSCALL:error=EIO, :retval=0, :delay_enter=µs, :signal=SIGKILL:when=N. Strace counts N for each thread.
func trace(ctx context.Context, pid int, inject ...string) (*tracer, error) {
	args, names := []string{"-f", "-o", "/dev/null", "-p", strconv.Itoa(pid)}, []string{}
	for _, i := range inject {
		call, _, _ := strings.Cut(i, ":")
		names = append(names, call)
		args = append(args, "-e", "inject="+i)
	}
	args = append(args, "-e", "trace="+strings.Join(names, ","))
	t := &tracer{cmd: exec.CommandContext(ctx, "strace", args...), done: make(chan struct{})}
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us: it detaches when we say so
	said, err := t.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("strace: %w", err)
	}
	attached := make(chan string, 1)
	go func() {
		defer close(t.done)
		first, scan := true, bufio.NewScanner(said)
		for scan.Scan() {
			if first {
				attached <- scan.Text()
				first = false
			}
		}
		close(attached)
		_ = t.cmd.Wait()
	}()
	select {
	case line := <-attached:
		if !strings.Contains(line, "attached") {
			t.stop()
			return nil, fmt.Errorf("strace does not attach: %s", line)
		}
		return t, nil
	case <-time.After(10 * time.Second):
		t.stop()
		return nil, errors.New("strace does not attach within 10 s")
	}
}

// stop detaches; the process goes on undisturbed.
func (t *tracer) stop() {
	_ = t.cmd.Process.Signal(os.Interrupt)
	select {
	case <-t.done:
	case <-time.After(5 * time.Second):
		_ = t.cmd.Process.Kill()
		<-t.done
	}
}
