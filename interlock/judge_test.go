package interlock

// judge is an outsider who hears every fact and every command, and never looks into a State. It keeps its own books of
// the home, of the visit and of what was promised, so that a rule about history does not rest on Step's own memory.
// It is comparable: the exploration visits pairs of a State and a judge.
type judge struct {
	lim Limits

	watch                                      Watch
	bolt                                       Bolt
	door                                       Door
	recorded, lostDisk, lockOK, clock, holdsOK bool
	blocked, smoke, home, guest                bool
	live, served, boltAge, doorAge             Millis

	lockAge   Millis // since what makes older bolt reports worthless: Lock, Unlock, a door not closed
	unlockAge Millis // since the newest Unlock command
	answered  bool   // the newest Unlock was answered: drawn, open, or provably not sent

	stage   stage
	unlocks uint8 // in this visit, up to 3
	still   bool  // the door was known to be closed ever since the newest Unlock
	proven  bool  // secured since the newest Unlock
	inside  bool  // since then the bolt was drawn from inside, before "I am out"
	lapsed  bool  // the visit must end as an incident
	over    bool  // the visit may not come to an Unlock any more
	out     bool  // "I am out" since the last close
	retract bool  // Retract was commanded since the newest Unlock
	freed   bool  // the courier was released
	asked   bool  // since the door was last open, somebody was said to be maybe inside
	gaveUp  bool  // the courier said that he cannot deliver

	made    uint32 // the newest nonce
	nonce   Millis // its age
	pending uint32 // the decision that waits for the disk

	alarm    bool
	incident bool
	told     Millis // since the standing alarm was told
	polled   Millis
	openFor  Millis // door known to be open in a visit after Unlock, since the newest report "open" or acknowledgement
	shutFor  Millis // closed and not secured in a visit after the opening, likewise
	blindFor Millis // door unknown in a visit after Unlock, likewise
	waitFor  Millis // secured, not out, likewise
	pre      Millis // since arrival or re-arm, before Unlock
	deciding Millis // since the decision
}

type stage uint8

const (
	none   stage = iota // no visit
	before              // before Unlock, or re-armed
	after               // after Unlock, until the end
)

// far is an age beyond every limit of the exploration.
const far Millis = 99

func up(a, d, limit Millis) Millis {
	if a+d > limit {
		return limit
	}
	return a + d
}

func newJudge(l Limits) judge {
	j := judge{lim: l, answered: true}
	j.forget()
	j.lockAge = j.lockCap()
	return j
}

func (j *judge) lockCap() Millis { return max(j.lim.BoltStale, j.lim.RetryLock) + 1 }

func (j *judge) forget() {
	l := j.lim
	j.watch, j.live, j.bolt, j.door, j.boltAge, j.doorAge = 0, 0, 0, 0, l.BoltStale+1, l.DoorStale+1
	j.served = l.Service + 1
	j.recorded, j.lostDisk, j.lockOK, j.clock, j.holdsOK, j.guest = false, false, false, false, false, false
}

func (j *judge) boltIs() Bolt {
	if j.boltAge > j.lim.BoltStale {
		return BoltUnknown
	}
	return j.bolt
}

func (j *judge) doorIs() Door {
	if j.doorAge > j.lim.DoorStale {
		return DoorUnknown
	}
	return j.door
}

func (j *judge) shut() bool { return j.doorIs() == DoorClosed }
func (j *judge) open() bool { return j.doorIs() == DoorOpen || j.doorIs() == DoorAjar }

// settled says that a report of "thrown" may be believed: the newest Unlock was answered, or the report was made after
// the answer was overdue.
func (j *judge) settled() bool {
	return j.answered || j.unlockAge >= j.lim.Answer && j.boltAge < j.unlockAge-j.lim.Answer
}

// held is a bolt that is thrown as far as anybody knows, behind a closed door.
func (j *judge) held() bool {
	return j.shut() && j.boltIs() == BoltThrown && j.boltAge < j.lockAge && j.settled()
}

// secured is S9, read from docs/SAFETY.md.
func (j *judge) secured() bool { return j.held() && j.boltAge <= j.doorAge }

// s1 is rule S1 at this instant.
func (j *judge) s1() bool {
	return j.watch == WatchLive && j.live >= j.lim.Arming && j.recorded && j.lockOK && j.held() && j.served <= j.lim.Service
}

// ready is S1, S2 and S4 but for the slide.
func (j *judge) ready() bool {
	return j.stage == before && !j.over && j.s1() && j.clock && j.holdsOK && !j.blocked && !j.smoke && !j.alarm && !j.incident
}

func (j *judge) lapsing() bool {
	return j.watch.Lapse() || j.stage == after && j.lostDisk
}

