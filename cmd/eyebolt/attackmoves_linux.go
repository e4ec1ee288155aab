package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"eyebolt/sim"
)

// attackElsewhere are the moves that no pretend home of this command plays, and what plays them instead.
var attackElsewhere = map[int]string{
	0:  "a resident's hold has no move here",
	13: "the service refuses what is forged before it comes to the hub: TestEachRefusalNamesItsReasonAndDrawsNoBolt",
	15: "this home's service has this machine's clock, which is not turned: control, TestBeatsAfterTheServicesClockWasTurnedBack; the hub's own: bench faults --only clock",
	16: "needs a service that was taken over, with its keys: hub, TestServiceTakenOver",
	18: "needs root, to mount a disk that fails: bench faults --only filesystem",
	19: "a record is changed as a file, beside any home: eyebolt verify, TestVerifyScripts",
	20: "each parser is fuzzed and flooded alone: make fuzz",
	23: "the bus of this home runs over TCP, which loses nothing: hub/run, TestBadBus",
	24: "needs a second household and carrier: api, TestTenantsOverHTTP",
	27: "the pretend contact speaks the truth again every three seconds: the walk test plays magnets, TestWalkOnTheHouse",
	29: "needs a copy of an earlier disk: hub, TestRestoredFromBackup",
}

// attackRefusal says why a scenario cannot be played in the pretend home; empty: it can.
func attackRefusal(sc sim.Scenario) string {
	if len(sc.Homes) != 1 {
		return fmt.Sprintf("it has %d homes, and the pretend home is one", len(sc.Homes))
	}
	p := sc.Homes[0]
	if p.Rough {
		return attackElsewhere[23]
	}
	for _, v := range p.Visit {
		if v.Resident == sim.Comes || v.Resident == sim.Orders || v.Resident == sim.Blocks || v.Courier == sim.Forgetful {
			return fmt.Sprintf("courier %q, resident %q: what they do is a matter of chance in the town", v.Courier, v.Resident)
		}
		for _, m := range v.Moves {
			if why, ok := attackElsewhere[m.Attack]; ok {
				return fmt.Sprintf("T%d: %s", m.Attack, why)
			}
			switch way := m.How % 8; {
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
	case 14:
		return r.asks(ctx, r.delivery, "somebody else's")
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
	case 21:
		r.staysFor(m.For, m.How%2 == 0)
		return nil
	case 22:
		return nil // whom nobody reaches acknowledges nothing: see tidies
	case 26:
		if m.How%2 == 0 {
			r.turnsThief()
		}
		r.goes(func() error { return r.during(ctx, m.For, "jam") })
		return r.during(ctx, m.For, "flood")
	case 28:
		return r.slipsIn(ctx, m.For)
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
