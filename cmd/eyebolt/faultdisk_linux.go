package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// faultDisk is a filesystem of the hub's own: ext4 in a file, mounted in this process's mount namespace. It can be full, read-only,
// dead, and without power.
type faultDisk struct {
	image, at string
}

// diskMB is the size of that filesystem: the films of some fifty short visits.
const diskMB = 256

// ioctlShutdown is ext4's EXT4_IOC_SHUTDOWN; noLogFlush has it forget what is not on the disk yet, its journal included, as a power cut
// does (Linux, fs/ext4/ext4.h).
const (
	ioctlShutdown = 0x8004587d
	noLogFlush    = 2
)

// newFaultDisk makes and mounts one in dir.
func newFaultDisk(ctx context.Context, dir string) (*faultDisk, error) {
	d := &faultDisk{image: filepath.Join(dir, "disk.img"), at: filepath.Join(dir, "disk")}
	f, err := os.OpenFile(d.image, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(diskMB<<20), f.Close(), os.Mkdir(d.at, 0o700)); err != nil {
		return nil, err
	}
	// No blocks are kept for root: a full disk is full for the hub, too.
	if err := tool(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", d.image); err != nil {
		return nil, err
	}
	return d, d.mount(ctx)
}

func (d *faultDisk) mount(ctx context.Context) error {
	return tool(ctx, "mount", "-o", "loop", d.image, d.at)
}

// unmount waits for a process that was killed to let go of its files.
func (d *faultDisk) unmount(ctx context.Context) error {
	var err error
	for range 50 {
		if err = unix.Unmount(d.at, 0); !errors.Is(err, unix.EBUSY) {
			return err
		}
		if e := sleep(ctx, 100*time.Millisecond); e != nil {
			return e
		}
	}
	return err
}

// again mounts it anew, as a machine that has started does: the journal is replayed.
func (d *faultDisk) again(ctx context.Context) error {
	if err := d.unmount(ctx); err != nil {
		return fmt.Errorf("unmount: %w", err)
	}
	return d.mount(ctx)
}

// dies has everything that is not on the disk lost, and everything that follows fail with EIO.
func (d *faultDisk) dies() error {
	f, err := os.Open(d.at)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return unix.IoctlSetPointerInt(int(f.Fd()), ioctlShutdown, noLogFlush)
}

// aborts makes it read-only under its users, as ext4 does of itself when its disk fails (mount option errors=remount-ro).
func (d *faultDisk) aborts(ctx context.Context) error {
	return tool(ctx, "mount", "-o", "remount,abort", d.at)
}

// fill takes all space; empty gives it back.
func (d *faultDisk) fill() error {
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	size := int64(0)
	for step := int64(64 << 20); step >= 4096; {
		if err := unix.Fallocate(int(f.Fd()), 0, size, step); err != nil {
			step /= 2
			continue
		}
		size += step
	}
	return f.Close()
}

func (d *faultDisk) empty() error { return os.Remove(d.filler()) }

func (d *faultDisk) filler() string { return filepath.Join(d.at, "filler") }

// tool runs a program of the system.
func tool(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
