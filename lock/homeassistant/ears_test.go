package homeassistant_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
)

// ears collect what a driver reports.
type ears struct {
	mu  sync.Mutex
	all []lock.Report
}

func (e *ears) report(r lock.Report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, r)
}

func (e *ears) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.all)
}

func (e *ears) since(from int) []lock.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all[min(from, len(e.all)):])
}

func (e *ears) wait(t testing.TB, from int, what string, fits func(lock.Report) bool) (lock.Report, int) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		all := e.since(from)
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

func well(r lock.Report) bool { return r.What == lock.OfHealth && r.OK }

func ill(text string) func(lock.Report) bool {
	return func(r lock.Report) bool {
		return r.What == lock.OfHealth && !r.OK && strings.Contains(r.Err.Error(), text)
	}
}

func bolt(b lock.Bolt) func(lock.Report) bool {
	return func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == b }
}

func open(t testing.TB, now func() time.Duration, s homeassistant.Settings) (lock.Lock, *ears) {
	t.Helper()
	e := &ears{}
	l, err := homeassistant.Open(t.Context(), lock.Config{Name: "door", Now: now, Settings: s}, e.report)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, e
}
