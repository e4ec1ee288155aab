//go:build !linux

package main

import (
	"context"
	"errors"
)

// FaultsCmd needs Linux.
type FaultsCmd struct{}

// Run says so.
func (c *FaultsCmd) Run(context.Context) error {
	return errors.New("bench faults needs Linux: strace(1), mount namespaces and ext4")
}
