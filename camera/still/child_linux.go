package still

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// confine gives the process a group of its own, its parent's death, and, if alone, a network without any device.
func confine(cmd *exec.Cmd, alone bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if alone {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
	}
}

// forbidden says whether the kernel refuses namespaces to us, as it does within many containers.
func forbidden(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EUSERS)
}

// Limits of a decoder. 4K needs 400 MB of address space; ten minutes of processor time are a thousand times a visit's.
var limits = []struct {
	what  int
	value uint64
}{
	{syscall.RLIMIT_AS, 1 << 30},
	{syscall.RLIMIT_CPU, 600},
	{syscall.RLIMIT_FSIZE, 0},
	{syscall.RLIMIT_CORE, 0},
	{syscall.RLIMIT_NOFILE, 64},
}

// limit sets them before the process was given a byte, and lets everything else on the machine go first.
func limit(pid int) error {
	for _, l := range limits {
		r := syscall.Rlimit{Cur: l.value, Max: l.value}
		if _, _, e := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(l.what), uintptr(unsafe.Pointer(&r)), 0, 0, 0); e != 0 {
			return fmt.Errorf("the decoder's limits could not be set: %w", e)
		}
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, pid, 10) // a wish
	return nil
}

func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // gone already is as good
	_ = p.Kill()
}
