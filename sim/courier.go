package sim

import (
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/lock"
)

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
	c.chain, c.came = o.Ask.Grant, true
	s.do(o, func(r bus.AskReply) {
		if !v.going(c) {
			return
		}
		if !r.OK {
			h.t.tell(h, "courier", "is refused: %s", r.Reason)
			if w := h.outside.view; !h.plan.Rough && w.Visit != "" && w.GrantID == c.delivery.Grant && w.Visit == c.visit && r.Reason != "hub-silent" && r.Reason != "ledger-failed" {
				h.t.broke(h, "S2", "an arrival is refused (%s), and its visit begins", r.Reason)
			}
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
			if h.thiefOut() {
				v.leave(c)
			}
		})
		return
	}
	if h.t.now-c.began > 4*time.Minute {
		v.leave(c)
		return
	}
	h.t.after(h.t.span(200*time.Millisecond, time.Second), func() { v.lurk(c) })
}
