package eye

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel end the child when we are killed.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
