package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
	"eyebolt/virtual/eye"
)

// peerTurn has MediaMTX record every camera, and measures it and the hub, which only watches meanwhile.
func (w *watched) peerTurn(ctx context.Context, length time.Duration, program, dir string) (theirs, ours stint, err error) {
	dir = filepath.Join(dir, "mediamtx")
	if err := os.RemoveAll(dir); err != nil {
		return theirs, ours, err
	}
	if err := private(dir); err != nil {
		return theirs, ours, err
	}
	port, err := freePort()
	if err != nil {
		return theirs, ours, err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, "logLevel: error\nrtspAddress: 127.0.0.1:%d\nrtspTransports: [tcp]\nrtmp: no\nhls: no\nwebrtc: no\nsrt: no\nmoq: no\napi: no\n"+
		"pathDefaults:\n  record: yes\n  recordFormat: fmp4\n  recordPath: %s/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f\npaths:\n", port, dir)
	for i, cam := range w.town.house.cameras {
		fmt.Fprintf(&conf, "  cam%d:\n    source: %s\n    rtspTransport: tcp\n", i, cam.URL())
	}
	file := filepath.Join(dir, "mediamtx.yml")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		return theirs, ours, err
	}
	cmd := exec.CommandContext(ctx, program, file)
	cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return theirs, ours, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return theirs, ours, fmt.Errorf("mediamtx: %w", err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	files := func() int {
		all, _ := filepath.Glob(filepath.Join(dir, "cam*", "*.mp4"))
		return len(all)
	}
	if err := waitFor(ctx, time.Minute, func() bool { return files() >= w.n }); err != nil {
		said, _ := os.ReadFile(filepath.Join(dir, "log"))
		return theirs, ours, fmt.Errorf("mediamtx records %d of %d cameras after a minute: %s", files(), w.n, clipText(string(said), 500))
	}
	if err := sleep(ctx, watchWarm); err != nil {
		return theirs, ours, err
	}
	got, err := w.measure(ctx, length, nil, cmd.Process.Pid, w.town.house.child.cmd.Process.Pid)
	if err != nil {
		return theirs, ours, err
	}
	return got[0].own, got[1].own, nil
}

func clipText(s string, n int) string { return s[:min(n, len(s))] }

// judgeCost is what judging one picture takes.
type judgeCost struct {
	Ns       float64 `json:"ns_per_picture"`
	Allocs   float64 `json:"allocs_per_picture"`
	Pictures int     `json:"pictures"`
}

// judgeTap keeps pictures of the run's own cameras, to measure their judging alone.
type judgeTap struct {
	stop  func()
	given atomic.Uint64 // pictures that each camera has given

	mu  sync.Mutex
	all []camera.Picture
}

// tapPictures are twenty seconds.
const tapPictures = 300

func tapJudge(s *eye.Source) *judgeTap {
	t := &judgeTap{}
	t.stop = s.Subscribe(func(u eye.Unit) {
		t.given.Add(1)
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.all) < tapPictures && (u.Key || len(t.all) > 0) {
			t.all = append(t.all, camera.Picture{Key: u.Key, NALs: u.NALs})
		}
	})
	return t
}

// cost judges the pictures with fresh judges, and gives the cheapest of twenty runs: what is beyond it is the machine's.
func (t *judgeTap) cost() judgeCost {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := judgeCost{Pictures: len(t.all)}
	if c.Pictures == 0 {
		return c
	}
	const period = time.Second / watchFPS
	for i := range t.all {
		t.all[i].Media, t.all[i].Arrival = time.Duration(i)*period, time.Duration(i+1)*period
	}
	for range 20 {
		j := liveness.New(liveness.Config{})
		j.Opened(0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		for i := range t.all {
			j.Picture(t.all[i])
		}
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		n := float64(c.Pictures)
		ns, allocs := float64(took.Nanoseconds())/n, float64(after.Mallocs-before.Mallocs)/n
		if c.Ns == 0 || ns < c.Ns {
			c.Ns, c.Allocs = ns, allocs
		}
	}
	return c
}
