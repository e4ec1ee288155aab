package main

import (
	"bytes"
	"fmt"
	"os"
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
	// The name, in parentheses, may hold anything; utime and stime are the 14th and 15th field.
	_, rest, ok := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 13 {
		return u, fmt.Errorf("%sstat: %q", dir, stat)
	}
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u, fmt.Errorf("%sstat: %w", dir, err)
		}
		u.cpu += time.Duration(n) * tickLength
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
