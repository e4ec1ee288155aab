package walk

import (
	"fmt"

	"eyebolt/liveness"
)

func (w *Walk) expectDark() {
	w.goTo(AtWait, 0, plugLimit)
	w.asked = w.at
}

// Plug has two legs: the camera goes dark, and the lock still answers; it comes back.
func (w *Walk) judgePlug() {
	c := &w.cams[w.part().camera]
	if !w.healthy {
		w.fail("The lock went out of reach together with the camera. They must not hang on one plug, one radio or one box: whoever takes the camera out would take the lock along.")
		return
	}
	if w.leg == 1 {
		if c.state == liveness.Live && c.live >= w.from && w.at-c.live >= backLive {
			w.pass("A camera without power is noticed, the lock answers without it, and it comes back.")
		}
		return
	}
	// A hand before the lens is another lapse, and no loss of power: pictures must stop coming.
	ended := c.state == liveness.Lost || c.state != liveness.HubLate && c.state != liveness.Unknown && c.age >= darkAge
	if c.at < w.from || !ended && c.state != liveness.Lagging {
		if c.state != liveness.HubLate && c.state != liveness.Unknown {
			w.lagged, w.lost = false, false // it is back before the lock has answered: what it answers now proves nothing
		}
		w.later()
		return
	}
	if !w.lagged {
		w.lagged = true
		if c.state == liveness.Lagging {
			w.measure(ofDark, c.age, false)
		}
		if w.cfg.Can.Poll { // what the lock answers from here on, it answers without this camera
			w.do = append(w.do, Do{What: DoPoll})
			w.asked, w.answered = w.at, false
		}
	}
	if !w.lost && ended {
		w.lost = true
		w.measure(ofLost, c.age, false)
	}
	w.later()
}

// later ends the dark leg of Plug once the camera was lost and the lock has answered since.
func (w *Walk) later() {
	if !w.lost {
		return
	}
	if w.cfg.Can.Poll && !w.answered {
		w.poll()
		return
	}
	w.goTo(AtWait, 1, backLimit)
}

func (w *Walk) notDark() {
	switch {
	case w.leg == 1:
		w.fail(fmt.Sprintf("The camera was not live again within %v. Put its plug back, and see that it starts.", backLimit))
	case !w.lost:
		w.fail(fmt.Sprintf("The camera still sent pictures after %v. See that it is this camera's plug; one with a battery must be taken off its network instead.", plugLimit))
	default:
		w.fail("The lock did not answer while the camera had no power. They must not hang on one plug, one radio or one box.")
	}
}
