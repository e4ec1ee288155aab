package walk

import (
	"fmt"
	"time"

	"eyebolt/liveness"
	"eyebolt/lock"
)

// Step is one thing that is tried.
type Step uint8

const (
	Ready  Step = iota // everything answers
	Bolt               // the hub throws the bolt, and it holds
	Draw               // the hub draws it
	Open               // the contact tells that the door opens
	Ajar               // and does not call it closed while it is not latched (T27)
	Close              // and tells that it closes
	Jam                // a bolt that cannot go out is not called thrown (S9, T3)
	Free               // and can be drawn again
	Inside             // the bolted door opens from inside, without key or power (S11)
	Home               // it is bolted again
	Smoke              // the smoke sensor is heard (S11)
	Plug               // a camera without power is noticed, and does not take the lock along (S6, T8)
	nSteps
)

var stepWords = [nSteps]string{"ready", "bolt", "draw", "open", "ajar", "close", "jam", "free", "inside", "home", "smoke", "plug"}

func (s Step) String() string {
	if s < nSteps {
		return stepWords[s]
	}
	return "unknown"
}

// how is what a step does. needs says why it cannot begin now, or nothing; begin is called by a press alone; judge looks at every fact
// while it waits for devices or for an answer; answer takes yes or no; late is a limit that passed without either.
type how struct {
	needs  func(*Walk) string
	begin  func(*Walk)
	judge  func(*Walk)
	answer func(*Walk, bool)
	late   func(*Walk)
}

var steps = [nSteps]how{
	Ready:  {needs: needsAll, begin: (*Walk).beginWalk, judge: noJudge, answer: noAnswer, late: noLate},
	Bolt:   {needs: needsDrawn, begin: (*Walk).throw, judge: (*Walk).judgeBolt, answer: (*Walk).holds, late: (*Walk).notThrown},
	Draw:   {needs: needsThrown, begin: (*Walk).drawIt, judge: (*Walk).judgeDraw, answer: noAnswer, late: (*Walk).notDrawn},
	Open:   {needs: needsShut, begin: (*Walk).expectDoor, judge: (*Walk).judgeOpen, answer: noAnswer, late: (*Walk).notOpen},
	Ajar:   {needs: needsNothing, begin: (*Walk).watchAjar, judge: (*Walk).judgeAjar, answer: noAnswer, late: (*Walk).stayedAjar},
	Close:  {needs: needsOpen, begin: (*Walk).expectDoor, judge: (*Walk).judgeClose, answer: noAnswer, late: (*Walk).notClosed},
	Jam:    {needs: needsDrawn, begin: (*Walk).throw, judge: (*Walk).judgeJam, answer: (*Walk).wasBlocked, late: (*Walk).endJam},
	Free:   {needs: needsLock, begin: (*Walk).freeIt, judge: (*Walk).judgeFree, answer: (*Walk).wasBlocked, late: (*Walk).notFreed},
	Inside: {needs: needsDrawn, begin: (*Walk).throw, judge: (*Walk).judgeInside, answer: (*Walk).cameOut, late: (*Walk).notInside},
	Home:   {needs: needsDrawn, begin: (*Walk).throw, judge: (*Walk).judgeHome, answer: noAnswer, late: (*Walk).notThrown},
	Smoke:  {needs: needsNoSmoke, begin: (*Walk).expectSmoke, judge: (*Walk).judgeSmoke, answer: noAnswer, late: (*Walk).noSmoke},
	Plug:   {needs: needsPicture, begin: (*Walk).expectDark, judge: (*Walk).judgePlug, answer: noAnswer, late: (*Walk).notDark},
}

func noJudge(*Walk)        {}
func noAnswer(*Walk, bool) {}
func noLate(*Walk)         {}

func needsNothing(*Walk) string { return "" }

func needsLock(w *Walk) string {
	if !w.healthy {
		return "The lock does not answer. Check its batteries and its radio, and wait until it is back."
	}
	return ""
}

