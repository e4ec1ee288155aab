package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// viewAhead is how far a hub's clock may be ahead of ours: it is set by our own answers, at most bus.BeatReply's trip ago.
const viewAhead = time.Minute

// View takes what a hub shows of a door. Older ones than the newest are dropped; a hub that has restarted counts anew.
func (s *Service) View(ctx context.Context, now time.Time, hub string, v bus.View) error {
	if v.Hub != hub || len(v.Visit) > 128 || len(v.GrantID) > 128 {
		return fmt.Errorf("view of hub %q came from hub %q", v.Hub, hub)
	}
	size, sane := weigh(v)
	if !sane {
		return fmt.Errorf("view of hub %q says more than a hub has to say", hub)
	}
	s.mu.Lock()
	l := s.hub(hub)
	var d *liveDoor
	if l != nil {
		d = l.door(v.Door)
	}
	if d == nil {
		s.mu.Unlock()
		return fmt.Errorf("view of door %q of hub %q: %w", v.Door, hub, ErrNotFound)
	}
	// A view out of the future was stamped by a clock that has been put right since: nothing that comes now is older (T15, S15).
	if d.shown && v.Seq <= d.view.Seq && !v.At.After(d.view.At) && !d.view.At.After(now.Add(viewAhead)) {
		s.mu.Unlock()
		return nil
	}
	was, shown := d.view, d.shown
	d.view, d.shown = v, true
	house, blocks := l.household, d.blocks
	changed := !shown || was.Phase != v.Phase || was.Visit != v.Visit || was.Released != v.Released
	writes := (v.BlockCount != blocks || changed && v.GrantID != "") && l.pace.AllowN(now, 1)
	s.mu.Unlock()

	e := event{kind: EventView, household: house, grant: v.GrantID, data: v, size: size}
	var events []event
	if v.BlockCount != blocks && writes { // if not now, then at the next view: they differ until it is done
		if err := s.reconcile(ctx, now, hub, v); err != nil {
			return err
		}
	}
	if v.GrantID != "" {
		g, err := s.shown(ctx, d, v.GrantID)
		if err != nil {
			return err
		}
		if g.Hub == hub {
			e.carrier, e.courier = g.Carrier, g.Courier
		}
		if changed && writes && g.Hub == hub && g.ID != "" {
			if events, err = s.follow(ctx, now, g, v); err != nil {
				return err
			}
		}
	}
	s.feed.add(append([]event{e}, events...)...)
	return nil
}

// weigh is about how much memory a view takes, in bytes, and whether it has no more parts than a hub has to show (T20): a hub lists at most
// 8 cameras and 32 incidents of 64 gaps each.
func weigh(v View) (size int, sane bool) {
	const most, each = 64, 128
	size = 1024 + each*(len(v.Checks)+len(v.Holds)+len(v.Cameras)+len(v.Incidents)+len(v.Unready))
	text := func(all ...string) {
		for _, t := range all {
			size += len(t)
		}
	}
	text(v.Phase, v.Reason, v.Sentence, v.Courier, v.Watch, v.Bolt, v.DoorIs, v.Alarm, v.AlarmText, v.AlarmID)
	if max(len(v.Checks), len(v.Holds), len(v.Cameras), len(v.Incidents), len(v.Unready)) > most {
		return 0, false
	}
	for _, c := range v.Checks {
		text(c.Name, c.Reason, c.Sentence)
	}
	for _, i := range v.Incidents {
		if len(i.Gaps) > most {
			return 0, false
		}
		text(i.Visit, i.Reason, i.Text)
		for _, g := range i.Gaps {
			text(g.Why)
		}
		size += each * len(i.Gaps)
	}
	for _, c := range v.Cameras {
		text(c.Name, c.Watch, c.Say)
		if c.Link != nil {
			if len(c.Link.Gaps) > most {
				return 0, false
			}
			size += each * (1 + len(c.Link.Gaps))
		}
	}
	text(v.Holds...)
	size += len(v.Nonce) + len(v.OutNonce)
	if v.Walk != nil {
		text(v.Walk.Say)
	}
	if v.LastIncident != nil {
		text(v.LastIncident.Visit, v.LastIncident.Reason, v.LastIncident.Text)
	}
	for _, u := range v.Unready {
		text(u.Reason, u.Say)
	}
	return size, true
}

// shown gives the grant that a door's view names, without its chain; its zero value if there is none. A door shows one grant for a whole
// visit, ten times a second: what never changes of it is read once.
func (s *Service) shown(ctx context.Context, d *liveDoor, id string) (Grant, error) {
	s.mu.Lock()
	g := d.grant
	s.mu.Unlock()
	if g.ID == id {
		return g, nil
	}
	err := s.store.Read(ctx, func(tx Tx) (err error) {
		g, err = get[Grant](tx, id)
		return err
	})
	if err != nil {
		return Grant{}, ignoreNotFound(err)
	}
	g = Grant{ID: g.ID, Delivery: g.Delivery, Household: g.Household, Hub: g.Hub, Door: g.Door, Carrier: g.Carrier, Courier: g.Courier}
	s.mu.Lock()
	d.grant = g
	s.mu.Unlock()
	return g, nil
}

