package run

import (
	"testing"
	"time"
)

// Stills are taken until the scene is learned, all through a visit, and once a minute besides (S1, S6, T4).
func TestStillsArePlanned(t *testing.T) {
	p := plan{}
	at, stills := time.Duration(0), uint64(0)
	want := func(judged, on bool) {
		t.Helper()
		if p.on = p.wanted(at, judged, stills); p.on != on {
			t.Fatalf("at %v, judged %v, %d stills: wanted %v", at, judged, stills, p.on)
		}
	}
	want(false, false) // no connection
	p.connected(true, at)
	for at = 0; at < 40*time.Second; at += time.Second {
		want(false, true) // learning
		stills++
	}
	want(true, false) // learned
	at += glanceEvery
	want(true, true)
	at += time.Second
	want(true, true) // still waiting for a key picture
	stills++
	want(true, false)
	p.visit = true
	for range 100 {
		at += time.Second
		stills++
		want(true, true)
	}
	p.visit = false
	stills++
	want(true, false)

	// A glance that gives nothing ends, and the next one comes in its time.
	at += glanceEvery
	want(true, true)
	at += glanceMost
	want(true, false)
	at += glanceEvery
	want(true, true)

	// A scene that cannot be learned is not tried for ever.
	p.connected(false, at)
	want(false, false)
	p.connected(true, at)
	for range int(learnMost / time.Second) {
		want(false, true)
		at += time.Second
		stills++
	}
	want(false, false)
	at += glanceEvery
	want(false, true)
}