// needsShut: no Lock is ordered at a door that is not reported closed, nor under a smoke alarm (S11).
func needsShut(w *Walk) string {
	switch {
	case needsLock(w) != "":
		return needsLock(w)
	case w.smoke:
		return "A smoke alarm is going, and nothing is bolted meanwhile. Wait until it has ended."
	case w.door.value == lock.DoorUnknown:
		return "The contact has said nothing yet. Open the door and close it once."
	case w.door.value != lock.DoorClosed:
		return "The contact says that the door is open. Close it until it latches."
	}
	return ""
}

func needsDrawn(w *Walk) string {
	if why := needsShut(w); why != "" {
		return why
	}
	if w.bolt.value != lock.BoltDrawn {
		return "The lock does not report the bolt drawn. Draw it by hand, by the knob or the key."
	}
	return ""
}

func needsThrown(w *Walk) string {
	if why := needsShut(w); why != "" {
		return why
	}
	if w.bolt.value != lock.BoltThrown {
		return "The lock does not report the bolt thrown. Throw it by hand, by the knob or the key."
	}
	return ""
}

func needsOpen(w *Walk) string {
	switch {
	case needsLock(w) != "":
		return needsLock(w)
	case w.door.value == lock.DoorUnknown || w.door.value == lock.DoorClosed:
		return "The contact does not say that the door is open. Open it wide first."
	}
	return ""
}

func needsNoSmoke(w *Walk) string {
	if w.smoke {
		return "A smoke alarm is going already. Wait until it has ended."
	}
	return ""
}

func needsPicture(w *Walk) string {
	if w.cams[w.part().camera].state != liveness.Live {
		return "This camera does not show the door live now. Wait until it does."
	}
	return needsLock(w)
}

// needsAll is what a walk begins from.
func needsAll(w *Walk) string {
	if !w.cfg.Can.Bolt {
		return "This lock does not report its bolt, so nobody can know that the door is bolted. It needs a lock that does."
	}
	if why := needsLock(w); why != "" {
		return why
	}
	if !w.cfg.Can.Door {
		return "This door has no contact, so nobody can know that it is closed, and nothing opens unattended. Add a contact, or a lock that senses the door, and name it in the configuration."
	}
	if why := needsShut(w); why != "" {
		return why
	}
	if w.bolt.value != lock.BoltThrown && w.bolt.value != lock.BoltDrawn {
		return "The lock has not said yet where its bolt is. Wait a moment, or turn it by hand."
	}
	for i := range w.cams {
		if w.cams[i].state != liveness.Live {
			return fmt.Sprintf("The camera %s does not show the door live now. Wait until it does.", w.cfg.Cameras[i])
		}
	}
	return ""
}

func (w *Walk) beginWalk() {
	w.plan()
	w.pass("Lock, contact and cameras answer.")
}

// throw orders the bolt out.
func (w *Walk) throw() { w.lock(0, w.cfg.Close) }

// gone fails the step when the lock is out of reach: what it said before is worth nothing, and what it says afterwards may be late.
func (w *Walk) gone() bool {
	if !w.healthy && w.stage != AtFailed {
		w.fail("The lock went out of reach" + because(w.lockErr) + ". Check its power and its radio, and try again.")
		return true
	}
	return false
}

// thrown says whether the bolt was reported thrown after the order, and measures it.
func (w *Walk) thrown() bool {
	w.poll()
	if !w.bolt.since(w.from, lock.BoltThrown) {
		return false
	}
	w.measure(ofThrown, w.at-w.from, w.bolt.asked)
	w.proven.Bolt = true
	w.proven.By = w.proven.By || w.by == lock.ByRemote
	return true
}

func (w *Walk) judgeBolt() {
	if w.gone() || w.stage != AtWait {
		return
	}
	if w.thrown() {
		w.goTo(AtAsk, 1, askLimit)
	}
}

func (w *Walk) holds(yes bool) {
	switch {
	case !yes:
		w.fail("The lock said that its bolt is out, and it does not hold the door. Check that the bolt meets its hole in the frame; if it does, this lock cannot be believed.")
	case w.bolt.value != lock.BoltThrown || w.door.value != lock.DoorClosed:
		w.fail("You said that the door holds, and the lock or the contact does not say so any more. Try again.")
	default:
		w.pass("The hub throws the bolt, the lock says so, and the door holds.")
	}
}

