package control

import (
	"context"
	"errors"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// Stop is a courier's delivery today.
type Stop struct {
	Delivery     string    `json:"delivery"`
	Address      string    `json:"address"`
	Recipient    string    `json:"recipient"`
	From         time.Time `json:"from"`
	Until        time.Time `json:"until"`
	Parcels      []Parcel  `json:"parcels"`
	State        string    `json:"state"` // planned, here, open, done, failed
	Reason       string    `json:"reason,omitempty"`
	Door         string    `json:"door"`
	DoorName     string    `json:"door_name"`
	Hub          string    `json:"hub"`
	Instructions string    `json:"instructions"`
	Visit        string    `json:"visit,omitempty"`
	View         *View     `json:"view,omitempty"`
}

// Parcel is one code and whether its delivery is done.
type Parcel struct {
	Code string `json:"code"`
	Done bool   `json:"done"`
}

// slack widens a courier's day for windows around midnight.
const slack = 2 * time.Hour

// today says whether a delivery's window touches this day where the household is.
func today(now time.Time, zone string, d Delivery) bool {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	y, m, day := now.In(loc).Date()
	begin := time.Date(y, m, day, 0, 0, 0, 0, loc)
	end := time.Date(y, m, day+1, 0, 0, 0, 0, loc)
	return d.From.Before(end) && d.Until.After(begin) || now.After(d.From.Add(-slack)) && now.Before(d.Until.Add(slack))
}

// Stops gives a courier's stops of today, in the order of their windows.
func (s *Service) Stops(ctx context.Context, now time.Time, who Account) ([]Stop, error) {
	if err := who.as(CourierRole); err != nil {
		return nil, err
	}
	stops := []Stop{}
	err := s.store.Read(ctx, func(tx Tx) error {
		stops = stops[:0]
		ds, err := find[Delivery](tx, Query{Keys: Keys{Carrier: who.Carrier, Courier: who.Courier}, From: now.Add(-48 * time.Hour), Until: now.Add(48 * time.Hour)})
		if err != nil {
			return err
		}
		for _, d := range ds {
			h, err := get[Household](tx, d.Household)
			if err != nil {
				return err
			}
			if !today(now, h.Zone, d) || d.State == DeliveryCancelled {
				continue
			}
			door, err := get[Door](tx, doorID(d.Hub, d.Door))
			if err != nil {
				return err
			}
			stops = append(stops, s.stop(d, h, door))
		}
		return nil
	})
	return stops, err
}

func (s *Service) stop(d Delivery, h Household, door Door) Stop {
	t := Stop{
		Delivery: d.ID, Address: h.Address, Recipient: h.Name, From: d.From, Until: d.Until, State: d.State, Reason: d.Reason, Door: d.Door,
		DoorName: door.Title, Hub: d.Hub, Instructions: d.Instructions, Visit: d.Visit, Parcels: []Parcel{},
	}
	if d.State == DeliveryBooked || d.State == DeliveryAssigned {
		t.State = "planned"
	}
	for _, p := range d.Parcels {
		t.Parcels = append(t.Parcels, Parcel{Code: p, Done: d.State == DeliveryDone})
	}
	if v, ok := s.view(d.Hub, d.Door); ok && v.GrantID != "" && v.GrantID == d.Grant {
		v = forCourier(v)
		t.View = &v
	}
	return t
}

// mine finds a courier's own stop of today; any other is not there (T24).
func (a Account) mine(tx Tx, now time.Time, delivery string) (Delivery, error) {
	d, err := a.delivery(tx, delivery)
	if errors.Is(err, ErrNotFound) {
		return Delivery{}, errStop
	}
	if err != nil {
		return Delivery{}, err
	}
	h, err := get[Household](tx, d.Household)
	if err != nil {
		return Delivery{}, err
	}
	if !today(now, h.Zone, d) {
		return Delivery{}, errStop
	}
	if d.State == DeliveryCancelled || d.Grant == "" {
		return Delivery{}, because(interlock.GrantRevoked)
	}
	return d, nil
}

// Arrive makes the order that says that the courier is at the door. The hub checks the grant, which goes along.
func (s *Service) Arrive(ctx context.Context, now time.Time, who Account, delivery, parcel string, at *Place) (Order, error) {
	if parcel == "" || len(parcel) > 128 {
		return Order{}, invalid("Scan the parcel, or type its code.")
	}
	if at != nil && !(at.Lat >= -90 && at.Lat <= 90 && at.Lon >= -180 && at.Lon <= 180 && at.Accuracy >= 0) {
		return Order{}, invalid("The position is not on Earth.")
	}
	return s.courier(ctx, now, who, delivery, func(d Delivery, g Grant, a *bus.Ask) error {
		// Not the one who decides: the hub refuses a wrong parcel itself.
		a.What, a.Parcel, a.Place, a.GrantID, a.Grant = bus.AskArrive, parcel, at, g.ID, g.Chain
		a.Visit = ""
		return nil
	})
}

// Slide makes the order that carries the courier's passkey assertion over the hub's nonce, untouched: the hub verifies it (S2).
func (s *Service) Slide(ctx context.Context, now time.Time, who Account, delivery string, assertion []byte) (Order, error) {
	return s.signed(ctx, now, who, delivery, bus.AskSlide, assertion)
}

// Out makes the order that carries the courier's signed "I am out" (S19).
func (s *Service) Out(ctx context.Context, now time.Time, who Account, delivery string, assertion []byte) (Order, error) {
	return s.signed(ctx, now, who, delivery, bus.AskOut, assertion)
}

func (s *Service) signed(ctx context.Context, now time.Time, who Account, delivery, what string, assertion []byte) (Order, error) {
	if len(assertion) == 0 || len(assertion) > MaxCredential {
		return Order{}, invalid("The credential is missing or too large.")
	}
	return s.courier(ctx, now, who, delivery, func(d Delivery, g Grant, a *bus.Ask) error {
		if d.Visit == "" {
			return because(interlock.NoVisit)
		}
		a.What, a.Assertion = what, assertion
		return nil
	})
}

// MaxCredential bounds a credential's JSON: an RSA signature and a long credential ID fit four times over.
const MaxCredential = 16 << 10

// Whys are the reasons a courier may give.
func Whys() []string { return []string{"nobody", "dog", "door", "parcel", "unsafe", "other"} }

// Cannot makes the order that says that the courier cannot deliver, and why.
func (s *Service) Cannot(ctx context.Context, now time.Time, who Account, delivery, why string) (Order, error) {
	if !slices.Contains(Whys(), why) {
		return Order{}, invalid("The reason is nobody, dog, door, parcel, unsafe or other.")
	}
	return s.courier(ctx, now, who, delivery, func(d Delivery, g Grant, a *bus.Ask) error {
		a.What, a.Text = bus.AskCannot, why
		return nil
	})
}

// GiveUp writes down that a courier could not deliver and never got as far as a visit: the hub has nothing to do with it.
func (s *Service) GiveUp(ctx context.Context, now time.Time, who Account, delivery, why string) (AskReply, error) {
	if err := who.as(CourierRole); err != nil {
		return AskReply{}, err
	}
	if !slices.Contains(Whys(), why) {
		return AskReply{}, invalid("The reason is nobody, dog, door, parcel, unsafe or other.")
	}
	var d Delivery
	err := s.store.Write(ctx, func(tx Tx) error {
		var err error
		if d, err = who.mine(tx, now, delivery); err != nil {
			return err
		}
		if d.State != DeliveryAssigned {
			return because(interlock.AnotherVisit)
		}
		d.State, d.Reason = DeliveryFailed, interlock.CannotDeliver.String()+" "+why
		if _, err := s.takeBack(tx, now, d.Grant); err != nil {
			return err
		}
		return put(tx, d)
	})
	if err != nil {
		return AskReply{}, err
	}
	s.feed.add(d.event(""))
	s.owed(d.Hub)
	return AskReply{OK: true, Sentence: "Noted. Take the parcel along."}, nil
}

// Under says whether a courier's delivery has a visit that is going on.
func (s *Service) Under(ctx context.Context, now time.Time, who Account, delivery string) (bool, error) {
	if err := who.as(CourierRole); err != nil {
		return false, err
	}
	var d Delivery
	err := s.store.Read(ctx, func(tx Tx) (err error) {
		d, err = who.mine(tx, now, delivery)
		return err
	})
	return d.State == DeliveryHere || d.State == DeliveryOpen, err
}

func (s *Service) courier(ctx context.Context, now time.Time, who Account, delivery string, fill func(Delivery, Grant, *bus.Ask) error) (Order, error) {
	if err := who.as(CourierRole); err != nil {
		return Order{}, err
	}
	var o Order
	err := s.store.Read(ctx, func(tx Tx) error {
		d, err := who.mine(tx, now, delivery)
		if err != nil {
			return err
		}
		g, err := get[Grant](tx, d.Grant)
		if err != nil {
			return err
		}
		a := bus.Ask{Door: d.Door, By: who.ID, Visit: d.Visit, GrantID: g.ID}
		if err := fill(d, g, &a); err != nil {
			return err
		}
		o, err = s.order(now, d.Household, d.Hub, keepCourier, a)
		o.Delivery = d.ID
		return err
	})
	return o, err
}

// arriveAnswered notes the visit that the hub has begun.
func (s *Service) arriveAnswered(tx Tx, o Order, r AskReply) ([]event, error) {
	d, err := get[Delivery](tx, o.Delivery)
	if err != nil || d.Grant != o.Ask.GrantID {
		return nil, err
	}
	if !r.OK {
		if d.Reason == r.Reason || d.over() {
			return nil, nil
		}
		d.Reason = r.Reason
		return []event{d.event("")}, put(tx, d)
	}
	if d.over() || r.Visit == "" || d.Visit == r.Visit {
		return nil, nil
	}
	d.Visit, d.Parcel, d.State, d.Reason = r.Visit, o.Ask.Parcel, DeliveryHere, ""
	return []event{d.event("")}, put(tx, d)
}
