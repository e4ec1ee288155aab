package main

import (
	"os"
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

func TestMedianOfTurns(t *testing.T) {
	got := median([]stint{{CPU: 3, RSS: 10, PSS: 1}, {CPU: 1, RSS: 30, PSS: 2}, {CPU: 2, RSS: 20, PSS: 9}})
	if got != (stint{CPU: 2, RSS: 20, PSS: 2}) {
		t.Errorf("got %+v", got)
	}
	if got := median([]stint{{CPU: 1}, {CPU: 2}}); got.CPU != 1.5 {
		t.Errorf("of two: %+v", got)
	}
}
