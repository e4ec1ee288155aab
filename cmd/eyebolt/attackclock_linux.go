package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// turnsClock turns a clock for d (T15), by the town's steps: in its first six ways the hub's, in the others the service's.
func (r *attackRun) turnsClock(ctx context.Context, d time.Duration, how uint32) error {
	by := []time.Duration{-time.Hour, time.Hour, -24 * time.Hour, 5 * time.Second, -5 * time.Second, 24 * time.Hour}[how%6]
	step := func(by time.Duration) error { return stepClock(r.home.pid(), by) }
	if how/6%2 != 0 {
		step = func(by time.Duration) error { return stepOwnClock(ctx, by) }
	}
	if err := step(by); err != nil {
		return err
	}
	_ = sleep(ctx, d)
	return step(0)
}

// ownStep is by how much this process's clock is off now; one goroutine at a time turns it.
var ownStep time.Duration

// stepOwnClock steps the time of day of this process, in which the service runs, and with it that of the pretend people. A process must stand
// still for it: another one does it.
func stepOwnClock(ctx context.Context, by time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	was, at := time.Now().Round(0), time.Now()
	stepped := ownStep
	out, err := exec.CommandContext(ctx, self, "bench", "step-clock", "--", strconv.Itoa(os.Getpid()), by.String()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("this process's clock is not stepped: %w: %s", err, out)
	}
	ownStep = by
	if off := time.Now().Round(0).Sub(was) - time.Since(at) - (by - stepped); off.Abs() > time.Second {
		return fmt.Errorf("this process's clock was stepped by %v too much", off)
	}
	return nil
}

// StepClockCmd steps the time of day of one process.
type StepClockCmd struct {
	PID int           `arg:""`
	By  time.Duration `arg:"" help:"From this machine's own time; whole seconds."`
}

// Run steps it.
func (c *StepClockCmd) Run() error { return stepClock(c.PID, c.By) }
