package hass

import "strings"

// What a message from the broker asks.
type asked uint8

const (
	askedNothing asked = iota
	askedBlock         // let nobody in at the door
	askedUnblock       // refused: it is lifted in the app
	askedAgain         // Home Assistant has started: tell everything anew
	askedOld           // a description of ours that is not ours any more: take it away
)

// Why an order is not taken, as it stands beside the switch.
const (
	noteLift     = "A block is lifted in the Eyebolt app, where you are signed in: a broker does not prove who presses."
	noteRefused  = "Not lifted. " + noteLift
	noteNotTaken = "The hub could not take the block. Press again, or block the door in the Eyebolt app. "
)

// ears know what may be asked.
type ears struct {
	names
	doors []string        // this hub's
	known map[string]bool // topics of our descriptions
}

func newEars(n names, doors []string) ears {
	e := ears{n, doors, map[string]bool{}}
	for _, door := range doors {
		for _, m := range discovery(n, door, "") {
			e.known[m.topic] = true
		}
	}
	return e
}

// read says what a message asks, and at which door. What is not exactly one of ours asks nothing.
func (e ears) read(topic string, body []byte, retained bool) (asked, string) {
	switch {
	case topic == e.birth():
		if string(body) == online && !retained {
			return askedAgain, ""
		}
		return askedNothing, ""
	case strings.HasPrefix(topic, e.prefix+"/"):
		part := strings.Split(topic[len(e.prefix)+1:], "/")
		if !retained || len(body) == 0 || e.known[topic] || len(part) != 4 || part[1] != e.node() || part[3] != "config" {
			return askedNothing, ""
		}
		return askedOld, ""
	}
	for _, door := range e.doors {
		if topic != e.block(door) {
			continue
		}
		switch {
		case retained: // nobody presses now
		case string(body) == on:
			return askedBlock, door
		case string(body) == off:
			return askedUnblock, door
		}
		return askedNothing, ""
	}
	return askedNothing, ""
}
