package interlock

// Alphabets. Time comes in units of 1, and in one jump past every limit.
func ok(k Kind) Fact            { return Fact{Kind: k, OK: true} }
func bad(k Kind, r Reason) Fact { return Fact{Kind: k, Reason: r} }
func watch(w Watch) Fact        { return Fact{Kind: WatchSays, Watch: w} }
func began(w Watch) Fact        { return Fact{Kind: WatchSays, Watch: w, OK: true} } // before secured
func bolt(b Bolt) Fact          { return Fact{Kind: BoltSays, Bolt: b} }
func door(d Door) Fact          { return Fact{Kind: DoorSays, Door: d} }
func by(b Bolt, who By) Fact    { return Fact{Kind: BoltSays, Bolt: b, By: who} }
func aged(f Fact, a Millis) Fact {
	f.Age = a
	return f
}

func after1(f Fact) Fact {
	f.Dt = 1
	return f
}
func number(k Kind, n uint32) Fact { return Fact{Kind: k, OK: true, N: n} }

var (
	tick1 = Fact{Kind: Tick, Dt: 1}
	jump  = Fact{Kind: Tick, Dt: 40}
)

// brief are limits of few units: small enough that every order of facts can be visited.
func brief() Limits {
	return Limits{
		Arming: 1, Slide: 2, Service: 2, Durable: 1, Answer: 2, Enter: 2, Open: 3, Close: 2, Out: 2, Tail: 2,
		Wait: 4, Hold: 2, Poll: 1, BoltStale: 2, DoorStale: 40, RetryLock: 1, AlarmAgain: 2,
	}
}

// prepared is a home in which everything holds.
var prepared = []Fact{
	ok(Boot), ok(ClockSays), ok(LockSays), ok(HoldSays), ok(ServiceSays), door(DoorClosed), after1(bolt(BoltThrown)), watch(WatchLive),
}

// upTo is prepared, and more.
func upTo(more ...Fact) []Fact { return append(append([]Fact(nil), prepared...), more...) }

var toReady = upTo(ok(Arrive), ok(RecorderSays), after1(ok(ServiceSays)))

var toUnlocking = append(append([]Fact(nil), toReady...), number(Slide, 1), number(Durable, 1))

