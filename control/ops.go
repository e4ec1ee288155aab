package control

import (
	"context"
	"time"

	"eyebolt/bus"
)

// Ops is an operator's page: this carrier's only, and nothing of the inside of anybody's home (T24, S17).
type Ops struct {
	Carrier    string         `json:"carrier"`
	Admin      bool           `json:"admin"`
	Deliveries []Delivery     `json:"deliveries"`
	Couriers   []OpsCourier   `json:"couriers"`
	Households []OpsHousehold `json:"households"`
	Visits     []VisitSummary `json:"visits"`
	Incidents  []bus.Incident `json:"incidents"`
	Hubs       []OpsHub       `json:"hubs"`
}

// OpsCourier is a courier of this carrier.
type OpsCourier struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Status    string     `json:"status"` // pending, passed, failed, revoked
	Until     *time.Time `json:"until,omitempty"`
	Reference string     `json:"reference,omitempty"`
	Passkeys  int        `json:"passkeys"` // 0: not signed up yet
}

// OpsHousehold is where a carrier delivers.
type OpsHousehold struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Ours    bool   `json:"ours"` // may invite who lives there and is told how many have joined
	// Residents have joined; nil where it is not this carrier's business (T24).
	Residents *int      `json:"residents,omitempty"`
	Doors     []OpsDoor `json:"doors"`
}

// OpsDoor is a door where a carrier delivers.
type OpsDoor struct {
	Hub     string `json:"hub"`
	Door    string `json:"door"`
	Name    string `json:"name"`
	Consent bool   `json:"consent"`         // to this carrier, now
	Phase   string `json:"phase,omitempty"` // of this carrier's own visit
	Reason  string `json:"reason,omitempty"`
}

// OpsHub is whether deliveries can be expected to work.
type OpsHub struct {
	ID        string     `json:"id"`
	Household string     `json:"household"`
	Seen      *time.Time `json:"seen,omitempty"`
	Online    bool       `json:"online"`
	Paired    bool       `json:"paired"`
}

// Ops gives an operator's page.
func (s *Service) Ops(ctx context.Context, now time.Time, who Account) (Ops, error) {
	if err := who.as(Operator); err != nil {
		return Ops{}, err
	}
	var o Ops
	mine := Keys{Carrier: who.Carrier}
	err := s.store.Read(ctx, func(tx Tx) error {
		o = Ops{
			Carrier: who.Carrier, Admin: who.Admin, Deliveries: []Delivery{}, Couriers: []OpsCourier{}, Households: []OpsHousehold{}, Visits: []VisitSummary{},
			Incidents: []bus.Incident{}, Hubs: []OpsHub{},
		}
		ds, err := find[Delivery](tx, Query{Keys: mine, From: now.Add(-7 * 24 * time.Hour), Desc: true, Limit: 500})
		if err != nil {
			return err
		}
		o.Deliveries = append(o.Deliveries, ds...)
		cs, err := find[Courier](tx, Query{Keys: mine, Limit: 1000})
		if err != nil {
			return err
		}
		for _, c := range cs {
			line := OpsCourier{ID: c.ID, Name: c.Name, Status: c.Status, Reference: c.Reference}
			if !c.Until.IsZero() {
				line.Until = &c.Until
			}
			if c.Revoked {
				line.Status = "revoked"
			}
			if c.Account != "" {
				keys, err := find[Passkey](tx, Query{Keys: Keys{Account: c.Account}})
				if err != nil {
					return err
				}
				line.Passkeys = len(keys)
			}
			o.Couriers = append(o.Couriers, line)
		}
		vs, err := find[Visit](tx, Query{Keys: mine, Desc: true, Limit: 200})
		if err != nil {
			return err
		}
		for _, v := range vs {
			o.Visits = append(o.Visits, v.summaryOutside())
		}
		is, err := find[Incident](tx, Query{Keys: Keys{Carrier: who.Carrier, State: stateOpen}, Desc: true, Limit: 200})
		if err != nil {
			return err
		}
		for _, i := range is {
			o.Incidents = append(o.Incidents, i.outside())
		}
		houses, consents, err := s.served(tx, who.Carrier)
		if err != nil {
			return err
		}
		for _, h := range houses {
			line := OpsHousehold{ID: h.ID, Name: h.Name, Address: h.Address, Ours: who.speaksFor(h), Doors: []OpsDoor{}}
			if line.Ours {
				joined, err := find[Account](tx, Query{Keys: Keys{Household: h.ID, State: string(Resident)}})
				if err != nil {
					return err
				}
				n := len(joined)
				line.Residents = &n
			}
			doors, err := find[Door](tx, Query{Keys: Keys{Household: h.ID}})
			if err != nil {
				return err
			}
			for _, d := range doors {
				od := OpsDoor{Hub: d.Hub, Door: d.Name, Name: d.Title}
				for _, c := range consents {
					if c.Hub == d.Hub && c.Door == d.Name && c.Until.After(now) {
						od.Consent = true
					}
				}
				if v, ok := s.view(d.Hub, d.Name); ok && v.GrantID != "" {
					if g, err := get[Grant](tx, v.GrantID); err == nil && g.Carrier == who.Carrier {
						od.Phase, od.Reason = v.Phase, v.Reason
					}
				}
				line.Doors = append(line.Doors, od)
			}
			o.Households = append(o.Households, line)
			hubs, err := find[Hub](tx, Query{Keys: Keys{Household: h.ID}})
			if err != nil {
				return err
			}
			for _, b := range hubs {
				hl := OpsHub{ID: b.ID, Household: h.ID, Online: s.online(now, b.ID), Paired: b.Paired}
				if seen := s.seen(b.ID); !seen.IsZero() {
					hl.Seen = &seen
				}
				o.Hubs = append(o.Hubs, hl)
			}
		}
		return nil
	})
	return o, err
}

// served gives the households that a carrier may know of, and its consents.
func (s *Service) served(tx Tx, carrier string) ([]Household, []Consent, error) {
	houses, err := find[Household](tx, Query{Keys: Keys{Carrier: carrier}, Limit: 1000})
	if err != nil {
		return nil, nil, err
	}
	consents, err := find[Consent](tx, Query{Keys: Keys{Carrier: carrier}})
	if err != nil {
		return nil, nil, err
	}
	known := map[string]bool{}
	for _, h := range houses {
		known[h.ID] = true
	}
	for _, c := range consents {
		if known[c.Household] {
			continue
		}
		known[c.Household] = true
		h, err := get[Household](tx, c.Household)
		if err != nil {
			return nil, nil, err
		}
		houses = append(houses, h)
	}
	return houses, consents, nil
}
