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
	between  time.Duration // since when it is neither live nor lapsed: it lags, or the hub is late
	recorded bool          // the present visit's pictures are confirmed on disk
	why      []liveness.Finding
	link     liveness.Certificate
	noted    interlock.Watch // what the record last said of this camera alone
	shown    camFace         // in the newest view
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

// betweenMost is for how long a camera that lags, or that the late hub does not judge, may stand between its door and the lapse of
// another one: as long as it takes to be called lost itself. A detector whose word is missing makes a camera lag for good, and
// then nobody watches.
const betweenMost = verdictLost

// isBetween says whether a word is neither live nor a lapse, of a camera that was judged.
func isBetween(w interlock.Watch) bool {
	return w == interlock.WatchLagging || w == interlock.WatchHubLate
}

// took notes a camera's new state, before it is its verdict.
func (s *sight) took(state liveness.State, now time.Duration) {
	if is := isBetween(word(state)); !is || !isBetween(word(s.verdict.State)) {
		s.between = now
	}
}

// weigh is a door's watch now: combine, unless what stands between it and a lapse has done so for too long (S6).
func (d *door) weigh(now time.Duration) interlock.Watch {
	w := combine(d.sights)
	if !isBetween(w) {
		return w
	}
	for i := range d.sights {
		if s := &d.sights[i]; isBetween(word(s.verdict.State)) && now-s.between <= betweenMost {
			return w
		}
	}
	for _, l := range mildness {
		if !l.Lapse() {
			continue
		}
		for i := range d.sights {
			if word(d.sights[i].verdict.State) == l {
				return l
			}
		}
	}
	return w
}

// newest is the own time of the newest picture that any camera of the door gave, and whether there was one.
func newest(sights []sight) (time.Duration, bool) { return newestOf(sights, false) }

// vouched is newest for the account of gaps: of a camera that has stood between live and lapsed for too long, only what it gave
// before that counts as watched (S7).
func vouched(sights []sight) (time.Duration, bool) { return newestOf(sights, true) }

func newestOf(sights []sight, vouched bool) (time.Duration, bool) {
	best, ok := time.Duration(0), false
	for i := range sights {
		v, w := sights[i].verdict, word(sights[i].verdict.State)
		if v.Pictures == 0 && v.GapFrom == 0 {
			continue
		}
		own := sights[i].at - v.Age
		switch {
		case vouched && isBetween(w) && sights[i].at-sights[i].between > betweenMost:
			own = min(own, sights[i].between)
		case w.Lapse() && v.GapFrom > 0:
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
