package interlock

// take puts one fact into the state. What follows from the state alone is left to settle.
func (t *turn) take(f *Fact) {
	s := t.s
	switch f.Kind {
	case Boot:
		t.boot(f)
	case WatchSays:
		t.watchSays(f)
	case RecorderSays:
		s.recorded, s.lostDisk = f.OK, !f.OK
	case BoltSays:
		t.boltSays(f)
	case DoorSays:
		t.doorSays(f)
	case LockSays:
		s.lockOK = f.OK
	case ServiceSays:
		if f.OK { // it counts from when it was given: a block may have come since (S1, S4)
			s.service = min(f.Age, past(s.lim.Service))
		} else {
			s.service = past(s.lim.Service)
		}
	case ClockSays:
		s.clockOK = f.OK
	case HomeSays:
		s.home = f.OK
	case SmokeSays:
		t.cleared = s.smoke && f.OK
		s.smoke = !f.OK
	case HoldSays:
		s.household, s.hold = f.OK, f.Reason
	case Arrive:
		t.arrive(f)
	case Slide:
		t.slide(f)
	case Durable:
		if s.phase == Deciding && f.N == s.n {
			t.durable()
		}
	case WriteFailed:
		if s.phase == Deciding && f.N == s.n {
			t.say(DoNotice, LedgerFailed)
			t.finish(LedgerFailed)
		}
	case NotSent:
		if f.N == s.n && (s.owed > 0 || s.possibly || t.overdue) {
			t.notSent()
		}
	case Out:
		t.courierOut()
	case Cannot:
		t.stop(CannotDeliver, NoReason)
	case Revoke:
		t.stop(GrantRevoked, RevokedInside)
	case Block:
		s.blocked = true
		t.stop(Blocked, BlockedWhileOpen)
	case Unblock:
		s.blocked = false
	case LockNow:
		t.lockNow()
	case LeaveNow:
		if s.Visit() {
			t.leaveNow(ResidentAsked)
		}
		t.stop(ResidentAsked, NoReason)
	case Acknowledge:
		t.acknowledge()
	case AlarmStands:
		s.alarm, s.told = or(f.Reason, Restarted), 0
	case CloseIncident:
		if s.Visit() {
			t.refuse(AnotherVisit)
		} else {
			s.incident = NoReason
		}
	}
}

func or(r, otherwise Reason) Reason {
	if r == NoReason || r >= reasons {
		return otherwise
	}
	return r
}

// boot starts from nothing known. A visit that did not end is never resumed: the door is possibly open (S12).
func (t *turn) boot(f *Fact) {
	s := t.s
	unfinished := !f.OK || s.Visit()
	s.forget()
	s.clear()
	s.why = Restarted
	t.known, t.overdue, t.booted = false, false, true
	if f.Reason != NoReason {
		s.incident = or(f.Reason, Restarted) // a word of a newer version is an incident all the same
	}
	if !unfinished {
		return
	}
	s.unordered = true
	s.polled = s.lim.Poll
	t.enter(Unproven, Restarted)
	t.say(DoRecord, Restarted)
	t.breach(Restarted)
}

// watchSays keeps the length of the unbroken live run: any other verdict, even for an instant, starts it anew (S1).
func (t *turn) watchSays(f *Fact) {
	w := f.Watch
	if w > WatchHubLate {
		w = WatchUnknown
	}
	if t.s.watch != WatchLive {
		t.s.live = 0
	}
	t.s.watch = w
	t.since = f.OK && w.Lapse()
}

// boltSays takes a report if it was made after the newest one. An older one is about the past: the first state after a
// command is the state before it.
func (t *turn) boltSays(f *Fact) {
	s := t.s
	if f.Age > s.boltAge || f.Age > s.lim.BoltStale {
		return
	}
	b := f.Bolt
	if b > BoltJammed {
		b = BoltUnknown
	}
	t.by = f.By
	t.drawn = b == BoltDrawn && s.bolt != BoltDrawn
	t.thrown = b == BoltThrown && s.bolt != BoltThrown
	t.jammed = b == BoltJammed && s.bolt != BoltJammed
	s.bolt, s.boltAge = b, f.Age
	switch {
	case t.drawn:
		s.guest = f.By == ByResident
	case b == BoltThrown:
		s.guest = false
	}
	if b == BoltDrawn && s.owed > 0 && f.Age <= s.lim.Answer-s.owed {
		s.owed, s.drew = 0, true
	}
}

// doorSays takes a report if it was made after the newest one.
func (t *turn) doorSays(f *Fact) {
	s := t.s
	if f.Age > s.doorAge || f.Age > s.lim.DoorStale {
		return
	}
	d := f.Door
	if d > DoorAjar {
		d = DoorUnknown
	}
	open := d == DoorOpen || d == DoorAjar
	t.closes = d == DoorClosed && !s.shut()
	t.swung = open && s.door != DoorOpen && s.door != DoorAjar
	if d != DoorClosed || s.door == DoorOpen || s.door == DoorAjar {
		s.mark = min(s.mark, f.Age)
	}
	s.door, s.doorAge = d, f.Age
}

