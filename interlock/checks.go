package interlock

// CheckName names one line of the courier's list at the door.
type CheckName uint8

// The order is the order in which a courier is told the one reason why not: what he cannot change comes first.
const (
	CheckConfig CheckName = iota
	CheckGrant
	CheckBlock
	CheckAlarm
	CheckSmoke
	CheckHousehold
	CheckClock
	CheckService
	CheckLock
	CheckDoor
	CheckBolt
	CheckWatch
	CheckRecording
	NChecks = iota
)

// Check is one condition of S1, S2 and S4: whether it holds now, and if not, why.
type Check struct {
	Name   CheckName
	OK     bool
	Reason Reason
}

// Checks are all conditions of an Unlock that are not the courier's slide. All of them hold in Ready, and in the step
// that commands Unlock.
func (s *State) Checks() [NChecks]Check {
	var out [NChecks]Check
	for i := range out {
		r := s.fails(CheckName(i))
		out[i] = Check{CheckName(i), r == NoReason, r}
	}
	return out
}

// refusal is the first reason against an Unlock, or NoReason if every check holds.
func (s *State) refusal() Reason {
	for c := CheckConfig; c < NChecks; c++ {
		if r := s.fails(c); r != NoReason {
			return r
		}
	}
	return NoReason
}

// fails is why c does not hold, or NoReason.
func (s *State) fails(c CheckName) Reason {
	switch c {
	case CheckConfig:
		return unless(s.sane, NotConfigured)
	case CheckGrant:
		if s.phase == Idle {
			return NoVisit
		}
		return unless(!s.committed(), GrantUsed)
	case CheckBlock:
		return unless(!s.blocked, Blocked)
	case CheckAlarm:
		return unless(s.alarm == NoReason && s.incident == NoReason, StandingAlarm)
	case CheckSmoke:
		return unless(!s.smoke, SmokeAlarm)
	case CheckHousehold:
		return unless(s.household, or(s.hold, HouseholdHolds))
	case CheckClock:
		return unless(s.clockOK, ClockUnsure)
	case CheckService:
		return unless(s.service <= s.lim.Service, ServiceSilent)
	case CheckLock:
		return unless(s.lockOK, LockOffline)
	case CheckDoor:
		return unless(s.shut(), DoorNotClosed)
	case CheckBolt:
		return unless(s.bolted(), BoltNotThrown)
	case CheckWatch:
		if s.watch != WatchLive {
			return NotLive
		}
		return unless(s.live >= s.lim.Arming, NotArmed)
	case CheckRecording:
		return unless(s.recorded, NotRecorded)
	}
	return NotConfigured
}

func unless(ok bool, r Reason) Reason {
	if ok {
		return NoReason
	}
	return r
}

// holds says whether r is a condition that a person at home can lift: the courier waits for it in Held.
func holds(r Reason) bool {
	switch r {
	case HouseholdHolds, PetsLoose, AlarmArmed, SomebodyHome, BatteryLow, SmokeAlarm, StandingAlarm:
		return true
	}
	return false
}
