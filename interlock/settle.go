package interlock

// settle draws what follows from the state: phases, limits, lapses. It never looks at the fact again.
func (t *turn) settle() {
	s := t.s
	if t.overdue {
		t.unanswered()
	}
	switch {
	case s.phase == Secured, s.phase == Tail, s.before() && s.spent:
		t.guard()
	case !s.committed():
		t.uninvited()
	}
	if t.since {
		t.reaches()
	}
	if s.before() {
		t.arm()
	}
	switch {
	case s.phase == Secured, s.phase == Tail:
		t.ending()
	case s.committed():
		t.opening()
	}
	t.judge()
}

// unanswered gives an Unlock up: the door is possibly open, and only a report from now on says otherwise (S12).
func (t *turn) unanswered() {
	s := t.s
	s.mark, s.over = 0, or(s.over, UnlockUnanswered)
	if s.phase != Unproven {
		t.enter(Unproven, UnlockUnanswered)
	}
	s.possibly = true
	t.alarm(UnlockUnanswered)
	t.lockShut(UnlockUnanswered)
}

// uninvited weighs a door or a bolt that moves without any order of ours, outside an opening (S10, S12).
func (t *turn) uninvited() {
	s := t.s
	switch {
	case t.swung && s.guest:
		t.say(DoNotice, OpenedByResident)
	case t.swung && s.home:
		t.say(DoNotice, OpenedNotice)
	case t.swung && s.bolt == BoltThrown:
		t.alarm(ForcedOpen)
	case t.swung:
		t.alarm(ReEntry)
	case t.drawn && t.was == BoltThrown && !s.home && t.by != ByResident && t.by != ByInside:
		t.alarm(UnlockTwice)
		t.lockShut(UnlockTwice)
	}
}

// arm moves between Arming, Held and Ready, and drops a decision that waits for the disk too long.
func (t *turn) arm() {
	s := t.s
	if s.phase == Deciding {
		if s.in <= s.lim.Durable {
			return
		}
		t.refuse(LedgerSlow)
		t.enter(Arming, LedgerSlow)
	}
	r := s.refusal()
	switch {
	case s.held >= s.lim.Hold:
		t.finish(or(r, Expired))
	case s.waited >= s.lim.Wait:
		t.finish(Expired)
	case r == NoReason && s.phase != Ready, r == NoReason && s.nonce >= s.lim.Slide:
		t.enter(Ready, AllChecksHold)
		s.n++
		s.nonce = 0
		t.do(Command{Do: DoMakeNonce, Reason: AllChecksHold, N: s.n})
	case r == NoReason:
	case holds(r):
		if s.phase != Held {
			t.enter(Held, r)
			t.say(DoHold, r)
		}
		s.why = r
	default:
		if s.phase != Arming {
			t.enter(Arming, r)
			t.say(DoHold, r)
		}
		s.why = r
	}
}

// finish ends a visit that has come to no opening. If an Unlock was ever commanded in it, the door is watched to the
// end all the same.
func (t *turn) finish(r Reason) {
	s := t.s
	if r != CannotDeliver {
		t.refuse(r)
	}
	s.over = r
	if s.spent {
		t.enter(Closing, r)
		return
	}
	t.end(NotDelivered, r)
}

// end closes the visit.
func (t *turn) end(o Outcome, r Reason) {
	t.say(DoKeep, r)
	t.do(Command{Do: DoEnd, Reason: r, Outcome: o})
	t.s.clear()
	t.enter(Idle, r)
}

// clear takes away what belongs to one visit.
func (s *State) clear() {
	s.over = NoReason
	s.recorded, s.lostDisk = false, false
	s.spent, s.moved, s.rearmed = false, false, false
	s.out, s.released, s.leave, s.inAir = false, false, false, false
	s.lapse = 0
	s.owed, s.waited, s.held, s.opened, s.outIn = 0, 0, 0, 0, 0
}

// opening moves between the phases in which the door is not secured.
func (t *turn) opening() {
	s := t.s
	if t.jammed {
		t.alarm(BoltJam)
	}
	switch s.Door() {
	case DoorOpen, DoorAjar:
		if s.phase != Opened {
			t.opened(DoorHasOpened)
		}
		t.stands()
	case DoorUnknown:
		t.blind()
	default:
		t.closed()
	}
}

