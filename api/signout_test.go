package api_test

import (
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/api"
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

// T13: a phone is lost while it is signed in. Its owner signs in elsewhere and signs out everywhere: the lost one is out at once,
// whoever holds it, and cannot do the same to the owner without the passkey.
func TestSignOutEverywhere(t *testing.T) {
	var later atomic.Int64
	w := newTown(t, func(o *api.Options) { o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) } })
	h := w.home("elm", w.person().register(w.invite, "Olga"))
	lost := h.resident
	owner := w.person()
	owner.device, owner.key = lost.device, lost.key
	in := func() {
		t.Helper()
		owner.ok("POST", "/api/login/finish", owner.assert(owner.begin("/api/login/begin", struct{}{})), nil)
	}
	in()
	lost.ok("GET", "/api/home", nil, nil)
	owner.ok("POST", "/api/logout/everywhere", struct{}{}, nil)
	for name, p := range map[string]*person{"the lost phone": lost, "the owner, until signing in again": owner} {
		for _, path := range []string{"/api/me", "/api/home"} {
			if status, _ := p.refused("GET", path, nil); status != 401 {
				t.Errorf("%s: %s: %d", name, path, status)
			}
		}
		if status, _ := p.refused("POST", "/api/logout/everywhere", struct{}{}); status != 401 {
			t.Errorf("%s: signs out everywhere: %d", name, status)
		}
	}
	later.Add(int64(time.Second)) // sessions are told apart by the millisecond
	in()
	owner.ok("GET", "/api/home", nil, nil)
	if status, _ := lost.refused("GET", "/api/me", nil); status != 401 {
		t.Errorf("the lost phone, after the owner signed in again: %d", status)
	}
	h.courier.ok("GET", "/api/stops", nil, nil) // everybody else stays
}
