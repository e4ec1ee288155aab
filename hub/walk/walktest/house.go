// Package walktest walks pretend doors in no time: a house with a truth behind its devices, devices that may lie about it, and a person
// who does what the walk test asks of him. Tests take certificates from it; what gives them is package walk itself.
package walktest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"eyebolt/hub/walk"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// House is one door's truth, and how its devices and its person fail. The zero House is bolted, closed and honest.
type House struct {
	// How it fails.
	Deaf       bool          // the lock does nothing and says nothing
	SaysThrown bool          // it says "thrown" whatever its bolt does
	Mute       bool          // it does not say that it is jammed
	Drops      bool          // the order to throw the blocked bolt is lost on the air
	Dead       bool          // the lock answers nothing while its bolt is blocked, as after a loss of its radio that nobody tells of
	Hand       bool          // it does not tell what is done by hand
	Magnet     bool          // the contact calls a door closed that is ajar
	Stuck      bool          // the contact never changes its word
	LocksIn    bool          // the bolted door does not open from inside
	Shared     bool          // the lock hangs on the camera's plug
	Slow       time.Duration // more than a report takes anyway
	Smoky      bool          // a smoke sensor that is not heard
	Wireless   bool          // pulling the plug changes nothing
	Drawn      bool          // it begins with its bolt drawn
	Speaks     time.Duration // how often the contact speaks by itself; 0: never

	thrown, open, ajar, blocked bool
	tried                       bool // the blocked bolt ran against its block
	dark                        int  // camera without power, from 1
	at                          time.Duration
	now                         func(walk.Fact)
	later                       []event
	spoke                       time.Duration
	order                       []walk.Do
}

type event struct {
	at time.Duration
	do func()
}

const (
	step  = 100 * time.Millisecond
	radio = 300 * time.Millisecond // from an order to the report
	hand  = 400 * time.Millisecond // from a press to the deed
)

// Certificate is what the walk test gives for a door at which everything is as it should be.
func Certificate(door, made string, cameras ...string) walk.Certificate {
	h := House{}
	c, err := h.Walk(walk.Config{Door: door, For: made, Cameras: cameras, Can: Honest})
	if err != nil {
		panic(err)
	}
	return c
}

// Honest is what the house's lock claims.
var Honest = lock.Can{Bolt: true, Door: true, Jam: true, By: true, Battery: true, Poll: true, Expiry: true}

// Walk walks the door from the beginning to the end. A step that failed is not tried again.
func (h *House) Walk(cfg walk.Config) (walk.Certificate, error) {
	w, err := walk.New(cfg)
	if err != nil {
		return walk.Certificate{}, err
	}
	h.thrown = !h.Drawn
	h.now = func(f walk.Fact) {
		f.At = h.at
		h.order = append(h.order, w.Take(f)...)
	}
	h.health(true)
	h.door(false)
	h.bolt(false, lock.ByUnknown)
	for acts, turn := 0, uint32(0); h.at < 2*time.Hour; h.at += step {
		h.live(cfg)
		h.do()
		v := w.View(h.at)
		if v.Stage == walk.AtEnd.String() {
			return w.Certificate(Made), nil
		}
		if v.Turn != turn {
			acts, turn = 0, v.Turn
		}
		if acts++; acts == int(walk.Glance/step)+1 { // long enough to read
			h.person(v, w.View)
		}
	}
	return walk.Certificate{}, errors.New("walktest: the walk did not end in two hours")
}

// Made is when all pretend walks were made.
var Made = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// live lets a step of time pass.
func (h *House) live(cfg walk.Config) {
	for i, name := range cfg.Cameras {
		state, age := liveness.Live, 80*time.Millisecond
		if h.dark == i+1 {
			state, age = liveness.Lost, 1600*time.Millisecond
		}
		h.now(walk.Fact{Kind: walk.Watched, Camera: name, State: state, Age: age})
	}
	if h.Speaks > 0 && h.at-h.spoke >= h.Speaks {
		h.spoke = h.at
		h.door(false)
	}
	for len(h.later) > 0 && h.later[0].at <= h.at {
		e := h.later[0]
		h.later = h.later[1:]
		e.do()
	}
	h.now(walk.Fact{Kind: walk.Tick})
}

func (h *House) after(d time.Duration, do func()) {
	h.later = append(h.later, event{h.at + d, do})
	slices.SortStableFunc(h.later, func(a, b event) int { return int(a.at - b.at) })
}

// do carries the walk's orders out.
func (h *House) do() {
	for _, o := range h.order {
		switch o.What {
		case walk.DoLock:
			if h.open {
				panic("walktest: S11: a bolt was thrown while the door stood open")
			}
			h.after(radio+h.Slow, func() { h.move(true) })
		case walk.DoUnlock:
			h.after(radio+h.Slow, func() { h.move(false) })
		case walk.DoPoll:
			h.after(radio, func() { h.bolt(true, lock.ByUnknown) })
		}
	}
	h.order = nil
}

