package control

import (
	"context"
	"crypto/ed25519"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
)

// over says whether nothing more can happen to it.
func (d Delivery) over() bool {
	return d.State == DeliveryDone || d.State == DeliveryFailed || d.State == DeliveryCancelled
}

// event tells of it; courier is who had it, if that has just ended.
func (d Delivery) event(courier string) event {
	if courier == "" {
		courier = d.Courier
	}
	return event{kind: EventDelivery, household: d.Household, carrier: d.Carrier, courier: courier, data: d}
}

// Booking is what an operator asks for.
type Booking struct {
	Household    string
	Hub          string // "" if only one hub of the household has a door of this name
	Door         string
	Courier      string // "" assigns later
	From, Until  time.Time
	Parcels      []string
	Instructions string
}

const (
	maxParcels = 64             // as package grant
	maxWindow  = 24 * time.Hour // a window is hours, not weeks: a stolen phone opens nothing tomorrow
	maxAhead   = 90 * 24 * time.Hour
)

func (b Booking) check(now time.Time) error {
	switch {
	case !b.From.Before(b.Until):
		return invalid("The window ends before it begins.")
	case b.Until.Sub(b.From) > maxWindow:
		return invalid("A window is at most 24 hours.")
	case !b.Until.After(now):
		return invalid("The window is over already.")
	case b.From.Sub(now) > maxAhead:
		return invalid("A delivery is booked at most 90 days ahead.")
	case len(b.Parcels) == 0 || len(b.Parcels) > maxParcels:
		return invalid("Name 1 to 64 parcels by their codes.")
	case b.Instructions != "" && !textOK(b.Instructions, 1000):
		return invalid("Instructions are text of at most 1000 bytes.")
	}
	for _, p := range b.Parcels {
		if !textOK(p, 128) {
			return invalid("A parcel's code has 1 to 128 bytes.")
		}
	}
	return nil
}

