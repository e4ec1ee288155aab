//go:build !unix

package homeassistant_test

import "syscall"

// Signals that no process takes here.
const (
	stop = syscall.Signal(-1)
	goOn = syscall.Signal(-1)
)
