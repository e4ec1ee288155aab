package control

import (
	"context"
	"errors"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

const (
	// aheadOf is how long before a delivery's window somebody is told that its door would refuse: a battery can be bought by then.
	aheadOf = 24 * time.Hour
	// aheadAfter is how long it must have been so: a lock that is out of reach for a moment is nobody's business.
	aheadAfter = 10 * time.Minute
	// aheadWindow is the longest that a window is looked for behind its beginning.
	aheadWindow = 24 * time.Hour
	// aheadMost bounds what one hub may say of one door.
	aheadMost = 8
)

// Foresee tells residents and the carrier, a day ahead, of a delivery whose door would refuse its courier as it stands: once for each
// delivery and reason. Call it every minute or so. What the hub will refuse at the door it refuses by itself; this only says so early.
func (s *Service) Foresee(ctx context.Context, now time.Time) error {
	type lack struct {
		hub, door string
		why       []bus.Unready
	}
	var all []lack
	s.mu.Lock()
	for _, l := range s.hubs {
		for _, d := range l.doors {
			if !d.shown || l.silent {
				continue
			}
			k := lack{hub: l.id, door: d.name}
			for _, u := range d.view.Unready[:min(len(d.view.Unready), aheadMost)] {
				if now.Sub(u.Since) >= aheadAfter && len(u.Reason) <= 100 && len(u.Say) <= 2000 {
					k.why = append(k.why, u)
				}
			}
			if len(k.why) > 0 {
				all = append(all, k)
			}
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, k := range all { // each by itself: one that cannot be told keeps no other from being told
		errs = append(errs, s.foresee(ctx, now, k.hub, k.door, k.why))
	}
	return errors.Join(errs...)
}

// foresee tells of one door.
func (s *Service) foresee(ctx context.Context, now time.Time, hub, door string, why []bus.Unready) error {
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		list, err := find[Delivery](tx, Query{Keys: Keys{Hub: hub, Door: door}, From: now.Add(-aheadWindow), Until: now.Add(aheadOf)})
		if err != nil {
			return err
		}
		for _, d := range list {
			if d.State != DeliveryBooked && d.State != DeliveryAssigned || !d.Until.After(now) {
				continue
			}
			for _, u := range why {
				id := "ahead-" + d.ID + "-" + u.Reason
				_, err := get[StoredAlarm](tx, alarmID(hub, id))
				if err == nil {
					continue
				}
				if !errors.Is(err, ErrNotFound) {
					return err
				}
				a := StoredAlarm{
					Alarm:     Alarm{ID: id, Hub: hub, Door: door, Reason: u.Reason, Text: "A delivery is coming, and its courier would not be let in. " + u.Say, At: now.UTC(), Notice: true},
					Household: d.Household, Stored: now,
				}
				if err := put(tx, a); err != nil {
					return err
				}
				e := a.event()
				e.carrier = d.Carrier
				events = append(events, e)
			}
		}
		return nil
	})
	if err == nil {
		s.feed.add(events...)
	}
	return err
}

// alarmOutside is what a carrier may know of it: that its courier would be refused, and the one reason; nothing of the home's inside (S17).
func alarmOutside(a Alarm) Alarm {
	text := "This door would not let your courier in as it stands."
	if r, ok := interlock.ParseReason(a.Reason); ok {
		text = "A delivery is coming, and its courier would not be let in. " + r.Sentence()
	}
	return Alarm{ID: a.ID, Hub: a.Hub, Door: a.Door, Reason: a.Reason, Text: text, At: a.At, Notice: a.Notice}
}