// follow keeps a delivery's state beside the door's phase, so that people see it before the ledger arrives. The ledger has the
// last word.
func (s *Service) follow(ctx context.Context, now time.Time, g Grant, v View) ([]event, error) {
	state := ""
	switch v.Phase {
	case interlock.Arming.String(), interlock.Held.String(), interlock.Ready.String(), interlock.Deciding.String():
		state = DeliveryHere
	case interlock.Unlocking.String(), interlock.Unlocked.String(), interlock.Opened.String(), interlock.Closing.String(),
		interlock.Secured.String(), interlock.Unproven.String(), interlock.Tail.String():
		state = DeliveryOpen
	}
	if state == "" || v.Visit == "" {
		return nil, nil
	}
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		d, err := get[Delivery](tx, g.Delivery)
		if err != nil || d.over() || d.Grant != g.ID {
			return err
		}
		visit, err := get[Visit](tx, v.Visit)
		switch {
		case errors.Is(err, ErrNotFound):
			visit = visitOf(v.Visit, g, d, v.At)
			if err := put(tx, visit); err != nil {
				return err
			}
			events = append(events, visit.event())
		case err != nil:
			return err
		case visit.Outcome != OutcomeGoing:
			return nil // an old view of a visit that is over
		}
		if d.State == state && d.Visit == v.Visit {
			return nil
		}
		d.State, d.Visit, d.Reason = state, v.Visit, ""
		events = append(events, d.event(""))
		return put(tx, d)
	})
	return events, err
}

func visitOf(id string, g Grant, d Delivery, began time.Time) Visit {
	return Visit{
		ID: id, Household: g.Household, Hub: g.Hub, Door: g.Door, Delivery: g.Delivery, Grant: g.ID, Carrier: g.Carrier, Courier: g.Courier,
		CourierName: d.CourierName, Began: began, Outcome: OutcomeGoing,
	}
}

func (v Visit) event() event {
	return event{kind: EventVisit, household: v.Household, carrier: v.Carrier, courier: v.Courier, data: v}
}

func (i Incident) event() event {
	return event{kind: EventIncident, household: i.Household, carrier: i.Carrier, data: i}
}

// reconcile heals block counters that differ (S1: while they do, nothing opens). A hub that counts fewer has not heard the
// newest order: it is owed again. A hub that counts more knows of orders that this service has lost (it was restored from a
// backup): they are taken over, but for a block that still waits: it is numbered anew and wins.
func (s *Service) reconcile(ctx context.Context, now time.Time, hub string, v View) error {
	owed := false
	var count uint64
	err := s.store.Write(ctx, func(tx Tx) error {
		owed, count = false, 0
		d, err := get[Door](tx, doorID(hub, v.Door))
		if err != nil {
			return err
		}
		waiting, err := find[Order](tx, Query{Keys: Keys{Hub: hub, Door: v.Door, State: OrderWaiting}})
		if err != nil {
			return err
		}
		switch {
		case v.BlockCount > d.Blocks:
			i := slices.IndexFunc(waiting, func(o Order) bool { return o.Ask.What == bus.AskBlock })
			if i < 0 || v.Blocked {
				d.Blocks, d.Blocked = v.BlockCount, v.Blocked
				count = d.Blocks
				return put(tx, d)
			}
			// A block that the hub has not heard: under its old number the hub would take it for an order of the past (S4).
			d.Blocks, d.Blocked = v.BlockCount+1, true
			o, err := s.order(now, d.Household, hub, keepForever, bus.Ask{What: bus.AskBlock, Door: v.Door, By: waiting[i].Ask.By, Count: d.Blocks})
			if err != nil {
				return err
			}
			o.Key, count, owed = "block "+v.Door, d.Blocks, true
			if err := s.keep(tx, &o); err != nil {
				return err
			}
			return put(tx, d)
		case v.BlockCount < d.Blocks:
			for _, o := range waiting {
				if o.Ask.Count == d.Blocks {
					return nil // on its way already
				}
			}
			what := bus.AskUnblock
			if d.Blocked {
				what = bus.AskBlock
			}
			o, err := s.order(now, d.Household, hub, keepForever, bus.Ask{What: what, Door: v.Door, Count: d.Blocks})
			if err != nil {
				return err
			}
			o.Key = "block " + v.Door
			owed = true
			return s.keep(tx, &o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if count > 0 {
		s.setBlocks(hub, v.Door, count)
	}
	if owed {
		s.owed(hub)
	}
	return nil
}

// view is the newest of a door.
func (s *Service) view(hub, door string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.hub(hub); l != nil {
		if d := l.door(door); d != nil && d.shown {
			return d.view, true
		}
	}
	return View{}, false
}
