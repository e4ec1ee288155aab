package hub

import (
	"testing"
	"time"

	"eyebolt/liveness"
)

// BenchmarkTick is what a door costs the hub 50 times a second while nothing happens.
func BenchmarkTick(b *testing.B) {
	h := ready(&testing.T{})
	at := h.at()
	b.ReportAllocs()
	for b.Loop() {
		at.Mono += time.Microsecond // no limit runs out
		h.c.Take(at, Tick{})
	}
}

// BenchmarkLapse is a verdict that bolts a door, and the one that heals it.
func BenchmarkLapse(b *testing.B) {
	h := ready(&testing.T{})
	at := h.at()
	states := [...]liveness.State{liveness.Lagging, liveness.Live}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		at.Mono += time.Microsecond
		h.c.Take(at, Seen{Door: h.who.Door, Camera: "hall", At: at.Mono, Verdict: liveness.Verdict{State: states[i%2], Pictures: 1}})
		i++
	}
}
