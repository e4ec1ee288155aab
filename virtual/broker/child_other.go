//go:build !linux

package broker

import "syscall"

// dieWithParent has no counterpart here: a killed parent leaves its broker behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
