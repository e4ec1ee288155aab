package locktest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
)

// Ears collect what a driver reports: for its own tests, beside the suite.
type Ears struct {
	mu  sync.Mutex
	all []lock.Report
}

// Report is what a driver is opened with.
func (e *Ears) Report(r lock.Report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, r)
}

// Count is how many came.
func (e *Ears) Count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.all)
}

// Since gives those after the first from.
func (e *Ears) Since(from int) []lock.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all[min(from, len(e.all)):])
}

// Wait gives the first of them that fits, and what comes after it begins at.
func (e *Ears) Wait(t testing.TB, from int, what string, fits func(lock.Report) bool) (lock.Report, int) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		all := e.Since(from)
		for i, r := range all {
			if fits(r) {
				return r, from + i + 1
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("never reported: %s; reported since: %+v", what, all)
		}
		<-tick.C
	}
}

// Well fits a report of health.
func Well(r lock.Report) bool { return r.What == lock.OfHealth && r.OK }

// Ill fits one of none, whose words hold text.
func Ill(text string) func(lock.Report) bool {
	return func(r lock.Report) bool {
		return r.What == lock.OfHealth && !r.OK && strings.Contains(r.Err.Error(), text)
	}
}

// Bolt fits a bolt that is so.
func Bolt(b lock.Bolt) func(lock.Report) bool {
	return func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == b }
}
