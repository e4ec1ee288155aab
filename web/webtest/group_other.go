//go:build !unix

package webtest

import "os/exec"

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func stepBack(*exec.Cmd) {}
