package home

import (
	"errors"
	"fmt"
)

// Why a person cannot do what he tries.
var (
	ErrBolted   = errors.New("the bolt holds the door")
	ErrBoltOut  = errors.New("the bolt is out: the door does not close")
	ErrDoorShut = errors.New("the door is closed")
	ErrEmpty    = errors.New("nobody is inside")
)

// OpenDoor is somebody who pushes the door from outside: it opens only if the bolt is in. An open door stays open.
func (h *Home) OpenDoor() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.truth.DoorOpen {
		return nil
	}
	if h.truth.Bolt != Drawn {
		return fmt.Errorf("%w (it is %s)", ErrBolted, h.truth.Bolt)
	}
	h.swing(true, DoorOpens)
	return nil
}

// OpenFromInside is somebody inside who turns the knob and opens: it always works, without key or power (S11).
func (h *Home) OpenFromInside() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.truth.Bolt != Drawn {
		h.byHand(Drawn)
	}
	if !h.truth.DoorOpen {
		h.swing(true, DoorOpens)
	}
}

// ForceDoor breaks the door open whatever the bolt does; the bolt stays where it is.
func (h *Home) ForceDoor() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.truth.DoorOpen {
		h.swing(true, DoorForced)
	}
}

// CloseDoor pulls the door shut: ErrBoltOut if the bolt stands in the way.
func (h *Home) CloseDoor() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.truth.DoorOpen {
		return nil
	}
	if h.truth.Bolt != Drawn {
		return fmt.Errorf("%w (it is %s)", ErrBoltOut, h.truth.Bolt)
	}
	h.swing(false, DoorCloses)
	return nil
}

// Enter is somebody who walks in through the open door.
func (h *Home) Enter() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.truth.DoorOpen {
		return ErrDoorShut
	}
	h.truth.Inside++
	h.event(SomebodyIn)
	return nil
}

// Leave is somebody who walks out through the open door.
func (h *Home) Leave() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.truth.DoorOpen {
		return ErrDoorShut
	}
	if h.truth.Inside == 0 {
		return ErrEmpty
	}
	h.truth.Inside--
	h.event(SomebodyOut)
	return nil
}

// TurnKnobInside works the bolt by hand from inside, to where it is not.
func (h *Home) TurnKnobInside() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.truth.Bolt == Thrown {
		h.byHand(Drawn)
	} else {
		h.byHand(Thrown)
	}
}

// Keypad is a code typed outside by user: it draws or throws the bolt.
func (h *Home) Keypad(user int, draw bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	to, action := Thrown, "lock"
	if draw {
		to, action = Drawn, "unlock"
	}
	h.settle(to)
	h.tellAction(action, "keypad", user)
	h.tellBolt()
}

// byHand is a turn of the knob: at once, since a hand is quick.
func (h *Home) byHand(to Bolt) {
	if to == Thrown && h.faults.jam {
		to = Half
	}
	h.settle(to)
	action := "manual_lock"
	if to == Drawn {
		action = "manual_unlock"
	}
	if to != Half {
		h.tellAction(action, "manual", 3)
	}
	h.tellBolt()
}

func (h *Home) swing(open bool, w What) {
	h.truth.DoorOpen = open
	h.event(w)
	h.tellContact()
	if h.cfg.DoorSense {
		h.tellDoorState()
	}
}