// check is one line of the courier's list, as far as the books know it.
func (j *judge) check(c CheckName) (ok, known bool) {
	switch c {
	case CheckConfig:
		return believable(j.lim), true
	case CheckGrant:
		return j.stage == before, true
	case CheckBlock:
		return !j.blocked, true
	case CheckAlarm:
		return !j.alarm && !j.incident, true
	case CheckSmoke:
		return !j.smoke, true
	case CheckHousehold:
		return j.holdsOK, true
	case CheckClock:
		return j.clock, true
	case CheckService:
		return j.served <= j.lim.Service, true
	case CheckLock:
		return j.lockOK, true
	case CheckDoor:
		return j.shut(), true
	case CheckBolt:
		return j.held(), true
	case CheckWatch:
		return j.watch == WatchLive && j.live >= j.lim.Arming, true
	case CheckRecording:
		return j.recorded, true
	}
	return false, false
}

// boltWas says that before this step the bolt's report counted as proof that it was thrown.
func (j *judge) boltWas(was *judge) bool {
	return was.boltIs() == BoltThrown && was.boltAge < was.lockAge && was.settled()
}

// hear takes the time and the fact.
func (j *judge) hear(f Fact) {
	l, d := j.lim, f.Dt
	overdue := j.unlockAge
	open, shut, held := j.open(), j.shut(), j.held()
	if j.watch == WatchLive {
		j.live = up(j.live, d, l.Arming)
	}
	j.served = up(j.served, d, l.Service+1)
	j.boltAge = up(j.boltAge, d, l.BoltStale+1)
	j.doorAge = up(j.doorAge, d, l.DoorStale+1)
	j.lockAge = up(j.lockAge, d, j.lockCap())
	if j.stage == after && !j.answered {
		j.unlockAge = up(j.unlockAge, d, l.Answer+l.BoltStale+2)
	}
	if j.alarm {
		j.told = up(j.told, d, l.AlarmAgain)
	}
	if j.stage != none {
		j.polled = up(j.polled, d, l.Poll)
	}
	if j.made > 0 && j.stage == before {
		j.nonce = up(j.nonce, d, l.Slide+1)
	}
	if j.pending > 0 {
		j.deciding = up(j.deciding, d, l.Durable+1)
	}
	if j.stage == before {
		j.pre = up(j.pre, d, l.Wait+l.Hold+1)
	}
	if j.stage == after {
		switch {
		case open:
			j.openFor = up(j.openFor, d, l.Open)
		case !shut:
			j.blindFor = up(j.blindFor, d, l.Enter)
		case held && !j.out && !j.still:
			j.waitFor = up(j.waitFor, d, l.Out)
		case !held:
			j.shutFor = up(j.shutFor, d, l.Answer+l.Enter+l.Close)
		}
	}
	switch f.Kind {
	case Boot:
		unfinished := !f.OK || j.stage != none
		incident := j.incident || f.Reason != NoReason
		k := newJudge(l)
		k.blocked, k.smoke, k.home, k.alarm, k.told, k.made = j.blocked, j.smoke, j.home, j.alarm, j.told, j.made
		k.incident = incident
		k.lockAge = j.lockCap()
		*j = k
		if unfinished {
			j.stage, j.over, j.lapsed, j.proven, j.retract = after, true, true, true, true
		}
	case WatchSays:
		if f.Watch != WatchLive || j.watch != WatchLive {
			j.live = 0
		}
		j.watch = f.Watch
		if f.Watch > WatchHubLate {
			j.watch = WatchUnknown
		}
		if f.OK && j.watch.Lapse() && (j.stage == after || j.unlocks > 0) {
			j.lapsed = true
		}
	case RecorderSays:
		j.recorded, j.lostDisk = f.OK, !f.OK
	case BoltSays:
		if f.Age > j.boltAge || f.Age > l.BoltStale {
			break
		}
		if f.Bolt == BoltDrawn && j.bolt != BoltDrawn && j.shut() && f.By != ByResident {
			defer func() { j.out = false }() // whoever draws the bolt after that is somebody
		}
		fresh := j.bolt != BoltDrawn && f.Bolt == BoltDrawn
		j.bolt, j.boltAge = f.Bolt, f.Age
		if f.Bolt > BoltJammed {
			j.bolt = BoltUnknown
		}
		if f.Bolt == BoltDrawn && f.Age <= j.unlockAge && j.unlockAge < l.Answer {
			j.answered, j.unlockAge = true, 0
		}
		if fresh {
			j.guest = f.By == ByResident
			j.inside = j.inside || j.stage == after && f.By == ByInside && !j.out
		} else if f.Bolt == BoltThrown {
			j.guest = false
		}
	case DoorSays:
		if f.Age > j.doorAge || f.Age > l.DoorStale {
			break
		}
		stood := j.door == DoorOpen || j.door == DoorAjar
		j.door, j.doorAge = f.Door, f.Age
		if f.Door > DoorAjar {
			j.door = DoorUnknown
		}
		if f.Door != DoorClosed || stood {
			j.lockAge = min(j.lockAge, f.Age) // a bolt seen thrown before that proves nothing now
		}
	case LockSays:
		j.lockOK = f.OK
	case ServiceSays:
		j.served = min(f.Age, l.Service+1)
		if !f.OK {
			j.served = l.Service + 1
		}
	case ClockSays:
		j.clock = f.OK
	case HomeSays:
		j.home = f.OK
	case SmokeSays:
		j.smoke = !f.OK
	case HoldSays:
		j.holdsOK = f.OK
	case Cannot:
		j.gaveUp = j.gaveUp || j.stage != none
		j.over = j.over || j.stage != none
	case Block:
		j.blocked = true
		j.over = j.over || j.stage != none
	case Unblock:
		j.blocked = false
	case LockNow:
		j.over = j.over || j.stage == after && !j.open() && !j.smoke
	case Revoke, LeaveNow:
		j.over = j.over || j.stage != none
	case NotSent:
		if j.stage == after && f.N == j.made && !j.answered {
			j.answered, j.unlockAge = true, 0
		}
	case Acknowledge:
		if j.alarm {
			j.alarm, j.told = false, 0
			j.openFor, j.shutFor, j.blindFor, j.waitFor = 0, 0, 0, 0
		}
	case AlarmStands:
		j.alarm, j.told = true, 0
	case CloseIncident:
		if j.stage == none {
			j.incident = false
		}
	}
	if !j.answered && j.unlockAge >= l.Answer && overdue < l.Answer {
		j.over, j.lockAge = true, 0 // from here on a report counts again, if it was made later than this
	}
	if j.stage == after {
		if !j.shut() {
			j.still = false
		}
		if j.open() {
			if j.asked {
				j.waitFor = l.Out // it was said once: it may be said again at once
			}
			if !open {
				j.out = j.out && j.freed && j.guest // only a resident's coming home does not undo "I am out"
			}
			j.asked, j.shutFor, j.blindFor = false, 0, 0
			j.answered, j.unlockAge = true, 0
		} else {
			j.openFor = 0
		}
		if j.held() {
			j.shutFor = 0
		}
		if j.shut() {
			j.blindFor = 0
		}
		if j.lapsing() && !j.secured() {
			j.lapsed = true
		}
	}
}

