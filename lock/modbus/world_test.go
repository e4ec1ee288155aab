package modbus_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/modbus"
)

// world is a house behind the real server, with a path that can be cut. Its wire is what the server says that it was told.
type world struct {
	*house
	t    testing.TB
	p    *peer
	pipe *locktest.Pipe
}

func newWorld(t testing.TB) *world {
	t.Helper()
	h := newHouse(t)
	p := newPeer(t, h)
	return &world{house: h, t: t, p: p, pipe: locktest.NewPipe(t, p.addr)}
}

func (w *world) now() time.Duration { return time.Since(w.start) }

// settings are those of a motor lock on a board with timed pulses.
func (w *world) settings() modbus.Settings {
	return modbus.Settings{
		Address: w.pipe.Addr(), Pulse: "flash", OpenFor: time.Second, Draw: "0", Throw: "1",
		Thrown: "0", Closed: "1", Jam: "2", Smoke: "3 open", Spare: "4",
	}
}

func (w *world) harness() locktest.Harness {
	return locktest.Harness{
		Open:     modbus.Open,
		Config:   lock.Config{Name: "front", Now: w.now, Settings: w.settings()},
		World:    w,
		Patience: 60 * time.Second, // a server that was killed must be loaded by Python again, on a starved machine
		Refusals: 5,                // likewise
	}
}

// TestConformanceModbus is the suite against the real server.
func TestConformanceModbus(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newWorld(t).harness() })
}

// TestConformanceModbusStrike is the suite with a strike: it throws by itself, and Lock ends its pulse.
func TestConformanceModbusStrike(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness {
		w := newWorld(t)
		w.strike, w.house.pulse = true, 30*time.Second
		h := w.harness()
		s := w.settings()
		s.Pulse, s.OpenFor, s.Throw = "board", 30*time.Second, ""
		h.Config.Settings = s
		return h
	})
}

func (w *world) Truth() (lock.Bolt, lock.Door) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open {
		return w.bolt, lock.DoorOpen
	}
	return w.bolt, lock.DoorClosed
}

func (w *world) Hand(to lock.Bolt) {
	w.with(func(h *house) { h.run++; h.bolt, h.jammed = to, to == lock.BoltJammed })
}

// Door moves the door, which takes time: no door opens and closes between two questions.
func (w *world) Door(open bool) {
	w.with(func(h *house) { h.open = open })
	time.Sleep(doorTakes)
}

// Battery does nothing: it is a wired lock.
func (w *world) Battery(int) {}

func (w *world) Path(up bool) { w.pipe.Set(up) }

// Lie sets how commands are treated. What is behind the board answers again.
func (w *world) Lie(l locktest.Lie) { w.with(func(h *house) { h.lie, h.numb = l, false }) }

func (w *world) Peer(up bool) {
	w.t.Helper()
	if !up {
		w.p.kill()
	} else if err := w.p.run(); err != nil {
		w.t.Fatal(err)
	}
}

// doorTakes is how long somebody needs to open a door, or to close it.
const doorTakes = 300 * time.Millisecond

// Plant has the board begin each connection with what it owes to somebody else: old answers, which say that.
func (w *world) Plant(b lock.Bolt) {
	bits := byte(1<<inClosed | 1<<inSmoke)
	if b == lock.BoltThrown {
		bits |= 1 << inThrown
	}
	w.with(func(h *house) {
		for transaction := range uint16(8) {
			h.plant = binary.BigEndian.AppendUint16(h.plant, transaction)
			h.plant = append(h.plant, 0, 0, 0, 4, 1, 2, 1, bits)
		}
	})
}

func (w *world) Wire() []locktest.Sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wire)
}

func (w *world) order() lock.Order {
	return lock.Order{Visit: lock.VisitID(fmt.Sprint(w.now())), NotAfter: w.now() + time.Second}
}

func (w *world) unlocks() (n int) {
	for _, s := range w.Wire() {
		if s.Unlock {
			n++
		}
	}
	return n
}

func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("never so: %s", what)
		}
	}
}

func (w *world) bolted(b lock.Bolt) {
	w.t.Helper()
	w.until(fmt.Sprint("bolt ", b), func() bool { is, _ := w.Truth(); return is == b })
}
