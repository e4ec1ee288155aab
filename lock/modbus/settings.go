// Package modbus drives a wired lock, an electric strike or a motor lock, behind a relay board with digital inputs that speaks Modbus TCP.
// The sections cited are those of the MODBUS Application Protocol Specification V1.1b3 and, where it says TCP, of the MODBUS Messaging
// on TCP/IP Implementation Guide V1.0b.
//
// # The wires
//
// One output draws the bolt by a pulse; a motor lock may have a second one that throws it, and a strike falls back by itself when its
// pulse ends. One input says that the bolt is thrown, one that the door is closed. Both are true only while current flows: a wire that
// breaks, or a plug that is pulled, reads "not thrown" and "open", never "thrown" or "closed" (S13).
//
// The bolt must hold without power (fail-secure). A magnet, or a strike that opens without power, needs an output that is held; it
// cannot be driven, and with a power cut its door would stand open.
//
// # A pulse that the board ends
//
// An output that is switched on and waits to be switched off stays on when the hub dies in between, and the door stays open. So a plain
// switched output is not offered. The board must end the pulse: by a command that carries its length (pulse: flash), or because the
// output itself is set up as a pulse in the board (pulse: board). The driver cannot see which: it looks whether the output is off when
// the pulse must be over. If it is not, it switches it off, says so, and draws nothing more until the hub is started anew. So the first
// pulse of a badly set board is found out (the walk test makes one), but not before it was given.
//
// # What the board does, and what is made of it
//
//  1. It acknowledges what it only heard: the echo of a write (section 6.5) is no report. The bolt is where its input says (S9).
//  2. It shows its outputs as they were wished for (section 6.1): they are read for the pulse's end alone, never for the bolt. Inputs
//     are read at the instant of the question; nothing is remembered over a restart.
//  3. It keeps no command. A gateway in between, or the kernel on a broken path, may: so an order leaves only behind an answer to a
//     question that was asked after the call, at most one transaction is under way, an answer that does not come ends the connection,
//     and its end resets it, so that nothing is sent again (S12). Modbus has no word for "not after": Expiry is not claimed.
//  4. It answers when the lock has lost its wires: they then read not thrown and open. An input with nothing on it (spare) tells a board
//     whose inputs all read closed. A gateway whose board is gone answers with an exception: unknown (S13).
//  5. A refusal is an exception of its own (section 7), never inside a success.
//  6. A frame has at most 260 bytes (section 4.1); a longer one, a foreign or an unasked one is dropped, and the rate of unasked ones is
//     bounded by the end of the connection (T20).
//
// Nobody proves who he is in Modbus TCP: the cable between hub and board must be the household's alone.
package modbus

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Settings are one door's. Exactly the fields with "required" must be set. Outputs and inputs are named by their address in the
// protocol, which begins at 0 (section 4.4): the board's manual lists them; what is printed as 1 is mostly 0.
type Settings struct {
	// Address (required) is the board's: 192.168.1.40, or with a port other than 502.
	Address string `yaml:"address"`
	// Unit is the unit identifier, 1 to 255, default 1. Boards that are no gateway mostly take any.
	Unit int `yaml:"unit"`
	// Pulse (required) says how the board ends a pulse by itself. flash: a write to output + 512 with the length in tenths of a second
	// (Waveshare's "flash on"). board: an ordinary write of an output that is set up in the board as a pulse of OpenFor (Moxa's and
	// others' pulse mode). The output of a board that has neither would stay on when the hub dies: it cannot be used.
	Pulse string `yaml:"pulse"`
	// OpenFor (required) is the pulse's length, 100ms to 30s, in tenths of a second.
	OpenFor time.Duration `yaml:"open_for"`
	// Draw (required) is the output that draws the bolt.
	Draw string `yaml:"draw"`
	// Throw is the output that throws it, by a pulse too. Without one, the lock must throw its bolt by itself when the pulse of Draw
	// ends, as a strike does, and Lock ends that pulse.
	Throw string `yaml:"throw"`
	// Thrown (required) is the input of a contact that is closed while the bolt is thrown.
	Thrown string `yaml:"thrown"`
	// Closed (required) is the input of a contact that is closed while the door is.
	Closed string `yaml:"closed"`
	// Jam is an input that says that the bolt is jammed: "2", or "2 open" for a contact that opens to say so.
	Jam string `yaml:"jam"`
	// Smoke is the input of a smoke or CO alarm: "3 open" for a contact that opens in an alarm, so that a broken wire is one too, or
	// "3 closed" for one that closes.
	Smoke string `yaml:"smoke"`
	// Spare is an input with nothing connected. It must read as an open contact does, or no input is believed.
	Spare string `yaml:"spare"`
	// Inverted says that the board reads 1 where nothing is connected, and 0 where a contact is closed.
	Inverted bool `yaml:"inverted"`
}

const (
	port          = "502" // TCP section 4.3.1.2
	unitDefault   = 1
	unitMost      = 255
	openLeast     = 100 * time.Millisecond
	openMost      = 30 * time.Second
	pulseStep     = 100 * time.Millisecond
	flashAddress  = 0x0200
	pulseByFlash  = "flash"
	pulseByBoard  = "board"
	whenClosed    = "closed"
	whenOpen      = "open"
	outputMost    = 0xFFFF - flashAddress
	ownContact    = "a wire that breaks reads as an open contact, so only a closed one may say so: use the contact that is closed then"
	atLeastAPulse = "a plain output would stay on when the hub dies"
)

