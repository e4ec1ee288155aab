package matter_test

import (
	"testing"

	"eyebolt/lock/locktest"
)

// The suite against the real server. What goes and comes is the server: it starts with what it remembers.
func TestConformanceMatter(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newWorld(t).harness() })
}