func scenes() []scene {
	pre := func(p Phase) bool { return p >= Unlocking }
	var all []scene

	all = append(all,
		scene{"arrival: watch, recorder, slide, disk", diskLimits(), toReady[:len(toReady)-1], []Fact{
			tick1, ok(ServiceSays), ok(Arrive), bad(Arrive, WrongDoor), bad(Arrive, reasons),
			watch(WatchLive), watch(WatchLagging), watch(WatchLost), watch(WatchUnknown), watch(WatchHubLate), watch(99),
			ok(RecorderSays), bad(RecorderSays, NoReason),
			number(Slide, current), after1(number(Slide, current)),
			{Kind: Slide, OK: true, N: current, Dt: 2},
			number(Slide, older), number(Slide, newer),
			{Kind: Slide, N: current, Reason: SlideForged},
			number(Durable, current), number(Durable, older), after1(number(Durable, current)), number(WriteFailed, current), number(WriteFailed, older),
			ok(Block), ok(Unblock), ok(Cannot), ok(Out), jump,
		}, pre},
		scene{"arrival: lock, door, service, clock", arrivalLimits(), toReady[:len(toReady)-1], []Fact{
			tick1, ok(ServiceSays), aged(ok(ServiceSays), 2), aged(ok(ServiceSays), 9), bad(ServiceSays, NoReason), ok(ClockSays), bad(ClockSays, NoReason), ok(LockSays), bad(LockSays, NoReason),
			bolt(BoltThrown), bolt(BoltDrawn), bolt(BoltJammed), bolt(BoltUnknown), aged(bolt(BoltThrown), 1), aged(bolt(BoltDrawn), 3),
			door(DoorClosed), door(DoorOpen), door(DoorAjar), door(DoorUnknown), ok(LockNow),
			number(Slide, current), number(Durable, current),
		}, pre},
		scene{"arrival: household, smoke, block, revoke", calmLimits(), toReady[:len(toReady)-1], []Fact{
			tick1, ok(HoldSays), bad(HoldSays, PetsLoose), ok(SmokeSays), bad(SmokeSays, NoReason),
			ok(Block), ok(Unblock), ok(Revoke), ok(LeaveNow), ok(LockNow), after1(bolt(BoltThrown)), ok(Arrive),
			number(Slide, current), number(Durable, current), ok(Boot), bad(Boot, NoReason),
		}, pre},
		scene{"arrival: an uninvited opening", calmLimits(), toReady[:len(toReady)-1], []Fact{
			tick1, ok(HomeSays), bad(HomeSays, NoReason), door(DoorOpen), door(DoorClosed), bolt(BoltThrown),
			by(BoltDrawn, ByResident), by(BoltDrawn, ByInside), by(BoltDrawn, ByRemote),
			ok(Acknowledge), ok(CloseIncident), ok(Arrive), number(Slide, current), number(Durable, current), ok(Boot), bad(AlarmStands, ReEntry),
		}, pre},
		scene{"opening: bolt and door", openingLimits(), toReady, []Fact{
			tick1, number(Slide, current), number(Durable, current), after1(ok(ServiceSays)),
			after1(bolt(BoltThrown)), bolt(BoltDrawn), bolt(BoltJammed), door(DoorClosed), door(DoorOpen), ok(Out),
		}, nil},
		scene{"opening: the watch", openingLimits(), toUnlocking, []Fact{
			tick1, after1(bolt(BoltThrown)), bolt(BoltDrawn), door(DoorClosed), door(DoorOpen), ok(Out),
			watch(WatchLive), watch(WatchLagging), watch(WatchLost), began(WatchLost), began(WatchLagging), ok(CloseIncident),
		}, nil},
		scene{"opening: people", openingLimits(), toUnlocking, []Fact{
			tick1, after1(bolt(BoltThrown)), bolt(BoltDrawn), door(DoorClosed), door(DoorOpen), ok(Out),
			ok(Cannot), ok(LockNow), ok(LeaveNow), ok(Block), ok(Revoke), ok(Arrive),
		}, nil},
		scene{"opening: alarms acknowledged, orders not sent", openingLimits(), toUnlocking, []Fact{
			tick1, after1(bolt(BoltThrown)), bolt(BoltDrawn), door(DoorClosed), door(DoorOpen), ok(Out),
			after1(door(DoorClosed)), ok(Acknowledge), number(NotSent, current), after1(number(NotSent, current)), number(NotSent, older),
		}, nil},
		scene{"opening: ages", staleLimits(), toUnlocking, []Fact{
			tick1, bolt(BoltThrown), aged(bolt(BoltThrown), 1), aged(bolt(BoltThrown), 4), bolt(BoltDrawn), aged(bolt(BoltDrawn), 1),
			door(DoorClosed), aged(door(DoorClosed), 1), aged(door(DoorClosed), 9), door(DoorOpen), aged(door(DoorOpen), 1), aged(door(DoorOpen), 2),
		}, nil},
		scene{"opening: silence", staleLimits(), toUnlocking, []Fact{
			tick1, jump, bolt(BoltThrown), bolt(BoltDrawn), bolt(BoltUnknown), door(DoorClosed), door(DoorOpen), door(DoorUnknown), ok(Acknowledge),
		}, nil},
		scene{"opening: who drew the bolt", openingLimits(), toUnlocking, []Fact{
			tick1, after1(bolt(BoltThrown)), by(BoltDrawn, ByResident), by(BoltDrawn, ByInside), by(BoltDrawn, ByRemote), bolt(BoltJammed),
			door(DoorClosed), door(DoorOpen), ok(Out),
		}, nil},
		scene{"opening: smoke", openingLimits(), toUnlocking, []Fact{
			tick1, after1(bolt(BoltThrown)), bolt(BoltDrawn), door(DoorClosed), door(DoorAjar), ok(Out), ok(SmokeSays), bad(SmokeSays, NoReason), ok(LockNow), watch(WatchLagging),
		}, nil},
		scene{"opening: recorder, service, restart", openingLimits(), toUnlocking, []Fact{
			tick1, after1(bolt(BoltThrown)), bolt(BoltDrawn), door(DoorClosed), door(DoorOpen), ok(Out), ok(RecorderSays), bad(RecorderSays, NoReason),
			ok(ServiceSays), ok(Boot), after1(bad(Boot, NoReason)),
		}, nil},
		scene{"home: no visit", staleLimits(), prepared, []Fact{
			tick1, bolt(BoltThrown), by(BoltDrawn, ByResident), by(BoltDrawn, ByInside), by(BoltDrawn, ByRemote), by(BoltDrawn, ByItself), door(DoorClosed), door(DoorOpen), door(DoorAjar), door(99), bolt(99), aged(door(DoorOpen), 3), aged(bolt(BoltDrawn), 2), watch(WatchLost),
			ok(HomeSays), bad(HomeSays, NoReason), ok(SmokeSays), bad(SmokeSays, NoReason), ok(Block), ok(Unblock), ok(LockNow), ok(LeaveNow), ok(Cannot), ok(Out),
			ok(Boot), bad(Boot, NoReason),
			{Kind: Boot, OK: true, Reason: LapseLost},
			ok(Acknowledge), ok(CloseIncident), bad(Arrive, GrantUsed), bad(AlarmStands, ForcedOpen),
			{Kind: 200},
			number(Slide, current), number(Durable, current), number(NotSent, current),
		}, func(p Phase) bool { return p != Idle }},
		scene{"home: before anything is said", staleLimits(), nil, []Fact{
			tick1, bolt(BoltThrown), aged(bolt(BoltThrown), 1), aged(bolt(BoltDrawn), 1), door(DoorClosed), aged(door(DoorClosed), 2), aged(door(DoorOpen), 1),
			ok(Boot), ok(LockSays), ok(ClockSays), ok(ServiceSays), watch(WatchLive), ok(Arrive), ok(RecorderSays), bad(HoldSays, PetsLoose), number(Slide, current), number(Durable, current),
		}, pre},
		scene{"limits: one is missing", without(func(l *Limits) { l.Out = 0 }), prepared, []Fact{
			tick1, ok(Arrive), ok(RecorderSays), number(Slide, current), number(Durable, current), ok(Acknowledge), ok(CloseIncident), ok(HomeSays), door(DoorOpen), door(DoorClosed), bolt(BoltThrown), bolt(BoltDrawn),
		}, nil},
		scene{"limits: one is absurd", without(func(l *Limits) { l.Hold = longest + 1 }), prepared, []Fact{
			tick1, ok(Arrive), ok(RecorderSays), number(Slide, current), number(Durable, current), door(DoorOpen), door(DoorClosed), bolt(BoltThrown), bolt(BoltDrawn),
		}, nil},
		scene{"limits: one is as long as can be", without(func(l *Limits) { l.Hold = longest }), prepared, []Fact{
			tick1, ok(Arrive), ok(RecorderSays), ok(ServiceSays), bolt(BoltThrown), number(Slide, current), number(Durable, current),
		}, pre},
	)
	return all
}

