package interlock

// said is a reason's word and its sentence.
type said struct{ word, sentence string }

// String is the reason's word for ledger and wire; "" for NoReason.
func (r Reason) String() string {
	if r < reasons {
		return reasonWords[r].word
	}
	return "unknown"
}

// Sentence says in one plain sentence what is and what to do next; "" for NoReason. It is for apps and may change.
func (r Reason) Sentence() string {
	if r < reasons {
		return reasonWords[r].sentence
	}
	return "Something is wrong that this version has no words for: update the hub."
}

// ParseReason finds the reason whose word is w. ok is false if there is none; "" is NoReason.
func ParseReason(w string) (r Reason, ok bool) {
	for r := range reasons {
		if reasonWords[r].word == w {
			return r, true
		}
	}
	return NoReason, false
}

var reasonWords = [reasons]said{
	NoReason: {"", ""},

	GrantForged:      {"grant-forged", "This delivery's permission is not genuine: the door stays shut, call your dispatcher."},
	GrantUsed:        {"grant-used", "This delivery's permission has been used, and a door does not open twice: if something is left to do, call your dispatcher."},
	GrantRevoked:     {"grant-revoked", "The permission for this delivery was taken back: take the parcel along and call your dispatcher."},
	WrongDoor:        {"wrong-door", "This delivery is for another door: check the address."},
	WrongCourier:     {"wrong-courier", "This delivery is assigned to somebody else: sign in with your own passkey or call your dispatcher."},
	WrongParcel:      {"wrong-parcel", "This parcel does not belong here: scan the right one."},
	WrongPlace:       {"wrong-place", "Your phone is not at this door: go to the door and try again."},
	TooEarly:         {"too-early", "The delivery window has not begun: come back when it has."},
	TooLate:          {"too-late", "The delivery window is over: take the parcel along and call your dispatcher."},
	ScreeningExpired: {"screening-expired", "Your screening has run out: ask your carrier to renew it."},
	NoConsent:        {"no-consent", "The household has not allowed this: take the parcel along and call your dispatcher."},
	ClockUnsure:      {"clock-unsure", "The hub is not sure of the time: wait a minute; if it stays so, take the parcel along and call your dispatcher."},
	SlideStale:       {"slide-stale", "That slide was for an older request: slide again."},
	SlideForged:      {"slide-forged", "The passkey could not be verified: unlock your phone and slide again."},
	AnotherVisit:     {"another-visit", "Another visit is going on at this door: wait until it has ended."},
	NoVisit:          {"no-visit", "There is no visit at this door that this belongs to: say that you are at the door first."},

	NotArmed:       {"not-armed", "The camera is coming up: wait a few seconds."},
	NotLive:        {"not-live", "The camera does not show the door live, so it stays shut: wait a moment, or say that you cannot deliver."},
	NotRecorded:    {"not-recorded", "The recording is not confirmed yet: wait a few seconds."},
	LockOffline:    {"lock-offline", "The lock does not answer: wait, or say that you cannot deliver."},
	BoltNotThrown:  {"bolt-not-thrown", "The bolt is not reported thrown: wait while the hub bolts the door or asks the lock."},
	DoorNotClosed:  {"door-not-closed", "The door is not reported closed: pull it shut."},
	ServiceSilent:  {"service-silent", "The service does not answer: wait until the connection is back."},
	Blocked:        {"blocked", "The resident has blocked this door: take the parcel along."},
	HouseholdHolds: {"household-holds", "The household is not ready for a delivery: wait a moment."},
	PetsLoose:      {"pets-loose", "The pets are not put away: wait a moment."},
	AlarmArmed:     {"alarm-armed", "The home's alarm is armed: wait until it is off."},
	SomebodyHome:   {"somebody-home", "Somebody is home: knock."},
	BatteryLow:     {"battery-low", "The lock's battery is too low to open safely: take the parcel along."},
	LinkUnfit:      {"link-unfit", "The connection to this door's camera is too unsteady to let anybody in: take the parcel along."},
	NotWalked:      {"not-walked", "This door has not passed the walk test that proves its lock, so nobody is let in alone: take the parcel along."},
	SmokeAlarm:     {"smoke-alarm", "A smoke or CO alarm is going: stay out and call the fire brigade if you see smoke."},
	StandingAlarm:  {"standing-alarm", "An alarm or incident at this door is not closed: the resident must read and close it first."},
	NotConfigured:  {"not-configured", "This door's limits are incomplete: finish its set-up on the hub."},
	LedgerFailed:   {"ledger-failed", "The hub could not write its record: check its disk; the door stays shut."},
	LedgerSlow:     {"ledger-slow", "The hub's record was too slow: slide again."},
	Expired:        {"expired", "Nobody went on in time: say that you are at the door to begin again."},

	Arrived:       {"arrived", "A courier is at the door: the checks are running."},
	AllChecksHold: {"all-checks-hold", "Everything is ready: slide to open."},
	SlidToOpen:    {"slid-to-open", "The courier slid to open: the decision is being written down."},
	WrittenDown:   {"written-down", "The decision is on record: open the door."},
	DoorHasClosed: {"door-has-closed", "The door has closed: the bolt is being thrown."},
	NeverOpened:   {"never-opened", "The door was not opened and is bolted again: slide again if you still want in."},
	ProvenSecured: {"proven-secured", "The door is closed and bolted: say \"I am out\"."},
	CourierOut:    {"courier-out", "The courier is out: on to the next stop."},
	TailOver:      {"tail-over", "The watch after the visit has ended: nothing more to do."},
	ResidentAsked: {"resident-asked", "The resident asked for this: leave and let the door close."},
	CannotDeliver: {"cannot-deliver", "The courier could not deliver: the parcel goes back."},
	Delivered:     {"delivered", "The parcel is inside and the door is bolted: nothing more to do."},

	LapseLagging:    {"lapse-lagging", "The picture is late: wait; the door is bolted meanwhile."},
	LapseLost:       {"lapse-lost", "The picture is lost: leave and let the door close; the resident is told."},
	LapseLate:       {"lapse-late", "The picture shows the past: leave and let the door close; the resident is told."},
	LapseFrozen:     {"lapse-frozen", "The picture is frozen: leave and let the door close; the resident is told."},
	LapseReplayed:   {"lapse-replayed", "The picture is a recording: leave and let the door close; the resident is told."},
	LapseCovered:    {"lapse-covered", "The camera is covered or turned: leave and let the door close; the resident is told."},
	LapseUnrecorded: {"lapse-unrecorded", "The picture is not being kept: leave and let the door close; the resident is told."},
	LapseUntrusted:  {"lapse-untrusted", "The camera is not the one that was paired: leave and let the door close; the resident is told."},

	HubLate:          {"hub-late", "The hub was too busy to judge the picture: wait; the door is bolted meanwhile."},
	UnlockUnanswered: {"unlock-unanswered", "The lock did not answer the order to open: the door is possibly open, check it."},
	UnlockLate:       {"unlock-late", "The bolt drew too late: it is being thrown again, check the door."},
	UnlockTwice:      {"unlock-twice", "The bolt drew without an order: it is being thrown again, check the door."},
	OpenTooLong:      {"open-too-long", "The door has been open too long: close it."},
	NotSecured:       {"not-secured", "The door is not proven to be bolted: check that it is closed and bolted."},
	BoltJam:          {"bolt-jam", "The bolt is jammed: push the door firmly shut and see that nothing is in its way."},
	BoltInAir:        {"bolt-in-air", "The bolt is out while the door stands open: it is being drawn so that the door can close."},
	ReEntry:          {"re-entry", "The door was opened after it had been bolted: look at the picture and call for help if you must."},
	ForcedOpen:       {"forced-open", "The door opened while its bolt was reported thrown: look at the picture and call for help if you must."},
	MaybeInside:      {"maybe-inside", "Nobody has said \"I am out\": somebody may be inside, look at the clip."},
	WentStale:        {"went-stale", "Lock or door sensor have stopped reporting: the door may be open, check it."},
	BlockedWhileOpen: {"blocked-while-open", "The door was blocked while it was open: leave and let it close, it is bolted as it closes."},
	Restarted:        {"restarted", "The hub restarted in a visit: the door is possibly open, check it."},
	RevokedInside:    {"revoked-inside", "The permission was taken back while the door was open: leave and let it close."},
	ServiceGone:      {"service-gone", "The service stopped answering: the hub goes on alone and tells you when it is back."},
	ExitRecorded:     {"exit-recorded", "Somebody went out from inside: it is on record, nothing to do."},
	OpenedByResident: {"opened-by-resident", "A resident or guest opened the door: nothing to do."},
	DoorHasOpened:    {"door-has-opened", "The door is open: put the parcel inside, come out and close it."},
	OpenedNotice:     {"opened-notice", "The door was opened while somebody is home: nothing to do."},
}
