package signed

import (
	"fmt"
	"time"
)

// validAt is when a message's certificates must be valid: now, or, for a recording, when it says that it was made.
func validAt(m *message, wall time.Time) time.Time {
	switch {
	case !wall.IsZero():
		return wall
	case !m.end.IsZero():
		return m.end
	default:
		return m.start
	}
}

// stale says why a good signature is not of now, or nothing. Within one connection the counter and the times go forward. On a new
// connection a counter may begin anew if the camera was restarted; it must then have a newer time than anything before.
func (v *Verifier) stale(m *message, wall time.Time) string {
	back := v.st.counted && int32(m.counter-v.st.counter) <= 0
	older := !m.start.IsZero() && m.start.Before(v.st.start)
	switch {
	case back && (!v.fresh || m.start.IsZero() || wall.IsZero() || !m.start.After(v.st.start)):
		again := ""
		if v.cfg.Untimed && m.start.IsZero() { // who restarts the camera knows; no signature can tell it from an earlier recording
			again = "; if the camera was restarted, look at its picture and say so: eyebolt camera learn"
		}
		v.again = again
		return fmt.Sprintf("its counter went from %d back to %d: these are earlier pictures%s", v.st.counter, m.counter, again)
	case older:
		return fmt.Sprintf("its time went back by %.1f s: these are earlier pictures", v.st.start.Sub(m.start).Seconds())
	case wall.IsZero():
		return ""
	}
	end, slack := m.end, time.Duration(0)
	if end.IsZero() && !m.start.IsZero() && len(v.pending) > 0 {
		end, slack = m.start, v.now-v.pending[0].at // it says when the GOP began
	}
	switch age := wall.Sub(end); {
	case end.IsZero() && m.start.IsZero():
		if v.cfg.Untimed {
			return ""
		}
		return "it does not say when it was made: set the camera's clock; if the camera cannot sign the time, say so (untimed)"
	case end.IsZero():
		return ""
	case age > v.cfg.MaxAge+slack:
		return fmt.Sprintf("by its own time it is %.1f s old, more than %.1f s: an earlier recording, or the camera's clock is behind", age.Seconds(), (v.cfg.MaxAge + slack).Seconds())
	case -age > v.cfg.Skew:
		return fmt.Sprintf("by its own time it is %.1f s ahead of this hub: the camera's clock, or this hub's, is wrong", -age.Seconds())
	default:
		return ""
	}
}

// Forget takes the counter and the times of the past back: somebody who may say so has confirmed that a camera without the time of
// day was restarted. The key stays.
func (v *Verifier) Forget() { v.st, v.sure, v.again = state{}, state{}, "" }
