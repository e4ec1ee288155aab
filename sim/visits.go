package sim

import (
	"encoding/base64"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/interlock"
	"eyebolt/lock"
)

// visits is what happens at one home, one delivery after the other, and what its people see on their phones.
type visits struct {
	h    *home
	n    int // of the one going on, from 1
	over bool
	c    *call
	view bus.View // the newest that the service has

	acking  bool
	ending  bool // nothing more can be delivered here (T29)
	old     []spent
	tidying time.Duration // since when the household puts things in order
	mended  time.Duration // when a camera that was blind was last made to see
}

// spent is a delivery of before, for whoever tries it again (T12).
type spent struct {
	delivery string
	grant    string
	chain    []byte
	until    time.Time
}

// call is one delivery: a courier comes to a door.
type call struct {
	n        int
	plan     Visit
	temper   Temper
	delivery control.Delivery
	chain    []byte // of its grant, as the service sent it
	came     bool   // he has said that he is at the door
	visit    string
	began    time.Duration
	slid     string // the nonce that was signed last
	outed    string
	tries    int
	inside   bool
	gone     bool // he has left for good
	in       bool // he was in once
	fired    []bool
	attacked bool
	stay     time.Duration // longer inside (T21)
	soon     bool          // it began while a lapse of before was still held against the camera
}

// open pairs the household with its hub and begins with the first visit.
func (v *visits) open() {
	h := v.h
	s := h.t.service
	h.t.after(2*time.Second, func() {
		o := must(s.s.Pair(bg, s.now(), h.side.resident, h.side.hub, h.code, base64.RawURLEncoding.EncodeToString(h.side.phone.Public.ID)))
		s.do(o, func(r bus.AskReply) {
			if !r.OK {
				v.open() // a rough bus: once more
				return
			}
			s.consent(&h.side)
			v.order(control.Wish{What: bus.AskHome})
			v.tidying = h.t.now
			h.t.after(3*time.Second, v.tidy)
		})
	})
}

// order is a resident's wish.
func (v *visits) order(w control.Wish) {
	s := v.h.t.service
	if !s.up {
		return
	}
	if w.What == bus.AskAck {
		if w.Alarms = v.seen(); len(w.Alarms) == 0 {
			return // the page has no such button
		}
	}
	must(s.s.Order(bg, s.now(), v.h.side.resident, v.h.side.hub, doorName, w))
	v.h.outside.wished(v.h, w)
}

// seen are the alarms that the resident's page shows now: those that stand at the service, and the one of the door's newest view.
func (v *visits) seen() (ids []string) {
	s := v.h.t.service
	for _, a := range must(s.s.Home(bg, s.now(), v.h.side.resident)).Alarms {
		if !a.Notice && a.Hub == v.h.side.hub && (a.Door == "" || a.Door == doorName) {
			ids = append(ids, a.ID)
		}
	}
	slices.Reverse(ids) // oldest first
	if id := v.view.AlarmID; id != "" && !slices.Contains(ids, id) {
		ids = append(ids, id)
	}
	return ids[max(0, len(ids)-32):]
}

