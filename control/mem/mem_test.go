package mem_test

import (
	"testing"

	"eyebolt/control"
	"eyebolt/control/mem"
	"eyebolt/control/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) control.Store { return mem.New() })
}
