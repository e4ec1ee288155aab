package hub

import "eyebolt/interlock"

// Words of ledger entries that this package writes, by kind. They are a wire format. Every reason is interlock's.
//
//	boot        boot
//	config      pair, consent, grant, revoke, spent, behind, block, unblock, home, away, hold, lift
//	visit       began, ended (ledger.VisitData), closed (a resident read and closed the incident)
//	fact        a phase of interlock as it is entered; arrived-refused, slide-refused, out-refused, out, cannot, lock-asked,
//	            leave-asked, acknowledged, clock-sure, clock-unsure,
//	            grant-refused
//	decision    unlock (before it is ordered; counts as the grant's opening)
//	command     lock, unlock, retract, hold, refuse, leave, release, alarm, notice, told, incident, not-sent,
//	            lock-error, unlock-error, retract-error
//	report      bolt-thrown, bolt-drawn, bolt-jammed, bolt-unknown, door-closed, door-open, door-ajar, door-unknown,
//	            lock-online, lock-offline, battery-low, battery-good, link-unfit, link-fit, walked, not-walked, camera-learned-anew, smoke, smoke-over, failure,
//	            radio-deauth and the other kinds of package radio: noticed on the air
//	watch       a watch of interlock; camera-… with one: of one camera, while another one of the door watches (ledger.WatchData)
//	gap         gap (ledger.GapData)
//	clip        filed, backfilled (ledger.ClipData), lost
//	checkpoint  held (ledger.HeldData)
const (
	wordClosed = "closed"
	wordGap    = "gap"
	wordHeld   = "held"
	wordOut    = "out"
	wordBehind = "behind"

	wordAcknowledged = "acknowledged"

	wordWalked    = "walked"
	wordNotWalked = "not-walked"

	wordSmoke     = "smoke"
	wordSmokeOver = "smoke-over"
)

func outcomeWord(o interlock.Outcome) string { return o.String() }

// reasonOf reads a reason's word; one that this hub does not know is no reason.
func reasonOf(w string) interlock.Reason {
	r, _ := interlock.ParseReason(w)
	return r
}

// sentence is what a person reads for a reason's word.
func sentence(w string) string {
	if r, ok := interlock.ParseReason(w); ok && r != interlock.NoReason {
		return r.Sentence()
	}
	return ""
}
