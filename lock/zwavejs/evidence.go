package zwavejs

import (
	"bytes"
	"fmt"
	"time"

	"eyebolt/lock"
)

// takeAnswer weighs the lock's own answer to a question. It was true at some time after the question left.
func (w *witness) takeAnswer(m item) {
	if m.err != nil {
		w.silent = m.err
		w.asker.Missed(m.at)
		return
	}
	o := m.answer
	w.proven, w.silent = true, nil
	w.asker.Got(m.sent, m.at)
	w.mode = o.mode
	bolt := o.bolt
	switch {
	case bolt == lock.BoltThrown && m.sent <= w.contrary:
		// The lock said meanwhile that it drew or jammed, and nobody can say which came first.
		w.ask(m.at)
		return
	case bolt == lock.BoltThrown || bolt == lock.BoltDrawn:
		w.jammed = false
	case w.jammed:
		bolt = lock.BoltJammed
	}
	if bolt == lock.BoltUnknown {
		w.warn("the lock does not know where its bolt is, or contradicts itself", "mode", o.mode)
	}
	w.sayBolt(bolt, w.recent(bolt, m.at), m.at-m.sent, m.at, true)
	if w.hint >= 0 && w.hint != o.mode && w.hintAt > m.sent {
		w.ask(m.at) // the server told of another state after the question had left
	}
	if w.set.DoorSense {
		w.sense = o.door
		if w.set.Contact == "" || w.door() != w.doorSaid { // the lock's word does not make the contact's any younger
			w.sayDoor(m.at-m.sent, m.at)
		}
	}
}

// takeEvent weighs what a node said, or what the server says of it.
func (w *witness) takeEvent(m item) {
	e := m.event
	switch e.node {
	case w.ids.lock:
		w.takeLock(e, m)
	case w.ids.contact:
		w.takeContact(e, m)
	case w.ids.smoke:
		w.takeSmoke(e, m)
	}
}

func (w *witness) takeLock(e *event, m item) {
	switch e.name {
	case "dead":
		w.status = statusDead
	case "alive", "wake up", "ready":
		w.status, w.ready = statusAlive, w.ready || e.name == "ready"
		w.ask(m.at)
	case "sleep":
		w.status = statusAsleep
	case "notification":
		if e.class == ccNotification && e.kind == accessControl {
			w.takeDeed(e.code, e.user, m.at)
		}
	default:
		w.takeLockValue(e, m)
	}
}

func (w *witness) takeLockValue(e *event, m item) {
	switch {
	case e.class == ccDoorLock && e.property == "currentMode":
		// The server sets it by itself when a command was heard: never a report, always a reason to ask.
		n, ok := number(e.value)
		if !ok {
			n = modeUnknown
		}
		w.hint, w.hintAt = n, m.at
		if n != w.mode && !m.asking {
			w.ask(m.at)
		}
	case e.class == ccNotification && e.property == "Access Control" && e.key == "Lock state":
		if n, ok := number(e.value); ok && n != 0 {
			w.takeDeed(n, 0, m.at)
		}
	case e.class == ccBattery && e.property == "level":
		if n, ok := number(e.value); ok && n >= 0 && n <= 100 && n != w.percent {
			w.percent = n
			w.say(lock.Report{What: lock.OfBattery, Percent: n, At: m.at})
		}
	}
}

// Notification type "Access Control" and its events (SDS13713).
const (
	accessControl = 6
	windowOpen    = 22
	windowClosed  = 23
	windowRegular = 5632 // open in regular position: 0x1600
	windowTilt    = 5633
)

