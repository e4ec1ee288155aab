//go:build unix

package webtest

import (
	"os/exec"
	"syscall"
)

// ownGroup puts Chromium and its helpers into a process group of their own, so that killGroup ends them all and nobody else.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// stepBack gives the group a low priority: the browsers stand for phones, which are machines of their own and take no time
// from the hub that is tested beside them.
func stepBack(cmd *exec.Cmd) { _ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, 10) }
