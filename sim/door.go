package sim

import (
	"time"

	"eyebolt/lock"
)

// door is the truth: where the bolt and the leaf are, and who is inside. Nobody but the judges and physics reads it.
type door struct {
	thrown  bool // the bolt is out
	open    bool // the leaf stands open
	blocked bool // something is in the bolt's way (T3)
	propped bool // somebody holds the leaf, or it does not fall to (T21)

	thief  bool // somebody who is neither a resident nor an honest courier at his work is inside
	within bool // a courier is inside
}

// canOpen says whether somebody outside can open it with a hand.
func (d *door) canOpen() bool { return d.open || !d.thrown }

// swing opens or closes the leaf; it says whether it moved. A bolt that is out keeps a closed leaf closed and an open one from closing.
func (h *home) swing(open bool) bool {
	d := &h.door
	if d.open == open || d.thrown {
		return false
	}
	d.open = open
	h.t.tell(h, "door", "%s", pick(open, "opens", "closes"))
	h.contact.changed(h)
	if open {
		h.outside.swings(h)
	}
	return true
}

func pick(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// contact is the sensor at the door.
type contact struct {
	magnet bool          // it says closed whatever the door does (T27)
	last   time.Duration // when its newest report is delivered: reports of one device do not overtake each other
}

const contactEvery = 50 * time.Minute // it speaks by itself

func (k *contact) changed(h *home) {
	open := h.door.open && !k.magnet
	if h.radio.down {
		return // it is lost, and it says it again only at its next turn (T26)
	}
	k.last = max(k.last, h.t.now+h.t.span(30*time.Millisecond, 200*time.Millisecond))
	say := lock.DoorClosed
	if open {
		say = lock.DoorOpen
	}
	h.t.q.push(k.last, func() { h.report(lock.Report{What: lock.OfDoor, Door: say}) })
}

// beat is the contact's own word, for ever.
func (k *contact) beat(h *home) {
	k.changed(h)
	h.t.after(contactEvery, func() { k.beat(h) })
}

// radio is the air between hub, lock and contact.
type radio struct {
	down  bool          // jammed, or its bridge has no power (T26)
	until time.Duration // at least until then
	lose  int           // percent of reports that get lost
}

// moved is called when the bolt has moved: what leans on the door may give.
func (h *home) moved() {
	h.outside.bolt(h)
	h.chronicle.moved(h)
}
