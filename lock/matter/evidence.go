package matter

import (
	"encoding/json"
	"fmt"
	"time"

	"eyebolt/lock"
)

// takeAnswer weighs a device's own answer to a question. It was true at some time after the question left.
func (w *witness) takeAnswer(m item) {
	asker := &w.askers[m.of]
	if m.err != nil {
		asker.Missed(m.at)
		switch m.of {
		case readLock:
			w.silent = m.err
		case readContact:
			w.contact = lock.DoorUnknown // S13: it was asked, and is silent
			w.sayChangedDoor(0, m.at)
		case readSmoke, readProof, sendLock, sendUnlock: // unknown takes no alarm back
		}
		return
	}
	asker.Got(m.sent, m.at)
	age := m.at - m.sent
	switch m.of {
	case readContact:
		w.contact = w.weigh(w.contact, contactDoor(m.answer[w.ids.contactPath().String()]), m, w.contactAt)
		w.sayDoor(age, m.at)
	case readSmoke:
		w.takeSmokeAnswer(m, age)
	case readLock, readProof, sendLock, sendUnlock:
		w.takeLockAnswer(m, age)
	}
}

func (w *witness) takeLockAnswer(m item, age time.Duration) {
	b, ok := bolt(m.answer[w.ids.lockPath(attrLockState).String()])
	if !ok {
		w.warn("the lock's answer cannot be read: the bolt is unknown")
	}
	w.proven, w.silent, w.available = true, nil, true
	if w.loose && w.looseBack == 0 && m.sent > w.looseAt {
		w.looseBack = max(m.at, 1)
	}
	if w.set.DoorSense {
		w.sense = w.weigh(w.sense, senseDoor(m.answer[w.ids.lockPath(attrDoorState).String()]), m, w.senseAt)
	}
	beside := w.ids.contact.node != 0 && !w.apart(w.ids.contact)
	if beside {
		w.contact = w.weigh(w.contact, contactDoor(m.answer[w.ids.contactPath().String()]), m, w.contactAt)
	}
	if beside || (w.set.DoorSense && w.ids.contact.node == 0) {
		w.sayDoor(age, m.at)
	} else {
		w.sayChangedDoor(age, m.at) // the lock's word does not make another node's any younger
	}
	if w.ids.smoke.node != 0 && !w.apart(w.ids.smoke) {
		w.takeSmokeAnswer(m, age)
	}
	w.takeBattery(m.answer[w.ids.battery.String()], m.at)
	switch {
	case b == lock.BoltThrown && m.sent <= w.contrary:
		// The lock said meanwhile that it is not thrown, and nobody can say which came first.
		w.askLock(m.at)
		return
	case b == lock.BoltThrown || b == lock.BoltDrawn:
		w.jammed = false
	case w.jammed:
		b = lock.BoltJammed
	default: // it moves, or does not know
		w.askers[readLock].Missed(m.at)
	}
	if b == lock.BoltThrown || m.at-w.throwing > throwLife {
		w.throwing = 0
	}
	if w.throwing != 0 {
		w.askers[readLock].Missed(m.at)
	}
	w.sayBolt(b, w.recent(b, m.at), age, m.at, true)
}

func (i ids) lockPath(attribute uint32) path { return path{i.lock.endpoint, clusterLock, attribute} }

func (i ids) contactPath() path { return path{i.contact.endpoint, clusterBoolean, attrStateValue} }

func (i ids) smokePath(attribute uint32) path {
	return path{i.smoke.endpoint, clusterSmoke, attribute}
}

// takeEvent weighs what a node said by itself, or what the server says of it.
func (w *witness) takeEvent(m item) {
	e := m.event
	at := place{e.node, e.path.endpoint}
	switch {
	case e.about == updated || e.about == removed:
		w.takeReach(e, m.at)
	case at == w.ids.lock && e.path.cluster == clusterLock && e.about == occurred:
		w.takeDeed(e, m.at)
	case at == w.ids.lock && e.path == w.ids.lockPath(attrLockState):
		w.takeLockState(e.value, m.at)
	case at == w.ids.lock && e.path == w.ids.lockPath(attrDoorState):
		w.takeSense(senseDoor(e.value), m.at)
	case e.node == w.ids.lock.node && e.path == w.ids.battery:
		w.takeBattery(e.value, m.at)
	case at == w.ids.contact && e.path == w.ids.contactPath():
		w.contact, w.contactAt = contactDoor(e.value), m.at
		w.sayDoor(0, m.at)
	case at == w.ids.smoke && (e.path == w.ids.smokePath(attrSmokeState) || e.path == w.ids.smokePath(attrCOState)):
		if w.takeSmoke(e.path.attribute, e.value) {
			w.saySmoke(0, m.at)
		}
	}
}

