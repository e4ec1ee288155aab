//go:build !linux

package matter_test

import (
	"os/exec"
	"syscall"
)

// The Matter server's room is made of Linux namespaces.

func enterRoom() (code int, elsewhere bool, err error) { return 0, false, nil }

func furnish() (dir, root string, keeper *exec.Cmd, err error) { return "", "", nil, errNoRoom }

func inRoot(*exec.Cmd, string) {}

const (
	stop = syscall.Signal(-1)
	goOn = syscall.Signal(-1)
)
