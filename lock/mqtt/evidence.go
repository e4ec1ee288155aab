package mqtt

import (
	"errors"
	"time"

	"eyebolt/lock"
)

// takeLock weighs one payload of the lock.
//
// Zigbee2MQTT publishes when a device was heard, whatever was heard, and by default fills in what it remembers: the
// acknowledgement of LOCK carries the state from before it, under a fresh last_seen. So a value counts as news only if
// the bridge does not remember it (habits.boltOwn), or it differs from the payload before, or it answers a read and
// cannot be an acknowledgement.
func (w *witness) takeLock(m message) {
	t, err := parse(m.payload)
	last := w.lockLast
	switch {
	case errors.Is(err, errEmpty): // a retained state that is deleted
		return
	case m.retained:
		// Of unknown age: never believed. What it says is at least not news when a live payload repeats it.
		if err == nil && !last.any {
			w.lockLast = heard{true, t}
		}
		return
	case err != nil:
		w.warn("unreadable message of the lock: the bolt is unknown", "device", w.set.Lock, "err", err)
		w.lockLast = heard{}
		w.sayBolt(lock.BoltUnknown, deed{}, 0, m, false)
		w.ask(m.at)
		return
	}
	w.lockLast = heard{true, t}
	if !last.any && !t.seen.IsZero() && t.seen.Equal(w.before) {
		return // what a bridge that has started remembers: it was heard before, and is no answer, however soon it comes
	}
	again := repeats(t, last)
	w.expire(m.at)
	if !again {
		w.readErr = nil // the lock is heard
		w.takeDeed(t, m)
	}
	w.takeBolt(t, last, again, m)
	w.takeSense(t, last, again, m)
	if t.battery >= 0 && t.battery != w.percent {
		w.percent = t.battery
		w.say(lock.Report{What: lock.OfBattery, Percent: t.battery, At: m.at, Age: w.age(t, m)})
	}
}

// repeats: the bridge says the same again, and the device has not been heard in between.
func repeats(t told, last heard) bool {
	return last.any && !t.seen.IsZero() && t.seen.Equal(last.seen) && t.rest == last.rest
}

func (w *witness) expire(at time.Duration) {
	for len(w.echoes) > 0 && at-w.echoes[0] > echoLife {
		w.echoes = w.echoes[1:]
	}
	if w.polled && at-w.polling > pollLife {
		w.polled = false
	}
}

func (w *witness) takeBolt(t told, last heard, again bool, m message) {
	switch {
	case t.boltSaid != value:
		// Null where nothing is remembered means "not in this message"; where values are remembered it means that the
		// bridge does not know.
		if t.boltSaid == null && !w.habits.boltOwn && w.bolt != lock.BoltUnknown {
			w.sayBolt(lock.BoltUnknown, deed{}, 0, m, false)
		}
		w.dropEcho(again)
		return
	case t.bolt == lock.BoltThrown && !again && wished(t, last):
		w.dropEcho(false)
		w.ask(m.at)
		return
	case w.habits.boltOwn:
		if !again {
			w.sayBolt(t.bolt, w.recent(t.bolt, m.at), w.age(t, m), m, w.polled)
			w.polled = false
		}
		return
	}
	changed := last.any && (last.boltSaid != value || last.bolt != t.bolt)
	switch {
	case changed:
		w.sayBolt(t.bolt, w.recent(t.bolt, m.at), w.age(t, m), m, w.polled)
		w.polled = false
	case again:
	case len(w.echoes) > 0:
		w.dropEcho(false)
	case w.polled && (!last.any || last.rest == t.rest) && w.age(t, m) <= m.at-w.polling+clockSlack:
		w.polled = false
		w.sayBolt(t.bolt, w.recent(t.bolt, m.at), w.age(t, m), m, true)
	}
}

// wished: the bridge says something new of a device that it has not heard since its message before. By default it publishes
// a command that some devices acknowledged as if it were done ("optimistic"), behind the acknowledgement. That is no report (S9).
func wished(t told, last heard) bool {
	return last.any && !t.seen.IsZero() && t.seen.Equal(last.seen)
}

