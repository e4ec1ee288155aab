package control

import (
	"context"
	"slices"
	"strings"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
)

// Home is a resident's page.
type Home struct {
	Household  string         `json:"household"` // its name
	Address    string         `json:"address"`
	Doors      []HomeDoor     `json:"doors"`
	Deliveries []Delivery     `json:"deliveries"`
	Visits     []VisitSummary `json:"visits"`
	Incidents  []bus.Incident `json:"incidents"`
	Alarms     []Alarm        `json:"alarms"`
	Consents   []ConsentLine  `json:"consents"`
	Notice     string         `json:"notice"`
}

// HomeDoor is a door as its household sees it.
type HomeDoor struct {
	Hub    string `json:"hub"`
	Door   string `json:"door"`
	Name   string `json:"name"`
	Online bool   `json:"online"`
	View   *View  `json:"view,omitempty"` // absent until the hub has shown it
}

// ConsentLine is where a carrier stands at a door. Wanted: it has none and could use one. Signed: it holds. Ended: it held.
type ConsentLine struct {
	ID          string     `json:"id,omitempty"`
	Hub         string     `json:"hub"`
	Door        string     `json:"door"`
	Carrier     string     `json:"carrier"`
	CarrierName string     `json:"carrier_name"`
	State       string     `json:"state"` // wanted, signed, ended
	Until       *time.Time `json:"until,omitempty"`
}

// Notice is what everybody who lives or delivers here must know.
const Notice = "The camera at this door records while somebody is let in, and shortly before and after. Only the household sees the pictures."

// What a page shows at most; more is history.
const (
	homeDeliveries = 100
	homeVisits     = 50
	homeAlarms     = 50
	homeCarriers   = 200
)

// Home gives a resident's page.
func (s *Service) Home(ctx context.Context, now time.Time, who Account) (Home, error) {
	if err := who.as(Resident); err != nil {
		return Home{}, err
	}
	h := Home{
		Doors: []HomeDoor{}, Deliveries: []Delivery{}, Visits: []VisitSummary{}, Incidents: []bus.Incident{}, Alarms: []Alarm{},
		Consents: []ConsentLine{}, Notice: Notice,
	}
	mine := Keys{Household: who.Household}
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		house, err := get[Household](tx, who.Household)
		if err != nil {
			return err
		}
		h.Household, h.Address = house.Name, house.Address
		doors, err := find[Door](tx, Query{Keys: mine})
		if err != nil {
			return err
		}
		for _, d := range doors {
			h.Doors = append(h.Doors, HomeDoor{Hub: d.Hub, Door: d.Name, Name: d.Title})
		}
		from := now.Add(-24 * time.Hour)
		ds, err := find[Delivery](tx, Query{Keys: mine, From: from, Limit: homeDeliveries})
		if err != nil {
			return err
		}
		h.Deliveries = append(h.Deliveries, ds...)
		visits, err := find[Visit](tx, Query{Keys: mine, Desc: true, Limit: homeVisits})
		if err != nil {
			return err
		}
		for _, v := range visits {
			h.Visits = append(h.Visits, v.summary())
		}
		incidents, err := find[Incident](tx, Query{Keys: Keys{Household: who.Household, State: stateOpen}, Desc: true, Limit: homeAlarms})
		if err != nil {
			return err
		}
		for _, i := range incidents {
			h.Incidents = append(h.Incidents, i.public())
		}
		alarms, err := find[StoredAlarm](tx, Query{Keys: Keys{Household: who.Household, State: stateOpen}, Desc: true, Limit: homeAlarms})
		if err != nil {
			return err
		}
		for _, a := range alarms {
			h.Alarms = append(h.Alarms, a.Alarm)
		}
		h.Consents, err = consentLines(tx, now, house, doors, ds)
		return err
	})
	if err != nil {
		return Home{}, err
	}
	for i := range h.Doors {
		d := &h.Doors[i]
		d.Online = s.online(now, d.Hub)
		if v, ok := s.view(d.Hub, d.Door); ok {
			d.View = &v
		}
	}
	return h, nil
}

