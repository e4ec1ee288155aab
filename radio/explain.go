package radio

import (
	"fmt"
	"time"
)

// Cause is what signs say of a lapse: a sentence for the people at home, and how grave it is. The zero Cause says nothing.
type Cause struct {
	Severity Severity
	Kind     Kind
	Text     string
}

// near is how far from a picture's end a sign still has to do with it: a device that was thrown off is noticed at once, but an
// access point may tell of it later.
const near = 10 * time.Second

// Explain names the cause of a lapse that began with the picture of the time last, from what was noticed until now; none if
// nothing was noticed near it. Of several signs the gravest counts, then the one that says most.
func Explain(signs []Sign, last, now time.Duration) Cause {
	best := Cause{}
	for _, s := range signs {
		if s.Kind == NoKind || int(s.Kind) >= Kinds || s.At < last-near || s.From > last+near || s.From > now {
			continue
		}
		if s.Protected || s.Leaving {
			continue // an honest device says so of itself
		}
		if v := s.Severity(); best.Kind == NoKind || v > best.Severity || v == best.Severity && rank[s.Kind] < rank[best.Kind] {
			best = Cause{Severity: v, Kind: s.Kind, Text: s.sentence() + s.when(last) + "."}
		}
	}
	return best
}

// rank orders kinds of one severity: what says most about the cause comes first.
var rank = [Kinds]int{NoKind: 99, Flood: 0, Unprotected: 1, WrongReason: 2, Deauthentication: 3, Disassociation: 4, Churn: 5, BeaconLoss: 6, Disconnected: 7}

func (s Sign) sentence() string {
	switch s.Kind {
	case Flood:
		return "Someone is attacking the Wi-Fi: a flood of forged frames began"
	case Unprotected:
		return "Someone is attacking the Wi-Fi: a forged frame was dropped"
	case WrongReason:
		return "Someone is attacking the Wi-Fi: a frame that no honest device sends came"
	case Deauthentication, Disassociation:
		return "Perhaps someone is attacking the Wi-Fi: a frame that ends a device's connection came"
	case Churn:
		return "A device left the Wi-Fi and came back again and again; the third time came"
	case BeaconLoss:
		return "The access point was not heard any more: its power is gone, or the air is noise; it fell silent"
	default:
		return "The access point saw a device leave the Wi-Fi"
	}
}

// when places the sign beside the last picture, to the tenth of a second.
func (s Sign) when(last time.Duration) string {
	at := s.From
	if s.Kind == Churn {
		at = s.At
	}
	switch d := (at - last).Round(100 * time.Millisecond); {
	case d < 0:
		return fmt.Sprintf(" %.1f s before the last picture", -d.Seconds())
	case d > 0:
		return fmt.Sprintf(" %.1f s after the last picture", d.Seconds())
	default:
		return " within a tenth of a second of the last picture"
	}
}