func (w *Walk) notThrown() {
	w.fail(fmt.Sprintf("The bolt was not reported thrown within %v. %s", w.cfg.Close, w.stuck()))
}

// stuck says what to look at when a bolt does not come.
func (w *Walk) stuck() string {
	if w.bolt.since(w.from, lock.BoltJammed) {
		return "The lock says that it is jammed: see that the door is shut and that the bolt meets its hole."
	}
	return "Look whether the bolt moved. If it did, the lock does not tell; if it did not, it is not reached or not set up."
}

func (w *Walk) drawIt() { w.unlock(0, w.cfg.Answer) }

func (w *Walk) drew() bool {
	w.poll()
	if !w.bolt.since(w.from, lock.BoltDrawn) {
		return false
	}
	w.measure(ofDrawn, w.at-w.from, w.bolt.asked)
	w.proven.By = w.proven.By || w.by == lock.ByRemote
	return true
}

func (w *Walk) judgeDraw() {
	if !w.gone() && w.drew() {
		w.pass("The hub draws the bolt, and the lock says so.")
	}
}

func (w *Walk) notDrawn() {
	w.fail(fmt.Sprintf("The bolt was not reported drawn within %v. %s", w.cfg.Answer, w.stuck()))
}

// freeIt asks first, if the lock has said meanwhile that its blocked bolt is out: a lie that comes late is one, too.
func (w *Walk) freeIt() {
	if w.bolt.value == lock.BoltThrown {
		w.goTo(AtAsk, 0, askLimit)
		return
	}
	if w.bolt.since(w.threw, lock.BoltDrawn) { // told after the order that was blocked; what was so before it proves nothing
		w.pass("The lock says that its bolt is in already.")
		return
	}
	w.unlock(0, w.cfg.Close)
}

func (w *Walk) judgeFree() {
	if w.gone() || w.stage != AtWait {
		return
	}
	if w.poll(); w.bolt.since(w.from, lock.BoltDrawn) {
		w.pass("A bolt that was blocked can be drawn again.")
	}
}

func (w *Walk) notFreed() {
	w.fail(fmt.Sprintf("The bolt was not reported drawn within %v. Take out what blocks it, and draw it by hand.", w.cfg.Close))
}

func (w *Walk) expectDoor() { w.goTo(AtWait, 0, doorLimit) }

func (w *Walk) judgeOpen() {
	if !w.gone() && (w.door.since(w.from, lock.DoorOpen) || w.door.since(w.from, lock.DoorAjar)) {
		w.measure(ofOpen, w.at-w.from, w.door.asked)
		w.pass("The contact tells that the door opens.")
	}
}

func (w *Walk) notOpen() {
	w.fail(fmt.Sprintf("Nothing said within %v that the door is open. See that the contact and its magnet part when it opens, and that the contact's battery is good.", doorLimit))
}

func (w *Walk) judgeClose() {
	if !w.gone() && w.door.since(w.from, lock.DoorClosed) {
		w.measure(ofClosed, w.at-w.from, w.door.asked)
		w.proven.Door = true
		w.pass("The contact tells that the door closes.")
	}
}

func (w *Walk) notClosed() {
	w.fail(fmt.Sprintf("Nothing said within %v that the door is closed. See that the magnet comes near enough to the contact when the door has latched.", doorLimit))
}

func (w *Walk) watchAjar() { w.goTo(AtWait, 0, ajarWatch) }

func (w *Walk) judgeAjar() {
	switch {
	case w.gone():
	case w.door.value == lock.DoorClosed:
		w.fail("The contact calls the door closed while it is not latched: a bolt could be thrown beside its hole and count as secured. Move the magnet until it lets go within a few millimetres.")
	case w.door.value == lock.DoorUnknown:
		w.fail("The contact does not say any more whether the door is open. Check its battery and its radio.")
	}
}

func (w *Walk) stayedAjar() { w.pass("A door that is not latched is not called closed.") }