// contact is one input: what it says is true while it is open, or while it is closed.
type contact struct {
	used bool
	at   uint16
	open bool
}

// plan is what Settings come to when they are checked.
type plan struct {
	address                           string
	unit                              byte
	flash, inverted                   bool
	openFor                           time.Duration
	draw, throw                       uint16
	throws                            bool // there is an output that throws
	thrown, closed, jam, smoke, spare contact
	inputs                            question
}

func (s Settings) plan() (plan, error) {
	p := plan{inverted: s.Inverted, openFor: s.OpenFor}
	fail := func(field, format string, args ...any) (plan, error) {
		return p, fmt.Errorf("lock/modbus: %s: "+format, append([]any{field}, args...)...)
	}
	host, number, err := net.SplitHostPort(s.Address)
	if err != nil {
		host, number = strings.Trim(s.Address, "[]"), port
	}
	if n, err := strconv.Atoi(number); host == "" || strings.ContainsAny(host, "/ ") || err != nil || n < 1 || n > 0xFFFF {
		return fail("address", "write the board's address, like 192.168.1.40 or 192.168.1.40:502")
	}
	p.address = net.JoinHostPort(host, number)
	if s.Unit < 0 || s.Unit > unitMost {
		return fail("unit", "%d: write a number from 1 to %d, or leave it out", s.Unit, unitMost)
	}
	p.unit = unitDefault
	if s.Unit > 0 {
		p.unit = byte(s.Unit)
	}
	switch s.Pulse {
	case pulseByFlash:
		p.flash = true
	case pulseByBoard:
	default:
		return fail("pulse", "write flash (the command carries the pulse's length) or board (the output is set up as a pulse in the board): "+atLeastAPulse)
	}
	if s.OpenFor < openLeast || s.OpenFor > openMost || s.OpenFor%pulseStep != 0 {
		return fail("open_for", "%v: write how long the pulse is, %v to %v in tenths of a second", s.OpenFor, openLeast, openMost)
	}
	if p.draw, err = address(s.Draw, outputMost); err != nil {
		return fail("draw", "%q: write the output's address, 0 for the first", s.Draw)
	}
	if p.throws = s.Throw != ""; p.throws {
		if p.throw, err = address(s.Throw, outputMost); err != nil || p.throw == p.draw {
			return fail("throw", "%q: write the address of an output of its own, or leave it out", s.Throw)
		}
	}
	return p, p.wire(s)
}

// wire reads where the inputs are.
func (p *plan) wire(s Settings) error {
	var at []uint16
	for _, c := range []struct {
		field, text string
		to          *contact
		needed      bool
		when        string // what the contact does to say yes, if nothing is written; empty: it must be written
		fixed       string // why it cannot be otherwise
	}{
		{"thrown", s.Thrown, &p.thrown, true, whenClosed, ownContact},
		{"closed", s.Closed, &p.closed, true, whenClosed, ownContact},
		{"jam", s.Jam, &p.jam, false, whenClosed, ""},
		{"smoke", s.Smoke, &p.smoke, false, "", ""},
		{"spare", s.Spare, &p.spare, false, whenOpen, "nothing is connected there"},
	} {
		number, when, said := strings.Cut(c.text, " ")
		if !said {
			when = c.when
		}
		n, err := address(number, 0xFFFF)
		switch {
		case c.text == "" && !c.needed:
			continue
		case c.text == "":
			return fmt.Errorf("lock/modbus: %s: write the input's address, 0 for the first: without it no visit can be secured", c.field)
		case err != nil || (when != whenClosed && when != whenOpen && when != ""):
			return fmt.Errorf("lock/modbus: %s: %q: write the input's address, 0 for the first, like 2 or \"2 open\"", c.field, c.text)
		case when == "":
			return fmt.Errorf("lock/modbus: %s: write \"%d open\" if the contact opens in an alarm (then a broken wire alarms too), or \"%d closed\"", c.field, n, n)
		case c.fixed != "" && when != c.when:
			return fmt.Errorf("lock/modbus: %s: %q: %s", c.field, c.text, c.fixed)
		}
		for _, other := range at {
			if other == n {
				return fmt.Errorf("lock/modbus: %s: input %d is used twice: each needs its own", c.field, n)
			}
		}
		at = append(at, n)
		*c.to = contact{used: true, at: n, open: when == whenOpen}
	}
	first, last := at[0], at[0]
	for _, n := range at {
		first, last = min(first, n), max(last, n)
	}
	if last-first >= bitsMost {
		return errors.New("lock/modbus: the inputs are too far apart: use some within 256 of each other")
	}
	p.inputs = question{readInputs, first, last - first + 1}
	return nil
}

func address(s string, most int) (uint16, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		return 0, errors.New("no address")
	}
	return uint16(n), nil
}

// pulse is the write that switches an output on until the board ends it.
func (p plan) pulse(output uint16) question {
	if p.flash {
		return question{writeCoil, output + flashAddress, uint16(p.openFor / pulseStep)}
	}
	return question{writeCoil, output, coilOn}
}
