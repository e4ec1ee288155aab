package control

import (
	"time"

	"eyebolt/bus"
)

// see is what an account may see of an event, or nothing (T24). Residents see their household whole; couriers their own
// visit, without the home's other state; operators their carrier's visits, without the inside of the home (S17).
func see(who Account, e event) (any, bool) {
	switch who.Role {
	case Resident:
		if who.Household == "" || e.household != who.Household {
			return nil, false
		}
		switch d := e.data.(type) {
		case Incident:
			return IncidentNews{d.public(), !d.Closed.IsZero()}, true
		case Visit:
			return d.summary(), true
		}
		return e.data, true
	case CourierRole:
		if who.Courier == "" || e.courier != who.Courier {
			return nil, false
		}
		switch d := e.data.(type) {
		case View:
			return forCourier(d), true
		case Delivery: // that something changed: what and for whom is his to read on its day (Stops)
			return Changed{d.ID}, true
		}
		return nil, false
	case Operator:
		if who.Carrier == "" || e.carrier != who.Carrier {
			return nil, false
		}
		switch d := e.data.(type) {
		case View:
			return forOperator(d), true
		case Delivery:
			return d, true
		case Alarm:
			return alarmOutside(d), true // only those that a carrier must hear of were given to one
		case Visit:
			return d.summaryOutside(), true
		case Incident:
			return IncidentNews{d.outside(), !d.Closed.IsZero()}, true
		}
		return nil, false
	}
	return nil, false
}

// Changed names what a courier's page has to fetch anew.
type Changed struct {
	ID string `json:"id"`
}

// forCourier leaves what the courier of this visit needs.
func forCourier(v View) View {
	return View{
		Hub: v.Hub, Door: v.Door, Seq: v.Seq, At: v.At, Phase: v.Phase, Reason: v.Reason, Sentence: v.Sentence, Visit: v.Visit,
		GrantID: v.GrantID, Courier: v.Courier, Watch: v.Watch, AgeMs: v.AgeMs, Bolt: v.Bolt, DoorIs: v.DoorIs, Secured: v.Secured,
		PossiblyOpen: v.PossiblyOpen, Battery: -1, Checks: v.Checks, Nonce: v.Nonce, OutNonce: v.OutNonce, Until: v.Until,
		Released: v.Released, Leave: v.Leave,
	}
}

// forOperator leaves phase and reason.
func forOperator(v View) View {
	return View{
		Hub: v.Hub, Door: v.Door, Seq: v.Seq, At: v.At, Phase: v.Phase, Reason: v.Reason, Sentence: v.Sentence, Visit: v.Visit,
		GrantID: v.GrantID, Courier: v.Courier, Released: v.Released, Battery: -1, Checks: []Check{},
	}
}

// VisitSummary is one line about a visit.
type VisitSummary struct {
	ID          string     `json:"id"`
	Delivery    string     `json:"delivery"`
	Hub         string     `json:"hub"`
	Door        string     `json:"door"`
	CourierName string     `json:"courier_name"`
	Began       time.Time  `json:"began"`
	Ended       *time.Time `json:"ended,omitempty"`
	Outcome     string     `json:"outcome"`
	Reason      string     `json:"reason"`
	GapS        float64    `json:"gap_s"`
	HasClip     bool       `json:"has_clip"`
}

func (v Visit) summary() VisitSummary {
	s := VisitSummary{ID: v.ID, Delivery: v.Delivery, Hub: v.Hub, Door: v.Door, CourierName: v.CourierName, Began: v.Began, Outcome: v.Outcome, Reason: v.Reason, GapS: v.GapS, HasClip: v.Clip != nil}
	if !v.Ended.IsZero() {
		t := v.Ended
		s.Ended = &t
	}
	return s
}

// summaryOutside is the summary for somebody who may not look inside: whether there is a clip is the household's.
func (v Visit) summaryOutside() VisitSummary {
	s := v.summary()
	s.HasClip = false
	return s
}

// IncidentNews is an incident as its event tells it: the pages list those that are open, and must hear of the end of one.
type IncidentNews struct {
	bus.Incident
	Closed bool `json:"closed,omitempty"`
}

func (i Incident) public() bus.Incident {
	gaps := i.Gaps
	if gaps == nil {
		gaps = []Gap{}
	}
	return bus.Incident{Visit: i.ID, Reason: i.Reason, Text: i.Text, Gaps: gaps, Total: i.Total}
}

// outside says that and why there was an incident, and nothing of the home.
func (i Incident) outside() bus.Incident {
	return bus.Incident{Visit: i.ID, Reason: i.Reason, Text: sentenceOf(i.Reason), Total: i.Total}
}
