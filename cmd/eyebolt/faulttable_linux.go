package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// fault is one row of the table.
type fault struct {
	name, family, say string
	ahead             bool // the courier waits until it has begun; else it comes while he goes on
	disk, trace, step bool // what it needs: a disk of its own; strace; a clock that can be stepped
	nothing           bool // nothing can become durable while it lasts
	silent            bool // the hub says nothing for longer than the dead man's switch (S14)
	wakes             bool // the hub has stood still, and must know it (S6)
	quick             bool // it is over so soon that it may begin before the visit does
	lies              bool // the disk drops what it has said to be durable: then verify must name it
	play              func(ctx context.Context, r *faultRun) error
}

// The moments of a visit, in their order: about to say that he is there (for what ends the hub at once alone), arrived, every check green, about to slide, slid, bolt on its way, bolt drawn, parcel placed,
// about to close the door, closed, proven secured, said to be out, released.
var faultMoments = []string{"arrive", "arming", "ready", "slide", "deciding", "unlocking", "unlocked", "open", "closing", "closed", "secured", "out", "tail"}

// before are the moments from which on a slide is still to come.
var before = []string{"arming", "ready", "slide"}

// faults is the table.
var faults = []fault{
	{name: "none", family: "none", say: "an honest visit", play: func(_ context.Context, r *faultRun) error { r.hit("nothing happens"); return nil }},

	{name: "kill9", family: "kill", say: "killed at a random instant, started again at once", quick: true, play: func(ctx context.Context, r *faultRun) error {
		r.hit("kill -9")
		r.home.kill()
		return r.home.start(ctx)
	}},
	{name: "kill9-at-fdatasync", family: "kill", say: "killed as it is about to make something durable", ahead: true, trace: true, quick: true, play: killAt("fdatasync,fsync", 3)},
	{name: "kill9-at-pwrite64", family: "kill", say: "killed as it is about to write to a file", ahead: true, trace: true, quick: true, play: killAt("pwrite64", 6)},
	{name: "kill9-at-write", family: "kill", say: "killed as it is about to write to a socket or a file", ahead: true, trace: true, quick: true, play: killAt("write", 12)},
	{name: "kill9-at-openat", family: "kill", say: "killed as it is about to open a file", ahead: true, trace: true, play: killAt("openat", 2)},
	{name: "kill9-at-rename", family: "kill", say: "killed as it is about to rename a file", ahead: true, trace: true, play: killAt("/^rename", 1)},
	{name: "kill9-dead", family: "kill", say: "the plug is pulled: killed, and started 4 s later", silent: true, play: func(ctx context.Context, r *faultRun) error {
		r.hit("kill -9, and nothing for 4 s")
		r.home.kill()
		if err := r.silence(ctx, 4*time.Second); err != nil {
			return err
		}
		return r.home.start(ctx)
	}},

	{name: "stop-1s", family: "stop", say: "SIGSTOP, and SIGCONT 1 s later", wakes: true, play: stopFor(time.Second)},
	{name: "stop-3s", family: "stop", say: "SIGSTOP, and SIGCONT 3 s later", wakes: true, silent: true, play: stopFor(3500 * time.Millisecond)},
	{name: "stop-10s", family: "stop", say: "SIGSTOP, and SIGCONT 10 s later", wakes: true, silent: true, play: stopFor(10 * time.Second)},

	{name: "fsync-eio", family: "disk", say: "fdatasync and fsync fail with EIO for a while: written, and not durable", ahead: true, trace: true, nothing: true, play: failing(bounded, "fdatasync,fsync:error=EIO")},
	{name: "fsync-eio-forever", family: "disk", say: "the same until somebody sees to it", ahead: true, trace: true, nothing: true, play: failing(forever, "fdatasync,fsync:error=EIO")},
	{name: "fsync-eio-once", family: "disk", say: "each thread's next fdatasync fails with EIO", ahead: true, trace: true, play: failing(bounded, "fdatasync,fsync:error=EIO:when=1")},
	{name: "pwrite-eio", family: "disk", say: "pwrite64 fails with EIO for a while: not written", ahead: true, trace: true, nothing: true, play: failing(bounded, "pwrite64:error=EIO")},
	{name: "pwrite-eio-forever", family: "disk", say: "the same until somebody sees to it", ahead: true, trace: true, nothing: true, play: failing(forever, "pwrite64:error=EIO")},
	{name: "pwrite-enospc", family: "disk", say: "pwrite64 fails with ENOSPC for a while", ahead: true, trace: true, nothing: true, play: failing(bounded, "pwrite64:error=ENOSPC")},
	{name: "pwrite-enospc-some", family: "disk", say: "every third pwrite64 of a thread fails with ENOSPC for a while", ahead: true, trace: true, play: failing(bounded, "pwrite64:error=ENOSPC:when=1+3")},
	{name: "open-emfile", family: "disk", say: "openat fails with EMFILE for a while", ahead: true, trace: true, play: failing(bounded, "openat:error=EMFILE")},
	{name: "rename-eio", family: "disk", say: "renames fail with EIO until somebody sees to it", ahead: true, trace: true, play: failing(forever, "/^rename:error=EIO")},
	{name: "fsync-slow", family: "disk", say: "each fdatasync takes 0.4 s for a while", ahead: true, trace: true, play: failing(bounded, "fdatasync,fsync:delay_enter=400000")},
	{name: "fsync-hangs", family: "disk", say: "each fdatasync takes 3 s until somebody sees to it", ahead: true, trace: true, nothing: true, play: failing(forever, "fdatasync,fsync:delay_enter=3000000")},

	{name: "disk-full", family: "filesystem", say: "the filesystem is full until the visit is over", ahead: true, disk: true, play: func(ctx context.Context, r *faultRun) error {
		if err := r.home.disk.fill(); err != nil {
			return err
		}
		r.hit("the disk is full")
		r.lasts(ctx)
		r.line("disk", "has space again")
		return r.home.disk.empty()
	}},
	{name: "disk-readonly", family: "filesystem", say: "ext4 aborts: read-only until it is mounted anew", ahead: true, disk: true, nothing: true, play: func(ctx context.Context, r *faultRun) error {
		if err := r.home.disk.aborts(ctx); err != nil {
			return err
		}
		r.hit("the filesystem is read-only")
		r.lasts(ctx)
		return r.remounted(ctx)
	}},
	{name: "disk-dies", family: "filesystem", say: "the disk is gone (EXT4_IOC_SHUTDOWN): EIO until it is mounted anew", ahead: true, disk: true, nothing: true, play: func(ctx context.Context, r *faultRun) error {
		if err := r.home.disk.dies(); err != nil {
			return err
		}
		r.hit("the disk is gone")
		r.lasts(ctx)
		return r.remounted(ctx)
	}},
	{name: "power-cut", family: "filesystem", say: "power cut: what was not on the disk is lost", disk: true, quick: true, play: func(ctx context.Context, r *faultRun) error {
		r.hit("power cut")
		if err := r.cut(); err != nil {
			return err
		}
		return r.remounted(ctx)
	}},
	{name: "power-cut-at-fdatasync", family: "filesystem", say: "power cut as it is about to make something durable", ahead: true, disk: true, trace: true, quick: true, play: func(ctx context.Context, r *faultRun) error {
		return r.traced(ctx, func() error {
			// The process stands in the call for as long as it takes to cut the power.
			if err := sleep(ctx, time.Duration(20+r.rng.IntN(800))*time.Millisecond); err != nil {
				return err
			}
			return r.cut()
		}, true, "fdatasync,fsync:delay_enter=400000")
	}},
	{name: "fsync-lies", family: "filesystem", say: "fdatasync and fsync say yes and do nothing; then a power cut", ahead: true, disk: true, trace: true, lies: true, play: func(ctx context.Context, r *faultRun) error {
		return r.traced(ctx, func() error {
			if err := sleep(ctx, time.Duration(1000+r.rng.IntN(2500))*time.Millisecond); err != nil {
				return err
			}
			r.line("fault", "power cut")
			return r.cut()
		}, true, "fdatasync,fsync:retval=0")
	}},

	{name: "clock-forward-1h", family: "clock", say: "the hub's time of day is put 1 h forward", ahead: true, step: true, play: stepBy(time.Hour)},
	{name: "clock-back-1h", family: "clock", say: "the hub's time of day is put 1 h back", ahead: true, step: true, play: stepBy(-time.Hour)},
	{name: "clock-forward-3s", family: "clock", say: "… 3 s forward", ahead: true, step: true, play: stepBy(3 * time.Second)},
	{name: "clock-back-1y", family: "clock", say: "… a year back", ahead: true, step: true, play: stepBy(-365 * 24 * time.Hour)},
}