// consentLines says for each door and each carrier that has to do with this household where its consent stands.
func consentLines(tx Tx, now time.Time, house Household, doors []Door, ds []Delivery) ([]ConsentLine, error) {
	consents, err := find[Consent](tx, Query{Keys: Keys{Household: house.ID}, Desc: true, Limit: homeCarriers})
	if err != nil {
		return nil, err
	}
	carriers := []string{house.Carrier}
	for _, c := range consents {
		carriers = append(carriers, c.Carrier)
	}
	for _, d := range ds {
		carriers = append(carriers, d.Carrier)
	}
	slices.Sort(carriers)
	carriers = slices.Compact(carriers)
	lines := []ConsentLine{}
	for _, id := range carriers {
		if id == "" {
			continue
		}
		c, err := get[Carrier](tx, id)
		if err != nil {
			return nil, err
		}
		for _, d := range doors {
			line := ConsentLine{Hub: d.Hub, Door: d.Name, Carrier: id, CarrierName: c.Name, State: "wanted"}
			for _, k := range consents {
				if k.Carrier == id && k.Hub == d.Hub && k.Door == d.Name {
					line.ID, line.Until, line.State = k.ID, &k.Until, "ended"
					if k.Until.After(now) {
						line.State = "signed"
					}
					break
				}
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// HubLine is a household's hub, for its resident's app: Key signs live answers.
type HubLine struct {
	ID     string
	Key    []byte
	Paired bool
}

// HubsOf gives the hubs of an account's household.
func (s *Service) HubsOf(ctx context.Context, who Account) (lines []HubLine, err error) {
	if who.Household == "" {
		return nil, nil
	}
	err = s.store.Read(ctx, func(tx Tx) error {
		lines = nil
		hubs, err := find[Hub](tx, Query{Keys: Keys{Household: who.Household}})
		for _, h := range hubs {
			lines = append(lines, HubLine{h.ID, h.Key, h.Paired})
		}
		return err
	})
	return lines, err
}

// Pair makes the order that ties a resident's passkey to a hub, proven with the code on the hub's own screen. The code is used
// here to make the proof and kept nowhere; a resident who does not trust the service pairs on the hub's own page.
func (s *Service) Pair(ctx context.Context, now time.Time, who Account, hub, code, passkey string) (Order, error) {
	if err := who.as(Resident); err != nil {
		return Order{}, err
	}
	if len(code) == 0 || len(code) > 100 {
		return Order{}, invalid("Type the code from the hub's own screen or log.")
	}
	var o Order
	err := s.store.Read(ctx, func(tx Tx) error {
		h, err := own(tx, hub, func(h Hub) bool { return h.Household == who.Household })
		if err != nil {
			return err
		}
		k, err := own(tx, passkey, func(k Passkey) bool { return k.Account == who.ID })
		if err != nil {
			return err
		}
		pk := grant.Passkey{ID: k.Raw, Key: k.Key, Who: k.Account}
		request, err := grant.PairingRequest{Household: who.Household, Passkey: pk, Proof: grant.PairingProof(code, pk, who.Household, h.ID)}.Encode()
		if err != nil {
			return err
		}
		o, err = s.order(now, who.Household, hub, keepNow, bus.Ask{What: bus.AskPair, By: who.ID, Pairing: request})
		return err
	})
	return o, err
}

// Wish is what a resident may order at a door.
type Wish struct {
	What string // bus.AskBlock, AskUnblock, AskLock, AskLeave, AskAck, AskHome, AskHold
	Text string // AskHold: pets, alarm, home, other
	On   bool   // AskHome, AskHold

	Alarms []string // AskAck: the IDs of the alarms that he was shown
}

// Order takes a resident's order at a door. A block or unblock counts as taken from here on: every beat's answer carries the
// new counter, so no unlock begins until the hub has heard of it (S1, S4).
func (s *Service) Order(ctx context.Context, now time.Time, who Account, hub, door string, w Wish) (Order, error) {
	if err := who.as(Resident); err != nil {
		return Order{}, err
	}
	a := bus.Ask{What: w.What, Door: door, By: who.ID}
	keep, key := keepNow, w.What+" "+door
	switch w.What {
	case bus.AskBlock, bus.AskUnblock:
		keep, key = keepForever, "block "+door
	case bus.AskLock, bus.AskLeave:
	case bus.AskAck:
		if len(w.Alarms) == 0 || len(w.Alarms) > maxAcked || slices.ContainsFunc(w.Alarms, func(id string) bool { return id == "" || len(id) > maxAlarmID }) {
			return Order{}, invalid("Name the alarms that you have seen, 32 at the most. On the page: load it again.")
		}
		keep, a.Alarms = keepAck, slices.Clone(w.Alarms)
	case bus.AskHome:
		a.On, keep, key = w.On, keepHome, "home"
	case bus.AskHold:
		if !slices.Contains([]string{"pets", "alarm", "home", "other"}, w.Text) {
			return Order{}, invalid("A condition is pets, alarm, home or other.")
		}
		a.Text, a.On, keep, key = w.Text, w.On, keepHome, "hold "+w.Text+" "+door
	default:
		return Order{}, invalid("There is no such order.")
	}
	var o Order
	var count uint64
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		d, err := who.door(tx, hub, door)
		if err != nil {
			return err
		}
		switch w.What {
		case bus.AskBlock, bus.AskUnblock:
			d.Blocks++
			d.Blocked = w.What == bus.AskBlock
			a.Count, count = d.Blocks, d.Blocks
			if err := put(tx, d); err != nil {
				return err
			}
		case bus.AskAck:
			if events, err = ackAlarms(tx, now, who, hub, door, a.Alarms); err != nil {
				return err
			}
		}
		if o, err = s.order(now, who.Household, hub, keep, a); err != nil {
			return err
		}
		if o.Key = key; len(a.Alarms) > 0 { // a later one acknowledges others, and takes no earlier one's place
			o.Key += " " + strings.Join(a.Alarms, " ")
		}
		return s.keep(tx, &o)
	})
	if err != nil {
		return Order{}, err
	}
	s.feed.add(events...)
	if count > 0 {
		s.setBlocks(hub, door, count)
	}
	s.owed(hub)
	return o, nil
}

// setBlocks makes every beat's answer from now on carry a new counter.
func (s *Service) setBlocks(hub, door string, count uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.hub(hub); l != nil {
		if d := l.door(door); d != nil {
			d.blocks, l.counters = max(d.blocks, count), nil
		}
	}
}

// Close takes a resident's word that an incident was read (S7). For a visit's incident it gives the order that closes it at the
// hub; it is closed once the hub has written that down. One that the service itself saw is closed at once, and the order's
// ID is "".
func (s *Service) Close(ctx context.Context, now time.Time, who Account, incident string) (Order, error) {
	if err := who.as(Resident); err != nil {
		return Order{}, err
	}
	var o Order
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		o, events = Order{}, nil
		i, err := own(tx, incident, func(i Incident) bool { return i.Household == who.Household })
		if err != nil {
			return err
		}
		if !i.Closed.IsZero() {
			return refuse(Conflict, "incident-closed", "This incident is closed already.")
		}
		if i.Visit == "" {
			events, err = closeIncident(tx, i.ID, who.ID, now)
			return err
		}
		if o, err = s.order(now, who.Household, i.Hub, keepClose, bus.Ask{What: bus.AskClose, Door: i.Door, By: who.ID, Visit: i.Visit}); err != nil {
			return err
		}
		o.Key = "close " + i.Visit
		return s.keep(tx, &o)
	})
	if err != nil {
		return Order{}, err
	}
	s.feed.add(events...)
	if o.ID != "" {
		s.owed(o.Hub)
	}
	return o, nil
}

// closeIncident marks one as read, once.
func closeIncident(tx Tx, id, by string, at time.Time) ([]event, error) {
	i, err := get[Incident](tx, id)
	if err != nil || !i.Closed.IsZero() {
		return nil, ignoreNotFound(err)
	}
	i.Closed, i.ClosedBy = at, by
	return []event{i.event()}, put(tx, i)
}

// MayWatch checks that an account may see a door's camera: its household alone (S17).
func (s *Service) MayWatch(ctx context.Context, who Account, hub, door string) error {
	if err := who.as(Resident); err != nil {
		return err
	}
	return s.store.Read(ctx, func(tx Tx) error {
		_, err := who.door(tx, hub, door)
		return err
	})
}