// takeDeed hears who worked the bolt. That it was drawn, or is jammed, is believed at once; that it was thrown only explains an
// answer that says so (S9). The resident is only who identified himself: a code with a user's number.
func (w *witness) takeDeed(code, user int, at time.Duration) {
	d := deed{}
	switch code {
	case 1, 2: // by hand, or by key
		d.by = lock.ByInside
	case 3, 4: // by radio
		d.by = lock.ByRemote
	case 5, 6: // by keypad
		if user > 0 {
			d.by, d.who = lock.ByResident, fmt.Sprintf("user %d", user)
		}
	case 9:
		d.by = lock.ByItself
	case 7, 8, 10, 11: // not fully locked by hand, by radio, by itself; jammed
		w.jammed, w.contrary = true, at
		w.sayBolt(lock.BoltJammed, d, 0, at, false)
		w.ask(at)
		return
	default:
		return
	}
	d.bolt = lock.BoltThrown
	if code == 2 || code == 4 || code == 6 {
		d.bolt = lock.BoltDrawn
	}
	w.deed, w.deedAt = d, at
	if d.bolt == lock.BoltDrawn {
		w.contrary, w.jammed = at, false
		w.sayBolt(lock.BoltDrawn, d, 0, at, false)
	}
	w.ask(at)
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

// takeContact weighs what the door's contact said.
func (w *witness) takeContact(e *event, m item) {
	n, isNumber := number(e.value)
	switch {
	case e.class == ccNotification && e.property == "Access Control" && e.key == "Door state":
		w.exact = true
	case e.class == ccNotification && e.property == "Access Control" && e.key == "Door state (simple)" && !w.exact:
	case e.class == ccBinarySensor && e.property == "Door/Window":
		switch string(bytes.TrimSpace(e.value)) {
		case "true":
			n, isNumber = windowOpen, true
		case "false":
			n, isNumber = windowClosed, true
		}
	default:
		return
	}
	w.contact = lock.DoorUnknown
	if isNumber {
		switch n {
		case windowOpen, windowRegular, windowTilt:
			w.contact = lock.DoorOpen
		case windowClosed:
			w.contact = lock.DoorClosed
		}
	}
	w.sayDoor(0, m.at)
}

// sayDoor tells of the door. An answer to a question that left before the newest word of the door has crossed it, and nobody can say which
// came first: the lock is asked again. What is not closed is told all the same, as no older than the word that it contradicts: an
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

// door joins the contact and the lock's own sense: closed only if each one that there is says so (T27).
func (w *witness) door() lock.Door {
	switch {
	case !w.set.DoorSense:
		return w.contact
	case w.set.Contact == "":
		return w.sense
	case w.contact == lock.DoorOpen || w.sense == lock.DoorOpen:
		return lock.DoorOpen
	case w.contact == lock.DoorClosed && w.sense == lock.DoorClosed:
		return lock.DoorClosed
	default:
		return lock.DoorUnknown
	}
}

// takeSmoke hears the smoke or CO sensor: either alarm counts, and each must be taken back.
func (w *witness) takeSmoke(e *event, m item) {
	if e.name == "ready" { // until then the server did not tell what it knows
		w.learner.Want(m.at)
		return
	}
	i := alarmOf(e.class, e.property, e.key)
	if i < 0 {
		return
	}
	n, ok := number(e.value)
	if !ok {
		return // unknown takes nothing back
	}
	w.alarms[i] = n != 0
	if n != 0 {
		w.alarmAt = m.at
	}
	w.saySmoke(m.at)
}

// takeLearned hears what the server knows of the smoke sensor, after events of it were lost.
func (w *witness) takeLearned(m item) {
	if m.err != nil {
		w.warn("it is not known whether the smoke sensor is in alarm", "err", m.err)
		w.learner.Missed(m.at)
		return
	}
	w.learner.Got(m.sent, m.at)
	w.learnSmoke(m.network, m.sent, m.at)
}

// learnSmoke goes by what the server last heard of the smoke sensor. That may be old, and of bolt or door it would not be believed. But the
// sensor speaks only when something changes, so what it said while nobody listened is told nowhere else: without it a bolt is thrown in a
// fire, or never again after one (S11).
func (w *witness) learnSmoke(n network, sent, at time.Duration) {
	k, ok := n.node(w.ids.smoke)
	if !ok {
		return
	}
	var listed, unsure, alarm [2]bool
	for _, v := range k.Values {
		i := alarmOf(v.Class, word(v.Property), word(v.Key))
		if i < 0 {
			continue
		}
		code, known := number(v.Value)
		listed[i], unsure[i], alarm[i] = true, unsure[i] || !known, alarm[i] || code != 0
	}
	before := w.alarms
	crossed := sent <= w.alarmAt // it told of an alarm meanwhile, and nobody can say which came first
	for i := range alarm {
		if listed[i] && (alarm[i] || !unsure[i] && !crossed) {
			w.alarms[i] = alarm[i]
		}
	}
	if crossed {
		w.learner.Want(at)
	}
	whole := (listed[0] || listed[1]) && !unsure[0] && !unsure[1] && !crossed // else it takes back nothing of before the hub's start
	if whole || w.alarms != before || w.alarms[0] || w.alarms[1] {
		w.saySmoke(at)
	}
}

// alarmOf is which alarm a value tells of: 0 for smoke, 1 for CO, -1 for none.
func alarmOf(class int, property, key string) int {
	switch {
	case class != ccNotification || key != "Sensor status":
		return -1
	case property == "Smoke Alarm":
		return 0
	case property == "CO Alarm":
		return 1
	}
	return -1
}

func (w *witness) saySmoke(at time.Duration) {
	w.say(lock.Report{What: lock.OfSmoke, OK: !w.alarms[0] && !w.alarms[1], At: at})
}
