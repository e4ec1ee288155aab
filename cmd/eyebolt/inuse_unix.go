//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// inUse keeps every other Eyebolt away from a state folder until release: two of them would drive one lock, and write one record. The
// system releases it when this process ends, however it ends.
func inUse(state string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(state, "in-use"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("state folder %s is in use: a hub, a set-up or a walk test runs on it. Stop that first: two of them must not drive one lock", state)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