// see takes the commands that followed, and the phase that is shown.
func (j *judge) see(f Fact, out []Command, phase Phase) {
	taken := f.Kind == Out && j.stage == after && j.shut()
	for _, c := range out {
		switch c.Do {
		case DoRecord:
			if f.Kind == Arrive {
				k := *j
				k.stage, k.unlocks, k.still, k.proven, k.lapsed, k.over, k.out = before, 0, false, false, false, false, false
				k.recorded, k.lostDisk, k.retract, k.inside, k.gaveUp = false, false, false, false, false
				k.pre, k.openFor, k.shutFor, k.blindFor, k.waitFor, k.pending = 0, 0, 0, 0, 0, 0
				k.polled, k.asked, k.freed = k.lim.Poll, false, false
				*j = k
			}
		case DoMakeNonce:
			j.made, j.nonce = c.N, 0
		case DoWrite:
			j.pending, j.deciding = c.N, 0
		case DoUnlock:
			j.stage, j.still, j.proven, j.answered, j.unlockAge, j.pending = after, true, false, false, 0, 0
			j.inside, j.retract, j.out, j.freed, j.asked, j.deciding = false, false, false, false, false, 0
			j.nonce = 0
			j.lockAge = 0 // a report from before this order proves nothing
			j.openFor, j.shutFor, j.blindFor, j.waitFor, j.pre = 0, 0, 0, 0, 0
			j.unlocks = min(j.unlocks+1, 3)
		case DoLock:
			j.lockAge = 0
		case DoRelease:
			j.freed = true
		case DoRetract:
			j.retract = true
		case DoPoll:
			j.polled = 0
		case DoAlarm:
			j.alarm, j.told = true, 0
			j.asked = j.asked || c.Reason == MaybeInside
		case DoIncident:
			j.incident = true
			if j.stage != none {
				j.lapsed = true
			}
		case DoNotice:
			if c.Reason == ExitRecorded {
				j.still = false
			}
		case DoEnd:
			j.end()
			taken = false
		case DoRefuse:
			taken = false
		}
	}
	j.out = j.out || taken
	j.over = j.over || taken
	if j.stage == after && j.secured() {
		j.proven, j.inside = true, false
		if j.still && phase >= Arming && phase <= Ready {
			j.stage, j.pre, j.out = before, 0, false
			j.waitFor, j.shutFor = 0, 0
		}
	}
	if j.stage == before && j.unlocks > 0 && phase >= Unlocking {
		j.stage, j.pre, j.pending, j.over = after, 0, 0, true
		if !j.shut() {
			j.still = false
		}
	}
	if phase != Deciding {
		j.pending, j.deciding = 0, 0
	}
}

// end forgets the visit.
func (j *judge) end() {
	k := newJudge(j.lim)
	k.watch, k.live, k.bolt, k.boltAge, k.door, k.doorAge = j.watch, j.live, j.bolt, j.boltAge, j.door, j.doorAge
	k.served, k.lockOK, k.clock, k.holdsOK, k.guest = j.served, j.lockOK, j.clock, j.holdsOK, j.guest
	k.blocked, k.smoke, k.home, k.alarm, k.told, k.incident = j.blocked, j.smoke, j.home, j.alarm, j.told, j.incident
	k.lockAge, k.made = j.lockAge, j.made
	*j = k
}