// tidy puts the house in order between two visits, as a household does that wants the next parcel: the door closed and bolted by
// hand, the alarm acknowledged, incidents read and closed, the block lifted. Faults have ended by then.
func (v *visits) tidy() {
	h, s := v.h, v.h.t.service
	if v.ending || v.n >= len(h.plan.Visit) {
		v.over = true
		return
	}
	h.calm()
	again := func() { h.t.after(2*time.Second, v.tidy) }
	if h.t.now-v.tidying > 25*time.Minute {
		h.t.broke(h, "S18", "the door cannot be used again 25 minutes after everything was put right: %s (%s), alarm %q, %d incidents, unready %v",
			v.view.Phase, v.view.Reason, v.view.Alarm, len(v.view.Incidents), v.view.Unready)
		v.over = true
		return
	}
	d := &h.door
	switch {
	case !h.up || !s.up || s.skew != 0 || h.t.now-v.h.bootAt < 3*time.Second:
	case d.open && d.thrown:
		h.lock.byHand(h, false, lock.ByInside)
	case d.open:
		h.swing(false)
	case !d.thrown && v.view.Phase == interlock.Idle.String():
		h.lock.byHand(h, true, lock.ByResident)
	case v.view.Alarm != "":
		v.order(control.Wish{What: bus.AskAck})
	case v.view.Phase != interlock.Idle.String():
	case len(v.view.Incidents) > 0:
		v.close(v.view.Incidents[0].Visit)
	case v.view.Blocked:
		v.order(control.Wish{What: bus.AskUnblock})
	case len(v.view.Holds) > 0:
		v.order(control.Wish{What: bus.AskHold, Text: v.view.Holds[0]})
	case v.view.Home:
		v.order(control.Wish{What: bus.AskHome})
	default:
		v.next()
		return
	}
	again()
}

// close reads an incident and closes it.
func (v *visits) close(visit string) {
	s := v.h.t.service
	if o, err := s.s.Close(bg, s.now(), v.h.side.resident, visit); err == nil && o.ID != "" {
		v.h.outside.closes(v.h, visit)
	}
}

// next books a delivery and sends the courier.
func (v *visits) next() {
	h, s := v.h, v.h.t.service
	v.n++
	p := h.plan.Visit[v.n-1]
	c := &call{n: v.n, plan: p, temper: p.Courier, fired: make([]bool, len(p.Moves)), began: h.t.now, soon: v.mended > 0 && h.t.now-v.mended < hold+2*time.Second}
	b := control.Booking{Household: h.side.household, Door: doorName, Courier: h.side.courierID, From: s.now().Add(-time.Minute), Until: s.now().Add(22 * time.Minute), Parcels: []string{"P1"}}
	d, err := s.s.Book(bg, s.now(), h.side.courierOperator(s), b)
	if err != nil {
		h.t.broke(h, "S18", "nothing can be booked on a day like any other: %v", err)
		v.over = true
		return
	}
	c.delivery = d
	c.chain = s.chainOf(d)
	v.c = c
	h.outside.begins(h, c)
	h.chronicle.begins(h, c.n)
	h.t.tell(h, "operator", "books delivery %d for %s courier, %s resident, %d moves", c.n, orHonest(p.Courier), orHonest(p.Resident), len(p.Moves))
	h.t.after(h.t.span(2*time.Second, 4*time.Second), func() { v.arrive(c) })
	h.t.after(h.t.span(time.Second, 90*time.Second), func() { v.temper(c) })
	h.weather()
	for _, m := range p.Moves { // before anybody is at the door
		if m.Attack == 12 || m.Attack == 14 || m.Attack == 16 {
			h.t.after(1500*time.Millisecond, func() {
				h.chronicle.moves(h, m, h.outside.view.Phase)
				moves()[m.Attack](h, c, m)
			})
		}
	}
	h.t.after(20*time.Minute, func() { v.leave(c) })
}

func (k *side) courierOperator(s *service) control.Account { return s.root }

func orHonest(t Temper) Temper {
	if t == Honest {
		return "an honest"
	}
	return "a " + t
}

