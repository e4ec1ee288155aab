package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"eyebolt/sim"
)

// attackRefusal says why a scenario cannot be played in the pretend home; empty: it can.
func attackRefusal(sc sim.Scenario) string {
	for _, other := range sc.Homes[1:] {
		if len(other.Visit) > 0 { // those without a visit are other households of the same service
			return fmt.Sprintf("it has visits in %d homes, and the pretend home is one", len(sc.Homes))
		}
	}
	p := sc.Homes[0]
	if p.Rough {
		return "its bus is rough from the first hour on, and its lock's reports get lost: hub/run, TestBadBus"
	}
	for _, v := range p.Visit {
		if v.Resident == sim.Comes || v.Resident == sim.Orders || v.Resident == sim.Blocks || v.Courier == sim.Forgetful {
			return fmt.Sprintf("courier %q, resident %q: what they do is a matter of chance in the town", v.Courier, v.Resident)
		}
		for _, m := range v.Moves {
			switch way := m.How % 8; {
			case m.Attack == 0:
				return "a resident's hold has no move here"
			case m.Attack == 13 && m.How%4 != 0:
				return fmt.Sprintf("T13, way %d: the pretend phones always verify who holds them, for this very page: hub, TestSlideRefused", m.How%4)
			case m.Attack == 15 && noClock() != "":
				return "T15: " + noClock()
			case m.Attack == 18 && m.How%7 != 0:
				return fmt.Sprintf("T18, way %d: bench faults --only disk plays disks that fail otherwise than by being full", m.How%7)
			case m.Attack == 18 && os.Geteuid() != 0:
				return "T18: needs root, to mount a disk of the hub's own"
			case m.Attack == 24 && m.How%3 == 0:
				return "T24, way 0: no stranger, but a delivery that is taken back: hub, TestRefusedAtTheDoor"
			case m.Attack == 29 && len(p.Visit) < 2:
				return "T29: the backup must be of a visit before"
			case m.Attack == 5 && m.How%2 != 0:
				return "T5, a loop that was coded anew: bench liveness judges those"
			case m.Attack == 17 && (way == 2 || way == 7):
				return fmt.Sprintf("T17, way %d: the pretend lock cannot fail like that; lock/locktest has each driver's", way)
			case m.Attack == 26 && m.How%4 == 1:
				return "T26 with a camera on a cable: the lab plays it (docs/LAB.md)"
			}
		}
	}
	return ""
}

