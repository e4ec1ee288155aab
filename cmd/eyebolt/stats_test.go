package main

import (
	"testing"
	"time"
)

func TestPercentilesAreMeasuredValues(t *testing.T) {
	var ds []time.Duration
	for i := 100; i >= 1; i-- {
		ds = append(ds, time.Duration(i)*time.Millisecond)
	}
	if got, want := spreadOf(ds), (spread{N: 100, Min: 1, P50: 50, P99: 99, Max: 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := spreadOf([]time.Duration{time.Second}); got.P50 != 1000 || got.P99 != 1000 {
		t.Errorf("one value: got %+v", got)
	}
	if got := spreadOf(nil); got != (spread{}) {
		t.Errorf("nothing: got %+v", got)
	}
}

func TestTheNearestKeyIsNamed(t *testing.T) {
	for _, c := range []struct{ word, want string }{{"camras", "cameras"}, {"transprot", "transport"}, {"sate", "state"}, {"xyzzyplugh", ""}} {
		if got := nearest(c.word, []string{"cameras", "transport", "state", "doors"}); got != c.want {
			t.Errorf("%q: got %q, want %q", c.word, got, c.want)
		}
	}
}
