package run

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
)

func TestTroubleIsSaidOnChangeAndOnceAMinute(t *testing.T) {
	var out bytes.Buffer
	now := time.Duration(0)
	s := &saying{log: slog.New(slog.NewTextHandler(&out, nil)), now: func() time.Duration { return now }}
	down, up := lock.Report{What: lock.OfHealth, Err: errors.New("broker is down")}, lock.Report{What: lock.OfHealth, OK: true}
	for range 50 {
		s.lock("front", down)
		now += time.Second
	}
	s.lock("front", up)
	s.lock("front", up)
	s.lock("front", down)
	now += sayAgain
	s.lock("front", down)
	if got := strings.Count(out.String(), "cannot be reached"); got != 3 {
		t.Errorf("said %d times, want at first, after it was well, and a minute later:\n%s", got, out.String())
	}
	if got := strings.Count(out.String(), "reached again"); got != 1 {
		t.Errorf("said %d times that it is well, want once", got)
	}
}
