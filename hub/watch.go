package hub

import (
	"time"

	"eyebolt/interlock"
	"eyebolt/liveness"
)

// sight is one camera of a door and what was last judged of it.
type sight struct {
	name     string
	verdict  liveness.Verdict
	at       time.Duration // when that verdict was told
	recorded bool          // the present visit's pictures are confirmed on disk
	why      []liveness.Finding
	link     liveness.Certificate
	noted    interlock.Watch // what the record last said of this camera alone
}

// word translates a verdict. A state that this hub does not know is unknown, never live (S13).
func word(s liveness.State) interlock.Watch {
	switch s {
	case liveness.Live:
		return interlock.WatchLive
	case liveness.Lagging:
		return interlock.WatchLagging
	case liveness.Lost:
		return interlock.WatchLost
	case liveness.Late:
		return interlock.WatchLate
	case liveness.Frozen:
		return interlock.WatchFrozen
	case liveness.Replayed:
		return interlock.WatchReplayed
	case liveness.Covered:
		return interlock.WatchCovered
	case liveness.Unrecorded:
		return interlock.WatchUnrecorded
	case liveness.Untrusted:
		return interlock.WatchUntrusted
	case liveness.HubLate:
		return interlock.WatchHubLate
	default:
		return interlock.WatchUnknown
	}
}

// mildness orders verdicts: the door's watch is its best camera's (S18). A camera that was never judged is no evidence, so a
// lapse of another one is still a lapse; among lapses the earlier in this list names the cause.
var mildness = [...]interlock.Watch{
	interlock.WatchLive,
	interlock.WatchHubLate,
	interlock.WatchLagging,
	interlock.WatchUntrusted,
	interlock.WatchReplayed,
	interlock.WatchFrozen,
	interlock.WatchCovered,
	interlock.WatchLate,
	interlock.WatchUnrecorded,
	interlock.WatchLost,
	interlock.WatchUnknown,
}

// combine is a door's watch: live while any of its cameras is.
func combine(sights []sight) interlock.Watch {
	for _, w := range mildness {
		for i := range sights {
			if word(sights[i].verdict.State) == w {
				return w
			}
		}
	}
	return interlock.WatchUnknown
}

// newest is the own time of the newest picture that any camera of the door gave, and whether there was one.
func newest(sights []sight) (time.Duration, bool) {
	best, ok := time.Duration(0), false
	for i := range sights {
		v := sights[i].verdict
		if v.Pictures == 0 && v.GapFrom == 0 {
			continue
		}
		own := sights[i].at - v.Age
		if word(v.State).Lapse() && v.GapFrom > 0 {
			own = v.GapFrom
		}
		if !ok || own > best {
			best, ok = own, true
		}
	}
	return best, ok
}

// seenAgain is the own time of the first picture that ended a gap which began at from: the earliest that any live camera
// tells, and never before the gap's begin.
func seenAgain(sights []sight, from, now time.Duration) time.Duration {
	end := now
	for i := range sights {
		v := sights[i].verdict
		if v.State != liveness.Live {
			continue
		}
		first := v.GapTo
		if first <= from {
			first = sights[i].at - v.Age
		}
		if first > from && first < end {
			end = first
		}
	}
	return max(end, from)
}
