package liveness

import "time"

// decide says the verdict of this instant.
func (j *Judge) decide() {
	seeing := j.open && j.pictures > 0
	age := time.Duration(0)
	if j.watched {
		age = j.now - j.own
	}
	if seeing && age > j.cfg.A1 {
		j.spoil()
	}
	if seeing && age > j.cfg.A2 && (!j.hubLate || j.now-j.hubFrom > hubLateMax) {
		if rank(j.lapse) < rank(Lost) {
			j.finders[byAge].lapse = fact{state: Lost, at: j.arrived, score: age.Seconds(), limit: j.cfg.A2.Seconds()}
		}
		j.fall(Lost, j.own+j.cfg.A2, 0)
	}
	j.fellSilent()
	if j.unrecorded {
		j.fall(Unrecorded, j.now, 0)
	}

	state, since := Lagging, j.now
	switch {
	case seeing && j.good >= enough && j.delay.settled(j.now) && !j.hubLate && (j.lapse == Unknown || j.now >= j.hold) &&
		j.held == 0 && j.ready():
		state = Live
		j.lapse, j.hold, j.seenLive = Unknown, 0, true
	case j.lapse != Unknown:
		state, since = j.lapse, j.since
	case !j.seenLive:
		state = Unknown
	case j.hubLate, j.v.State == HubLate && age <= j.cfg.A1: // until there is evidence again, the hub is the reason
		state = HubLate
	case j.v.State == Live && age > j.cfg.A1:
		since = j.own + j.cfg.A1
	}

	switch {
	case state == Live:
		j.gap.close(j.goodFrom)
	case j.v.State == Live:
		j.gap.open(j.own)
	}
	if state != j.v.State {
		// A state that began while another was being said, began for the reader when that one had begun at the earliest.
		j.v.Since = max(min(since, j.now), j.v.Since)
	}
	j.v.State, j.v.Age, j.v.Pictures = state, age, j.pictures
	j.v.GapFrom, j.v.GapTo = j.gap.span(j.now)
}

// fall latches a lapse that began at since and stays at least for hold, and begins the count of good pictures anew.
func (j *Judge) fall(s State, since, hold time.Duration) {
	j.spoil()
	if j.watched {
		j.gap.mark(j.own)
	}
	if rank(s) >= rank(j.lapse) {
		j.hold = max(j.hold, j.now+hold)
	}
	if rank(s) > rank(j.lapse) {
		j.lapse, j.since = s, since
	}
}

// rank orders lapses: the one that says more of the cause is named.
func rank(s State) int {
	switch s {
	case Unrecorded:
		return 1
	case Late:
		return 2
	case Lost:
		return 3
	case Frozen, Covered:
		return 4
	case Replayed:
		return 5
	case Untrusted:
		return 6
	default:
		return 0
	}
}

// gap is the span that S7 keeps: from the own time of the last picture seen in time to that of the next. One that heals
// without a mark leaves the one before it standing.
type gap struct {
	from, to       time.Duration // the newest that was marked and has ended
	opened         time.Duration // of the open one
	isOpen, marked bool
}

// open begins a gap at the own time of the last picture, unless one is open.
func (g *gap) open(from time.Duration) {
	if !g.isOpen {
		g.isOpen, g.marked, g.opened = true, false, from
	}
}

// mark makes it one that stays on record.
func (g *gap) mark(from time.Duration) {
	g.open(from)
	g.marked = true
}

// close ends it at the own time of the first picture that was seen in time again.
func (g *gap) close(to time.Duration) {
	if g.isOpen && g.marked {
		g.from, g.to = g.opened, max(to, g.opened)
	}
	g.isOpen = false
}

func (g *gap) span(now time.Duration) (from, to time.Duration) {
	if g.isOpen {
		return g.opened, now
	}
	return g.from, g.to
}
