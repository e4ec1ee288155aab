package interlock

// rule is one numbered rule: when it applies, it must hold.
type rule struct {
	id, what string
	check    func(m *move) (applies, holds bool)
}

func isIn(p Phase, ps ...Phase) bool {
	for _, q := range ps {
		if p == q {
			return true
		}
	}
	return false
}

// rules are the numbered rules of docs/SAFETY.md as far as they bind the interlock.
var rules = []rule{
	{"S1", "Unlock only while watched, recorded, bolted, shut, answered and served", func(m *move) (bool, bool) {
		return m.does(DoUnlock), m.now.s1()
	}},
	{"S1", "ready exactly when every check holds", func(m *move) (bool, bool) {
		p := m.next.Phase()
		return isIn(p, Arming, Held, Ready), (p == Ready) == m.then.ready()
	}},
	{"S1", "the checks shown are the checks made", func(m *move) (bool, bool) {
		all, same, j := true, true, &m.then
		for _, c := range m.next.Checks() {
			all = all && c.OK
			want, known := j.check(c.Name)
			same = same && c.OK == (c.Reason == NoReason) && (!known || c.OK == want)
		}
		return true, same && (j.stage == after || all == j.ready())
	}},
	{"S1", "the watch shown is the newest verdict, the nonce shown the newest made", func(m *move) (bool, bool) {
		n, ok := m.next.Nonce()
		return true, m.next.Watch() == m.then.watch && ok == (m.next.Phase() == Ready) && (!ok || n == m.then.made)
	}},
	{"S2", "Unlock only for a verified slide over the newest nonce, in time, by the clock, in a visit", func(m *move) (bool, bool) {
		j := &m.now
		return m.does(DoUnlock), j.stage == before && !j.over && j.clock && j.holdsOK && !j.smoke && !j.alarm && !j.incident &&
			j.pending == j.made && j.nonce <= j.lim.Slide
	}},
	{"S2", "a decision only for a verified slide over the newest nonce, in time", func(m *move) (bool, bool) {
		j := &m.now
		return m.does(DoWrite), m.f.Kind == Slide && m.f.OK && m.f.N == j.made && j.nonce <= j.lim.Slide && j.ready() && j.pending == 0
	}},
	{"S2", "a good slide is taken", func(m *move) (bool, bool) {
		j := &m.now
		return m.f.Kind == Slide && m.f.OK && m.s.Phase() == Ready && m.f.N == j.made && j.nonce <= j.lim.Slide && j.ready(),
			m.does(DoWrite) && m.next.Phase() == Deciding
	}},
	{"S2", "a slide is taken or refused", func(m *move) (bool, bool) {
		return m.f.Kind == Slide, m.does(DoWrite) != m.does(DoRefuse) || m.does(DoEnd) || m.does(DoRefuse) && m.next.Phase() >= Unlocking
	}},
	{"S2", "what is refused is refused with a reason and begins nothing", func(m *move) (bool, bool) {
		bad := (m.f.Kind == Arrive || m.f.Kind == Slide) && !m.f.OK
		return bad, m.does(DoRefuse) && !m.does(DoWrite) && (m.f.Kind == Slide || m.then.stage == m.was.stage || m.was.stage != none)
	}},
	{"S2", "a good arrival begins a visit if nothing stands against it", func(m *move) (bool, bool) {
		j := &m.now
		return m.f.Kind == Arrive && m.f.OK && m.was.stage == none,
			(m.then.stage == before && m.does(DoRecord)) == (believable(j.lim) && !j.blocked && !j.alarm && !j.incident) && (m.then.stage == before || m.does(DoRefuse))
	}},
	{"S2", "a nonce is made anew when it is used, void or old", func(m *move) (bool, bool) {
		return m.next.Phase() == Ready, m.then.nonce < m.then.lim.Slide && (m.s.Phase() == Ready || m.does(DoMakeNonce)) &&
			(m.s.Phase() != Ready || m.does(DoMakeNonce) == (m.now.nonce >= m.now.lim.Slide))
	}},
	{"S3", "one opening: Unlock first, or once more after a door that provably stayed closed", func(m *move) (bool, bool) {
		return m.does(DoUnlock), m.was.unlocks == 0 || m.was.unlocks == 1 && m.was.still && m.was.proven
	}},
	{"S3", "the grant is spent with the Unlock", func(m *move) (bool, bool) {
		return m.does(DoUnlock) || m.does(DoSpend), m.does(DoUnlock) == m.does(DoSpend)
	}},
	{"S3", "a re-arm only after proof that the door stayed closed", func(m *move) (bool, bool) {
		return m.was.stage == after && isIn(m.next.Phase(), Arming, Held, Ready, Deciding),
			m.now.still && m.was.unlocks == 1 && m.now.secured() && !m.now.over && !m.now.lapsed
	}},
	{"S3", "a re-arm waits anew", func(m *move) (bool, bool) {
		p, l := m.next.Phase(), m.then.lim
		return m.was.stage == after && isIn(p, Arming, Held, Ready), p == Held && m.next.Left() == l.Hold || p != Held && m.next.Left() == l.Wait
	}},
	{"S3", "the one re-arm is given", func(m *move) (bool, bool) {
		j := &m.now
		return j.stage == after && !j.proven && j.secured() && j.still && j.unlocks == 1 && !j.over && !j.alarm && !j.incident && !j.smoke &&
				isIn(m.s.Phase(), Closing, Unlocked) && m.f.Kind == BoltSays && !m.does(DoAlarm) && !m.says(DoNotice, OpenedByResident) && !m.was.inside,
			isIn(m.next.Phase(), Arming, Held, Ready)
	}},
	{"S3", "an opening again before secured is the same opening: no breach", func(m *move) (bool, bool) {
		return m.was.stage == after && !m.was.proven && m.f.Kind == DoorSays && !m.was.open() && m.now.open(),
			!m.alarms(ReEntry) && !m.says(DoIncident, ReEntry) && m.next.Phase() == Opened
	}},
	{"S4", "blocked: never an Unlock, never ready", func(m *move) (bool, bool) {
		return m.now.blocked, !m.does(DoUnlock) && !m.does(DoWrite) && !m.does(DoMakeNonce) && m.next.Phase() != Ready
	}},
	{"S4", "a block before the opening ends the visit", func(m *move) (bool, bool) {
		return m.f.Kind == Block && m.was.stage == before && m.was.unlocks == 0, m.does(DoEnd) && m.next.Blocked()
	}},
	{"S4", "a block in an opening: alarm, leave, and the bolt if the door is closed", func(m *move) (bool, bool) {
		return m.f.Kind == Block && m.was.stage == after && !m.now.held(),
			m.says(DoAlarm, BlockedWhileOpen) && m.next.Leave() && (!m.now.shut() || m.now.smoke || m.does(DoLock)) && m.next.Blocked()
	}},
	{"S4", "only the resident lifts a block", func(m *move) (bool, bool) {
		return true, m.next.Blocked() == m.now.blocked
	}},
	{"S5", "only the step that takes \"durable\" commands Unlock, for the decision that was written", func(m *move) (bool, bool) {
		return m.does(DoUnlock), m.f.Kind == Durable && m.was.pending != 0 && m.f.N == m.was.pending
	}},
	{"S5", "a durable decision that still holds is carried out", func(m *move) (bool, bool) {
		j := &m.now
		return m.f.Kind == Durable && j.pending != 0 && m.f.N == j.pending && j.ready() && j.nonce <= j.lim.Slide && j.deciding <= j.lim.Durable,
			m.does(DoUnlock) && m.next.Phase() == Unlocking
	}},
	{"S5", "a decision that was not on disk in time, or not at all, is dropped", func(m *move) (bool, bool) {
		j := &m.now
		return j.pending != 0 && (j.deciding > j.lim.Durable || m.f.Kind == WriteFailed && m.f.N == j.pending), !m.does(DoUnlock) && m.next.Phase() != Deciding && (m.does(DoRefuse) || m.does(DoAlarm) || m.does(DoEnd))
	}},
	{"S5", "a decision waits for the disk its whole time", func(m *move) (bool, bool) {
		j := &m.now
		waits := m.f.Kind == Tick || m.f.Kind == WriteFailed && m.f.N != j.pending || m.f.Kind == Durable && m.f.N != j.pending
		return waits && j.pending != 0 && j.deciding <= j.lim.Durable && j.held(), m.next.Phase() == Deciding
	}},
	{"S5", "only the decision that waits can fail", func(m *move) (bool, bool) {
		return (m.f.Kind == WriteFailed || m.f.Kind == Durable) && m.now.pending == 0, !m.says(DoNotice, LedgerFailed) && !m.says(DoRefuse, LedgerFailed)
	}},
	{"S6", "not live behind a closed door that is unlocked: Lock in that very step", func(m *move) (bool, bool) {
		fresh := m.f.Kind == WatchSays && m.was.watch == WatchLive && m.now.watch != WatchLive
		return fresh && m.inVisit() && !m.now.held() && m.now.shut() && !m.now.smoke && isIn(m.s.Phase(), Unlocking, Unlocked),
			m.does(DoLock)
	}},
	{"S6", "no door waits to be opened while the watch is not live", func(m *move) (bool, bool) {
		return m.then.stage == after && m.then.watch != WatchLive, !isIn(m.next.Phase(), Unlocking, Unlocked)
	}},
	{"S6", "a lapse in an opening: Lock if closed, alarm, leave, incident, in that very step", func(m *move) (bool, bool) {
		return m.inVisit() && m.now.lapsing() && !m.was.lapsing() && !m.then.secured() && (!m.now.held()),
			m.does(DoAlarm) && m.next.Leave() && m.next.Incident() != NoReason && (!m.now.shut() || m.now.smoke || m.does(DoLock))
	}},
	{"S6", "a lapse after secured is told at once", func(m *move) (bool, bool) {
		return m.inVisit() && m.now.lapsing() && !m.was.lapsing() && m.then.secured(), m.does(DoAlarm)
	}},
	{"S6", "a lapse before an opening is told at once", func(m *move) (bool, bool) {
		return m.was.stage == before && m.then.stage == before && m.now.watch.Lapse() && !m.was.watch.Lapse() && m.s.Phase() < Unlocking && m.next.Phase() < Unlocking,
			m.does(DoNotice)
	}},
	{"S6", "the door is bolted in the step that reports it closed", func(m *move) (bool, bool) {
		return m.inVisit() && m.now.shut() && !m.was.shut() && m.f.Kind == DoorSays && !m.now.held() && !m.now.smoke &&
			isIn(m.s.Phase(), Opened, Closing, Unproven) && !m.then.secured(), m.does(DoLock)
	}},
	{"S7", "a visit that lapsed ends as an incident", func(m *move) (bool, bool) {
		ends := false
		ok := true
		for _, c := range m.out {
			if c.Do == DoEnd && m.now.lapsed {
				ends, ok = true, c.Outcome == Incident
			}
		}
		return ends, ok
	}},
	{"S7", "a lapse that began before secured, and is noticed after: alarm and incident in that very step", func(m *move) (bool, bool) {
		return reaches(m) && !m.was.incident, m.does(DoIncident) && m.does(DoAlarm) && m.next.Incident() != NoReason && !isIn(m.next.Phase(), Arming, Held, Ready, Deciding)
	}},
	{"S7", "a visit that lapsed is never released", func(m *move) (bool, bool) {
		return m.now.lapsed, !m.does(DoRelease)
	}},
	{"S7", "only a resident closes an incident, and only after the visit", func(m *move) (bool, bool) {
		return m.then.incident || m.was.incident, (m.next.Incident() != NoReason) == m.then.incident
	}},
	{"S7", "an incident is opened for a cause", func(m *move) (bool, bool) {
		j := &m.now
		return m.does(DoIncident), m.f.Kind == Boot || m.then.lapsing() && !j.secured() || m.f.Kind == DoorSays && j.open() ||
			m.f.Kind == BoltSays && j.bolt == BoltDrawn || m.does(DoEnd) && !j.out && !j.still || reaches(m)
	}},
	{"S7", "an incident is opened once", func(m *move) (bool, bool) {
		return m.was.incident, !m.does(DoIncident)
	}},
	{"S7", "lagging that heals leaves no mark", func(m *move) (bool, bool) {
		return m.f.Kind == WatchSays && !m.now.lapsing(), !m.does(DoIncident)
	}},
	{"S8", "a visit never ends silently, and never with an unsecured door", func(m *move) (bool, bool) {
		ends := m.was.stage != none && m.next.Phase() == Idle
		return ends, m.does(DoEnd) && m.does(DoKeep) && (m.was.unlocks == 0 && m.was.stage == before || m.now.secured())
	}},
	{"S8", "ended, as it went", func(m *move) (bool, bool) {
		for _, c := range m.out {
			if c.Do == DoEnd {
				want := Done
				switch {
				case m.then.incident:
					want = Incident
				case m.now.gaveUp || m.now.unlocks == 0 || m.now.still:
					want = NotDelivered
				}
				return true, c.Outcome == want && m.next.Phase() == Idle
			}
		}
		return false, true
	}},
	{"S8", "every wait before an opening has its limit", func(m *move) (bool, bool) {
		return m.then.stage == before, m.then.pre <= m.then.lim.Wait+m.then.lim.Hold
	}},
	{"S8", "what is left is never more than the limit", func(m *move) (bool, bool) {
		l := m.then.lim
		return true, m.next.Left() <= max(l.Wait, l.Hold, l.Durable, l.Answer, l.Enter, l.Open, l.Close, l.Out, l.Tail)
	}},
	{"S8", "a door open past its limit stands in alarm", func(m *move) (bool, bool) {
		return m.then.stage == after && m.then.openFor >= m.then.lim.Open, m.next.Alarm() != NoReason
	}},
	{"S8", "a closed door not secured in time stands in alarm", func(m *move) (bool, bool) {
		j := &m.then
		limit := j.lim.Close
		if isIn(m.next.Phase(), Unlocking, Unlocked) || m.next.Phase() == Unproven {
			limit = far
		}
		return j.stage == after && j.shutFor >= limit+j.lim.Enter+j.lim.Answer, m.next.Alarm() != NoReason
	}},
	{"S9", "secured is what the reports prove", func(m *move) (bool, bool) {
		return m.next.Secured() || m.then.secured(), m.next.Secured() == m.then.secured()
	}},
	{"S9", "the visit calls a door secured only on proof", func(m *move) (bool, bool) {
		return isIn(m.next.Phase(), Secured, Tail) && !isIn(m.s.Phase(), Secured, Tail), m.now.secured()
	}},
	{"S9", "without a thrown bolt behind a closed door the visit is not secured", func(m *move) (bool, bool) {
		return m.then.stage == after && !m.then.held(), !isIn(m.next.Phase(), Secured, Tail)
	}},
	{"S9", "a proof is believed", func(m *move) (bool, bool) {
		return m.now.stage == after && m.then.secured(), isIn(m.next.Phase(), Secured, Tail, Idle, Arming, Held, Ready)
	}},
	{"S9", "Lock is repeated while a closed door is not proven", func(m *move) (bool, bool) {
		j := &m.then
		return j.stage == after && j.shut() && !j.held() && !j.smoke && isIn(m.next.Phase(), Closing, Unproven, Secured, Tail),
			j.lockAge < j.lim.RetryLock
	}},
	{"S9", "the lock is asked until the visit ends", func(m *move) (bool, bool) {
		return m.then.stage != none, m.then.polled < m.then.lim.Poll
	}},
	{"S10", "an opening after secured is a re-entry: alarm and incident", func(m *move) (bool, bool) {
		j := &m.was
		return j.proven && (j.stage == after && isIn(m.s.Phase(), Secured, Tail) || j.stage == before) && m.f.Kind == DoorSays && !j.open() && m.now.open(),
			m.says(DoAlarm, ReEntry) && m.next.Incident() != NoReason && m.next.Phase() == Opened && !m.next.Secured()
	}},
	{"S10", "an opening outside a visit: alarm when away, notice when home or known", func(m *move) (bool, bool) {
		if !(m.was.stage == none || m.was.stage == before && m.was.unlocks == 0) || m.f.Kind != DoorSays || m.was.door == DoorOpen || m.was.door == DoorAjar || m.now.door != DoorOpen && m.now.door != DoorAjar || m.now.doorAge != m.f.Age {
			return false, true
		}
		if m.was.guest {
			return true, m.says(DoNotice, OpenedByResident) && !m.alarms(ReEntry)
		}
		if m.was.home {
			return true, m.says(DoNotice, OpenedNotice) && !m.alarms(ReEntry)
		}
		return true, m.says(DoAlarm, ReEntry) || m.says(DoAlarm, ForcedOpen) && m.was.bolt == BoltThrown
	}},
	{"S11", "Lock never while the door is known to be open, nor under smoke", func(m *move) (bool, bool) {
		return m.does(DoLock), !m.now.open() && !m.now.smoke
	}},
	{"S11", "with the door unknown, Lock only when the resident asks or at the limit", func(m *move) (bool, bool) {
		return m.does(DoLock) && !m.now.shut(), m.f.Kind == LockNow || m.says(DoAlarm, NotSecured) && m.now.blindFor >= m.now.lim.Enter
	}},
	{"S11", "door unknown after an Unlock: alarm, and one Lock at the limit", func(m *move) (bool, bool) {
		return m.inVisit() && m.now.blindFor >= m.now.lim.Enter && m.was.blindFor < m.was.lim.Enter,
			m.does(DoAlarm) && (m.does(DoLock) || m.now.smoke)
	}},
	{"S11", "door unknown after an Unlock is possibly open, and told", func(m *move) (bool, bool) {
		known := m.was.shut() || m.was.open()
		return m.inVisit() && known && !m.now.shut() && !m.now.open(), m.next.PossiblyOpen() && m.does(DoAlarm)
	}},
	{"S11", "Retract once, in an opening of ours, bolt out and door open, never after secured", func(m *move) (bool, bool) {
		return m.does(DoRetract), m.now.stage == after && m.now.open() && m.now.boltIs() == BoltThrown && m.now.boltAge <= m.now.doorAge && !m.was.retract && !m.was.proven
	}},
	{"S11", "a bolt in the air is retracted or alarmed", func(m *move) (bool, bool) {
		return m.inVisit() && m.f.Kind == BoltSays && m.was.bolt != BoltThrown && m.now.bolt == BoltThrown && m.now.open() && m.now.boltAge == m.f.Age && m.now.boltAge <= m.now.doorAge,
			m.does(DoRetract) != m.says(DoAlarm, BoltInAir)
	}},
	{"S11", "when the smoke alarm ends, a closed door that is not proven is bolted", func(m *move) (bool, bool) {
		return m.f.Kind == SmokeSays && m.was.smoke && !m.now.smoke && m.inVisit() && m.now.shut() && !m.now.held() && isIn(m.next.Phase(), Closing, Unproven), m.does(DoLock)
	}},
	{"S12", "no restart resumes an unlock", func(m *move) (bool, bool) {
		return m.f.Kind == Boot, !m.does(DoUnlock) && !m.does(DoRetract) && !m.next.Secured() && m.next.Bolt() == BoltUnknown &&
			m.next.Door() == DoorUnknown && m.next.Watch() == WatchUnknown
	}},
	{"S12", "a restart in a visit comes up possibly open, in alarm, as an incident", func(m *move) (bool, bool) {
		return m.f.Kind == Boot && (!m.f.OK || m.was.stage != none), m.next.PossiblyOpen() && m.says(DoAlarm, Restarted) && m.next.Incident() != NoReason && m.does(DoPoll) && m.does(DoRecord)
	}},
	{"S12", "an Unlock unanswered at its deadline: possibly open, alarm, Lock if closed", func(m *move) (bool, bool) {
		return m.was.stage == after && m.now.stage == after && !m.was.answered && !m.now.answered && m.was.unlockAge < m.was.lim.Answer && m.now.unlockAge >= m.now.lim.Answer,
			m.says(DoAlarm, UnlockUnanswered) && (m.next.PossiblyOpen() || m.f.Kind == BoltSays) && (!m.now.shut() || m.now.smoke || m.does(DoLock))
	}},
	{"S12", "a bolt that draws after secured without an order: Lock and alarm", func(m *move) (bool, bool) {
		return m.was.proven && m.was.stage != none && m.was.held() && m.now.shut() && m.f.Kind == BoltSays && m.now.boltIs() == BoltDrawn && m.was.bolt == BoltThrown &&
				(m.f.By == ByUnknown || m.f.By == ByRemote || m.f.By == ByItself) && isIn(m.s.Phase(), Arming, Held, Ready, Deciding, Secured, Tail),
			m.does(DoAlarm) && (m.does(DoLock) || m.now.smoke) && m.next.Incident() != NoReason && m.next.Phase() == Closing
	}},
	{"S12", "a bolt that draws in an empty home without an order: Lock and alarm", func(m *move) (bool, bool) {
		return m.was.stage == none && !m.was.home && m.f.Kind == BoltSays && m.was.bolt == BoltThrown && m.now.bolt == BoltDrawn &&
				(m.f.By == ByUnknown || m.f.By == ByRemote || m.f.By == ByItself),
			m.does(DoAlarm) && (m.does(DoLock) || m.now.smoke || !m.now.shut())
	}},
	{"S12", "a late effect is bolted and alarmed", func(m *move) (bool, bool) {
		return m.was.stage == after && m.s.PossiblyOpen() && !m.was.answered && m.was.unlockAge >= m.was.lim.Answer && m.now.shut() && m.was.shut() &&
				m.f.Kind == BoltSays && m.f.By != ByResident && m.was.bolt != BoltDrawn && m.now.bolt == BoltDrawn,
			m.says(DoAlarm, UnlockLate) && (m.does(DoLock) || m.now.smoke)
	}},
	{"S12", "what is older than its bound, or than what is known, is not news", func(m *move) (bool, bool) {
		return true, m.next.Bolt() == m.then.boltIs() && m.next.Door() == m.then.doorIs()
	}},
	{"S12", "reports that stop in an opening are told", func(m *move) (bool, bool) {
		return m.inVisit() && m.f.Kind != Boot && m.s.Phase() >= Unlocking && (m.was.boltIs() != BoltUnknown && m.now.boltIs() == BoltUnknown || m.was.doorIs() != DoorUnknown && m.now.doorIs() == DoorUnknown),
			m.does(DoAlarm) && !m.next.Secured()
	}},
	{"S12", "a jam in an opening is told", func(m *move) (bool, bool) {
		return m.inVisit() && m.s.Phase() >= Unlocking && m.f.Kind == BoltSays && m.was.bolt != BoltJammed && m.now.bolt == BoltJammed, m.says(DoAlarm, BoltJam) && !m.next.Secured() && !isIn(m.next.Phase(), Unlocking, Unlocked)
	}},
	{"S13", "nothing unknown opens", func(m *move) (bool, bool) {
		j := &m.now
		return j.boltIs() == BoltUnknown || j.doorIs() == DoorUnknown || j.watch == WatchUnknown, !m.does(DoUnlock) && !m.does(DoWrite)
	}},
	{"S13", "with a limit missing or absurd no visit begins", func(m *move) (bool, bool) {
		return m.f.Kind == Arrive && m.f.OK && !believable(m.now.lim), m.says(DoRefuse, NotConfigured) && m.then.stage == none
	}},
	{"S14", "a service gone silent in an opening is told", func(m *move) (bool, bool) {
		return m.inVisit() && m.s.Phase() >= Unlocking && m.f.Kind != Boot && m.was.served <= m.was.lim.Service && m.now.served > m.now.lim.Service, m.says(DoNotice, ServiceGone)
	}},
	{"S14", "with the service silent nothing opens", func(m *move) (bool, bool) {
		return m.now.served > m.now.lim.Service, !m.does(DoUnlock) && !m.does(DoWrite)
	}},
	{"S16", "an alarm stands until a person acknowledges it", func(m *move) (bool, bool) {
		return true, (m.next.Alarm() != NoReason) == m.then.alarm
	}},
	{"S16", "a standing alarm is told again", func(m *move) (bool, bool) {
		return m.now.alarm && m.now.told >= m.now.lim.AlarmAgain, m.does(DoAlarm)
	}},
	{"S18", "no alarm without its cause", func(m *move) (bool, bool) {
		any, ok := false, true
		for _, c := range m.out {
			if c.Do == DoAlarm {
				any, ok = true, ok && m.cause(c.Reason)
			}
		}
		return any, ok
	}},
	{"S18", "no notice without its cause", func(m *move) (bool, bool) {
		any, ok := false, true
		for _, c := range m.out {
			if c.Do == DoNotice {
				any, ok = true, ok && m.noted(c.Reason)
			}
		}
		return any, ok
	}},
	{"S18", "the courier is told to leave once, and only in a visit", func(m *move) (bool, bool) {
		return m.does(DoLeave), !m.s.Leave() && m.was.stage != none || m.f.Kind == Boot
	}},
	{"S18", "the lock is left in peace outside visits", func(m *move) (bool, bool) {
		return m.then.stage == none, !m.does(DoPoll)
	}},
	{"S18", "nothing is said twice", func(m *move) (bool, bool) {
		for i, c := range m.out {
			for _, d := range m.out[:i] {
				if c.Do == d.Do && (c.Do != DoAlarm && c.Do != DoNotice && c.Do != DoHold || c.Reason == d.Reason) && c.Do != DoRefuse {
					return true, false
				}
			}
		}
		return len(m.out) > 1, true
	}},
	{"S19", "released only when secured, out since the last close, and without an incident", func(m *move) (bool, bool) {
		return m.does(DoRelease), m.now.secured() && (m.now.out || m.f.Kind == Out) && !m.then.incident && !m.s.Released()
	}},
	{"S19", "\"I am out\" behind a secured door releases", func(m *move) (bool, bool) {
		j := &m.then
		return j.stage == after && j.secured() && j.out && !j.incident && !j.lapsed, m.next.Released() && !(m.does(DoRelease) && m.next.Leave())
	}},
	{"S19", "nobody out in time: somebody may be inside", func(m *move) (bool, bool) {
		j := &m.now
		return m.inVisit() && !j.still && j.waitFor >= j.lim.Out && m.was.waitFor < m.was.lim.Out && j.held() && !j.asked, m.does(DoAlarm)
	}},
	{"S19", "an exit from inside before \"I am out\" is a recorded exit", func(m *move) (bool, bool) {
		return isIn(m.s.Phase(), Secured, Tail) && !m.was.out && m.was.held() && m.now.shut() && m.f.Kind == BoltSays && m.f.By == ByInside && m.was.bolt == BoltThrown && m.now.boltIs() == BoltDrawn,
			m.says(DoNotice, ExitRecorded) && !m.alarms(UnlockTwice)
	}},
	{"S19", "drawn from inside after \"I am out\": somebody is inside", func(m *move) (bool, bool) {
		return isIn(m.s.Phase(), Secured, Tail) && m.was.out && m.was.held() && m.now.shut() && m.f.Kind == BoltSays && m.f.By == ByInside && m.was.bolt == BoltThrown && m.now.boltIs() == BoltDrawn,
			m.says(DoAlarm, MaybeInside) && !m.next.Secured() && (m.does(DoLock) || m.now.smoke)
	}},
	{"S10", "a resident who opens after secured is noticed, not alarmed", func(m *move) (bool, bool) {
		return isIn(m.s.Phase(), Secured, Tail) && m.was.held() && m.now.shut() && m.f.Kind == BoltSays && m.f.By == ByResident && m.was.bolt == BoltThrown && m.now.boltIs() == BoltDrawn,
			m.says(DoNotice, OpenedByResident) && !m.does(DoIncident)
	}},
	{"S19", "\"I am out\" counts only behind a closed door", func(m *move) (bool, bool) {
		return m.f.Kind == Out && (m.was.stage != after || !m.now.shut() || isIn(m.s.Phase(), Unlocking, Unlocked)), m.does(DoRefuse) && !m.does(DoRelease) || m.does(DoEnd)
	}},
	{"T30", "one visit a door", func(m *move) (bool, bool) {
		return m.f.Kind == Arrive && m.f.OK && m.was.stage != none, m.says(DoRefuse, AnotherVisit) && !m.does(DoRecord)
	}},
	{"T21", "asked to leave, the courier is told, and the bolt is thrown if the door is closed", func(m *move) (bool, bool) {
		return m.f.Kind == LeaveNow && m.was.stage == after && !m.now.held(), m.next.Leave() && (!m.now.shut() || m.now.smoke || m.does(DoLock)) && !isIn(m.next.Phase(), Unlocking, Unlocked)
	}},
	{"T12", "a grant revoked before an opening ends the visit; in one it is alarmed and bolted", func(m *move) (bool, bool) {
		if m.was.stage == before && m.was.unlocks == 0 {
			return m.f.Kind == Revoke, m.does(DoEnd) && m.says(DoRefuse, GrantRevoked)
		}
		return m.f.Kind == Revoke && m.was.stage == after && !m.now.held(), m.says(DoAlarm, RevokedInside) && m.next.Leave() && (!m.now.shut() || m.now.smoke || m.does(DoLock))
	}},
	{"ask", "the resident's \"lock now\" throws the bolt of a door that is not open", func(m *move) (bool, bool) {
		return m.f.Kind == LockNow && !m.now.smoke && !m.now.open(), m.does(DoLock) && !isIn(m.next.Phase(), Deciding, Unlocking, Unlocked)
	}},
	{"ask", "the resident's \"lock now\" is refused when it cannot be", func(m *move) (bool, bool) {
		return m.f.Kind == LockNow && (m.now.smoke || m.now.open()), m.does(DoRefuse)
	}},
	{"ask", "cannot deliver: the visit goes on to no opening", func(m *move) (bool, bool) {
		return m.f.Kind == Cannot && m.was.stage != none, !isIn(m.next.Phase(), Arming, Held, Ready, Deciding, Unlocking, Unlocked) && (m.was.unlocks > 0 || m.was.stage == after || m.does(DoEnd))
	}},
	{"bound", "commands stay well within their bound", func(m *move) (bool, bool) {
		return len(m.out) > 0, len(m.out) <= maxCommands-4
	}},
	{"bound", "every reason has a word", func(m *move) (bool, bool) {
		ok := true
		for _, c := range m.out {
			ok = ok && c.Reason < reasons
		}
		return len(m.out) > 0, ok
	}},
	{"bound", "no counter runs on past its limit", func(m *move) (bool, bool) {
		s, l := &m.next, m.then.lim
		return l.Tail < far, max(s.live, s.service, s.boltAge, s.doorAge, s.mark, s.owed, s.nonce, s.in, s.waited, s.held, s.opened, s.outIn, s.polled, s.told) < 12
	}},
	{"bound", "Lock comes first, and never with an Unlock", func(m *move) (bool, bool) {
		return m.does(DoLock), len(m.out) > 0 && m.out[0].Do == DoLock && !m.does(DoUnlock)
	}},
}

// believable says that every limit is there, and none is longer than twelve days.
func believable(l Limits) bool {
	for _, v := range []Millis{l.Arming, l.Slide, l.Service, l.Durable, l.Answer, l.Enter, l.Open, l.Close, l.Out, l.Tail, l.Wait, l.Hold, l.Poll, l.BoltStale, l.DoorStale, l.RetryLock, l.AlarmAgain} {
		if v < 1 || v > 1<<30 {
			return false
		}
	}
	return true
}

// reaches says whether a lapse is told of which part fell into the time between an Unlock of this visit and secured.
func reaches(m *move) bool {
	return m.f.Kind == WatchSays && m.f.OK && m.f.Watch.Lapse() && (m.now.stage == after || m.now.stage == before && m.now.unlocks > 0)
}
