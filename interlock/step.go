package interlock

// maxCommands bounds the commands of one step. The exploration proves that no step comes near it, so that none is
// ever cut off; place 0 is kept for Lock.
const maxCommands = 14

// Step takes one fact and gives the state after it and what must be done, in order, Lock first. It is a pure function of
// its arguments and total: it answers every fact in every state. At most one Lock and at most one Unlock are given, and
// never both.
//
// Step is small so that it is inlined: the commands then lie on the caller's stack and a step allocates nothing, as
// long as the caller does not keep the slice.
func Step(s State, f Fact) (State, []Command) {
	var out [maxCommands]Command
	commands := step(&s, &f, &out)
	return s, commands
}

// turn is one step under way.
type turn struct {
	s   *State
	out *[maxCommands]Command
	to  int
	// What this step saw, before it is weighed.
	drawn   bool // a newer report says drawn, and the one before said something else
	thrown  bool // likewise thrown
	jammed  bool // likewise jammed
	swung   bool // a newer report says open or ajar, and the one before did not
	closes  bool // a newer report says closed, and the door was not known to be
	by      By
	was     Bolt // the bolt's report before this step's
	overdue bool // the newest Unlock's answer ran out in this step
	cleared bool // the smoke alarm ended
	known   bool // the door was known when this step began
	booted  bool // nothing that was known counts any more
	stale   bool // the alarm that reports went stale was given in this step
	since   bool // a lapse was told whose gap reaches back into a time when the door was not secured
}

func step(s *State, f *Fact, out *[maxCommands]Command) []Command {
	t := turn{s: s, out: out, to: 1, was: s.bolt}
	bolt, door, served := s.Bolt(), s.Door(), s.service <= s.lim.Service
	t.known = door != DoorUnknown
	t.overdue = s.pass(f.Dt)
	t.take(f)
	t.settle()
	t.tell(bolt, door, served)
	if out[0].Do == DoLock {
		return out[:t.to]
	}
	return out[1:t.to]
}

// pass lets time go by. It says whether an Unlock's answer ran out.
func (s *State) pass(dt Millis) (overdue bool) {
	l := &s.lim
	s.live = add(s.live, dt, l.Arming)
	s.service = add(s.service, dt, past(l.Service))
	s.boltAge = add(s.boltAge, dt, past(l.BoltStale))
	s.doorAge = add(s.doorAge, dt, past(l.DoorStale))
	s.mark = add(s.mark, dt, s.markCap())
	s.told = add(s.told, dt, l.AlarmAgain)
	s.polled = add(s.polled, dt, l.Poll)
	switch s.phase {
	case Arming:
		s.waited = add(s.waited, dt, l.Wait)
	case Ready:
		s.waited = add(s.waited, dt, l.Wait)
		s.nonce = add(s.nonce, dt, past(l.Slide))
	case Held:
		s.held = add(s.held, dt, l.Hold)
	case Deciding:
		s.waited = add(s.waited, dt, l.Wait)
		s.nonce = add(s.nonce, dt, past(l.Slide))
		s.in = add(s.in, dt, past(l.Durable))
	case Unlocked, Unproven:
		s.in = add(s.in, dt, l.Enter)
	case Opened:
		s.opened = add(s.opened, dt, l.Open)
	case Closing:
		s.in = add(s.in, dt, l.Close)
		s.opened = add(s.opened, dt, l.Open)
	case Secured:
		s.outIn = add(s.outIn, dt, l.Out)
	case Tail:
		s.in = add(s.in, dt, l.Tail)
	}
	if s.owed == 0 {
		return false
	}
	s.owed -= min(s.owed, dt)
	return s.owed == 0
}

// add is a + d, but no more than limit. An a past the limit stays: it marks a limit that was acted on.
func add(a, d, limit Millis) Millis {
	if a > limit {
		return a
	}
	return a + min(d, limit-a)
}

// do gives a command. The bound cannot be reached (the exploration counts); if it were, the last place is written over
// rather than memory beside it.
func (t *turn) do(c Command) {
	t.out[min(t.to, maxCommands-1)] = c
	t.to = min(t.to+1, maxCommands)
}

func (t *turn) say(d Do, r Reason) { t.do(Command{Do: d, Reason: r}) }

// lock commands Lock, unless the door is known to be open or smoke suppresses it (S11). From then on only a report
// made later proves anything (S9).
func (t *turn) lock(r Reason) {
	s := t.s
	if s.ajar() || s.smoke {
		return
	}
	if t.out[0].Do != DoLock { // the first reason is the nearest
		t.out[0] = Command{Do: DoLock, Reason: r}
	}
	s.mark = 0
}

// lockShut commands Lock if the door is known to be closed.
func (t *turn) lockShut(r Reason) {
	if t.s.shut() {
		t.lock(r)
	}
}

func (t *turn) alarm(r Reason) {
	t.s.alarm, t.s.told, t.s.why = r, 0, r
	t.say(DoAlarm, r)
}

// breach is an alarm after which the visit can only end as an incident (S7).
func (t *turn) breach(r Reason) {
	if t.s.incident == NoReason {
		t.s.incident = r
		t.say(DoIncident, r)
	}
	t.alarm(r)
}

func (t *turn) refuse(r Reason) {
	t.s.why = r
	t.say(DoRefuse, r)
}

// leaveNow tells the courier to leave, once.
func (t *turn) leaveNow(r Reason) {
	if !t.s.leave {
		t.s.leave = true
		t.say(DoLeave, r)
	}
}

func (t *turn) enter(p Phase, why Reason) {
	t.s.phase, t.s.in, t.s.why, t.s.possibly = p, 0, why, false
}
