package home

import "time"

// ackDelay is how long a radio round trip to the lock takes; 60 ms were measured on a real mesh's stub.
const ackDelay = 60 * time.Millisecond

// Jam blocks the bolt on its way out: a Lock is acknowledged, makes its sound, ends half way and is reported
// not_fully_locked.
func (h *Home) Jam(on bool) { h.fault(func(f *faults) { f.jam = on }) }

// BlockQuietly blocks the bolt both ways without a word: commands are acknowledged, the sound is played, nothing moves and nothing
// is reported (T3).
func (h *Home) BlockQuietly(on bool) { h.fault(func(f *faults) { f.quiet = on }) }

// Mute lets the lock hear and obey while nothing it says arrives: the bridge logs a failure although the bolt moved.
func (h *Home) Mute(on bool) { h.fault(func(f *faults) { f.mute = on }) }

// Silence is a jammed or dead radio: no command arrives, no report leaves, lock and sensor alike (T26).
func (h *Home) Silence(on bool) { h.fault(func(f *faults) { f.silence = on }) }

// Hang makes the bridge hear nothing, and once it wakes take all that came meanwhile, as a process does that was stopped.
func (h *Home) Hang(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults.hang = on
	if on {
		return
	}
	held := h.held
	h.held = nil
	for _, m := range held {
		h.taken(m.topic, m.payload, m.retain)
	}
}

// LateBy makes the lock obey that much later, as a sleeping lock or a mesh that queues does. 0 ends it.
func (h *Home) LateBy(d time.Duration) { h.fault(func(f *faults) { f.late = max(d, 0) }) }

// Twice makes the lock do each command a second time, d after the first. 0 ends it.
func (h *Home) Twice(d time.Duration) { h.fault(func(f *faults) { f.again = max(d, 0) }) }

// Battery sets the lock's charge in percent and reports it.
func (h *Home) Battery(percent int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.truth.Battery = min(max(percent, 0), 100)
	h.tell(h.cfg.Lock, device{"battery": h.truth.Battery})
}

func (h *Home) fault(set func(*faults)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	set(&h.faults)
}

// command is a lock or unlock that the bridge hands to the radio.
func (h *Home) command(to Bolt) {
	f := h.faults
	if f.silence {
		h.after(h.cfg.RadioTimeout, func() { h.failed("set", commandName(to)) })
		return
	}
	h.after(ackDelay, func() {
		h.truth.Commands++
		if f.mute {
			h.after(h.cfg.RadioTimeout, func() { h.failed("set", commandName(to)) })
		} else {
			h.tell(h.cfg.Lock, device{}) // the acknowledgement: seen, and nothing new to say
		}
		h.after(f.late, func() { h.move(to) })
		if f.again > 0 {
			h.after(f.late+f.again, func() { h.move(to) })
		}
	})
}

// move runs the motor. A newer movement overtakes an older one.
func (h *Home) move(to Bolt) {
	if h.faults.quiet {
		return
	}
	h.motor++
	mine := h.motor
	if h.rest != to {
		h.truth.Bolt = Moving
		h.event(BoltMoves)
	}
	h.after(h.cfg.Travel, func() {
		if mine != h.motor {
			return
		}
		if to == Thrown && h.faults.jam && h.rest != Thrown {
			to = Half
		}
		h.settle(to)
		h.tellBolt()
	})
}

// settle puts the bolt to rest.
func (h *Home) settle(at Bolt) {
	h.motor++
	was := h.rest
	h.rest, h.truth.Bolt = at, at
	switch at {
	case Thrown:
		h.event(BoltThrown)
	case Drawn:
		if was != Drawn {
			h.truth.Draws++
		}
		h.event(BoltDrawn)
		if h.cfg.AutoLock > 0 {
			mine := h.motor
			h.after(h.cfg.AutoLock, func() {
				if h.motor == mine {
					h.tellAction("auto_lock", "", 0)
					h.move(Thrown)
				}
			})
		}
	case Half:
		h.event(BoltStuck)
	case Moving: // is no rest
	}
}

func commandName(to Bolt) string {
	if to == Thrown {
		return "lockDoor"
	}
	return "unlockDoor"
}