// killAt kills the hub in a call of this kind: in a thread's first one, or in one of the next up to most.
func killAt(call string, most int) func(context.Context, *faultRun) error {
	return func(ctx context.Context, r *faultRun) error {
		r.home.expect(true)
		t, err := trace(ctx, r.home.pid(), fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, 1+r.rng.IntN(most)))
		if err != nil {
			return err
		}
		r.hit("kill -9 waits at " + call)
		child := r.home.process()
		select {
		case <-child.done:
			r.line("fault", "killed")
		case <-r.gone:
			r.note("no such call came in this visit: killed at its end")
		case <-time.After(20 * time.Second):
			r.note("no such call came within 20 s: killed then")
		case <-ctx.Done():
		}
		r.home.kill()
		t.stop()
		return r.home.start(ctx)
	}
}

// stopFor stops the hub for so long.
func stopFor(d time.Duration) func(context.Context, *faultRun) error {
	return func(ctx context.Context, r *faultRun) error {
		process := r.home.process().cmd.Process
		r.hit("SIGSTOP")
		if err := process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		r.home.mu.Lock()
		r.home.downs = append(r.home.downs, faultSpan{from: r.home.now()})
		r.home.mu.Unlock()
		err := r.silence(ctx, d)
		r.home.up()
		r.woke(r.home.now())
		r.line("fault", "SIGCONT")
		if e := process.Signal(syscall.SIGCONT); e != nil {
			return e
		}
		return err
	}
}

// How long a disk fails.
const (
	bounded = iota // 0.5 to 3 s
	forever        // until the visit is over, the hub is ended and the disk is another one
)

// failing has system calls fail.
func failing(how int, inject string) func(context.Context, *faultRun) error {
	return func(ctx context.Context, r *faultRun) error {
		return r.traced(ctx, func() error {
			if how == bounded {
				return sleep(ctx, time.Duration(500+r.rng.IntN(2500))*time.Millisecond)
			}
			r.lasts(ctx)
			r.line("fault", "kill -9, and a disk that works")
			r.home.kill()
			return nil
		}, how == forever, inject)
	}
}

// stepBy steps the hub's time of day until it is started anew.
func stepBy(by time.Duration) func(context.Context, *faultRun) error {
	return func(ctx context.Context, r *faultRun) error {
		if err := stepClock(r.home.pid(), by); err != nil {
			return err
		}
		r.stepped = by
		r.hit(fmt.Sprintf("the hub's clock is stepped by %v", by))
		r.lasts(ctx)
		r.line("fault", "kill -9, and a clock that is right")
		r.home.kill()
		return r.home.start(ctx)
	}
}