// takeReach hears whether the server can reach a node. That it can is no word of the node: it is asked.
func (w *witness) takeReach(e *event, at time.Duration) {
	reach := e.about == updated && e.available
	if e.node == w.ids.lock.node {
		w.available = reach
	}
	switch {
	case reach:
		w.ask(at)
	case e.node == w.ids.lock.node:
		w.proven = false
		w.forget(at)
		w.ask(at)
	case e.node == w.ids.contact.node:
		w.contact = lock.DoorUnknown
		w.sayChangedDoor(0, at)
	}
}

// takeLockState hears of the bolt without having asked. What is not thrown is believed at once; thrown is a reason to ask (S9).
func (w *witness) takeLockState(value json.RawMessage, at time.Duration) {
	b, ok := bolt(value)
	if ok && b == lock.BoltThrown {
		w.askLock(at)
		return
	}
	w.contrary = at
	switch {
	case b == lock.BoltDrawn:
		w.jammed = false
	case w.jammed:
		b = lock.BoltJammed
	}
	if b != w.bolt || b == lock.BoltDrawn {
		w.sayBolt(b, w.recent(b, at), 0, at, false)
	}
	w.askLock(at)
}

// takeSense hears of the door by the lock's own sense.
func (w *witness) takeSense(to lock.Door, at time.Duration) {
	if !w.set.DoorSense {
		return
	}
	w.sense, w.senseAt = to, at
	w.sayDoor(0, at)
}

// Operations, sources and alarms of a door lock (Matter Application Cluster Specification, Door Lock, Data Types).
const (
	opLock    = 0
	opUnlock  = 1
	opUnlatch = 4

	byHand        = 1
	byMaker       = 2 // proprietary remote
	byKeypad      = 3
	byAuto        = 4
	bySchedule    = 6
	byRemote      = 7
	byRFID        = 8
	byBiometric   = 9
	byAliro       = 10
	alarmJammed   = 0
	alarmForced   = 6
	errorRestrict = 3 // the highest of OperationError that has a sentence here
)

var refusals = [errorRestrict + 1]string{"for no reason that it knows", "the code is wrong", "the user is disabled", "it is restricted now"}

// takeDeed hears who worked the bolt. That it was drawn, or is jammed, is believed at once; that it was thrown only explains an answer
// that says so (S9). The resident is only who identified himself: a credential with a user's number.
func (w *witness) takeDeed(e *event, at time.Duration) {
	switch e.code {
	case eventAlarm:
		switch e.data.Alarm {
		case alarmJammed:
			w.jammed, w.contrary = true, at
			w.sayBolt(lock.BoltJammed, deed{}, 0, at, false)
		case alarmForced:
			w.takeSense(lock.DoorOpen, at)
		default:
			w.warn("the lock is in alarm", "code", e.data.Alarm)
		}
	case eventDoor:
		if e.data.Door >= 0 {
			w.takeSense(senseDoor(json.RawMessage(fmt.Sprint(e.data.Door))), at)
		}
		return
	case eventError:
		if e.data.Source == byRemote {
			why := "for a reason of its own"
			if e.data.Error >= 0 && e.data.Error < len(refusals) {
				why = refusals[e.data.Error]
			}
			w.say(lock.Report{What: lock.OfFailure, Err: fmt.Errorf("the lock refused a command: %s", why), At: at})
		}
	case eventOperation:
		w.takeOperation(e.data, at)
	}
	w.askLock(at)
}

