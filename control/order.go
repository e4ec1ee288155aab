package control

import (
	"context"
	"slices"
	"strings"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// What an order's State says.
const (
	OrderWaiting  = "waiting"
	OrderAnswered = "answered"
	OrderExpired  = "expired"
	OrderPassed   = "passed" // a newer one took its place
)

// Order is an ask on its way to a hub. One that is Kept is stored and sent again until it is answered or NotAfter has passed;
// others live only as long as whoever asked waits.
type Order struct {
	ID        string    `json:"id"` // the ask's
	Hub       string    `json:"hub"`
	Household string    `json:"household"`
	Key       string    `json:"key,omitempty"` // a newer order of the same key takes the older one's place
	Ask       bus.Ask   `json:"ask"`
	Created   time.Time `json:"created"`
	NotAfter  time.Time `json:"not_after"`
	State     string    `json:"state"`
	Kept      bool      `json:"kept"`
	Delivery  string    `json:"delivery,omitempty"`
	Reply     *AskReply `json:"reply,omitempty"`
	Answered  time.Time `json:"answered,omitzero"`
}

// Hubs reaches hubs. Package control/run does it over the bus.
type Hubs interface {
	// Do sends an order, again and again under its one ID (T23), until it is answered or ctx ends, and has the Service take
	// the answer. Without one it gives Service.NoReply: whether the order was carried out is then not known.
	Do(ctx context.Context, o Order) (AskReply, error)
	// Live forwards a viewer's offer and gives the hub's answer; neither is looked into (S17).
	Live(ctx context.Context, hub string, offer []byte) ([]byte, error)
}

// How long orders are sent again.
const (
	keepForever = 100 * 365 * 24 * time.Hour // blocks, consents, revocations: until answered
	keepNow     = time.Minute                // lock now, leave now: an older wish may no longer be one
	keepHome    = 10 * time.Minute           // home, away, conditions
	keepAck     = 10 * time.Minute
	keepClose   = 24 * time.Hour
	keepCourier = 20 * time.Second // a courier is waiting at the door
)

// order makes one; it is not stored.
func (s *Service) order(now time.Time, household, hub string, keep time.Duration, a bus.Ask) (Order, error) {
	id, err := s.newID("ask")
	if err != nil {
		return Order{}, err
	}
	a.ID = id
	return Order{ID: id, Hub: hub, Household: household, Ask: a, Created: now, NotAfter: now.Add(keep), State: OrderWaiting}, nil
}

// keep stores an order that must reach its hub, in the place of older ones with its key.
func (s *Service) keep(tx Tx, o *Order) error {
	o.Kept = true
	if o.Key != "" {
		older, err := find[Order](tx, Query{Keys: Keys{Hub: o.Hub, State: OrderWaiting}})
		if err != nil {
			return err
		}
		for _, p := range older {
			if p.Key == o.Key {
				p.State = OrderPassed
				if err := put(tx, p); err != nil {
					return err
				}
			}
		}
	}
	return put(tx, *o)
}

// owed tells whoever carries orders that there is something new for these hubs. It is said after the order is stored.
func (s *Service) owed(hubs ...string) {
	s.mu.Lock()
	for _, id := range hubs {
		if l := s.hub(id); l != nil {
			l.owed++
		}
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wake gets a value when an order was stored.
func (s *Service) Wake() <-chan struct{} { return s.wake }

const (
	// maxDue bounds what one hub is sent at one look; the rest comes at the next.
	maxDue = 64
	// maxAway bounds the hubs of which nothing was heard that are tried at one look. They take turns: however many they are and
	// however much they are owed, a hub that is there waits for none of them.
	maxAway = 32
)

// Due gives the orders that wait for an answer, each hub's oldest first, and ends those whose time is over.
func (s *Service) Due(ctx context.Context, now time.Time) ([]Order, error) {
	look := s.looks(now)
	if len(look) == 0 {
		return nil, nil
	}
	var due, over []Order
	var paid []string // hubs that are owed nothing
	err := s.store.Read(ctx, func(tx Tx) error {
		due, over, paid = nil, nil, nil
		for _, l := range look {
			all, err := find[Order](tx, Query{Keys: Keys{Hub: l.hub, State: OrderWaiting}, Limit: maxDue})
			if err != nil {
				return err
			}
			if len(all) == 0 {
				paid = append(paid, l.hub)
			}
			for _, o := range all {
				if now.After(o.NotAfter) {
					over = append(over, o)
				} else {
					due = append(due, o)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.settled(look, paid)
	if len(over) > 0 {
		err = s.store.Write(ctx, func(tx Tx) error {
			for _, o := range over {
				if cur, err := get[Order](tx, o.ID); err != nil || cur.State != OrderWaiting {
					continue
				}
				o.State = OrderExpired
				if err := put(tx, o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return due, err
}

// look is one hub that may be owed something, and how often that was said when it was looked at.
type look struct {
	hub  string
	owed uint64
}

// looks chooses the hubs to look at: all that are there, and some of those that are not, in turn.
func (s *Service) looks(now time.Time) []look {
	s.mu.Lock()
	defer s.mu.Unlock()
	var here, away []look
	turn := s.turn
	for i := range s.hubs {
		j := (turn + i) % len(s.hubs)
		l := s.hubs[j]
		if l.owed == 0 {
			continue
		}
		switch {
		case l.here(now):
			here = append(here, look{l.id, l.owed})
		case len(away) < maxAway:
			away = append(away, look{l.id, l.owed})
			s.turn = j + 1
		}
	}
	return append(here, away...)
}

// settled forgets hubs that are owed nothing, unless something was stored for them meanwhile.
func (s *Service) settled(look []look, paid []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range look {
		if l := s.hub(k.hub); l != nil && l.owed == k.owed && slices.Contains(paid, k.hub) {
			l.owed = 0
		}
	}
}

// Answered takes a hub's answer to an order: once, however often it comes.
func (s *Service) Answered(ctx context.Context, now time.Time, o Order, reply AskReply) error {
	// What a hub answers is kept beside orders and deliveries, and shown to people: no more of it than a hub has to say (T20).
	reply.Reason, reply.Sentence, reply.Visit = clip(reply.Reason, 100), clip(reply.Sentence, 2000), clip(reply.Visit, 128)
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		if o.Kept {
			cur, err := get[Order](tx, o.ID)
			if err != nil {
				return err
			}
			if cur.State != OrderWaiting && cur.State != OrderExpired || o.again(reply) {
				return nil
			}
			cur.State, cur.Answered, cur.Reply = OrderAnswered, now, &reply
			if err := put(tx, cur); err != nil {
				return err
			}
		}
		var err error
		events, err = s.answered(tx, now, o, reply)
		return err
	})
	if err == nil {
		s.feed.add(events...)
	}
	return err
}

func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// again says that a hub did not refuse an order but could not take it, and that it must be asked again: an answer without a
// reason has too much to do, a disk may be slow or full, a hub that starts is not configured yet. What only makes a home safer is
// asked for ever.
func (o Order) again(r AskReply) bool {
	if r.OK {
		return false
	}
	switch o.Ask.What {
	case bus.AskBlock, bus.AskUnblock, bus.AskConsent, bus.AskRevoke:
		if r.Reason == interlock.NotConfigured.String() {
			return true
		}
	case bus.AskGrant:
	default:
		return false
	}
	return r.Reason == "" || r.Reason == interlock.LedgerFailed.String() || r.Reason == interlock.LedgerSlow.String()
}

// answered draws the conclusions.
func (s *Service) answered(tx Tx, now time.Time, o Order, r AskReply) ([]event, error) {
	switch o.Ask.What {
	case bus.AskGrant:
		return s.grantAnswered(tx, o, r)
	case bus.AskArrive:
		return s.arriveAnswered(tx, o, r)
	case bus.AskClose:
		if r.OK { // its alarms stand until somebody has seen them: one may have come since he read of the visit (S16)
			return closeIncident(tx, o.Ask.Visit, o.Ask.By, now)
		}
	case bus.AskPair:
		if r.OK {
			h, err := get[Hub](tx, o.Hub)
			if err != nil {
				return nil, err
			}
			h.Paired = true
			return nil, put(tx, h)
		}
	}
	return nil, nil
}

// NoReply is what somebody is told whose order was taken but has not been answered yet.
func (s *Service) NoReply(o Order) AskReply {
	switch o.Ask.What {
	case bus.AskBlock:
		return AskReply{Reason: "hub-silent", Sentence: "The block is taken, but the hub has not answered yet: it is sent until it does. At the latest five seconds from now no unlock can begin. A door that is open already is not bolted by this until the hub hears of it."}
	case bus.AskAck:
		return AskReply{OK: true, Sentence: "Acknowledged. The hub is told as soon as it answers."}
	case bus.AskArrive, bus.AskSlide, bus.AskOut, bus.AskCannot:
		return AskReply{Reason: "hub-silent", Sentence: "The hub does not answer: wait a moment and try again. If that does not help, take the parcel along and call your dispatcher."}
	}
	if o.Kept {
		return AskReply{Reason: "hub-silent", Sentence: "The hub does not answer. Your wish is kept and sent to it again for a while; look at the door to see whether it was done."}
	}
	return AskReply{Reason: "hub-silent", Sentence: "The hub does not answer: try again in a moment."}
}