func (h *House) move(out bool) {
	if h.Deaf {
		return
	}
	if out && h.blocked && h.Drops {
		return
	}
	if h.tried = out && h.blocked; h.tried && !h.SaysThrown {
		if !h.Mute {
			h.report(lock.Report{What: lock.OfBolt, Bolt: lock.BoltJammed, By: lock.ByRemote})
		}
		return
	}
	h.thrown = out
	h.bolt(false, lock.ByRemote)
}

func (h *House) report(r lock.Report) {
	r.At = h.at
	h.now(walk.Fact{Kind: walk.Reported, Report: r})
}

func (h *House) health(ok bool) { h.report(lock.Report{What: lock.OfHealth, OK: ok}) }

func (h *House) bolt(asked bool, by lock.By) {
	if h.Deaf || h.Shared && h.dark > 0 || h.Dead && h.blocked {
		return
	}
	b := lock.BoltDrawn
	if h.thrown {
		b = lock.BoltThrown
	}
	h.report(lock.Report{What: lock.OfBolt, Bolt: b, By: by, Solicited: asked})
}

func (h *House) door(changed bool) {
	d := lock.DoorClosed
	if h.open || h.ajar && !h.Magnet {
		d = lock.DoorOpen
	}
	if h.Stuck && changed {
		return
	}
	h.report(lock.Report{What: lock.OfDoor, Door: d})
}

// swing moves the door a moment later.
func (h *House) swing(open, ajar bool) {
	h.after(hand, func() {
		h.open, h.ajar = open, ajar
		h.door(true)
	})
}

// person does what is asked.
func (h *House) person(v walk.View, look func(time.Duration) walk.View) {
	press := func(p walk.Press) { h.now(walk.Fact{Kind: walk.Pressed, Press: p, Turn: v.Turn}) }
	switch v.Stage {
	case "failed":
		press(walk.Next)
		return
	case "ask":
		h.ask(v, press)
		return
	case "press":
	default:
		if v.Step == "plug" && h.dark > 0 {
			h.after(3*time.Second, func() {
				h.dark = 0
				h.health(true)
			})
		}
		return
	}
	h.prepare(v)
	h.after(time.Second, func() {
		if v = look(h.at); v.Hint != "" {
			h.byHand(v)
		}
		h.after(time.Second, func() {
			if press(walk.Go); look(h.at).Hint != "" && look(h.at).Turn == v.Turn {
				press(walk.Cannot)
				if v.Number == 0 {
					h.at = 3 * time.Hour // a walk that cannot begin
				}
			}
		})
		switch v.Step {
		case "open":
			h.after(time.Second, func() { h.swing(true, false) })
		case "close":
			h.after(time.Second, func() { h.swing(false, false) })
		case "plug":
			if !h.Wireless {
				h.after(time.Second, func() { h.after(hand, func() { h.pull(v) }) })
			}
		case "smoke":
			if !h.Smoky {
				h.after(2*time.Second, func() { h.report(lock.Report{What: lock.OfSmoke}) })
				h.after(9*time.Second, func() { h.report(lock.Report{What: lock.OfSmoke, OK: true}) })
			}
		}
	})
}

func (h *House) pull(v walk.View) {
	for i, c := range v.Cameras {
		if c.Name == v.Camera {
			h.dark = i + 1
		}
	}
	if h.Shared {
		h.health(false)
	}
}

// prepare is what the person does before he presses.
func (h *House) prepare(v walk.View) {
	switch v.Step {
	case "ajar":
		h.swing(false, true)
	case "close":
		h.swing(true, false)
	case "jam":
		h.swing(true, false)
		h.after(600*time.Millisecond, func() { h.blocked = true; h.swing(false, false) })
	case "inside", "home", "bolt", "draw":
		h.after(200*time.Millisecond, func() { h.blocked = false; h.swing(false, false) })
	}
}

// byHand brings the bolt to where the walk wants it, as its hint says.
func (h *House) byHand(v walk.View) {
	switch v.Step {
	case "bolt", "jam", "inside", "home":
		h.thrown = false
	case "draw":
		h.thrown = true
	}
	h.bolt(false, lock.ByInside)
}

func (h *House) ask(v walk.View, press func(walk.Press)) {
	switch {
	case v.Asks == "tried" && h.tried:
		press(walk.Yes)
	case v.Step == "jam":
		press(walk.No)
	case v.Step != "inside":
		if h.thrown && !h.blocked {
			press(walk.Yes)
		} else {
			press(walk.No)
		}
	case h.LocksIn:
		press(walk.No)
	default:
		h.thrown = false
		if !h.Hand {
			h.bolt(false, lock.ByInside)
		}
		h.swing(true, false)
		h.after(time.Second, func() { press(walk.Yes) })
	}
}

// Say prints a certificate for a test's transcript.
func Say(c walk.Certificate) string {
	out := fmt.Sprintf("passed=%v ended=%v proven=%+v stale=%v\n", c.Passed, c.Ended, c.Proven, c.DoorStale())
	for _, r := range c.Steps {
		out += fmt.Sprintf("  %-7s %-6s ok=%-5v %s\n", r.Step, r.Camera, r.OK, r.Say)
	}
	for _, d := range c.Delays {
		out += fmt.Sprintf("  %+v\n", d)
	}
	return out
}
