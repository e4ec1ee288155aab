package ws

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// T20: what waits for answers is bounded; the oldest is given up, and its driver is told which.
func TestCallsAreBounded(t *testing.T) {
	var c Calls[string]
	for i := range MaxCalls {
		if call, lost := c.add("a", time.Duration(i)); call.ID != i+1 || lost != nil {
			t.Fatalf("call %d: number %d, lost %v", i+1, call.ID, lost)
		}
	}
	_, lost := c.add("b", time.Second)
	if len(lost) != 1 || lost[0].ID != 1 {
		t.Errorf("one too many: lost %v, want the oldest", lost)
	}
	if _, ok := c.Take(1); ok {
		t.Error("what was given up is still waited for")
	}
	if call, ok := c.Take(MaxCalls + 1); !ok || call.What != "b" || call.Sent != time.Second {
		t.Errorf("the newest: %v %v", call, ok)
	}
	if _, ok := c.Take(MaxCalls + 1); ok {
		t.Error("one answer was taken twice")
	}
	limits := func(string) time.Duration { return 10 }
	if old := c.Overdue(21, limits); len(old) != 10 || old[0].ID != 2 {
		t.Errorf("overdue: %d, want 10, oldest first", len(old))
	}
	if old := c.Overdue(21, limits); len(old) != 0 {
		t.Errorf("overdue again: %v", old)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "none"},
		{"\n", "none"},
		{"one\ntwo", "one"},
		{"a\x1b[31mb\x00", "a[31mb"},
		{"\xff\xfe", "none"},
	} {
		if got := Clip(c.in, "none"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
	for _, in := range []string{strings.Repeat("x", 1<<20), strings.Repeat("ä", 1<<20)} {
		if got := Clip(in, ""); len(got) > maxText+len("…") || !utf8.ValidString(got) {
			t.Errorf("a long sentence: %d bytes, valid %v", len(got), utf8.ValidString(got))
		}
	}
}
