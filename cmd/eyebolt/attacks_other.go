//go:build !linux

package main

import (
	"context"
	"errors"
)

// AttacksCmd needs Linux.
type AttacksCmd struct{}

// Run says so.
func (c *AttacksCmd) Run(context.Context) error {
	return errors.New("bench attacks needs Linux: its hub is a process of its own that is stopped and killed")
}

// StepClockCmd needs Linux.
type StepClockCmd struct{}

// Run says so.
func (c *StepClockCmd) Run() error { return errors.New("bench step-clock needs Linux") }
