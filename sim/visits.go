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
	must(s.s.Order(bg, s.now(), v.h.side.resident, v.h.side.hub, doorName, w))
	v.h.outside.wished(v.h, w)
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
		v.h.outside.closes(visit)
	}
}

// next books a delivery and sends the courier.
func (v *visits) next() {
	h, s := v.h, v.h.t.service
	v.n++
	p := h.plan.Visit[v.n-1]
	c := &call{n: v.n, plan: p, temper: p.Courier, fired: make([]bool, len(p.Moves)), began: h.t.now}
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
	h.t.tell(h, "operator", "books delivery %d for %s courier, %s resident, %d moves", c.n, orHonest(p.Courier), orHonest(p.Resident), len(p.Moves))
	h.t.after(h.t.span(2*time.Second, 4*time.Second), func() { v.arrive(c) })
	h.t.after(h.t.span(time.Second, 90*time.Second), func() { v.temper(c) })
	h.weather()
	for _, m := range p.Moves { // before anybody is at the door
		if m.Attack == 12 || m.Attack == 14 || m.Attack == 16 {
			h.t.after(1500*time.Millisecond, func() { moves()[m.Attack](h, c, m) })
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

func (v *visits) going(c *call) bool { return v.c == c && !c.gone }

// arrive says "I am at the door", a few times if it is refused.
func (v *visits) arrive(c *call) {
	h, s := v.h, v.h.t.service
	if !v.going(c) {
		return
	}
	later := func() {
		if c.tries++; c.tries > 6 {
			v.leave(c)
			return
		}
		h.t.after(h.t.span(3*time.Second, 8*time.Second), func() { v.arrive(c) })
	}
	if !s.up {
		later()
		return
	}
	o, err := s.s.Arrive(bg, s.now(), h.side.courier, c.delivery.ID, "P1", nil)
	if err != nil {
		later()
		return
	}
	c.chain = o.Ask.Grant
	s.do(o, func(r bus.AskReply) {
		if !v.going(c) {
			return
		}
		if !r.OK {
			h.t.tell(h, "courier", "is refused: %s", r.Reason)
			later()
			return
		}
		h.t.tell(h, "courier", "is at the door")
		c.visit = r.Visit
	})
}

// leave ends the courier's part.
func (v *visits) leave(c *call) {
	if !v.going(c) {
		return
	}
	h, s := v.h, v.h.t.service
	c.gone = true
	h.t.tell(h, "courier", "goes away")
	if c.inside {
		v.goOut(c, true)
	}
	if s.up && (v.view.Phase == interlock.Arming.String() || v.view.Phase == interlock.Ready.String()) && v.view.GrantID == c.delivery.Grant {
		if o, err := s.s.Cannot(bg, s.now(), h.side.courier, c.delivery.ID, "nobody"); err == nil {
			s.do(o, func(bus.AskReply) {})
		}
	}
	h.t.after(5*time.Second, func() { v.wait(c) })
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

// act is what a courier does about what his phone shows.
func (v *visits) act(c *call, w bus.View) {
	h := v.h
	t := h.t
	human := func(least, most time.Duration) time.Duration {
		d := t.span(least, most)
		if c.temper == Slow {
			d *= 4
		}
		return d
	}
	switch {
	case w.Leave && c.inside:
		t.after(human(time.Second, 4*time.Second), func() { v.goOut(c, true) })
	case len(w.Nonce) > 0 && c.slid != string(w.Nonce) && !c.in:
		c.slid = string(w.Nonce)
		nonce := slices.Clone(w.Nonce)
		wait := human(500*time.Millisecond, 3*time.Second)
		if c.temper == Slow {
			wait = t.span(time.Second, 50*time.Second) // the phone rang
		}
		t.after(wait, func() { v.slide(c, nonce) })
	case w.Phase == interlock.Unlocked.String() && !c.in && !c.inside:
		t.after(human(600*time.Millisecond, 4*time.Second), func() { v.goIn(c) })
	case len(w.OutNonce) > 0 && w.Secured && c.outed != string(w.OutNonce) && !c.inside && c.in:
		c.outed = string(w.OutNonce)
		nonce := slices.Clone(w.OutNonce)
		if c.temper == Forgetful && t.rng.IntN(2) == 0 {
			return
		}
		t.after(human(500*time.Millisecond, 5*time.Second), func() { v.out(c, nonce) })
	case (w.Released || w.Phase == interlock.Tail.String()) && !c.inside:
		t.after(human(time.Second, 3*time.Second), func() {
			if c.temper == Thief {
				v.lurk(c)
				return
			}
			v.leave(c)
		})
	}
}

func (v *visits) slide(c *call, nonce []byte) {
	h, s := v.h, v.h.t.service
	if !v.going(c) || !s.up {
		return
	}
	sig := h.side.bike.Sign(nonce)
	h.outside.slides(h, nonce)
	o, err := s.s.Slide(bg, s.now(), h.side.courier, c.delivery.ID, sig)
	if err != nil {
		return
	}
	h.t.tell(h, "courier", "slides to open")
	s.do(o, func(r bus.AskReply) {
		if !r.OK && v.going(c) {
			h.t.tell(h, "courier", "may not: %s", r.Reason)
		}
	})
}

func (v *visits) out(c *call, nonce []byte) {
	h, s := v.h, v.h.t.service
	if v.c != c || !s.up || c.inside {
		return
	}
	o, err := s.s.Out(bg, s.now(), h.side.courier, c.delivery.ID, h.side.bike.Sign(nonce))
	if err != nil {
		return
	}
	h.t.tell(h, "courier", "signs that he is out")
	h.outside.outs(h, nonce)
	s.do(o, func(bus.AskReply) {})
}

// goIn tries the handle.
func (v *visits) goIn(c *call) {
	h := v.h
	if !v.going(c) || c.in || !h.door.canOpen() {
		return
	}
	h.swing(true)
	c.in, c.inside, h.door.within = true, true, true
	stay := h.t.span(3*time.Second, 15*time.Second)
	switch c.temper {
	case Slow:
		stay *= 4
	case Stays:
		stay = h.t.span(time.Minute, 6*time.Minute)
	}
	h.t.after(stay+c.stay, func() { v.goOut(c, false) })
	if c.temper == Stays {
		h.t.after(2*time.Second, func() { h.swing(false) }) // he shuts himself in
	}
}

// goOut leaves by the door, unbolting it from inside if it must be (S11), and closes it behind him.
func (v *visits) goOut(c *call, hurried bool) {
	h := v.h
	if !c.inside {
		return
	}
	if !h.door.open {
		if h.door.thrown {
			h.lock.byHand(h, false, lock.ByInside)
			h.t.after(time.Second, func() { v.goOut(c, hurried) })
			return
		}
		if !h.swing(true) {
			return
		}
		h.t.after(time.Second, func() { v.goOut(c, hurried) })
		return
	}
	c.inside, h.door.within = false, false
	h.t.tell(h, "courier", "comes out")
	if c.temper == Forgetful && !hurried && h.t.rng.IntN(3) == 0 || h.door.propped {
		return // leaves it open
	}
	var shut func()
	n := 0
	shut = func() {
		if h.swing(false) || !h.door.open {
			return
		}
		if n++; n < 20 { // the bolt stands out: he pulls again
			h.t.after(2*time.Second, shut)
		}
	}
	h.t.after(h.t.span(500*time.Millisecond, 2*time.Second), shut)
	h.t.after(90*time.Second, func() {
		if v.c == c {
			v.leave(c)
		}
	})
}

// lurk is a thief who has gone out, and comes in again whenever the door gives way.
func (v *visits) lurk(c *call) {
	h := v.h
	if v.c != c {
		return
	}
	if h.door.canOpen() && !h.door.thief {
		h.t.tell(h, "thief", "goes in again")
		h.swing(true)
		h.door.thief = true
		h.t.after(300*time.Millisecond, func() { h.swing(false) })
		h.t.after(h.t.span(5*time.Second, 40*time.Second), func() {
			if !h.door.thief {
				return // somebody has thrown him out
			}
			if h.door.thrown && !h.door.open {
				h.lock.byHand(h, false, lock.ByInside)
			}
			h.swing(true)
			h.door.thief = false
			h.t.after(time.Second, func() { h.swing(false) })
			v.leave(c)
		})
		return
	}
	if h.t.now-c.began > 4*time.Minute {
		v.leave(c)
		return
	}
	h.t.after(h.t.span(200*time.Millisecond, time.Second), func() { v.lurk(c) })
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