// arrive begins a visit, or says why not.
func (t *turn) arrive(f *Fact) {
	s := t.s
	switch {
	case s.Visit():
		t.refuse(AnotherVisit)
	case !f.OK:
		t.refuse(or(f.Reason, NoConsent))
	case !s.sane:
		t.refuse(NotConfigured)
	case s.blocked:
		t.refuse(Blocked)
	case s.alarm != NoReason || s.incident != NoReason:
		t.refuse(StandingAlarm)
	default:
		s.clear()
		s.polled = s.lim.Poll
		t.enter(Arming, Arrived)
		t.say(DoRecord, Arrived)
	}
}

// slide decides, if everything holds. The decision is written before anything moves (S5).
func (t *turn) slide(f *Fact) {
	s := t.s
	r := s.refusal()
	switch {
	case !f.OK:
		t.refuse(or(f.Reason, SlideForged))
	case r != NoReason:
		t.refuse(r)
	case s.phase != Ready || f.N != s.n || s.nonce > s.lim.Slide:
		t.refuse(SlideStale)
	default:
		t.enter(Deciding, SlidToOpen)
		t.do(Command{Do: DoWrite, Reason: SlidToOpen, N: s.n})
	}
}

// durable is the only place that commands Unlock. It asks everything again, at this instant (S5).
func (t *turn) durable() {
	s := t.s
	r := s.refusal()
	switch {
	case r != NoReason:
	case s.in > s.lim.Durable:
		r = LedgerSlow
	case s.nonce > s.lim.Slide:
		r = SlideStale
	}
	if r != NoReason {
		t.refuse(r)
		t.enter(Arming, r)
		return
	}
	s.spent, s.drew, s.unordered = true, false, false
	s.waited, s.held, s.nonce = 0, 0, 0 // a re-arm waits anew
	s.mark, s.owed = 0, s.lim.Answer
	t.enter(Unlocking, WrittenDown)
	t.do(Command{Do: DoUnlock, Reason: WrittenDown, N: s.n})
	t.do(Command{Do: DoSpend, Reason: WrittenDown, N: s.n})
}

// notSent settles an Unlock that provably never left the hub.
func (t *turn) notSent() {
	s := t.s
	s.owed, t.overdue = 0, false
	if s.shut() {
		t.enter(Closing, LockOffline)
		t.lock(LockOffline)
	}
}

// courierOut takes "I am out" only behind a closed door (S19).
func (t *turn) courierOut() {
	s := t.s
	switch {
	case s.phase == Idle || s.before():
		t.refuse(NoVisit)
	case !s.shut():
		t.refuse(DoorNotClosed)
	case s.phase == Unlocking || s.phase == Unlocked:
		t.refuse(BoltNotThrown)
	default:
		s.out = true
		if s.over == NoReason {
			s.over = CourierOut
		}
	}
}

// stop ends what can end: before Unlock the visit; after it the right to another opening, and the bolt is thrown if the
// door is closed. inside is the alarm for a door that is not secured by then, NoReason for none.
func (t *turn) stop(r, inside Reason) {
	s := t.s
	switch {
	case s.phase == Idle:
	case s.before():
		t.finish(r)
	default:
		if s.over == NoReason || r == CannotDeliver {
			s.over = r
		}
		if s.bolted() {
			return
		}
		if inside != NoReason {
			t.leaveNow(inside)
			t.alarm(inside)
		}
		t.throw(r)
	}
}

// throw bolts a door that is closed and on its way to an opening.
func (t *turn) throw(r Reason) {
	t.lockShut(r)
	if t.s.phase == Unlocking || t.s.phase == Unlocked {
		t.enter(Closing, r)
	}
}

func (t *turn) lockNow() {
	s := t.s
	if s.ajar() {
		t.refuse(DoorNotClosed)
		return
	}
	if s.smoke {
		t.refuse(SmokeAlarm)
		return
	}
	t.lock(ResidentAsked)
	switch s.phase {
	case Deciding:
		t.refuse(ResidentAsked)
		t.enter(Arming, ResidentAsked)
	case Unlocking, Unlocked:
		t.enter(Closing, ResidentAsked)
	}
	if s.committed() && s.over == NoReason {
		s.over = ResidentAsked
	}
}

// acknowledge ends the standing alarm. What caused it has its limit anew: if it goes on, so does the alarm.
func (t *turn) acknowledge() {
	s := t.s
	if s.alarm == NoReason {
		return
	}
	s.alarm, s.opened, s.outIn = NoReason, 0, 0
	switch s.phase {
	case Closing, Unproven:
		s.in = 0
	}
}
