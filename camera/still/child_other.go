//go:build !linux

package still

import (
	"os"
	"os/exec"
)

// Elsewhere the process has no limits but its arguments, its pipes and the time that it is given.

func confine(*exec.Cmd, bool) {}

func forbidden(error) bool { return false }

func limit(int) error { return nil }

func killGroup(p *os.Process) { _ = p.Kill() } // gone already is as good
