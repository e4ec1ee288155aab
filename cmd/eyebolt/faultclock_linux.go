package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stepClock moves the time of day (CLOCK_REALTIME) of one process by so many whole seconds, from outside, and leaves its monotonic
// clock and the machine's own alone. A program reads the time through a page of code that the kernel maps into it (vdso(7)); in this
// process's copy of that page, clock_gettime becomes the real system call followed by an addition. The process is stopped meanwhile.
func stepClock(pid int, by time.Duration) (err error) {
	if why := noClock(); why != "" {
		return errors.New(why)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) }()
	from, to, err := vdso(pid)
	if err != nil {
		return err
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = mem.Close() }()
	image := make([]byte, to-from)
	if _, err := mem.ReadAt(image, int64(from)); err != nil {
		return err
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return fmt.Errorf("the vdso of process %d: %w", pid, err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return err
	}
	for _, s := range symbols {
		if s.Name != "__vdso_clock_gettime" {
			continue
		}
		code := clockCode(by)
		if s.Size < uint64(len(code)) {
			return fmt.Errorf("the vdso's clock_gettime has %d bytes, %d are needed", s.Size, len(code))
		}
		for range 100 { // a thread that stands in that code must leave it first
			if !within(pid, from+s.Value, from+s.Value+s.Size) {
				_, err := mem.WriteAt(code, int64(from+s.Value))
				return err
			}
			_ = syscall.Kill(pid, syscall.SIGCONT)
			time.Sleep(time.Millisecond)
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		return errors.New("a thread always stands in clock_gettime")
	}
	return errors.New("this kernel's vdso has no clock_gettime")
}

// noClock says why the clock of a process cannot be stepped here; empty: it can.
func noClock() string {
	switch {
	case runtime.GOARCH != "amd64":
		return "the code that steps a clock is amd64's"
	case os.Geteuid() != 0:
		return "only root may write into another process"
	}
	return ""
}

// clockCode is clock_gettime(id, ts) with by added to the seconds of CLOCK_REALTIME (0).
func clockCode(by time.Duration) []byte {
	code := []byte{
		0xb8, 228, 0, 0, 0, // mov eax, SYS_clock_gettime
		0x0f, 0x05, // syscall
		0x85, 0xff, // test edi, edi
		0x75, 0x0a, // jnz to ret
		0x48, 0x8b, 0x15, 4, 0, 0, 0, // mov rdx, [rip+4]
		0x48, 0x01, 0x16, // add [rsi], rdx
		0xc3, // ret
	}
	return binary.LittleEndian.AppendUint64(code, uint64(int64(by/time.Second)))
}

func vdso(pid int) (from, to uint64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			_, err := fmt.Sscanf(line, "%x-%x", &from, &to)
			return from, to, err
		}
	}
	return 0, 0, errors.New("no vdso is mapped")
}

// within says whether any thread of a stopped process stands in [from, to). One of which that cannot be read counts as standing there:
// it has not stopped yet.
func within(pid int, from, to uint64) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // it is gone
		}
		words := strings.Fields(string(b))
		if len(words) < 2 {
			return true // "running"
		}
		at, err := strconv.ParseUint(strings.TrimPrefix(words[len(words)-1], "0x"), 16, 64)
		if err != nil || at >= from && at < to {
			return true
		}
	}
	return len(tasks) == 0
}