// wait has the household wait until the hub is done with the visit; then it puts things in order.
func (v *visits) wait(c *call) {
	h := v.h
	if v.c != c {
		return
	}
	idle := v.view.Phase == interlock.Idle.String() && h.up
	lasts := h.t.now - c.began
	if idle && h.outside.quiet(h) || lasts > 20*time.Minute || v.ending {
		v.old = append(v.old, spent{c.delivery.ID, c.delivery.Grant, c.chain, c.delivery.Until})
		h.outside.ends(h, c)
		v.c = nil
		v.tidying = h.t.now
		h.t.after(h.t.span(time.Second, 20*time.Second), v.tidy)
		return
	}
	if lasts > 3*time.Minute || v.view.Alarm != "" && lasts > time.Minute {
		// somebody comes and looks after it
		h.calm()
		d := &h.door
		switch {
		case d.open && d.thrown:
			h.lock.byHand(h, false, lock.ByInside)
		case d.open:
			h.swing(false)
		}
		d.thief = false
	}
	if v.view.Alarm != "" && (c.plan.Resident != Ignores || lasts > 8*time.Minute) && !v.acking && h.t.service.up {
		v.acking = true
		h.t.after(h.t.span(5*time.Second, 40*time.Second), func() {
			v.acking = false
			if h.t.service.up && v.view.Alarm != "" {
				v.order(control.Wish{What: bus.AskAck})
			}
		})
	}
	h.t.after(2*time.Second, func() { v.wait(c) })
}

// shown is a view that reached the service, and so the phones.
func (v *visits) shown(h *home, w bus.View) {
	if w.Seq <= v.view.Seq && !w.At.After(v.view.At) && !v.view.At.After(h.t.service.now().Add(time.Minute)) {
		return // as the service itself: older than what is shown
	}
	v.view = w
	if c := v.c; c != nil && !c.gone && w.GrantID == c.delivery.Grant && w.Visit != "" {
		c.visit = w.Visit
		v.act(c, w)
	}
}

// temper is what a resident does out of his own mood, once a visit.
func (v *visits) temper(c *call) {
	h := v.h
	if v.c != c || !h.t.service.up {
		return
	}
	switch c.plan.Resident {
	case Blocks:
		h.t.tell(h, "resident", "blocks the door")
		v.order(control.Wish{What: bus.AskBlock})
	case Comes:
		h.t.tell(h, "resident", "comes home")
		h.lock.byHand(h, false, lock.ByResident)
		h.t.after(2*time.Second, func() { h.swing(true) })
		h.t.after(6*time.Second, func() { h.swing(false) })
		h.t.after(9*time.Second, func() { h.lock.byHand(h, true, lock.ByResident) })
	case Orders:
		w := []control.Wish{
			{What: bus.AskLock},
			{What: bus.AskLeave},
			{What: bus.AskHome, On: true},
			{What: bus.AskHome},
			{What: bus.AskHold, Text: "pets", On: true},
			{What: bus.AskHold, Text: "pets"},
			{What: bus.AskAck},
			{What: bus.AskUnblock},
		}[h.t.rng.IntN(8)]
		h.t.tell(h, "resident", "presses %s", w.What)
		v.order(w)
		h.t.after(h.t.span(time.Second, 20*time.Second), func() { v.temper(c) })
	}
}

// came tells that the hub has come to a phase: whoever has waited for it moves.
func (v *visits) came(phase string) {
	c := v.c
	if c == nil {
		return
	}
	for i, m := range c.plan.Moves {
		if c.fired[i] || m.At != phase {
			continue
		}
		c.fired[i] = true
		v.h.t.after(m.After, func() {
			if v.c != c {
				return
			}
			c.attacked = true
			at := v.h.outside.view.Phase
			if m.Attack != household {
				v.h.t.tally.Moves[Cell{m.Attack, at}]++
			}
			v.h.chronicle.moves(v.h, m, at)
			v.h.t.tell(v.h, "MOVE", "T%d for %v, way %d", m.Attack, m.For, m.How)
			moves()[m.Attack](v.h, c, m)
		})
	}
}

// weather has good Wi-Fi fail by itself as the model of links says (link.go): an outage of 1 to 5 s each twelve hours. With pictures the
// link itself does it.
func (h *home) weather() {
	if h.plan.Wired || h.t.opt.Pictures {
		return
	}
	at := time.Duration(h.t.rng.ExpFloat64() / Links[1].outages * float64(time.Hour))
	if at < 5*time.Minute {
		h.t.after(at, func() {
			h.t.tell(h, "weather", "the Wi-Fi fails")
			h.darken(h.t.span(time.Second, 5*time.Second))
		})
	}
}
