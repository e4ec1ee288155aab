// Package interlock is the decision: when a bolt may draw, when it must be thrown, when somebody must be told.
//
// A visit at one door is a value, [State]; everything that can happen is a value, [Fact]; [Step] takes both and
// gives the next State and the [Command]s that follow. Step has no clock, no I/O, no randomness and never panics;
// every state answers every fact. The zero State is the safe one: nothing is known, nobody is expected, no bolt draws.
//
// Rules are cited by number (S1…S19) and attacks by T1…T30; both are in docs/SAFETY.md.
package interlock

// Millis is a span of monotonic time in milliseconds, 0 to 49 days. Wall-clock time never enters a decision here.
type Millis uint32

// Limits are the spans a door's rules are made of. They are fixed for the life of a State (see [New]).
// A zero span is no permission: a State whose Limits are not complete never unlocks (S13).
type Limits struct {
	Arming     Millis // watch live without a break before a door can be ready (S1). Default 3 s.
	Slide      Millis // how old the hub's nonce may be when the slide answers it (S2). Default 30 s.
	Service    Millis // how old the newest answered beat may be at Unlock (S1). Default 5 s.
	Durable    Millis // how long a decided unlock may wait for the disk before it is dropped (S5, S12). Default 1 s.
	Answer     Millis // an Unlock neither confirmed nor denied by then leaves the door possibly open (S12). Default 5 s.
	Enter      Millis // unlocked but the door stays closed: bolted again (one re-arm, S3). Default 30 s.
	Open       Millis // door open: alarm (S8, T21). Default 120 s.
	Close      Millis // door closed, Lock sent, bolt not reported thrown: alarm (S8, S9). Default 10 s.
	Out        Millis // secured without a signed "I am out": somebody may be inside (S19). Default 60 s.
	Tail       Millis // watch goes on after secured (S10). Default 30 s.
	Wait       Millis // from arrival to ready, or ready without a slide: the visit expires (S8). Default 300 s.
	Hold       Millis // held by the household or another visit: refused (S8). Default 300 s.
	Poll       Millis // how often a lock that can be asked is asked until the tail ends. Default 5 s.
	BoltStale  Millis // a bolt report older than this is unknown (S12, T26). Default 12 s.
	DoorStale  Millis // a door report older than this is unknown: the interval that the walk test certified. Default 2 h.
	RetryLock  Millis // Lock is repeated while a closed door is not reported bolted. Default 3 s.
	AlarmAgain Millis // a standing alarm is told again, to the next person. Default 60 s.
}

// DefaultLimits are the published ones (docs/SAFETY.md).
func DefaultLimits() Limits {
	return Limits{
		Arming: 3_000, Slide: 30_000, Service: 5_000, Durable: 1_000, Answer: 5_000, Enter: 30_000, Open: 120_000,
		Close: 10_000, Out: 60_000, Tail: 30_000, Wait: 300_000, Hold: 300_000, Poll: 5_000, BoltStale: 12_000,
		DoorStale: 7_200_000, RetryLock: 3_000, AlarmAgain: 60_000,
	}
}

// Watch is the verdict on the camera at a door. The zero value, and every value that is not WatchLive, forbids Unlock.
type Watch uint8

const (
	WatchUnknown    Watch = iota // nothing has been judged yet on this connection
	WatchLive                    // the newest picture is younger than A1 and every check passes
	WatchLagging                 // age over A1: no unlock, a closed and unlocked door is bolted. Not yet a lapse
	WatchLost                    // age over A2, stream reset, or a hole of more than 1 s: a lapse
	WatchLate                    // pictures arrive, but later and later, or with more than the certified delay: a lapse
	WatchFrozen                  // pictures do not change as a sensor's must: a lapse
	WatchReplayed                // pictures were shown before: a lapse
	WatchCovered                 // the lens is blocked, dark, turned or out of focus: a lapse
	WatchUnrecorded              // pictures do not reach the disk: a lapse
	WatchUntrusted               // an expected signature or TLS identity is missing or changed: a lapse
	WatchHubLate                 // the hub's own tick was late: nobody judged. Forbids Unlock, blames nobody; acts as lagging
)

// Lapse says whether w is one of the named lapses of docs/SAFETY.md.
func (w Watch) Lapse() bool { return w >= WatchLost && w <= WatchUntrusted }

// Bolt is what a lock reported of its bolt.
type Bolt uint8

const (
	BoltUnknown Bolt = iota
	BoltThrown       // locked
	BoltDrawn        // unlocked
	BoltJammed       // neither: not fully locked
)

// Door is what a contact sensor reported.
type Door uint8

const (
	DoorUnknown Door = iota
	DoorClosed
	DoorOpen
	DoorAjar // not closed, by a lock's own door sense
)

// By is who worked the bolt, as far as the lock says.
type By uint8

const (
	ByUnknown  By = iota
	ByRemote      // a radio command: ours or somebody's
	ByInside      // by hand, from inside
	ByResident    // an identified resident or guest (keypad code, key card)
	ByItself      // the lock's own auto-lock
)

