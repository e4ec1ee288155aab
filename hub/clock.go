package hub

import "time"

// clock is the hub's wall clock: an anchor that the service vouched for, carried on by the monotonic clock. It is sure
// only while the anchor was given since boot, the answers agree with it, and it is not behind what this hub once knew surely:
// what the ledger says of earlier, and what it was sure of since (T15).
type clock struct {
	sure       bool
	anchored   bool
	mono       time.Duration // of the anchor
	wall       time.Time     // of the anchor
	high       time.Time     // newest ledger entry of an earlier boot that was stamped while the clock was sure
	newest     time.Time     // the latest that was surely known since boot
	replaySure bool          // while replaying: the entries were stamped by a sure clock
	agreed     int           // answers in a row that agree with the anchor
}

const (
	// maxTrip bounds how wrong an answer's time can be: by half of its trip, one second.
	maxTrip = 2 * time.Second
	// maxDisagree is how far an answer may lie from the anchor carried on. Quartz drifts less than 100 ms between beats; more
	// than this is somebody turning a clock.
	maxDisagree = 3 * time.Second
	// reAgree is how many answers in a row must agree after a jump before the clock is believed again. At the idle beat of
	// 5 s it keeps the door shut for 15 s, long enough for the jump to be told and seen.
	reAgree = 4
)

// answer takes the service's time. It says whether sureness changed.
func (k *clock) answer(at At, sent, trip time.Duration, service time.Time) bool {
	if trip < 0 || trip > maxTrip || service.IsZero() {
		return false
	}
	was := k.sure
	mono, wall := sent+trip/2, service.UTC()
	if k.anchored {
		off := wall.Sub(k.carry(mono))
		if off < 0 {
			off = -off
		}
		if off <= maxDisagree {
			k.agreed++
		} else {
			k.agreed, k.sure = 0, false
		}
	} else {
		k.anchored, k.agreed = true, reAgree // the first answer of this boot is the anchor
	}
	k.mono, k.wall = mono, wall
	now := k.carry(at.Mono)
	// Answers may differ by maxDisagree; a clock that is further behind than that was turned back, at one stroke or in many.
	k.sure = k.agreed >= reAgree && !now.Before(k.high) && !now.Before(k.newest.Add(-maxDisagree))
	if k.sure && now.After(k.newest) {
		k.newest = now
	}
	return k.sure != was
}

func (k *clock) carry(mono time.Duration) time.Time { return k.wall.Add(mono - k.mono) }

// now is what entries and views are stamped with: the sure clock, else the machine's own.
func (k *clock) now(at At) time.Time {
	if k.anchored {
		return k.carry(at.Mono).UTC().Truncate(time.Microsecond)
	}
	return at.Wall.UTC().Truncate(time.Microsecond)
}

// at is the wall time of a moment on the monotonic clock.
func (k *clock) at(at At, mono time.Duration) time.Time {
	return k.now(at).Add(mono - at.Mono).Truncate(time.Microsecond)
}
