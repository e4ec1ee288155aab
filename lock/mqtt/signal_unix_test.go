//go:build unix

package mqtt_test

import "syscall"

const (
	stop = syscall.SIGSTOP
	goOn = syscall.SIGCONT
)
