package walk

import (
	"fmt"

	"eyebolt/lock"
)

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
