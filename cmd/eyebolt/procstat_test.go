package main

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// What is measured of a process is what it used: this one burns processor time and holds memory, and both are seen.
func TestUsageOfAProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux's /proc")
	}
	before, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	held := make([]byte, 64<<20)
	for n := 0; ; n++ {
		for i := range held {
			held[i] += byte(i + n)
		}
		after, err := usageOf(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if used := after.cpu - before.cpu; used < 200*time.Millisecond {
			continue
		} else if wall := after.at.Sub(before.at); used > 2*wall*time.Duration(runtime.NumCPU()) {
			t.Errorf("%v of processor time in %v", used, wall)
		}
		if more := after.rss - before.rss; more < 60<<20 || more > 200<<20 {
			t.Errorf("%d bytes more in memory, 64 MiB are held", more)
		}
		if after.pss <= 0 || after.pss > after.rss {
			t.Errorf("pss %d, rss %d", after.pss, after.rss)
		}
		break
	}
	runtime.KeepAlive(held)
	if _, err := usageOf(1 << 30); err == nil {
		t.Error("a process that does not exist was measured")
	}
}

// What a process's children use is counted once, whether they still live or have been waited for.
func TestUsageOfChildren(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux's /proc")
	}
	before, err := kinOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sh", "-c", "while :; do :; done")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { _, _ = child.Process.Kill(), child.Wait() }()
	var alive usage
	if err := waitFor(t.Context(), time.Minute, func() bool {
		alive, err = kinOf(os.Getpid())
		return err != nil || alive.cpu-before.cpu >= 200*time.Millisecond
	}); err != nil {
		t.Fatal(err)
	}
	if alive.pss <= before.pss {
		t.Errorf("pss %d, and %d without the child", alive.pss, before.pss)
	}
	_ = child.Process.Kill()
	if err := child.Wait(); err == nil {
		t.Fatal("it was not killed")
	}
	gone, err := kinOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	spent := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	if got := gone.cpu - before.cpu; got < spent-2*tickLength || got > spent+2*tickLength {
		t.Errorf("counted %v of a child that used %v", got, spent)
	}
}

func TestMedianOfTurns(t *testing.T) {
	got := median([]stint{{CPU: 3, RSS: 10, PSS: 1}, {CPU: 1, RSS: 30, PSS: 2}, {CPU: 2, RSS: 20, PSS: 9}})
	if got != (stint{CPU: 2, RSS: 20, PSS: 2}) {
		t.Errorf("got %+v", got)
	}
	if got := median([]stint{{CPU: 1}, {CPU: 2}}); got.CPU != 1.5 {
		t.Errorf("of two: %+v", got)
	}
}
