package interlock

// Reason is why. One word goes into the ledger ([Reason.String]), one sentence into the apps ([Reason.Sentence]).
// The words are a wire format: they are never renamed.
type Reason uint8

const (
	NoReason Reason = iota

	// Why a door does not open: the courier and the grant (S2, S3).
	GrantForged      // a signature in the grant's chain does not verify
	GrantUsed        // the grant has opened a door already
	GrantRevoked     // the grant, the courier or the carrier was revoked
	WrongDoor        // the grant is for another door
	WrongCourier     // the passkey is not the one the grant names
	WrongParcel      // the parcel scanned is not one of the delivery's
	WrongPlace       // the courier's position is not at the door
	TooEarly         // before the window
	TooLate          // after the window
	ScreeningExpired // the courier's screening has run out
	NoConsent        // the household's consent does not cover this
	ClockUnsure      // the hub does not trust its own clock
	SlideStale       // the nonce is older than allowed, or not the newest
	SlideForged      // the passkey assertion does not verify, or without user verification
	AnotherVisit     // a visit is going on at this door (T30)
	NoVisit          // there is no visit at this door that this could be for

	// Why a door does not open: the house (S1, S4).
	NotArmed       // the watch has not been live for the arming time
	NotLive        // the watch is not live
	NotRecorded    // pictures are not confirmed on disk
	LockOffline    // the lock does not answer
	BoltNotThrown  // the bolt is not reported thrown
	DoorNotClosed  // the door is not reported closed
	ServiceSilent  // the service has not answered in time
	Blocked        // the resident has blocked the door
	HouseholdHolds // a condition of the household does not hold
	PetsLoose      // pets are not put away
	AlarmArmed     // the home's alarm is armed
	SomebodyHome   // somebody is home, and the household opens only an empty home
	BatteryLow     // the lock's battery is too low to promise that it locks again
	LinkUnfit      // the camera's link is too unsteady for unattended entry (S18)
	NotWalked      // the door has no walk test that holds: what its devices say is not proven (S9, S11)
	SmokeAlarm     // smoke or CO alarm: Lock is suppressed (S11)
	StandingAlarm  // an alarm or incident is not closed
	NotConfigured  // the door's limits are incomplete
	LedgerFailed   // the decision could not be written down
	LedgerSlow     // the decision was not on disk in time
	Expired        // nobody went on in time

	// Why something is done, told or on record.
	Arrived       // a courier arrived
	AllChecksHold // every check of S1 and S2 holds
	SlidToOpen    // the courier slid to open
	WrittenDown   // the decision is durable
	DoorHasClosed // the door closed after the opening
	NeverOpened   // unlocked, and the door stayed closed
	ProvenSecured // bolt thrown after the last Lock and after the door closed (S9)
	CourierOut    // the courier signed "I am out"
	TailOver      // the tail of the watch ended
	ResidentAsked // the resident asked
	CannotDeliver // the courier cannot deliver
	Delivered     // the visit ended as it should

	// Why there is an alarm or an incident.
	LapseLagging // pictures late by more than A1: not a lapse yet
	LapseLost    // no pictures
	LapseLate    // slow lag
	LapseFrozen
	LapseReplayed
	LapseCovered
	LapseUnrecorded
	LapseUntrusted
	HubLate          // the hub's own tick was late
	UnlockUnanswered // Unlock unanswered at its deadline: possibly open (S12)
	UnlockLate       // the bolt drew after the order's deadline (S12)
	UnlockTwice      // the bolt drew again without an order (T17)
	OpenTooLong      // door open past its limit (T21)
	NotSecured       // closed and Lock sent, but no proof in time (S9, T3)
	BoltJam          // the lock reports a jam
	BoltInAir        // the bolt is out while the door is open (S11, T17)
	ReEntry          // an opening after secured (S10, T1)
	ForcedOpen       // the door opened while the bolt was reported thrown
	MaybeInside      // no "I am out": somebody may be inside (S19, T21)
	WentStale        // reports stopped: bolt or door unknown (S12, T26)
	BlockedWhileOpen // blocked with the door unlocked or open (S4)
	Restarted        // the hub restarted inside a visit
	RevokedInside    // the grant was revoked with the door unlocked or open
	ServiceGone      // the service stopped answering in a visit
	ExitRecorded     // opened from inside before "I am out" (S19)
	OpenedByResident // opened by an identified resident or guest
	OpenedNotice     // opened outside a visit, nobody away
	DoorHasOpened    // the door opened after the Unlock
	reasons
)
