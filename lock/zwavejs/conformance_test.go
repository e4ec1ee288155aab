package zwavejs_test

import (
	"testing"

	"eyebolt/lock/locktest"
)

// The suite against the real server. What goes and comes is the server: it starts with what it remembers.
func TestConformanceZWaveJS(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newWorld(t).harness() })
}
