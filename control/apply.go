package control

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"eyebolt/interlock"
	"eyebolt/ledger"
)

// apply draws from one ledger entry what people must see: visits, their gaps and clips, how deliveries ended, incidents. An
// entry whose data cannot be read changes nothing here; it stays on record as it is.
func (s *Service) apply(tx Tx, now time.Time, hub string, e ledger.Entry) ([]event, error) {
	switch e.Kind {
	case ledger.KindBoot:
		return nil, booted(tx, hub, e)
	case ledger.KindConfig:
		if e.Word == "pair" {
			h, err := get[Hub](tx, hub)
			if err != nil || h.Paired {
				return nil, err
			}
			h.Paired = true
			return nil, put(tx, h)
		}
	case ledger.KindVisit:
		switch e.Word {
		case ledger.WordBegan:
			return s.began(tx, hub, e)
		case ledger.WordEnded:
			return s.ended(tx, hub, e)
		case "closed":
			return closeIncidentOf(tx, hub, e)
		}
	case ledger.KindGap:
		return change(tx, hub, e, func(v *Visit, d ledger.GapData) {
			if len(v.Gaps) < maxGaps {
				v.Gaps = append(v.Gaps, Gap{From: d.From, To: d.To, Second: d.Seconds, Why: d.Why, Open: d.Open})
			}
		})
	case ledger.KindClip:
		return change(tx, hub, e, func(v *Visit, d ledger.ClipData) { v.film(e.Word, d) })
	}
	return nil, nil
}

// booted learns a hub's epoch: consents and grants are made for the present one (T29). It never goes back.
func booted(tx Tx, hub string, e ledger.Entry) error {
	var d struct {
		Epoch uint32 `json:"epoch"`
	}
	if json.Unmarshal(e.Data, &d) != nil {
		return nil
	}
	h, err := get[Hub](tx, hub)
	if err != nil || d.Epoch <= h.Epoch {
		return err
	}
	h.Epoch = d.Epoch
	return put(tx, h)
}

// maxGaps bounds the gaps that a visit lists, as the hub does; each stays in the log.
const maxGaps = 64

func tenth(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

// visitAt finds the visit that an entry names, if it is this hub's.
func visitAt(tx Tx, hub string, e ledger.Entry) (Visit, bool, error) {
	if e.Visit == "" {
		return Visit{}, false, nil
	}
	v, err := get[Visit](tx, e.Visit)
	if errors.Is(err, ErrNotFound) {
		return Visit{}, false, nil
	}
	if err != nil {
		return Visit{}, false, err
	}
	return v, v.Hub == hub, nil
}

// change changes the visit that an entry is about.
func change[D any](tx Tx, hub string, e ledger.Entry, f func(*Visit, D)) ([]event, error) {
	v, ok, err := visitAt(tx, hub, e)
	if err != nil || !ok {
		return nil, err
	}
	var d D
	if json.Unmarshal(e.Data, &d) != nil {
		return nil, nil
	}
	f(&v, d)
	return []event{v.event()}, put(tx, v)
}

func (s *Service) began(tx Tx, hub string, e ledger.Entry) ([]event, error) {
	var data ledger.VisitData
	if e.Visit == "" || json.Unmarshal(e.Data, &data) != nil {
		return nil, nil
	}
	v, known, err := visitAt(tx, hub, e)
	if err != nil {
		return nil, err
	}
	if !known {
		if v.ID != "" {
			return nil, nil // another hub's visit of this name: not this hub's to change
		}
		h, err := get[Hub](tx, hub)
		if err != nil {
			return nil, err
		}
		v = Visit{ID: e.Visit, Household: h.Household, Hub: hub, Door: e.Door, Grant: data.Grant, CourierName: data.CourierName, Outcome: OutcomeGoing}
		// Whose visit it was is what we issued, not what the hub says.
		g, err := get[Grant](tx, data.Grant)
		switch {
		case err == nil && g.Hub == hub:
			v.Delivery, v.Carrier, v.Courier = g.Delivery, g.Carrier, g.Courier
		case err != nil && !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	v.Began, v.First, v.Logged, v.Door = e.Time, e.Index, true, e.Door
	events := []event{v.event()}
	if err := put(tx, v); err != nil {
		return nil, err
	}
	d, ok, err := deliveryOf(tx, v)
	if err != nil || !ok || d.over() {
		return events, err
	}
	if d.Visit != v.ID {
		d.Visit, d.State, d.Reason = v.ID, DeliveryHere, ""
		events = append(events, d.event(""))
		return events, put(tx, d)
	}
	return events, nil
}

// deliveryOf finds the delivery of a visit, if the visit's grant is still its newest.
func deliveryOf(tx Tx, v Visit) (Delivery, bool, error) {
	if v.Delivery == "" {
		return Delivery{}, false, nil
	}
	d, err := get[Delivery](tx, v.Delivery)
	if err != nil {
		return Delivery{}, false, ignoreNotFound(err)
	}
	return d, d.Grant == v.Grant, nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (s *Service) ended(tx Tx, hub string, e ledger.Entry) ([]event, error) {
	v, ok, err := visitAt(tx, hub, e)
	if err != nil || !ok {
		return nil, err
	}
	var data ledger.VisitData
	if json.Unmarshal(e.Data, &data) != nil {
		return nil, nil
	}
	switch data.Outcome {
	case OutcomeDone, OutcomeNotDelivered, OutcomeIncident:
	default:
		data.Outcome = OutcomeIncident // an end that nobody understands is none that is good (S13)
	}
	v.Ended, v.Outcome, v.Reason, v.GapS = e.Time, data.Outcome, e.Reason, data.GapSeconds
	if err := put(tx, v); err != nil {
		return nil, err
	}
	events := []event{v.event()}
	if v.Outcome == OutcomeIncident {
		old, err := get[Incident](tx, v.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if old.ID == "" {
			i := Incident{
				ID: v.ID, Household: v.Household, Hub: hub, Door: v.Door, Carrier: v.Carrier, Visit: v.ID, Reason: v.Reason,
				Text: sentenceOf(v.Reason), Gaps: v.Gaps, Total: v.GapS, Opened: e.Time,
			}
			if err := put(tx, i); err != nil {
				return nil, err
			}
			events = append(events, i.event())
		}
	}
	d, ok, err := deliveryOf(tx, v)
	if err != nil || !ok || d.over() {
		return events, err
	}
	switch {
	case v.Outcome == OutcomeDone:
		d.State, d.Reason = DeliveryDone, ""
	case v.Outcome == OutcomeIncident:
		d.State, d.Reason = DeliveryFailed, v.Reason
	case v.Reason == interlock.CannotDeliver.String():
		d.State, d.Reason = DeliveryFailed, v.Reason
	default:
		// The grant was not used: within the window the courier may come again.
		d.State, d.Reason, d.Visit = DeliveryAssigned, v.Reason, ""
	}
	return append(events, d.event("")), put(tx, d)
}

// closeIncidentOf takes the record's word that a resident closed a visit's incident. One of the hub itself, as that its record was forked, is
// not the record's to close (S7).
func closeIncidentOf(tx Tx, hub string, e ledger.Entry) ([]event, error) {
	i, err := get[Incident](tx, e.Visit)
	if err != nil || i.Hub != hub || i.Visit == "" {
		return nil, ignoreNotFound(err)
	}
	var by struct {
		By string `json:"by"`
	}
	_ = json.Unmarshal(e.Data, &by) // whoever it was: it is on record
	return closeIncident(tx, i.ID, by.By, e.Time)
}
