package interlock

// move is one step as an outsider sees it.
type move struct {
	s, next        State // only their public words are looked at
	was, now, then judge // before; with the fact; with the commands
	f              Fact
	out            []Command
}

func (m *move) does(d Do) bool {
	for _, c := range m.out {
		if c.Do == d {
			return true
		}
	}
	return false
}

func (m *move) says(d Do, r Reason) bool {
	for _, c := range m.out {
		if c.Do == d && c.Reason == r {
			return true
		}
	}
	return false
}

// alarms says that there is an alarm of reason r that is not the standing one told again.
func (m *move) alarms(r Reason) bool {
	again := m.was.alarm && m.now.told >= m.now.lim.AlarmAgain && m.s.Alarm() == r
	return m.says(DoAlarm, r) && !again
}

// inVisit says that an Unlock of the visit may have drawn the bolt, before and after the step.
func (m *move) inVisit() bool { return m.now.stage == after && m.then.stage == after }

// cause says whether the books show a cause for an alarm of reason r in this step.
func (m *move) cause(r Reason) bool {
	j := &m.now
	if m.was.alarm && j.told >= j.lim.AlarmAgain && r == m.s.Alarm() {
		return true
	}
	switch r {
	case ReEntry, ForcedOpen:
		return m.f.Kind == DoorSays && j.open() && !m.was.open()
	case UnlockTwice, UnlockLate:
		was := &m.was
		if m.f.Kind != BoltSays || j.boltIs() != BoltDrawn || was.bolt == BoltDrawn || m.f.By == ByResident {
			return false
		}
		if was.stage == none || was.stage == before && was.unlocks == 0 {
			return was.bolt == BoltThrown && m.f.By != ByInside && !was.home
		}
		return was.stage == before || was.bolt == BoltThrown && j.boltWas(was) || !was.answered && was.unlockAge >= j.lim.Answer || !was.answered && j.unlockAge >= j.lim.Answer
	case MaybeInside:
		return j.stage == after && (m.f.Kind == BoltSays && j.boltIs() == BoltDrawn && m.was.out || (j.waitFor >= j.lim.Out || j.asked) && !j.out)
	case OpenTooLong:
		return j.stage == after && isIn(m.s.Phase(), Opened, Closing, Secured, Tail, Unlocked, Unlocking, Unproven) && (j.open() || !m.then.secured())
	case NotSecured:
		return j.stage == after && !j.secured()
	case BoltJam:
		return m.f.Kind == BoltSays && j.boltIs() == BoltJammed && m.was.bolt != BoltJammed
	case BoltInAir:
		return m.f.Kind == BoltSays && j.boltIs() == BoltThrown && j.open()
	case WentStale:
		return m.was.boltIs() != BoltUnknown && j.boltIs() == BoltUnknown || m.was.doorIs() != DoorUnknown && j.doorIs() == DoorUnknown
	case UnlockUnanswered:
		return !m.was.answered && j.unlockAge >= j.lim.Answer && m.was.unlockAge < j.lim.Answer
	case BlockedWhileOpen:
		return m.f.Kind == Block && !j.held() && m.was.stage == after
	case RevokedInside:
		return m.f.Kind == Revoke && !j.held() && m.was.stage == after
	case Restarted:
		return m.f.Kind == Boot
	}
	return r >= LapseLost && r <= LapseUntrusted && m.then.lapsing()
}

// noted says whether the books show a cause for a notice of reason r in this step.
func (m *move) noted(r Reason) bool {
	j := &m.now
	switch r {
	case ServiceGone:
		return (m.was.stage == after || m.then.stage == after) && m.was.served <= j.lim.Service && j.served > j.lim.Service
	case LedgerFailed:
		return m.f.Kind == WriteFailed && m.was.pending == m.f.N
	case OpenedByResident:
		return m.f.Kind == DoorSays && j.open() && m.was.guest || m.f.Kind == BoltSays && m.f.By == ByResident && j.bolt == BoltDrawn && m.was.stage != none
	case OpenedNotice:
		return m.f.Kind == DoorSays && (j.door == DoorOpen || j.door == DoorAjar) && j.home
	case ExitRecorded:
		return m.f.Kind == BoltSays && m.f.By == ByInside && m.was.stage != none && !m.was.out
	case BoltInAir:
		return m.does(DoRetract)
	}
	return r >= LapseLost && r <= LapseUntrusted && m.was.stage == before && j.watch.Lapse() && !m.was.watch.Lapse() || m.f.Kind == Arrive && j.watch.Lapse()
}
