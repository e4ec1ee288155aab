package interlock

// State is everything the interlock knows of one door. It is a plain value: compare it with ==, copy it, store it.
// Only [Step] changes it. All times in it are spans since something happened; each stops counting at the limit that
// gives it a meaning, so that a door has finitely many states.
type State struct {
	lim  Limits
	sane bool // lim is complete

	phase    Phase
	why      Reason // of the newest hold, refusal, alarm or change of phase; shown, never read by Step
	alarm    Reason // the standing alarm that nobody has acknowledged
	incident Reason // the incident that no resident has closed
	over     Reason // why this visit gets no other opening; NoReason while it may
	hold     Reason // which condition of the household does not hold

	watch     Watch
	bolt      Bolt // the newest report, however old: Bolt() says what it is worth
	door      Door // likewise
	recorded  bool // this visit's pictures are on disk
	lostDisk  bool // the recorder said that they are not
	lockOK    bool
	clockOK   bool
	household bool // the household's conditions hold; false until said
	blocked   bool
	home      bool // somebody is home; false is away mode, and what is not said is away
	smoke     bool
	guest     bool // the newest drawing of the bolt was an identified resident's or guest's

	spent     bool // Unlock was commanded in this visit
	drew      bool // the bolt was seen drawn, or the door open, since the newest Unlock
	moved     bool // the door did not provably stay closed since the newest Unlock
	rearmed   bool // the one re-arm is used
	possibly  bool // an Unlock ran out unanswered and no report has settled it
	out       bool // "I am out" was signed after the last close
	released  bool
	leave     bool  // the courier was told to leave
	inAir     bool  // the bolt was out while the door stood open, and Retract was tried
	lapse     uint8 // the present lapse: 0 not told, 1 told, 2 on record as an incident
	unordered bool  // the opening going on is not by this hub's order: no Retract

	n uint32 // the newest nonce; the decision made from it has the same number

	live    Millis // since the watch became live, to Arming; says nothing while it is not
	service Millis // since the newest answered beat, past Service
	boltAge Millis // since the bolt's newest report was made, past BoltStale
	doorAge Millis // since the door's newest report was made, past DoorStale
	mark    Millis // since the instant that a report of "thrown" must be newer than: a Lock, an Unlock, an Unlock given up, a door that was not closed or has closed
	owed    Millis // until the newest Unlock's answer is overdue; 0 when answered
	nonce   Millis // age of nonce n, to Slide
	in      Millis // in the present phase
	waited  Millis // in Arming and Ready since arrival or re-arm: a sum, so that flapping cannot stretch it
	held    Millis // in Held, likewise
	opened  Millis // in Opened and Closing since the first opening, likewise
	outIn   Millis // in Secured without "I am out", likewise
	polled  Millis // since the newest Poll
	told    Millis // since the standing alarm was told
}

// New is a door of which nothing is known. Its Limits never change. With a zero or absurd limit among them it never
// unlocks (S13).
func New(l Limits) State {
	s := State{lim: l, sane: l.complete()}
	s.forget()
	return s
}

// forget is what a restart knows of the devices: nothing.
func (s *State) forget() {
	s.watch = WatchUnknown
	s.bolt, s.boltAge = BoltUnknown, past(s.lim.BoltStale)
	s.door, s.doorAge = DoorUnknown, past(s.lim.DoorStale)
	s.mark = s.markCap()
	s.service = past(s.lim.Service)
	s.lockOK, s.clockOK, s.household, s.guest = false, false, false, false
	s.hold = NoReason
}

// markCap is where mark stops: past every use of it.
func (s *State) markCap() Millis { return max(past(s.lim.BoltStale), s.lim.RetryLock) }

// longest is the longest limit that is believed: 12 days. Longer ones are a mistake in units.
const longest Millis = 1 << 30

// complete says whether every limit is set, and believable.
func (l *Limits) complete() bool {
	for _, v := range [...]Millis{
		l.Arming, l.Slide, l.Service, l.Durable, l.Answer, l.Enter, l.Open, l.Close, l.Out, l.Tail,
		l.Wait, l.Hold, l.Poll, l.BoltStale, l.DoorStale, l.RetryLock, l.AlarmAgain,
	} {
		if v == 0 || v > longest {
			return false
		}
	}
	return true
}