func (w *witness) dropEcho(again bool) {
	if !again && len(w.echoes) > 0 {
		w.echoes = w.echoes[1:]
	}
}

// takeDeed hears an operation event. That somebody drew the bolt is believed at once; that somebody threw it only
// explains a state that says so: an event is not a report of where the bolt is (S9).
func (w *witness) takeDeed(t told, m message) {
	if t.action == "" {
		return
	}
	d := readDeed(t)
	if d.bolt == lock.BoltUnknown {
		return
	}
	w.deed, w.deedAt = d, m.at
	defer w.ask(m.at)
	age := w.age(t, m)
	switch {
	case d.bolt == lock.BoltDrawn:
		w.sayBolt(lock.BoltDrawn, d, age, m, false)
	case w.bolt == lock.BoltThrown && m.at-w.boltAt <= deedLife:
		w.sayBolt(lock.BoltThrown, d, m.at-w.boltAt, m, false) // the state came first: say again who it was
	}
}

// recent is the deed that explains a bolt at this place, if there was one just now.
func (w *witness) recent(b lock.Bolt, at time.Duration) deed {
	if w.deed.bolt == b && b != lock.BoltUnknown && at-w.deedAt <= deedLife {
		return w.deed
	}
	return deed{}
}

func (w *witness) sayBolt(b lock.Bolt, d deed, age time.Duration, m message, solicited bool) {
	if b != lock.BoltThrown {
		age = lock.After(age, m.at, w.boltNew)
	}
	w.bolt, w.boltAt = b, m.at-age
	w.boltNew = max(w.boltNew, w.boltAt)
	if b != lock.BoltUnknown {
		w.asker.Got(m.at, m.at)
	}
	w.say(lock.Report{What: lock.OfBolt, Bolt: b, By: d.by, Who: d.who, At: m.at, Age: age, Solicited: solicited})
}

// takeSense weighs the lock's own door sense.
func (w *witness) takeSense(t told, last heard, again bool, m message) {
	if t.doorSaid != value || again {
		return
	}
	if !w.habits.doorOwn && (!last.any || (last.doorSaid == value && last.door == t.door)) {
		return
	}
	w.senses, w.sense = true, t.door
	w.sayDoor(t, m)
}

// takeContact weighs one payload of the contact sensor.
func (w *witness) takeContact(m message) {
	t, err := parse(m.payload)
	last := w.doorLast
	switch {
	case errors.Is(err, errEmpty):
		return
	case m.retained:
		if err == nil && !last.any {
			w.doorLast = heard{true, t}
		}
		return
	case err != nil:
		w.warn("unreadable message of the contact: the door is unknown", "device", w.set.Contact, "err", err)
		w.doorLast, w.contact = heard{}, lock.DoorUnknown
		w.sayDoor(told{}, m)
		return
	}
	w.doorLast = heard{true, t}
	again := repeats(t, last)
	switch {
	case t.contactSaid == null && !w.habits.contactOwn && w.contact != lock.DoorUnknown:
		w.contact = lock.DoorUnknown
	case t.contactSaid != value || again:
		return
	case !w.habits.contactOwn && (!last.any || (last.contactSaid == value && last.contact == t.contact)):
		return
	default:
		w.contact = t.contact
	}
	w.sayDoor(t, m)
}

func (w *witness) sayDoor(t told, m message) {
	age := w.age(t, m)
	w.doorSaid = w.door()
	if w.doorSaid != lock.DoorClosed {
		age = lock.After(age, m.at, w.doorNew)
	}
	w.doorNew = max(w.doorNew, m.at-age)
	w.say(lock.Report{What: lock.OfDoor, Door: w.doorSaid, At: m.at, Age: age})
}

// door joins the contact and the lock's own sense: closed only if each one that there is says so (T27).
func (w *witness) door() lock.Door {
	switch {
	case w.set.Contact == "":
		return w.sense
	case !w.senses:
		return w.contact
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
