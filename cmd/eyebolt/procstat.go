package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tickLength is the unit of the times in /proc/PID/stat: USER_HZ is 100 on every Linux that Go runs on (proc(5)).
const tickLength = 10 * time.Millisecond

// usage is what a process has used.
type usage struct {
	at  time.Time
	cpu time.Duration // user and system time of all its threads, those that ended included
	kin time.Duration // of its child processes: those that it has waited for, with all that they had waited for
	rss int64         // bytes
	pss int64         // bytes; what is shared with other processes is divided among them
}

// usageOf reads a process's usage (proc(5): stat, smaps_rollup).
func usageOf(pid int) (usage, error) {
	u := usage{at: time.Now()}
	dir := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return u, fmt.Errorf("measuring needs Linux's /proc: %w", err)
	}
	// The name, in parentheses, may hold anything; utime, stime, cutime and cstime are the 14th to 17th field.
	_, rest, ok := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 15 {
		return u, fmt.Errorf("%sstat: %q", dir, stat)
	}
	for i, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u, fmt.Errorf("%sstat: %w", dir, err)
		}
		if i < 2 {
			u.cpu += time.Duration(n) * tickLength
		} else {
			u.kin += time.Duration(n) * tickLength
		}
	}
	maps, err := os.ReadFile(dir + "smaps_rollup")
	if err != nil {
		return u, fmt.Errorf("measuring memory: %w", err)
	}
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "Rss:" && f[0] != "Pss:" {
			continue
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return u, fmt.Errorf("%ssmaps_rollup: %w", dir, err)
		}
		if f[0] == "Rss:" {
			u.rss = n << 10
		} else {
			u.pss = n << 10
		}
	}
	return u, nil
}

// kinOf sums what a process's children use and have used: the difference of two of its cpu is what they used between, whichever of
// them began or ended meanwhile (their times move from the child's own account to its parent's).
func kinOf(pid int) (sum usage, err error) {
	u, err := usageOf(pid)
	if err != nil {
		return sum, err
	}
	sum.at, sum.cpu = u.at, u.kin
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // each thread has its own
	if err != nil {
		return sum, err
	}
	for _, list := range lists {
		pids, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended: the children of one that did are another's
		}
		for _, f := range strings.Fields(string(pids)) {
			child, err := strconv.Atoi(f)
			if err != nil {
				return sum, fmt.Errorf("%s: %w", list, err)
			}
			k, err := usageOf(child)
			if err != nil {
				continue // it has ended since
			}
			sum.cpu += k.cpu + k.kin
			sum.rss += k.rss
			sum.pss += k.pss
		}
	}
	return sum, nil
}