// past is the first span longer than l.
func past(l Millis) Millis { return l + min(1, ^l) }

// Phase is where the visit stands.
func (s *State) Phase() Phase { return s.phase }

// Why is the reason of the newest hold, refusal, alarm or change of phase.
func (s *State) Why() Reason { return s.why }

// Watch is the newest verdict.
func (s *State) Watch() Watch { return s.watch }

// Bolt is the newest report, or unknown if that is older than BoltStale (S12).
func (s *State) Bolt() Bolt {
	if s.boltAge > s.lim.BoltStale {
		return BoltUnknown
	}
	return s.bolt
}

// Door is the newest report, or unknown if that is older than DoorStale (S12).
func (s *State) Door() Door {
	if s.doorAge > s.lim.DoorStale {
		return DoorUnknown
	}
	return s.door
}

// shut is a door that is known to be closed; ajar is one known not to be. Neither is true of an unknown one.
func (s *State) shut() bool { return s.Door() == DoorClosed }
func (s *State) ajar() bool { d := s.Door(); return d == DoorOpen || d == DoorAjar }

// bolted says that nothing known speaks against the bolt being thrown behind a closed door. It may rest on a bolt
// report older than the newest "closed", so it is enough to leave a door be, never to call it secured.
func (s *State) bolted() bool {
	return s.Bolt() == BoltThrown && s.boltAge < s.mark && s.owed == 0 && s.shut()
}

// Secured is S9: the newest bolt report says thrown, is newer than the last Lock command (and than the last Unlock,
// whose first report is the state before it), and is not older than the newest door report, which says closed.
func (s *State) Secured() bool { return s.bolted() && s.boltAge <= s.doorAge }

// PossiblyOpen says that an Unlock was never answered, or that door or bolt are unknown after an opening or a restart.
func (s *State) PossiblyOpen() bool { return s.phase == Unproven }

// Blocked says that the resident blocks this door.
func (s *State) Blocked() bool { return s.blocked }

// Home says that somebody is home; not said is away.
func (s *State) Home() bool { return s.home }

// Alarm is the standing alarm that nobody acknowledged, or NoReason.
func (s *State) Alarm() Reason { return s.alarm }

// Incident is the incident that no resident closed, or NoReason.
func (s *State) Incident() Reason { return s.incident }

// Released says that the courier may go.
func (s *State) Released() bool { return s.released }

// Leave says that the courier was told to leave.
func (s *State) Leave() bool { return s.leave }

// Visit says that a visit is going on.
func (s *State) Visit() bool { return s.phase != Idle }

// Nonce is the number of the nonce that a slide must answer now.
func (s *State) Nonce() (n uint32, ok bool) { return s.n, s.phase == Ready }

// committed says that an Unlock of this visit may have drawn the bolt and the visit has not returned from it.
func (s *State) committed() bool { return s.phase >= Unlocking }

// before says that the visit may still come to an Unlock.
func (s *State) before() bool { return s.phase >= Arming && s.phase <= Deciding }

// limit is the present phase's limit and how much of it is used.
func (s *State) limit() (limit, used Millis) {
	l := &s.lim
	switch s.phase {
	case Arming, Ready:
		return l.Wait, s.waited
	case Held:
		return l.Hold, s.held
	case Deciding:
		return l.Durable, s.in
	case Unlocking:
		return l.Answer, s.in
	case Unlocked, Unproven:
		return l.Enter, s.in
	case Opened:
		return l.Open, s.opened
	case Closing:
		return l.Close, s.in
	case Secured:
		return l.Out, s.outIn
	case Tail:
		return l.Tail, s.in
	}
	return 0, 0
}

// Left is how long the present phase may still last; 0 when idle, or when its limit has passed and the alarm stands.
func (s *State) Left() Millis {
	limit, used := s.limit()
	return limit - min(limit, used)
}
