package walk

import (
	"fmt"

	"eyebolt/liveness"
	"eyebolt/lock"
)

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
