package webtest

import (
	"sync"
	"testing"
)

// shared is the Chromium of this test binary, started by the first who asks.
var shared struct {
	sync.Mutex
	chromium *chromium
}

// Shared gives a test its share of one Chromium that serves the whole test binary. Each page still has a profile of its own:
// cookies, storage, cache, passkeys and viewport are nobody else's, and the test's pages end with the test. A Chromium that died
// is replaced, so that one crash fails one test. TestMain must be Main, which ends it.
func Shared(tb testing.TB) *Browser {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.chromium != nil && shared.chromium.gone() {
		shared.chromium.stop()
		shared.chromium = nil
	}
	if shared.chromium == nil {
		c, err := launch()
		if err != nil {
			tb.Fatal(err)
		}
		shared.chromium = c
	}
	b := &Browser{tb: tb, chromium: shared.chromium}
	tb.Cleanup(b.closePages)
	return b
}

// Main runs the tests of a binary whose tests share a Chromium, and ends it; it gives the exit code.
func Main(m *testing.M) int {
	defer func() {
		shared.Lock()
		defer shared.Unlock()
		if shared.chromium != nil {
			shared.chromium.stop()
			shared.chromium = nil
		}
	}()
	return m.Run()
}