// opened enters Opened. Whoever said "I am out" before may be in again, unless he was released and it is a
// resident who opens.
func (t *turn) opened(why Reason) {
	s := t.s
	s.owed, s.out = 0, s.out && s.released && s.guest
	s.drew, s.moved = true, true
	t.enter(Opened, why)
}

// stands is a door that stands open.
func (t *turn) stands() {
	s := t.s
	if t.thrown && s.boltAge <= s.doorAge {
		if s.inAir || s.unordered {
			t.alarm(BoltInAir)
		} else {
			s.inAir = true
			t.say(DoRetract, BoltInAir)
			t.say(DoNotice, BoltInAir)
		}
	}
	t.tooLong()
}

// tooLong alarms once when the opening as a whole has lasted past its limit (S8, T21).
func (t *turn) tooLong() {
	s := t.s
	if s.opened == s.lim.Open {
		s.opened = past(s.lim.Open)
		t.alarm(OpenTooLong)
	}
}

// blind is a door of which nothing is known after an Unlock: an alarm, and one Lock at the limit (S11).
func (t *turn) blind() {
	s := t.s
	s.moved = true
	if t.known {
		t.enter(Unproven, WentStale)
		t.alarm(WentStale)
		t.known, t.stale = false, true
	}
	t.unproven()
}

// unproven alarms and bolts once at the limit.
func (t *turn) unproven() {
	s := t.s
	if s.in == s.lim.Enter {
		s.in = past(s.lim.Enter)
		t.alarm(NotSecured)
		t.lock(NotSecured)
	}
}

// closed is a closed door whose bolt is not proven.
func (t *turn) closed() {
	s := t.s
	if s.Secured() {
		t.secured()
		return
	}
	switch s.phase {
	case Unlocking:
		switch {
		case s.bolt == BoltDrawn:
			t.enter(Unlocked, WrittenDown)
		case s.bolt == BoltJammed:
			t.throw(BoltJam)
		}
	case Unlocked:
		switch {
		case s.in >= s.lim.Enter:
			t.throw(NeverOpened)
		case s.Bolt() != BoltDrawn:
			t.throw(BoltNotThrown)
		}
	case Opened:
		t.enter(Closing, DoorHasClosed)
		t.lock(DoorHasClosed)
	case Unproven:
		switch {
		case !s.possibly:
			t.enter(Closing, DoorHasClosed)
			t.lock(DoorHasClosed)
		case t.drawn && t.by == ByResident:
			t.undone()
		case t.drawn:
			t.unasked()
		default:
			t.unproven()
		}
	case Closing:
		t.closing()
	}
	if s.phase == Unproven || s.phase == Closing {
		if s.mark >= s.lim.RetryLock || t.closes || t.cleared {
			t.lock(NotSecured)
		}
	}
}

// closing waits for the proof.
func (t *turn) closing() {
	s := t.s
	if t.drawn { // the answer to the Unlock, or a bolt that could not be thrown
		s.out = s.out && t.by == ByResident
		t.lock(BoltNotThrown)
	}
	if s.in == s.lim.Close {
		s.in = past(s.lim.Close)
		t.alarm(NotSecured)
	}
}

// secured is the proof (S9). A door that provably stayed closed may be opened once more, with a fresh slide (S3).
func (t *turn) secured() {
	s := t.s
	s.unordered, s.opened = true, 0
	fresh := s.over == NoReason && s.alarm == NoReason && s.incident == NoReason
	switch {
	case !s.moved && !s.rearmed && fresh:
		s.rearmed = true
		t.enter(Arming, NeverOpened)
		t.say(DoHold, NeverOpened)
		t.arm()
		return
	case !s.moved:
		if s.over == NoReason {
			s.over = NeverOpened
		}
		t.enter(Tail, NeverOpened)
	default:
		t.enter(Secured, ProvenSecured)
	}
	t.ending()
}

// guard holds a door that was proven secured in this visit (S10).
func (t *turn) guard() {
	s := t.s
	switch {
	case s.ajar():
		t.breach(ReEntry)
		t.opened(ReEntry)
	case s.bolted():
	case s.Door() == DoorUnknown:
		t.blind()
	case t.drawn:
		t.undone()
	default:
		if s.committed() {
			t.enter(Closing, BoltNotThrown)
			t.lock(BoltNotThrown)
		}
	}
}

