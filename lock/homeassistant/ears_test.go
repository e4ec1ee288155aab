package homeassistant_test

import (
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/locktest"
)

var (
	well = locktest.Well
	ill  = locktest.Ill
	bolt = locktest.Bolt
)

func open(t testing.TB, now func() time.Duration, s homeassistant.Settings) (lock.Lock, *locktest.Ears) {
	t.Helper()
	e := &locktest.Ears{}
	l, err := homeassistant.Open(t.Context(), lock.Config{Name: "door", Now: now, Settings: s}, e.Report)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, e
}