// Book takes an order in. With a courier, it is assigned at once, or not booked at all.
func (s *Service) Book(ctx context.Context, now time.Time, who Account, b Booking) (Delivery, error) {
	if err := who.as(Operator); err != nil {
		return Delivery{}, err
	}
	if err := b.check(now); err != nil {
		return Delivery{}, err
	}
	var d Delivery
	err := s.store.Write(ctx, func(tx Tx) error {
		h, err := get[Household](tx, b.Household)
		if err != nil {
			return err
		}
		if ok, err := serves(tx, who.Carrier, h); err != nil || !ok {
			return orNotFound(err)
		}
		door, err := doorOf(tx, h.ID, b.Hub, b.Door)
		if err != nil {
			return err
		}
		c, err := get[Carrier](tx, who.Carrier)
		if err != nil {
			return err
		}
		id, err := s.newID("del")
		if err != nil {
			return err
		}
		if b.Instructions == "" {
			b.Instructions = door.Instructions
		}
		d = Delivery{
			ID: id, Household: h.ID, HouseholdName: h.Name, Hub: door.Hub, Door: door.Name, Carrier: c.ID, CarrierName: c.Name,
			From: b.From.UTC(), Until: b.Until.UTC(), Parcels: b.Parcels, Instructions: b.Instructions, State: DeliveryBooked, Created: now,
		}
		if b.Courier == "" {
			return put(tx, d)
		}
		d, err = s.assign(tx, now, who, d, b.Courier)
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	s.feed.add(d.event(""))
	if d.Grant != "" {
		s.owed(d.Hub)
	}
	return d, nil
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return ErrNotFound
}

// doorOf finds a household's door by its name, and its hub's if there are several of that name.
func doorOf(tx Tx, household, hub, name string) (Door, error) {
	doors, err := find[Door](tx, Query{Keys: Keys{Household: household, Hub: hub, Door: name}})
	if err != nil {
		return Door{}, err
	}
	switch {
	case len(doors) == 0 || name == "":
		return Door{}, ErrNotFound
	case len(doors) > 1:
		return Door{}, invalid("Several hubs of this household have a door of this name. Name the hub, too.")
	}
	return doors[0], nil
}

// Assign gives a delivery to a screened courier and issues the grant; one that was issued before is taken back.
func (s *Service) Assign(ctx context.Context, now time.Time, who Account, delivery, courier string) (Delivery, error) {
	if err := who.as(Operator); err != nil {
		return Delivery{}, err
	}
	var d, was Delivery
	err := s.store.Write(ctx, func(tx Tx) error {
		var err error
		if was, err = who.delivery(tx, delivery); err != nil {
			return err
		}
		if was.State != DeliveryBooked && was.State != DeliveryAssigned {
			return refuse(Conflict, "delivery-"+was.State, "This delivery is under way or over. Book another.")
		}
		if was.Grant != "" {
			if _, err := s.takeBack(tx, now, was.Grant); err != nil {
				return err
			}
		}
		d, err = s.assign(tx, now, who, was, courier)
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	if was.Courier != "" && was.Courier != courier {
		s.feed.add(d.event(was.Courier))
	}
	s.feed.add(d.event(""))
	s.owed(d.Hub)
	return d, nil
}

// assign checks everything that the hub will check, so far as it can be known now, and signs.
func (s *Service) assign(tx Tx, now time.Time, who Account, d Delivery, courier string) (Delivery, error) {
	c, err := own(tx, courier, func(c Courier) bool { return c.Carrier == who.Carrier })
	if err != nil {
		return d, err
	}
	if err := c.may(now); err != nil {
		return d, err
	}
	if !d.Until.Before(c.Until) {
		return d, refuse(Conflict, "screening-expired", "This courier's screening runs out before the window ends. Renew it, or assign another courier.")
	}
	if !d.Until.After(now) {
		return d, because(interlock.TooLate)
	}
	keys, err := find[Passkey](tx, Query{Keys: Keys{Account: c.Account}, Desc: true, Limit: 16})
	if c.Account == "" || err == nil && len(keys) == 0 {
		return d, refuse(Conflict, "no-passkey", "This courier has not signed up yet. Send the invitation again, or assign another courier.")
	}
	if err != nil {
		return d, err
	}
	consent, err := s.consentFor(tx, now, d)
	if err != nil {
		return d, err
	}
	carrier, err := get[Carrier](tx, d.Carrier)
	if err != nil {
		return d, err
	}
	hub, err := get[Hub](tx, d.Hub)
	if err != nil {
		return d, err
	}
	door, err := get[Door](tx, doorID(d.Hub, d.Door))
	if err != nil {
		return d, err
	}
	id, err := s.newID("gr")
	if err != nil {
		return d, err
	}
	key, err := s.signing(carrier)
	if err != nil {
		return d, err
	}
	credential := grant.Courier{ID: c.ID, Name: c.Name, Carrier: c.Carrier, Screened: c.Until}
	for _, k := range keys {
		credential.Passkeys = append(credential.Passkeys, grant.Passkey{ID: k.Raw, Key: k.Key, Who: k.Account})
	}
	chain := grant.Chain{Consent: grant.SignedConsent{Document: consent.Document, Assertion: consent.Assertion}}
	// The credential holds no longer than the window it is issued for.
	if chain.Courier, err = key.Courier(credential, now, d.Until); err != nil {
		return d, err
	}
	chain.Delivery, err = key.Delivery(grant.Delivery{
		ID: id, Household: d.Household, Hub: d.Hub, Door: d.Door, Carrier: d.Carrier, Courier: c.ID, From: d.From, Until: d.Until,
		Parcels: d.Parcels, Place: door.Place, Epoch: hub.Epoch,
	}, now)
	if err != nil {
		return d, err
	}
	bytes, err := chain.Encode()
	if err != nil {
		return d, err
	}
	g := Grant{
		ID: id, Delivery: d.ID, Household: d.Household, Hub: d.Hub, Door: d.Door, Carrier: d.Carrier, Courier: c.ID, Chain: bytes,
		From: d.From, Until: d.Until, Issued: now, State: GrantSent,
	}
	if err := put(tx, g); err != nil {
		return d, err
	}
	o, err := s.order(now, d.Household, d.Hub, d.Until.Sub(now), bus.Ask{What: bus.AskGrant, Door: d.Door, GrantID: id, Grant: bytes})
	if err != nil {
		return d, err
	}
	o.Key, o.Delivery = "grant "+id, d.ID
	if err := s.keep(tx, &o); err != nil {
		return d, err
	}
	d.Courier, d.CourierName, d.Grant, d.State, d.Reason = c.ID, c.Name, id, DeliveryAssigned, ""
	return d, put(tx, d)
}

// maxSigning bounds the carriers whose keys are kept made; beyond it all are made anew.
const maxSigning = 256

// signing is the key that a carrier signs with. To make it of its seed costs as much as two signatures, so it is made once.
func (s *Service) signing(c Carrier) (grant.Key, error) {
	s.keysMu.Lock()
	defer s.keysMu.Unlock()
	if key, ok := s.keys[string(c.Seed)]; ok {
		return key, nil
	}
	key, err := grant.NewKey(ed25519.NewKeyFromSeed(c.Seed))
	if err != nil {
		return grant.Key{}, err
	}
	if len(s.keys) >= maxSigning {
		clear(s.keys)
	}
	s.keys[string(c.Seed)] = key
	return key, nil
}

// consentFor finds the newest consent that covers a delivery's whole window as far as dates go; days and hours are judged by
// the hub at the door.
func (s *Service) consentFor(tx Tx, now time.Time, d Delivery) (Consent, error) {
	all, err := find[Consent](tx, Query{Keys: Keys{Household: d.Household, Hub: d.Hub, Door: d.Door, Carrier: d.Carrier}, Desc: true, Limit: 100})
	if err != nil {
		return Consent{}, err
	}
	hub, err := get[Hub](tx, d.Hub)
	if err != nil {
		return Consent{}, err
	}
	for _, c := range all {
		doc, err := grant.ParseConsent(c.Document)
		if err != nil || doc.Epoch != hub.Epoch || d.From.Before(c.From) || d.Until.After(c.Until) {
			continue
		}
		return c, nil
	}
	return Consent{}, refuse(Conflict, interlock.NoConsent.String(), "The household has not consented to deliveries by you at this door in this window. Ask the resident to do so in the app.")
}

// grantAnswered takes the hub's word on a grant.
func (s *Service) grantAnswered(tx Tx, o Order, r AskReply) ([]event, error) {
	g, err := get[Grant](tx, o.Ask.GrantID)
	if err != nil {
		return nil, err
	}
	if g.State != GrantSent {
		return nil, nil
	}
	g.State = GrantTaken
	if !r.OK {
		g.State, g.Reason = GrantRefused, r.Reason
	}
	if err := put(tx, g); err != nil || r.OK {
		return nil, err
	}
	d, err := get[Delivery](tx, g.Delivery)
	if err != nil || d.Grant != g.ID || d.State != DeliveryAssigned {
		return nil, err
	}
	was := d.Courier
	d.State, d.Courier, d.CourierName, d.Grant, d.Reason = DeliveryBooked, "", "", "", r.Reason
	return []event{d.event(was)}, put(tx, d)
}

// Cancel ends a delivery that is not over and takes its grant back.
func (s *Service) Cancel(ctx context.Context, now time.Time, who Account, delivery string) (Delivery, error) {
	if err := who.as(Operator); err != nil {
		return Delivery{}, err
	}
	var d Delivery
	took := 0
	err := s.store.Write(ctx, func(tx Tx) error {
		var err error
		took = 0
		if d, err = who.delivery(tx, delivery); err != nil {
			return err
		}
		if d.over() {
			return refuse(Conflict, "delivery-"+d.State, "This delivery is over already.")
		}
		if d.Grant != "" {
			if took, err = s.takeBack(tx, now, d.Grant); err != nil {
				return err
			}
		}
		d.State = DeliveryCancelled
		return put(tx, d)
	})
	if err != nil {
		return Delivery{}, err
	}
	s.feed.add(d.event(""))
	if took > 0 {
		s.owed(d.Hub)
	}
	return d, nil
}
