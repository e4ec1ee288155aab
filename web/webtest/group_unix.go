//go:build unix

package webtest

import (
	"os/exec"
	"syscall"
)

// ownGroup puts Chromium and its helpers into a process group of their own, so that killGroup ends them all and nobody else.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