// The legs of Jam. A lock that says "jammed" has had its order. One that says nothing may be a lock that keeps its peace, or an order
// that was lost on the air: then it is asked, so that it is known to be in reach, and the person says whether it tried.
const (
	jamOrdered = iota // the bolt is ordered out
	jamSettles        // it said "jammed", and must not say "thrown" after all
	jamThrown         // it said "thrown", and the person looks
	jamAsked          // it said nothing, and is asked
	jamTried          // it answered, and the person says whether it moved
)

func (w *Walk) judgeJam() {
	if w.gone() || w.stage == AtAsk && w.leg == jamThrown {
		return
	}
	if w.leg == jamOrdered {
		w.poll()
	}
	switch {
	case w.bolt.since(w.threw, lock.BoltThrown):
		w.goTo(AtAsk, jamThrown, askLimit)
	case w.leg == jamOrdered && w.bolt.since(w.from, lock.BoltJammed):
		w.measure(ofJammed, w.at-w.from, w.bolt.asked)
		w.goTo(AtWait, jamSettles, settle)
	case w.leg == jamAsked && w.answered:
		w.goTo(AtAsk, jamTried, askLimit)
	}
}

func (w *Walk) endJam() {
	switch {
	case w.leg == jamSettles:
		w.proven.Jam = true
		w.pass("A bolt that is blocked is reported as jammed.")
	case w.leg == jamAsked:
		w.fail(fmt.Sprintf("The lock said nothing, and did not answer within %v when it was asked: it may never have had the order, and nothing is proven. Check its power and its radio, and try again.", w.cfg.Answer))
	case w.cfg.Can.Poll:
		w.goTo(AtWait, jamAsked, w.cfg.Answer)
		w.do = append(w.do, Do{What: DoPoll})
	default:
		w.goTo(AtAsk, jamTried, askLimit)
	}
}

// wasBlocked takes the person's answer on a bolt that is called thrown, or on a lock that says nothing.
func (w *Walk) wasBlocked(yes bool) {
	switch {
	case w.part().step == Jam && w.leg == jamTried && yes:
		w.pass(fmt.Sprintf("A bolt that is blocked is not called thrown. The lock does not say that it is jammed: the alarm comes after %v. That it had the order is your word: you saw or heard it try.", w.cfg.Close))
	case w.part().step == Jam && w.leg == jamTried:
		w.fail("The lock did not try: its order was lost, and nothing is proven. Check its radio, and try again.")
	case yes:
		w.fail("The bolt went out all the way, so nothing blocked it, and nothing is proven. Block its hole so that it cannot go in, and try again.")
	default:
		w.fail("The lock says that its bolt is out while it is blocked. Nothing that this lock says can prove that the door is bolted: it needs another lock, or its maker's repair.")
	}
}

// Inside has two legs: the bolt is thrown; then the person goes out by hand.
func (w *Walk) judgeInside() {
	if w.gone() {
		return
	}
	if w.leg == 0 {
		if w.thrown() {
			w.goTo(AtAsk, 1, askLimit)
			w.asked = w.at
		}
		return
	}
	w.poll()
	if w.leg == 1 && w.bolt.since(w.from, lock.BoltDrawn) && (w.by == lock.ByRemote || w.by == lock.ByResident) {
		w.fail("The lock says that its bolt was drawn by radio, a code or a card, and not by hand alone. Bolt the door, and open it by its knob or handle.")
		return
	}
	if w.bolt.since(w.from, lock.BoltDrawn) {
		w.drawn = true
		w.proven.By = w.proven.By || w.by == lock.ByInside
	}
	w.open = w.open || w.door.since(w.from, lock.DoorOpen) || w.door.since(w.from, lock.DoorAjar)
	if w.leg == 2 && w.drawn && w.open {
		w.pass("The bolted door opens from inside by hand, without key or power.")
	}
}

// cameOut takes the one answer that no device can give (S11). A yes alone is no evidence: lock and contact must have told of it.
func (w *Walk) cameOut(yes bool) {
	if !yes {
		w.fail("The bolted door does not open from inside without key or power. Whoever is inside would be locked in. However the rest goes, this door does not pass before it has a knob or a handle inside that always draws the bolt.")
		return
	}
	drawn, open := w.drawn, w.open
	w.goTo(AtWait, 2, doorLimit)
	w.drawn, w.open = drawn, open
	w.asked = 0 // ask the lock at once
}