// Kind is what a Fact tells.
type Kind uint8

const (
	Nothing       Kind = iota // ignored but for the time that passed
	Boot                      // the hub has started. OK false: the ledger shows a visit that did not end. Reason: an incident that no resident has closed
	Tick                      // time passed; every 20 ms
	WatchSays                 // Watch. OK: it is a lapse, and part of its gap fell into this visit's time from an Unlock to secured (S7)
	RecorderSays              // OK: this visit's pictures are confirmed on disk; !OK: they are not
	BoltSays                  // Bolt, Age, By
	DoorSays                  // Door, Age
	LockSays                  // OK: the lock answers; !OK: it is offline or its broker is gone (Reason)
	ServiceSays               // OK: the service answered the hub's newest nonce with the current block counter
	ClockSays                 // OK: the wall clock is authenticated since boot and not behind the last checkpoint (T15)
	Arrive                    // a courier is at the door. OK: grant, door, window, courier, parcel, place all hold; else Reason
	Slide                     // OK: a passkey assertion over nonce N was verified; else Reason
	Out                       // the courier's signed "I am out"
	Cannot                    // the courier cannot deliver (Reason)
	LockNow                   // the resident asks for the bolt
	LeaveNow                  // the resident sends the courier out
	Block                     // the resident blocks this door
	Unblock                   // the resident lifts the block
	Revoke                    // the present visit's grant was revoked
	HomeSays                  // OK: somebody is home; !OK: away mode
	SmokeSays                 // OK: no smoke or CO alarm; !OK: alarm
	HoldSays                  // OK: the household's conditions hold; !OK: Reason says which does not (pets, alarm, …)
	Durable                   // decision N is on disk
	WriteFailed               // decision N could not be written
	NotSent                   // Unlock N provably never left the hub
	Acknowledge               // a person acknowledged the alarm
	CloseIncident             // a resident read and closed the incident
	AlarmStands               // after Boot: an alarm of before that nobody has acknowledged (Reason)
	kinds
)

// Fact is one thing that happened, and how much time has passed since the Fact before it. Fields that Kind does not name
// are ignored.
type Fact struct {
	Kind   Kind
	Dt     Millis // since the previous fact at this door
	OK     bool
	Watch  Watch
	Bolt   Bolt
	Door   Door
	By     By
	Reason Reason
	Age    Millis // how old a report, or the service's answer, was when it reached the hub
	N      uint32 // the nonce of a Slide, the decision of Durable, WriteFailed and NotSent
}

// Do is what a Command asks for.
type Do uint8

const (
	DoNothing   Do = iota
	DoMakeNonce    // make nonce N and show it to the courier; older ones are void
	DoWrite        // write decision N to the ledger; answer with Durable or WriteFailed
	DoUnlock       // order N: Unlock, once, not after one second from now
	DoLock         // throw the bolt: at once, before anything else in this list is waited for
	DoRetract      // draw the bolt that is out while the door stands open, so that it can close (S11)
	DoPoll         // ask the lock for its state
	DoSpend        // the grant is spent
	DoRecord       // keep recording this visit from now, pre-roll included
	DoKeep         // the visit's recording ends here: file the clip
	DoHold         // tell the courier to wait, and why
	DoRefuse       // tell the courier no, and why
	DoLeave        // tell the courier to leave now
	DoRelease      // the courier may go to the next stop
	DoAlarm        // tell resident, courier and service, until acknowledged
	DoNotice       // tell the resident
	DoIncident     // this visit had a lapse or a breach: it can end only as an incident
	DoEnd          // the visit is over; Outcome says how
)

// Command is one thing to do. Every Command carries the Reason it was given for.
type Command struct {
	Do      Do
	Reason  Reason
	N       uint32
	Outcome Outcome
}

// Outcome is how a visit ended.
type Outcome uint8

const (
	NotEnded     Outcome = iota
	Done                 // delivered, secured, released, tail watched
	NotDelivered         // ended without an opening: refused, expired, blocked, cannot deliver
	Incident             // a lapse or a breach is on record; a resident closes it
)

// Phase is where a visit stands.
type Phase uint8

const (
	Idle      Phase = iota // no visit. After Boot: bolt and door unknown until reported
	Arming                 // the courier is at the door; waiting for every check of S1
	Held                   // as Arming, but the household or another rule holds the door
	Ready                  // every check holds; a nonce is out; slide to open
	Deciding               // slid; the decision is on its way to the disk
	Unlocking              // Unlock is on its way; the lock has not reported
	Unlocked               // the bolt is reported drawn; the door has not opened
	Opened                 // the door is open
	Closing                // the door is closed again; Lock is sent; waiting for the report
	Secured                // proven bolted; waiting for "I am out"
	Tail                   // released; the watch goes on
	Unproven               // possibly open: Unlock unanswered, or restarted inside a visit, or bolt and door unknown after an opening
	phases
)