// undone is a thrown bolt that drew without an order of ours.
func (t *turn) undone() {
	s := t.s
	switch {
	case t.by == ByResident:
		t.say(DoNotice, OpenedByResident)
		t.enter(Unlocked, OpenedByResident)
	case t.by == ByInside && !s.out:
		t.say(DoNotice, ExitRecorded)
		t.enter(Unlocked, ExitRecorded)
		s.moved = true
	case t.by == ByInside:
		s.out = false
		t.enter(Closing, MaybeInside)
		t.alarm(MaybeInside)
		t.lock(MaybeInside)
	default:
		t.unasked()
	}
}

// unasked is a bolt that drew by itself or by radio: an Unlock that took effect late, or twice (S12).
func (t *turn) unasked() {
	s := t.s
	r := UnlockTwice
	if !s.drew {
		r = UnlockLate
	}
	s.drew, s.out = true, false
	t.enter(Closing, r)
	t.breach(r)
	t.lock(r)
}

// ending goes from secured to the end: released by "I am out", and the tail watched.
func (t *turn) ending() {
	s := t.s
	if s.phase == Secured && !s.out && s.outIn == s.lim.Out {
		t.alarm(MaybeInside)
		t.enter(Tail, MaybeInside)
	}
	if s.out && s.Secured() && !s.released && s.incident == NoReason {
		s.released, s.leave = true, false
		t.say(DoRelease, CourierOut)
	}
	if s.phase == Secured && s.out {
		t.enter(Tail, CourierOut)
	}
	if s.phase != Tail || s.in < s.lim.Tail || !s.Secured() {
		return
	}
	if s.moved && !s.out && s.incident == NoReason {
		s.incident = MaybeInside
		t.say(DoIncident, MaybeInside)
	}
	switch {
	case s.incident != NoReason:
		t.end(Incident, s.incident)
	case !s.moved || s.over == CannotDeliver:
		t.end(NotDelivered, s.over)
	default:
		t.end(Done, Delivered)
	}
}

// reaches takes a lapse that is noticed behind a secured door, but whose gap began before that: it is one of then (S7). The bolt is
// proven and stays as it is.
func (t *turn) reaches() {
	s := t.s
	if !s.spent && !s.committed() || s.committed() && !s.Secured() || s.lapse == 2 {
		return // not in an opening's visit, or one that judge takes whole
	}
	r := s.lapsing()
	s.lapse = 2
	if !s.released {
		t.leaveNow(r)
	}
	t.breach(r)
	if s.before() { // there is no other opening
		s.over = or(s.over, r)
		t.enter(Closing, r)
	}
}

// judge weighs the watch against the door (S6, S7).
func (t *turn) judge() {
	s := t.s
	if !s.Visit() {
		return
	}
	r := s.lapsing()
	unsecured := s.committed() && !s.Secured()
	if s.watch != WatchLive && (s.phase == Unlocking || s.phase == Unlocked) {
		late := LapseLagging
		if s.watch == WatchHubLate {
			late = HubLate
		}
		t.throw(or(r, late))
	}
	switch {
	case r == NoReason:
		s.lapse = 0
	case !s.committed() && s.lapse == 0:
		s.lapse = 1
		t.say(DoNotice, r)
	case unsecured && s.lapse < 2:
		s.lapse = 2
		t.lockShut(r)
		if s.phase == Secured || s.phase == Tail {
			t.enter(Closing, r)
		}
		t.leaveNow(r)
		t.breach(r)
	case s.lapse == 0:
		s.lapse = 1
		t.alarm(r)
	}
}

// lapsing names the lapse going on, or NoReason.
func (s *State) lapsing() Reason {
	if s.watch.Lapse() {
		return LapseLost + Reason(s.watch-WatchLost)
	}
	if s.committed() && s.lostDisk {
		return LapseUnrecorded
	}
	return NoReason
}

// tell gives what time asks for: alarms for reports that stopped, polls, alarms told again.
func (t *turn) tell(bolt Bolt, door Door, served bool) {
	s := t.s
	if s.committed() && !t.booted {
		gone := bolt != BoltUnknown && s.Bolt() == BoltUnknown || door != DoorUnknown && s.Door() == DoorUnknown
		if gone && !t.stale {
			t.alarm(WentStale)
		}
		if served && s.service > s.lim.Service {
			t.say(DoNotice, ServiceGone)
		}
	}
	if s.polled >= s.lim.Poll && s.Visit() {
		s.polled = 0
		t.say(DoPoll, s.why)
	}
	if s.alarm != NoReason && s.told >= s.lim.AlarmAgain {
		s.told = 0
		t.say(DoAlarm, s.alarm)
	}
}
