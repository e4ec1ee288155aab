package locktest

import (
	"errors"
	"slices"
	"time"

	"eyebolt/lock"
)

// command is one that has reached the wire.
func (f *Fake) command(to lock.Bolt) {
	f.wire = append(f.wire, Sent{At: f.cfg.Now(), Unlock: to == lock.BoltDrawn})
	lie := f.lie
	switch lie {
	case AckedNotDone:
	case Failed:
		f.later(2*f.cfg.Delay, func() func() {
			return f.say(lock.Report{What: lock.OfFailure, Err: errors.New("the lock did not answer")})
		})
	case Late:
		f.later(f.cfg.Delay+f.cfg.LateBy, func() func() { f.move(to, lie); return nil })
	case Twice:
		f.later(f.cfg.Delay, func() func() { f.move(to, lie); return nil })
		f.later(f.cfg.Delay+f.cfg.LateBy, func() func() { f.move(to, lie); return nil })
	case Honest, DoneNotAcked, Jammed:
		f.later(f.cfg.Delay, func() func() { f.move(to, lie); return nil })
	}
}

// move runs the motor; a newer movement overtakes an older one.
func (f *Fake) move(to lock.Bolt, lie Lie) {
	f.motor++
	mine := f.motor
	f.later(f.cfg.Travel, func() func() {
		if mine != f.motor {
			return nil
		}
		if to == lock.BoltThrown && lie == Jammed {
			to = lock.BoltJammed
		}
		f.bolt = to
		if lie == DoneNotAcked {
			return nil
		}
		f.later(f.cfg.Delay, func() func() { return f.say(lock.Report{What: lock.OfBolt, Bolt: to}) })
		return nil
	})
}

// Truth is where bolt and door are.
func (f *Fake) Truth() (lock.Bolt, lock.Door) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open {
		return f.bolt, lock.DoorOpen
	}
	return f.bolt, lock.DoorClosed
}

// Hand turns the knob inside.
func (f *Fake) Hand(to lock.Bolt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.motor++
	f.bolt = to
	f.later(f.cfg.Delay, func() func() { return f.say(lock.Report{What: lock.OfBolt, Bolt: to, By: lock.ByInside}) })
}

// Door opens or closes the door.
func (f *Fake) Door(open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = open
	r := lock.Report{What: lock.OfDoor, Door: lock.DoorClosed}
	if open {
		r.Door = lock.DoorOpen
	}
	f.later(f.cfg.Delay, func() func() { return f.say(r) })
}

// Battery reports a charge.
func (f *Fake) Battery(percent int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.later(f.cfg.Delay, func() func() { return f.say(lock.Report{What: lock.OfBattery, Percent: percent}) })
}

// Lie sets how commands are treated from now on.
func (f *Fake) Lie(l Lie) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lie = l
}

// Path cuts or heals the path.
func (f *Fake) Path(up bool) { f.reachable(func() { f.pathDown = !up }) }

// Peer ends or starts the peer.
func (f *Fake) Peer(up bool) { f.reachable(func() { f.peerDown = !up }) }

func (f *Fake) reachable(set func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set()
	down := f.pathDown || f.peerDown
	f.later(0, func() func() {
		health := f.all(lock.Report{What: lock.OfHealth, OK: true})
		if down {
			health = f.all(lock.Report{What: lock.OfHealth, Err: lock.ErrOffline})
		}
		bolt, door := f.all(lock.Report{What: lock.OfBolt}), f.all(lock.Report{What: lock.OfDoor})
		return func() { bolt(); door(); health() }
	})
}

// Plant does nothing: a fake's driver has no memory that could lie.
func (f *Fake) Plant(lock.Bolt) {}

// Wire is every command that got through.
func (f *Fake) Wire() []Sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.wire)
}

var _ World = (*Fake)(nil)

// Settled waits until nothing is planned: every command has had its effect, every report is out.
func (f *Fake) Settled() {
	done := make(chan struct{})
	var check func() func()
	check = func() func() {
		if f.agenda.len() == 0 {
			close(done)
			return nil
		}
		f.later(time.Millisecond, check)
		return nil
	}
	f.mu.Lock()
	f.later(0, check)
	f.mu.Unlock()
	<-done
}
