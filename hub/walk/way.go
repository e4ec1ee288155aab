package walk

import (
	"fmt"

	"eyebolt/lock"
)

// way is how far somebody's way out has come: the bolt may be out, the door has not been seen to open from inside, and he pressed to
// have it drawn (S11).
type way uint8

const (
	wayNone    way = iota
	wayOrdered     // its order is under way: nothing else is taken meanwhile
	wayFree        // the bolt was reported drawn
	wayLate        // it was not, within the limit
	wayUnsent      // the order did not reach the lock
	ways
)

// opens says that the bolted door was seen to open from inside, by hand alone: whoever is behind it gets out without anybody's help.
func (w *Walk) opens() bool {
	for i, p := range w.parts {
		if p.step == Inside {
			return w.results[i].OK
		}
	}
	return false
}

// shutIn says that somebody may be behind a bolt that only this page draws. A step that moves the bolt itself ends within seconds, and
// one that begins by drawing it needs no second button for it.
func (w *Walk) shutIn() bool {
	if w.now == 0 || w.way == wayOrdered || w.opens() || w.bolt.value == lock.BoltDrawn && (w.threw == 0 || w.bolt.made > w.threw) {
		return false
	}
	s := w.part().step
	switch w.stage {
	case AtPress:
		return s != Draw && s != Free || steps[s].needs(w) != ""
	case AtWait:
		return s == Smoke || s == Plug
	case AtAsk:
		return false // each answer leads on at once
	}
	return true
}

// letOut orders the bolt drawn, once and for this press alone (S12). It asks for nothing that the lock or the contact says: who is shut
// in by a lock that says little must get out all the same, smoke or not.
func (w *Walk) letOut() {
	w.goWay(wayOrdered)
	w.order, w.wayAt, w.asked = w.turn, w.at, w.at
	w.do = append(w.do, Do{What: DoUnlock, Turn: w.turn, NotAfter: w.at + orderLife})
}

// goWay changes what is shown, and with it the turn: a press on what was shown before is not taken for one on this.
func (w *Walk) goWay(to way) {
	w.way, w.shown = to, w.at
	w.turn++
}

func (w *Walk) judgeWay() {
	if w.way != wayOrdered {
		return
	}
	w.poll()
	switch {
	case w.bolt.since(w.wayAt, lock.BoltDrawn):
		w.goWay(wayFree)
	case w.at-w.wayAt >= w.cfg.Answer:
		w.goWay(wayLate)
	}
}

// waySay is what whoever wants to get out reads, beside everything else.
func (w *Walk) waySay() string {
	const self = "Press again, or get out with the key or by another way."
	switch w.way {
	case wayOrdered:
		return "The lock was told to draw its bolt. Waiting for it to say that the bolt is in."
	case wayFree:
		return "The lock says that its bolt is in: open the door."
	case wayLate:
		return fmt.Sprintf("The bolt was not reported drawn within %v. Try the door. %s", w.cfg.Answer, self)
	case wayUnsent:
		return "The order did not reach the lock. " + self
	}
	if w.stage == AtFailed && w.shutIn() {
		return "The bolt may be out. If you cannot open the door, have it drawn now."
	}
	return ""
}