func (w *witness) takeOperation(data deedData, at time.Duration) {
	d := deed{}
	switch data.Source {
	case byHand:
		d.by = lock.ByInside
	case byMaker, byRemote:
		d.by = lock.ByRemote
	case byKeypad, byRFID, byBiometric, byAliro:
		if data.User > 0 {
			d.by, d.who = lock.ByResident, fmt.Sprintf("user %d", data.User)
		}
	case byAuto, bySchedule:
		d.by = lock.ByItself
	}
	switch data.Operation {
	case opLock:
		d.bolt = lock.BoltThrown
	case opUnlock, opUnlatch:
		d.bolt = lock.BoltDrawn
	default:
		return
	}
	w.deed, w.deedAt = d, at
	if d.bolt == lock.BoltDrawn {
		w.contrary, w.jammed = at, false
		w.sayBolt(lock.BoltDrawn, d, 0, at, false)
	}
}

// recent is the deed that explains a bolt at this place, if there was one just now.
func (w *witness) recent(b lock.Bolt, at time.Duration) deed {
	if b != lock.BoltUnknown && w.deed.bolt == b && at-w.deedAt <= deedLife {
		return w.deed
	}
	return deed{}
}

func (w *witness) sayBolt(b lock.Bolt, d deed, age, at time.Duration, solicited bool) {
	w.bolt = b
	w.say(lock.Report{What: lock.OfBolt, Bolt: b, By: d.by, Who: d.who, At: at, Age: age, Solicited: solicited})
}

// sayDoor tells of the door. An answer to a question that left before the newest word of the door has crossed it, and nobody can say which
// came first: the door is asked again. What is not closed is told all the same, as no older than the word that it contradicts: an
// older one is overlooked, and would not be told twice. Closed is left to the answer to come (T27, S13).
func (w *witness) sayDoor(age, at time.Duration) {
	door := w.door()
	if door != w.doorSaid && age > 0 && at-age < w.doorNew {
		w.ask(at)
		if door == lock.DoorClosed {
			return
		}
		age = lock.After(age, at, w.doorNew)
	}
	w.doorSaid, w.doorNew = door, max(w.doorNew, at-age)
	w.say(lock.Report{What: lock.OfDoor, Door: door, At: at, Age: age})
}

// weigh is what an answer makes of one sense of the door, now being what it said before. Of an answer and of the sense's own word since the
// question left, which was at spoke, nobody can say which came first: it is asked again, and meanwhile is not closed unless both say so (S13).
func (w *witness) weigh(now, answer lock.Door, m item, spoke time.Duration) lock.Door {
	if answer == now || m.sent > spoke {
		return answer
	}
	w.ask(m.at)
	if answer == lock.DoorClosed {
		return now
	}
	return answer
}

func (w *witness) sayChangedDoor(age, at time.Duration) {
	if w.door() != w.doorSaid {
		w.sayDoor(age, at)
	}
}

// door joins the contact and the lock's own sense: closed only if each one that there is says so (T27).
func (w *witness) door() lock.Door {
	switch {
	case !w.set.DoorSense:
		return w.contact
	case w.set.Contact == "":
		return w.sense
	case w.contact == lock.DoorOpen || w.sense == lock.DoorOpen:
		return lock.DoorOpen
	case w.sense == lock.DoorAjar:
		return lock.DoorAjar
	case w.contact == lock.DoorClosed && w.sense == lock.DoorClosed:
		return lock.DoorClosed
	default:
		return lock.DoorUnknown
	}
}

// takeBattery reads a charge in half percents.
func (w *witness) takeBattery(value json.RawMessage, at time.Duration) {
	if n, ok := whole(value); ok && n <= 200 && n/2 != w.percent {
		w.percent = n / 2
		w.say(lock.Report{What: lock.OfBattery, Percent: w.percent, At: at})
	}
}

func (w *witness) takeSmokeAnswer(m item, age time.Duration) {
	smoke := w.takeSmoke(attrSmokeState, m.answer[w.ids.smokePath(attrSmokeState).String()])
	co := w.takeSmoke(attrCOState, m.answer[w.ids.smokePath(attrCOState).String()])
	if smoke || co {
		w.saySmoke(age, m.at)
	}
}

// takeSmoke hears one of the two alarms; either counts, and each must be taken back. false: it says nothing.
func (w *witness) takeSmoke(attribute uint32, value json.RawMessage) bool {
	n, ok := whole(value)
	if ok { // unknown takes nothing back
		w.alarms[attribute-attrSmokeState] = n != 0
	}
	return ok
}

func (w *witness) saySmoke(age, at time.Duration) {
	w.say(lock.Report{What: lock.OfSmoke, OK: !w.alarms[0] && !w.alarms[1], At: at, Age: age})
}
