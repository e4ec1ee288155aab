package interlock

// The words here are a wire format and stand in ledgers: they are never renamed. Each type's unknown value, and every
// value out of range, is "unknown".

// word is names[i], or "unknown" for a value that has no name.
func word[T ~uint8](names []string, v T) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return "unknown"
}

var phaseWords = []string{
	Idle: "idle", Arming: "arming", Held: "held", Ready: "ready", Deciding: "deciding", Unlocking: "unlocking",
	Unlocked: "unlocked", Opened: "open", Closing: "closing", Secured: "secured", Tail: "tail", Unproven: "unproven",
}

// String is the phase's word.
func (p Phase) String() string { return word(phaseWords, p) }

var watchWords = []string{
	WatchUnknown: "unknown", WatchLive: "live", WatchLagging: "lagging", WatchLost: "lost", WatchLate: "late",
	WatchFrozen: "frozen", WatchReplayed: "replayed", WatchCovered: "covered", WatchUnrecorded: "unrecorded",
	WatchUntrusted: "untrusted", WatchHubLate: "hub-late",
}

// String is the verdict's word.
func (w Watch) String() string { return word(watchWords, w) }

var boltWords = []string{BoltUnknown: "unknown", BoltThrown: "thrown", BoltDrawn: "drawn", BoltJammed: "jammed"}

// String is the bolt's word.
func (b Bolt) String() string { return word(boltWords, b) }

var doorWords = []string{DoorUnknown: "unknown", DoorClosed: "closed", DoorOpen: "open", DoorAjar: "ajar"}

// String is the door's word.
func (d Door) String() string { return word(doorWords, d) }

var byWords = []string{
	ByUnknown: "unknown", ByRemote: "remote", ByInside: "inside", ByResident: "resident", ByItself: "itself",
}

// String is the word for who worked the bolt.
func (b By) String() string { return word(byWords, b) }

var kindWords = []string{
	Nothing: "nothing", Boot: "boot", Tick: "tick", WatchSays: "watch", RecorderSays: "recorder", BoltSays: "bolt",
	DoorSays: "door", LockSays: "lock", ServiceSays: "service", ClockSays: "clock", Arrive: "arrive", Slide: "slide",
	Out: "out", Cannot: "cannot", LockNow: "lock-now", LeaveNow: "leave-now", Block: "block", Unblock: "unblock",
	Revoke: "revoke", HomeSays: "home", SmokeSays: "smoke", HoldSays: "hold", Durable: "durable",
	WriteFailed: "write-failed", NotSent: "not-sent", Acknowledge: "acknowledge", CloseIncident: "close-incident",
	AlarmStands: "alarm-stands",
}

// String is the fact's word.
func (k Kind) String() string { return word(kindWords, k) }

var doWords = []string{
	DoNothing: "nothing", DoMakeNonce: "make-nonce", DoWrite: "write", DoUnlock: "unlock", DoLock: "lock",
	DoRetract: "retract", DoPoll: "poll", DoSpend: "spend", DoRecord: "record", DoKeep: "keep", DoHold: "hold",
	DoRefuse: "refuse", DoLeave: "leave", DoRelease: "release", DoAlarm: "alarm", DoNotice: "notice",
	DoIncident: "incident", DoEnd: "end",
}

// String is the command's word.
func (d Do) String() string { return word(doWords, d) }

var outcomeWords = []string{
	NotEnded: "going", Done: "done", NotDelivered: "not-delivered", Incident: "incident",
}

// String is the outcome's word.
func (o Outcome) String() string { return word(outcomeWords, o) }

var checkWords = []string{
	CheckConfig: "config", CheckGrant: "grant", CheckBlock: "block", CheckAlarm: "alarm", CheckSmoke: "smoke",
	CheckHousehold: "household", CheckClock: "clock", CheckService: "service", CheckLock: "lock", CheckDoor: "door",
	CheckBolt: "bolt", CheckWatch: "watch", CheckRecording: "recording",
}

// String is the check's word.
func (c CheckName) String() string { return word(checkWords, c) }
