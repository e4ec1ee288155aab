package broker

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The broker dies with its parent, even one that is killed. The parent here is this test program, run again.
func TestDiesWithParent(t *testing.T) {
	if os.Getenv("EYEBOLT_BROKER_PARENT") != "" {
		b, err := Start(t.Context(), Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("pid", b.PID())
		select {} // until killed
	}
	parent := exec.Command(os.Args[0], "-test.run", "^TestDiesWithParent$")
	parent.Env = append(os.Environ(), "EYEBOLT_BROKER_PARENT=1", "TMPDIR="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if s, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			pid, err = strconv.Atoi(s)
		}
	}
	if pid == 0 || err != nil {
		_ = parent.Process.Kill()
		t.Fatalf("no broker was started: %v", err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for deadline := time.Now().Add(5 * time.Second); !gone(pid); {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("mosquitto %d outlives its parent", pid)
		}
		tick := time.NewTimer(5 * time.Millisecond)
		<-tick.C
	}
}

// gone: no such process, or only its remains, which nobody has collected yet.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