// begins begins a move, and plans its end.
func (r *attackRun) begins(ctx context.Context, m sim.Move) error {
	h := r.home
	house := h.town.house.homes[0]
	switch m.Attack {
	case 1:
		r.turnsThief()
		return r.during(ctx, m.For, "flood")
	case 2:
		return r.during(ctx, m.For, "flood")
	case 3:
		if r.plan.Dumb {
			return r.during(ctx, m.For, "block")
		}
		return r.holds(ctx, m.For, house.Jam)
	case 4:
		return r.during(ctx, m.For, "sensor")
	case 5:
		return r.during(ctx, m.For, "replay")
	case 6:
		return r.during(ctx, m.For, "lag")
	case 7:
		return r.during(ctx, m.For, "cover")
	case 8:
		return r.during(ctx, 20*time.Second+m.For, "unplug")
	case 9:
		if m.How%3 == 2 {
			return r.stops(ctx, m.For)
		}
		return r.unplugs(ctx, 0, m.For)
	case 10:
		return r.during(ctx, m.For, "uplink")
	case 11:
		wait := time.Duration(0)
		if m.How%2 != 0 {
			wait = 4 * time.Second
		}
		r.goes(func() error { return r.unplugs(ctx, wait, m.For) })
		r.goes(func() error { return r.during(ctx, m.For, "uplink") })
		r.goes(func() error { return r.during(ctx, m.For, "jam") })
		return r.during(ctx, m.For, "flood")
	case 12:
		return r.asks(ctx, r.before, r.parcel)
	case 13:
		return r.forges(ctx, m.How)
	case 14:
		return r.asks(ctx, r.delivery, "somebody else's")
	case 15:
		return r.turnsClock(ctx, m.For, m.How)
	case 16:
		return r.takenOver(ctx, m.How)
	case 17:
		d := m.For + 2*time.Second
		switch m.How % 8 {
		case 0:
			return r.holds(ctx, d, house.Mute)
		case 3:
			return r.holds(ctx, d, func(on bool) { house.LateBy(map[bool]time.Duration{true: 5 * time.Second}[on]) })
		case 4:
			return r.holds(ctx, d, func(on bool) { house.Twice(map[bool]time.Duration{true: 8 * time.Second}[on]) })
		case 5:
			return r.holds(ctx, d, house.Jam)
		default: // it acknowledges and does nothing; it runs against something and says nothing
			return r.holds(ctx, d, house.BlockQuietly)
		}
	case 18:
		return r.fills(ctx, m.For)
	case 19:
		return r.edits(ctx, m.How)
	case 20:
		return r.babbles(ctx, m.For)
	case 21:
		r.staysFor(m.For, m.How%2 == 0)
		return nil
	case 22:
		return nil // whom nobody reaches acknowledges nothing: see tidies
	case 23:
		way := h.town.house.uplink
		_ = r.holds(ctx, m.For, func(on bool) { way.Roughen(on, uint64(h.now())) })
		if did := way.Said(); did.Dropped == 0 || did.Doubled == 0 || did.Passed == 0 {
			return fmt.Errorf("the bus was not rough: %+v", did)
		}
		return ctx.Err()
	case 24:
		return r.strangers(ctx)
	case 26:
		if m.How%2 == 0 {
			r.turnsThief()
		}
		r.goes(func() error { return r.during(ctx, m.For, "jam") })
		return r.during(ctx, m.For, "flood")
	case 27:
		return r.holds(ctx, m.For, house.Magnet)
	case 28:
		return r.slipsIn(ctx, m.For)
	case 29:
		return r.restores(ctx, m.For)
	case 30:
		other, err := h.town.cast.Book(ctx, "P2")
		if err != nil {
			return err
		}
		return r.asks(ctx, other, "P2")
	}
	return fmt.Errorf("attack T%d has no move here", m.Attack)
}

// during has one of the world's attacks go on for d.
func (r *attackRun) during(ctx context.Context, d time.Duration, id string) error {
	w := r.home.town.world
	r.mu.Lock()
	r.blinded = r.blinded || id == "lag" || id == "unplug" || id == "replay"
	r.mu.Unlock()
	if err := w.Attack(id, true); err != nil {
		return err
	}
	_ = sleep(ctx, d)
	return w.Attack(id, false)
}

// holds has a device fail for d.
func (r *attackRun) holds(ctx context.Context, d time.Duration, set func(bool)) error {
	set(true)
	_ = sleep(ctx, d)
	set(false)
	return nil
}

// unplugs takes the hub's power after wait, for d.
func (r *attackRun) unplugs(ctx context.Context, wait, d time.Duration) error {
	if err := sleep(ctx, wait); err != nil {
		return err
	}
	r.home.kill()
	if err := sleep(ctx, max(d, 700*time.Millisecond)); err != nil {
		return err
	}
	return r.home.start(ctx)
}

// stops has the hub's process stand still for d.
func (r *attackRun) stops(ctx context.Context, d time.Duration) error {
	p := r.home.process().cmd.Process
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	_ = sleep(ctx, d)
	return p.Signal(syscall.SIGCONT)
}

// slipsIn is a second person who walks in through the open door and comes out after d.
func (r *attackRun) slipsIn(ctx context.Context, d time.Duration) error {
	w, house := r.home.town.world, r.home.town.house.homes[0]
	if err := house.OpenDoor(); err != nil {
		return err
	}
	if err := house.Enter(); err != nil {
		return err
	}
	_ = sleep(ctx, d)
	w.Knob()
	if err := house.Leave(); err != nil {
		return err
	}
	_ = sleep(ctx, time.Second)
	_ = w.Shut()
	return nil
}
