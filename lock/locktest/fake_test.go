package locktest

import (
	"testing"
	"time"

	"eyebolt/lock"
)

func TestFake(t *testing.T) {
	Run(t, func(t *testing.T) Harness {
		start := time.Now()
		now := func() time.Duration { return time.Since(start) }
		f := NewFake(FakeConfig{Now: now, Travel: 5 * time.Millisecond, Delay: time.Millisecond, LateBy: 100 * time.Millisecond})
		t.Cleanup(f.Close)
		return Harness{Open: f.Open, Config: lock.Config{Name: "fake", Now: now}, World: f}
	})
}
