package walk

import (
	"fmt"
	"time"

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

// measure keeps one delay.
func (w *Walk) measure(of int, d time.Duration, asked bool) { w.delays[of].add(d, asked) }
