package modbus_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
)

// Where things are wired.
const (
	outDraw, outThrow                                = 0, 1
	inThrown, inClosed, inJam, inSmoke, inSpare, ins = 0, 1, 2, 3, 4, 8
	flash                                            = 512
	on                                               = 0xFF00
	travel                                           = 200 * time.Millisecond // of the bolt
)

// house is the lock, the door and their wires behind the board: the truth, apart from what the board says. The board, which is a process
// of its own, asks it over a line; the wire is what the board was told by whoever spoke Modbus to it.
type house struct {
	port  int
	start time.Time

	mu      sync.Mutex
	strike  bool          // the bolt falls back when the pulse ends
	pulse   time.Duration // of an output that is set up as one; 0: it stays on
	bolt    lock.Bolt     // unknown while it moves
	open    bool
	jammed  bool
	smoke   bool
	cut     [ins]bool // wires
	bridged bool      // every input reads closed
	lie     locktest.Lie
	late    time.Duration
	numb    bool // nothing behind the board answers any more
	mute    bool // the board itself says nothing
	on      [2]bool
	pulses  [2]int // how many were begun: an old one's end ends no new one
	run     int    // movements; a newer one overtakes an older one
	wire    []locktest.Sent
	plant   []byte // what a newcomer gets unasked
	asked   int    // questions for inputs
	wait    time.Duration
}

func newHouse(t testing.TB) *house {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{port: l.Addr().(*net.TCPAddr).Port, start: time.Now(), bolt: lock.BoltThrown, late: 1500 * time.Millisecond}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.serve(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return h
}

// serve is one board's life. When it ends, its relays fall off.
func (h *house) serve(c net.Conn) {
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		h.mu.Lock()
		wait := h.wait
		h.mu.Unlock()
		time.Sleep(wait)
		if _, err := fmt.Fprintln(c, h.answer(lines.Text())); err != nil {
			break
		}
	}
	_ = c.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.off(outDraw)
	h.off(outThrow)
}

func (h *house) answer(line string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var function, at, n int
	switch {
	case strings.HasPrefix(line, "hello"):
		return fmt.Sprintf("plant %x", h.plant)
	case h.mute:
		return "mute"
	case h.numb:
		return "exception 11"
	}
	if _, err := fmt.Sscanf(line, "write %d %d", &at, &n); err == nil {
		return h.write(at, n)
	}
	if _, err := fmt.Sscanf(line, "read %d %d %d", &function, &at, &n); err != nil {
		return "exception 1"
	}
	bits := h.inputs()
	if function == 1 {
		bits = [ins]bool{h.on[0], h.on[1]}
	} else {
		h.asked++
	}
	if at+n > ins {
		return "exception 2"
	}
	var b strings.Builder
	for _, bit := range bits[at : at+n] {
		b.WriteByte("01"[map[bool]int{true: 1}[bit]])
	}
	return "bits " + b.String()
}

func (h *house) inputs() (b [ins]bool) {
	b[inThrown], b[inClosed], b[inJam], b[inSmoke] = h.bolt == lock.BoltThrown, !h.open, h.jammed, !h.smoke
	for i := range b {
		b[i] = b[i] && !h.cut[i] || h.bridged
	}
	return b
}

// write is a command on the wire.
func (h *house) write(at, value int) string {
	out, length := at, h.pulse
	if at >= flash {
		out, length = at-flash, time.Duration(value)*100*time.Millisecond
	}
	switch {
	case out > outThrow:
		return "exception 2"
	case at < flash && value == 0:
		if h.strike && out == outDraw {
			h.wire = append(h.wire, locktest.Sent{At: time.Since(h.start)})
			if a := h.lied(); a != "" {
				return a
			}
		}
		h.off(out)
		return "ok"
	case at < flash && value != on:
		return "exception 3"
	}
	h.wire = append(h.wire, locktest.Sent{At: time.Since(h.start), Unlock: out == outDraw})
	lie := h.lie
	if a := h.lied(); a != "" {
		return a
	}
	effect := func() { h.switchOn(out, length, lie) }
	switch lie {
	case locktest.Late:
		h.after(h.late, effect)
	case locktest.Twice:
		effect()
		h.after(h.late, effect)
	default:
		effect()
	}
	if h.numb = lie == locktest.DoneNotAcked; h.numb {
		return "exception 11"
	}
	return "ok"
}

// lied is the answer to a command that is not done; empty: it is.
func (h *house) lied() string {
	switch h.lie {
	case locktest.Failed:
		return "exception 4"
	case locktest.AckedNotDone:
		return "ok"
	}
	return ""
}

func (h *house) after(d time.Duration, do func()) {
	time.AfterFunc(d, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		do()
	})
}

func (h *house) switchOn(out int, length time.Duration, lie locktest.Lie) {
	h.on[out] = true
	h.pulses[out]++
	mine := h.pulses[out]
	if length > 0 {
		h.after(length, func() {
			if h.pulses[out] == mine {
				h.off(out)
			}
		})
	}
	h.move([]lock.Bolt{lock.BoltDrawn, lock.BoltThrown}[out], lie == locktest.Jammed)
}

func (h *house) off(out int) {
	if (h.on[out] || h.jammed) && out == outDraw && h.strike { // a spring tries again
		h.move(lock.BoltThrown, h.lie == locktest.Jammed)
	}
	h.on[out] = false
}

func (h *house) move(to lock.Bolt, jams bool) {
	h.run++
	mine := h.run
	if h.bolt == to {
		return
	}
	h.bolt, h.jammed = lock.BoltUnknown, false
	h.after(travel, func() {
		if h.run != mine {
			return
		}
		if h.bolt = to; jams && to == lock.BoltThrown {
			h.bolt, h.jammed = lock.BoltJammed, true
		}
	})
}

// with changes the house.
func (h *house) with(change func(*house)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}
