package api_test

import (
	"testing"
	"time"
)

// T13: who signs out, or has a stolen session ended, hears no more of the home, on no window that was open before.
func TestSignOutEndsStreams(t *testing.T) {
	t.Parallel() // it waits for the stream's next sign of life
	w := newTown(t)
	h := w.home("elm", w.person().register(w.invite, "Olga"))
	s := h.resident.stream("")
	if kind, _ := s.next(); kind != "" {
		t.Fatalf("got %s", kind)
	}
	h.resident.ok("POST", "/api/logout", nil, nil)
	late := time.After(20 * time.Second) // a sign of life comes every 15 s
	for {
		select {
		case _, open := <-s.lines:
			if !open {
				return
			}
		case <-late:
			t.Fatal("the stream goes on after signing out")
		}
	}
}
