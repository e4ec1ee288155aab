package control

import (
	"context"
	"time"

	"eyebolt/bus"
)

// AddCourier makes a courier of this carrier, unscreened, and an invitation.
func (s *Service) AddCourier(ctx context.Context, now time.Time, who Account, name string) (c Courier, code string, err error) {
	if err := who.as(Operator); err != nil {
		return Courier{}, "", err
	}
	if !textOK(name, 100) {
		return Courier{}, "", invalid("Give the courier's name, at most 100 bytes: residents see it.")
	}
	err = s.store.Write(ctx, func(tx Tx) error {
		id, err := s.newID("cou")
		if err != nil {
			return err
		}
		c = Courier{ID: id, Carrier: who.Carrier, Name: name, Status: ScreeningPending, Created: now}
		if err := put(tx, c); err != nil {
			return err
		}
		code, err = s.invite(tx, now, Invite{Role: CourierRole, Carrier: who.Carrier, Courier: id})
		return err
	})
	return c, code, err
}

// Screen writes down how a courier's background check ended. A screening that no longer holds takes the courier's grants
// back; one that now ends before a window does, the grants of that window.
func (s *Service) Screen(ctx context.Context, now time.Time, who Account, courier, status string, until time.Time, reference string) (c Courier, err error) {
	if err := who.as(Operator); err != nil {
		return Courier{}, err
	}
	switch status {
	case ScreeningPending, ScreeningFailed:
		until = time.Time{}
	case ScreeningPassed:
		if !until.After(now) {
			return Courier{}, invalid("A passed screening holds until a day to come.")
		}
		if !textOK(reference, 200) {
			return Courier{}, invalid("Give the reference of the check, at most 200 bytes: an auditor asks for it.")
		}
	default:
		return Courier{}, invalid("The status is pending, passed or failed.")
	}
	if len(reference) > 200 {
		return Courier{}, invalid("The reference is at most 200 bytes.")
	}
	return s.changeCourier(ctx, now, who, courier, "screening-expired", func(c *Courier) {
		c.Status, c.Until, c.Reference = status, until.UTC(), reference
	})
}

// RevokeCourier ends a courier: the account signs in no more, the grants are taken back.
func (s *Service) RevokeCourier(ctx context.Context, now time.Time, who Account, courier string) (Courier, error) {
	if err := who.as(Operator); err != nil {
		return Courier{}, err
	}
	return s.changeCourier(ctx, now, who, courier, "grant-revoked", func(c *Courier) { c.Revoked = true })
}

func (s *Service) changeCourier(ctx context.Context, now time.Time, who Account, id, reason string, change func(*Courier)) (c Courier, err error) {
	var events []event
	var hubs []string
	err = s.store.Write(ctx, func(tx Tx) error {
		events, hubs = nil, nil
		if c, err = own(tx, id, func(c Courier) bool { return c.Carrier == who.Carrier }); err != nil {
			return err
		}
		change(&c)
		if err := put(tx, c); err != nil {
			return err
		}
		may := c.may(now) == nil
		// Windows are hours: what began two days ago is over, however many deliveries there ever were.
		ds, err := find[Delivery](tx, Query{Keys: Keys{Courier: id}, From: now.Add(-2 * maxWindow)})
		if err != nil {
			return err
		}
		for _, d := range ds {
			if d.over() || d.Grant == "" {
				continue
			}
			// A grant carries the screening's end as it was when it was issued: one that holds less long now takes it back.
			if may && (!c.Until.Before(d.Until) || d.State != DeliveryAssigned) {
				continue
			}
			if _, err := s.takeBack(tx, now, d.Grant); err != nil {
				return err
			}
			hubs = append(hubs, d.Hub)
			if d.State == DeliveryAssigned {
				d.State, d.Courier, d.CourierName, d.Grant, d.Reason = DeliveryBooked, "", "", "", reason
				if err := put(tx, d); err != nil {
					return err
				}
				events = append(events, d.event(c.ID))
			}
		}
		return nil
	})
	if err != nil {
		return Courier{}, err
	}
	s.feed.add(events...)
	s.owed(hubs...)
	return c, nil
}

// may says why a courier may not be sent, if so.
func (c Courier) may(now time.Time) error {
	switch {
	case c.Revoked:
		return refuse(Conflict, "courier-revoked", "This courier no longer works for you. Assign another.")
	case c.Status == ScreeningPending:
		return refuse(Conflict, "screening-pending", "This courier's screening is not done. Enter its result, or assign another courier.")
	case c.Status != ScreeningPassed:
		return refuse(Conflict, "screening-failed", "This courier did not pass the screening. Assign another.")
	case !now.Before(c.Until):
		return refuse(Conflict, "screening-expired", "This courier's screening has run out. Renew it, or assign another courier.")
	}
	return nil
}

// takeBack revokes a grant and orders its hub to forget it.
func (s *Service) takeBack(tx Tx, now time.Time, id string) (int, error) {
	g, err := get[Grant](tx, id)
	if err != nil {
		return 0, err
	}
	if g.State == GrantRevoked || g.State == GrantRefused {
		return 0, nil
	}
	g.State = GrantRevoked
	if err := put(tx, g); err != nil {
		return 0, err
	}
	// The grant that is still on its way is taken out of the queue by its key; the hub may have it all the same.
	o, err := s.order(now, g.Household, g.Hub, keepForever, bus.Ask{What: bus.AskRevoke, Door: g.Door, Revoked: []string{g.ID}})
	if err != nil {
		return 0, err
	}
	o.Key = "grant " + g.ID
	return 1, s.keep(tx, &o)
}