// without are short limits with a mistake in them.
func without(spoil func(*Limits)) Limits {
	l := staleLimits()
	spoil(&l)
	return l
}

func arrivalLimits() Limits {
	l := brief()
	l.Poll, l.AlarmAgain, l.Wait, l.BoltStale, l.DoorStale = 1, 1, 3, 2, 3
	return l
}

// diskLimits are those of a home in which what is slow is the disk.
func diskLimits() Limits {
	l := arrivalLimits()
	l.BoltStale, l.DoorStale, l.Service, l.Wait = 5, 5, 3, 4
	return l
}

// calmLimits are those of a home whose reports and beats stay good.
func calmLimits() Limits {
	l := arrivalLimits()
	l.BoltStale, l.DoorStale, l.Service = 4, 4, 4
	return l
}

func openingLimits() Limits {
	l := brief()
	l.Poll, l.AlarmAgain, l.BoltStale, l.DoorStale, l.Service, l.Wait, l.Hold = 1, 1, 1, 2, 1, 2, 1
	l.Answer, l.Enter, l.Open, l.Close, l.Out, l.Tail = 1, 1, 2, 1, 1, 1
	return l
}

func staleLimits() Limits {
	l := brief()
	l.Poll, l.AlarmAgain, l.BoltStale, l.DoorStale, l.Service = 1, 1, 1, 2, 1
	l.Answer, l.Enter, l.Open, l.Close, l.Out, l.Tail = 2, 1, 1, 1, 1, 1
	return l
}
