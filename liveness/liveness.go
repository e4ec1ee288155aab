// Package liveness judges whether a camera is really seeing, now: one Judge a camera, fed with its pictures and the hub's
// clock. It has no clock of its own, allocates nothing per picture, and is not safe for concurrent use.
package liveness

import "time"

// State is a verdict. The zero value forbids everything.
type State uint8

const (
	Unknown State = iota
	Live
	Lagging
	Lost
	Late
	Frozen
	Replayed
	Covered
	Unrecorded
	Untrusted
	HubLate
)

// Verdict is what a Judge says at one moment.
type Verdict struct {
	State State
	Age   time.Duration // evidence age: now - (media time of the newest picture + base delay)
	Since time.Duration // when this State began, on the hub's clock
	// Gap is how long nothing was seen, when State is a lapse or has just healed from one: from the newest picture's own time
	// before it to the first picture's own time after it (or to now, while it lasts).
	GapFrom, GapTo time.Duration
	Pictures       uint64 // counted on this connection
}

// Config is one camera's.
type Config struct {
	A1        time.Duration // lagging past this age: 250 ms wired, 500 ms Wi-Fi (default)
	A2        time.Duration // lost past this age: 1.5 s
	Skew      float64       // how fast the base delay may rise: 200e-6
	Hole      time.Duration // a step of media time past this is a hole: 2.5 picture periods; 0: learned
	MaxHole   time.Duration // a hole past this is a lapse: 1 s
	LateTick  time.Duration // own tick later than this: the hub is late, nobody is judged: 100 ms
	Replay    int           // how many coded slices are remembered for "replayed": 65536
	Keys      int           // how many key pictures are remembered, beyond Replay, for 36 h and more: 65536, 16 bytes each
	KeyWithin time.Duration // how soon after Asked a key picture must have been captured: 2 s
	Need      []Need        // detectors without whose word the watch is not live (S1); none: a picture's times and bytes suffice
}