func (w *Walk) notInside() {
	switch {
	case w.leg == 0:
		w.notThrown()
	case !w.open:
		w.fail("You said that the door opened, and nothing reported that. Bolt the door, open it from inside, and answer when it stands open.")
	default:
		w.fail("The door opened, and the lock still does not report its bolt drawn: it does not tell what is done by hand, and the hub could not tell an exit from a break-in.")
	}
}

func (w *Walk) judgeHome() {
	if !w.gone() && w.thrown() {
		w.pass("The door is bolted again.")
	}
}

func (w *Walk) expectSmoke() { w.goTo(AtWait, 0, smokeLimit) }

func (w *Walk) judgeSmoke() {
	switch {
	case w.leg == 0 && w.smoke && w.smokeAt > w.from:
		w.measure(ofSmoke, w.at-w.from, false)
		w.goTo(AtWait, 1, quietLimit)
	case w.leg == 1 && !w.smoke:
		w.pass("The smoke sensor is heard, and nothing is bolted while it goes.")
	}
}

func (w *Walk) noSmoke() {
	if w.leg == 1 {
		w.fail(fmt.Sprintf("The smoke sensor has not ended its alarm within %v, and nothing is bolted meanwhile. See what its maker says about ending a test.", quietLimit))
		return
	}
	w.fail(fmt.Sprintf("Nothing was heard of the smoke sensor within %v. Hold its test button longer; some tell of a real alarm alone, and then it proves nothing here.", smokeLimit))
}

func (w *Walk) expectDark() {
	w.goTo(AtWait, 0, plugLimit)
	w.asked = w.at
}

// Plug has two legs: the camera goes dark, and the lock still answers; it comes back.
func (w *Walk) judgePlug() {
	c := &w.cams[w.part().camera]
	if !w.healthy {
		w.fail("The lock went out of reach together with the camera. They must not hang on one plug, one radio or one box: whoever takes the camera out would take the lock along.")
		return
	}
	if w.leg == 1 {
		if c.state == liveness.Live && c.live >= w.from && w.at-c.live >= backLive {
			w.pass("A camera without power is noticed, the lock answers without it, and it comes back.")
		}
		return
	}
	// A hand before the lens is another lapse, and no loss of power: pictures must stop coming.
	ended := c.state == liveness.Lost || c.state != liveness.HubLate && c.state != liveness.Unknown && c.age >= darkAge
	if c.at < w.from || !ended && c.state != liveness.Lagging {
		if c.state != liveness.HubLate && c.state != liveness.Unknown {
			w.lagged, w.lost = false, false // it is back before the lock has answered: what it answers now proves nothing
		}
		w.later()
		return
	}
	if !w.lagged {
		w.lagged = true
		if c.state == liveness.Lagging {
			w.measure(ofDark, c.age, false)
		}
		if w.cfg.Can.Poll { // what the lock answers from here on, it answers without this camera
			w.do = append(w.do, Do{What: DoPoll})
			w.asked, w.answered = w.at, false
		}
	}
	if !w.lost && ended {
		w.lost = true
		w.measure(ofLost, c.age, false)
	}
	w.later()
}

// later ends the dark leg of Plug once the camera was lost and the lock has answered since.
func (w *Walk) later() {
	if !w.lost {
		return
	}
	if w.cfg.Can.Poll && !w.answered {
		w.poll()
		return
	}
	w.goTo(AtWait, 1, backLimit)
}

func (w *Walk) notDark() {
	switch {
	case w.leg == 1:
		w.fail(fmt.Sprintf("The camera was not live again within %v. Put its plug back, and see that it starts.", backLimit))
	case !w.lost:
		w.fail(fmt.Sprintf("The camera still sent pictures after %v. See that it is this camera's plug; one with a battery must be taken off its network instead.", plugLimit))
	default:
		w.fail("The lock did not answer while the camera had no power. They must not hang on one plug, one radio or one box.")
	}
}

// measure keeps one delay.
func (w *Walk) measure(of int, d time.Duration, asked bool) { w.delays[of].add(d, asked) }
