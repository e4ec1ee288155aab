//go:build unix

package zwavejs_test

import "syscall"

const (
	stop = syscall.SIGSTOP
	goOn = syscall.SIGCONT
)
