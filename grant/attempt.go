package grant

import (
	"math"
	"time"

	"eyebolt/interlock"
)

// The names of an attempt's checks, in the order in which [Grant.Check] gives them.
const (
	CheckGrant     = "grant"     // this door, not revoked, not used
	CheckClock     = "clock"     // the hub trusts its clock
	CheckWindow    = "window"    // inside the delivery's window and the household's consent
	CheckScreening = "screening" // the courier's screening and credential hold
	CheckParcel    = "parcel"    // one of the delivery's parcels was scanned
	CheckPlace     = "place"     // the claimed position is at the door
)

// Check judges one use of a verified grant, now. It gives every check, in a fixed order, so that the courier sees each
// turn green or the one reason why not; NoReason means that it holds. An empty Grant fails (S13).
func (g Grant) Check(a Attempt) []Result {
	return []Result{
		{CheckGrant, g.grant(a)},
		{CheckClock, g.clock(a)},
		{CheckWindow, g.window(a)},
		{CheckScreening, g.screening(a)},
		{CheckParcel, g.parcel(a)},
		{CheckPlace, g.place(a)},
	}
}

// Reason is the first check that does not hold, or NoReason if all do. No results at all is no permission.
func Reason(results []Result) interlock.Reason {
	if len(results) == 0 {
		return interlock.NoConsent
	}
	for _, r := range results {
		if r.Reason != interlock.NoReason {
			return r.Reason
		}
	}
	return interlock.NoReason
}

func (g Grant) grant(a Attempt) interlock.Reason {
	d := g.Delivery
	switch {
	case d.ID == "" || g.Consent.ID == "" || g.Courier.ID == "":
		return interlock.NoConsent
	case a.Door != d.Door:
		return interlock.WrongDoor
	case a.Revoked != nil && (a.Revoked(d.ID) || a.Revoked(g.Courier.ID) || a.Revoked(g.Consent.ID)):
		return interlock.GrantRevoked
	case a.Used != nil && a.Used(d.ID):
		return interlock.GrantUsed
	}
	return interlock.NoReason
}

// issueSlack is how far a carrier's clock may be ahead of the hub's.
const issueSlack = time.Minute

// clock holds if the hub trusts its clock and nothing that was signed contradicts it: a document that comes out of the future
// says that one of the two clocks is wrong, and nobody can tell which (T15).
func (g Grant) clock(a Attempt) interlock.Reason {
	if !a.ClockSure || a.Now.IsZero() {
		return interlock.ClockUnsure
	}
	if now := a.Now.Add(issueSlack); now.Before(g.Issued) || now.Before(g.CourierFrom) {
		return interlock.ClockUnsure
	}
	return interlock.NoReason
}

// window holds from From (included) to Until (excluded). A clock that is not trusted fails it too: whatever it says
// could be made to fit (T15).
func (g Grant) window(a Attempt) interlock.Reason {
	if r := g.clock(a); r != interlock.NoReason {
		return r
	}
	switch {
	case a.Now.Before(g.Delivery.From):
		return interlock.TooEarly
	case !a.Now.Before(g.Delivery.Until):
		return interlock.TooLate
	case !g.Consent.covers(a.Now):
		return interlock.NoConsent
	}
	return interlock.NoReason
}

func (g Grant) screening(a Attempt) interlock.Reason {
	if r := g.clock(a); r != interlock.NoReason {
		return r
	}
	if !a.Now.Before(g.Courier.Screened) || !a.Now.Before(g.CourierUntil) {
		return interlock.ScreeningExpired
	}
	return interlock.NoReason
}

func (g Grant) parcel(a Attempt) interlock.Reason {
	for _, p := range g.Delivery.Parcels {
		if p != "" && p == a.Parcel {
			return interlock.NoReason
		}
	}
	return interlock.WrongParcel
}

// place holds where the delivery asks for none. A position is a claim of the courier's phone, never a proof (T14).
func (g Grant) place(a Attempt) interlock.Reason {
	p := g.Delivery.Place
	if p == nil {
		return interlock.NoReason
	}
	if !a.HasPlace || !(metres(p.Lat, p.Lon, a.Lat, a.Lon) <= p.Metres) { // NaN fails
		return interlock.WrongPlace
	}
	return interlock.NoReason
}

// metres is the great-circle distance on a sphere of Earth's mean radius (haversine); its error, under 0.6 %, is far
// below a phone's own.
func metres(lat1, lon1, lat2, lon2 float64) float64 {
	const earth, rad = 6_371_008.8, math.Pi / 180
	sLat, sLon := math.Sin((lat2-lat1)*rad/2), math.Sin((lon2-lon1)*rad/2)
	h := sLat*sLat + math.Cos(lat1*rad)*math.Cos(lat2*rad)*sLon*sLon
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}
