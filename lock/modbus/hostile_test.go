package modbus_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/modbus"
)

// hostile is a board that answers as it is told to, where the real server would not.
type hostile struct {
	t     testing.TB
	l     net.Listener
	start time.Time
	reply func(c net.Conn, q []byte) bool // false: honestly

	mu    sync.Mutex
	ends  []error // of connections
	heard [][]byte
}

func newHostile(t testing.TB, reply func(net.Conn, []byte) bool) *hostile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &hostile{t: t, l: l, start: time.Now(), reply: reply}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go h.serve(c)
		}
	}()
	return h
}

func (h *hostile) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		q := make([]byte, 12)
		_, err := io.ReadFull(c, q)
		h.mu.Lock()
		if err != nil {
			h.ends = append(h.ends, err)
			h.mu.Unlock()
			return
		}
		h.heard = append(h.heard, q)
		h.mu.Unlock()
		if !h.reply(c, q) {
			_, _ = c.Write(honest(q))
		}
	}
}

// honest is the answer of a bolted, closed door.
func honest(q []byte) []byte {
	switch q[7] {
	case 5:
		return q
	case 1:
		return frame(q, 1, 1, 0)
	}
	return frame(q, 2, 1, 1<<inThrown|1<<inClosed|1<<inSmoke)
}

func frame(q []byte, pdu ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{q[0], q[1], 0, 0}, uint16(len(pdu)+1))
	return append(append(b, q[6]), pdu...)
}

func (h *hostile) now() time.Duration { return time.Since(h.start) }

func (h *hostile) settings() modbus.Settings {
	return modbus.Settings{
		Address: h.l.Addr().String(), Pulse: "flash", OpenFor: 30 * time.Second, Draw: "0", Throw: "1",
		Thrown: "0", Closed: "1", Smoke: "3 open", Spare: "4",
	}
}

func (h *hostile) writes(address uint16) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.heard {
		if q[7] == 5 && binary.BigEndian.Uint16(q[8:]) == address {
			n++
		}
	}
	return n
}

// S12, S13, T20: a board that answers wrongly is believed in nothing, and gets no order; the reason says what to look at.
func TestWrongAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		reply func(net.Conn, []byte) bool
		words string
	}{
		"another transaction": {func(c net.Conn, q []byte) bool {
			a := honest(q)
			a[1] ^= 1
			_, _ = c.Write(a)
			return true
		}, "does not answer"},
		"the transaction before": {func(c net.Conn, q []byte) bool {
			a := honest(q)
			binary.BigEndian.PutUint16(a, binary.BigEndian.Uint16(a)-1)
			_, _ = c.Write(a)
			return true
		}, "does not answer"},
		"a flood of answers to nothing": {func(c net.Conn, q []byte) bool {
			a := honest(q)
			a[1] ^= 1
			flood := slices.Repeat(a, 10_000)
			for {
				if _, err := c.Write(flood); err != nil {
					return true
				}
			}
		}, "nobody asked for"},
		"another unit": {func(c net.Conn, q []byte) bool {
			a := honest(q)
			a[6] = 9
			_, _ = c.Write(a)
			return true
		}, "check address and unit"},
		"another protocol": {func(c net.Conn, q []byte) bool {
			a := honest(q)
			a[3] = 1
			_, _ = c.Write(a)
			return true
		}, "does not speak Modbus"},
		"a web server": {func(c net.Conn, _ []byte) bool {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			return true
		}, "does not speak Modbus"},
		"a giant frame": {func(c net.Conn, q []byte) bool {
			a := honest(q)
			binary.BigEndian.PutUint16(a[4:], 0xFFFF)
			_, _ = c.Write(append(a, make([]byte, 1<<16)...))
			return true
		}, "does not speak Modbus"},
		"half a frame": {func(c net.Conn, q []byte) bool {
			_, _ = c.Write(honest(q)[:8])
			return true
		}, "does not answer"},
		"silence":      {func(net.Conn, []byte) bool { return true }, "does not answer"},
		"the line cut": {func(c net.Conn, _ []byte) bool { _ = c.Close(); return true }, "broke"},
		"an exception": {func(c net.Conn, q []byte) bool {
			_, _ = c.Write(frame(q, q[7]|0x80, 2))
			return true
		}, "illegal data address"},
		"every input closed": {func(c net.Conn, q []byte) bool {
			_, _ = c.Write(frame(q, 2, 1, 0xFF))
			return true
		}, "spare input"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, c.reply)
			l, e := open(t, h.now, h.settings())
			e.Wait(t, 0, "the reason", ill(c.words))
			if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: h.now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
			for _, r := range e.Since(0) {
				if r.Bolt != lock.BoltUnknown || r.Door != lock.DoorUnknown || r.OK {
					t.Errorf("believed: %+v", r)
				}
			}
			if n := h.writes(flash); n != 0 {
				t.Errorf("%d orders on the wire", n)
			}
			var m runtime.MemStats
			if runtime.ReadMemStats(&m); m.HeapAlloc > 64<<20 {
				t.Errorf("%d MiB in use", m.HeapAlloc>>20)
			}
		})
	}
}

// S12: an order that is not answered is told as one that may have been done, and its connection is reset, so that the kernel sends
// nothing of it again. No answer of before it counts as one to it, and nothing is repeated on the next connection.
func TestUnansweredOrder(t *testing.T) {
	h := newHostile(t, func(c net.Conn, q []byte) bool {
		if q[7] != 5 {
			return false
		}
		if binary.BigEndian.Uint16(q[8:]) == flash {
			late := slices.Clone(q)
			binary.BigEndian.PutUint16(late, binary.BigEndian.Uint16(q)-1) // the echo of another
			_, _ = c.Write(late)
		}
		return true
	})
	l, e := open(t, h.now, h.settings())
	e.Wait(t, 0, "health", well)
	from, at := e.Count(), h.now()
	if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: at + time.Second}); err != nil {
		t.Fatal(err)
	}
	if err := l.Lock(t.Context()); err != nil {
		t.Errorf("lock while the order is not answered: %v", err)
	}
	took := h.now() - at
	r, _ := e.Wait(t, from, "the failure", func(r lock.Report) bool { return r.What == lock.OfFailure })
	_, from = e.Wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	e.Wait(t, from, "health", well)
	t.Logf("the Lock left %v after the order was given; the failure was told after %v: %v", took, r.At-at, r.Err)
	h.mu.Lock()
	end := h.ends[0]
	h.mu.Unlock()
	if !errors.Is(end, syscall.ECONNRESET) {
		t.Errorf("the connection ended with %v, want a reset", end)
	}
	if n := h.writes(flash); n != 1 {
		t.Errorf("orders on the wire: %d, want 1", n)
	}
}

// S12: a board that answers questions slowly gets an order only behind the answer to one that was asked after the call; one that
// needs longer than the order's second gets none.
func TestNoProofNoOrder(t *testing.T) {
	var mu sync.Mutex
	slow := false
	h := newHostile(t, func(_ net.Conn, q []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		return slow && q[7] == 2
	})
	l, e := open(t, h.now, h.settings())
	e.Wait(t, 0, "health", well)
	mu.Lock()
	slow = true
	mu.Unlock()
	at := h.now()
	err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: at + 300*time.Millisecond})
	if !errors.Is(err, lock.ErrNotSent) || h.now()-at > 800*time.Millisecond {
		t.Errorf("after %v: got %v, want ErrNotSent", h.now()-at, err)
	}
	if n := h.writes(flash); n != 0 {
		t.Errorf("%d orders on the wire", n)
	}
}

// S12: the not-after is looked at again at the last moment: here the board answers, and the order's time has passed meanwhile.
func TestLateAtTheLastMoment(t *testing.T) {
	var late atomic.Bool
	var ahead atomic.Int64
	h := newHostile(t, func(_ net.Conn, q []byte) bool {
		if q[7] == 2 && late.Load() {
			ahead.Store(int64(2 * time.Second))
		}
		return false
	})
	now := func() time.Duration { return h.now() + time.Duration(ahead.Load()) }
	l, e := open(t, now, h.settings())
	e.Wait(t, 0, "health", well)
	o := lock.Order{Visit: "v", NotAfter: now() + time.Second}
	late.Store(true)
	if err := l.Unlock(t.Context(), o); !errors.Is(err, lock.ErrTooLate) {
		t.Errorf("unlock: got %v, want ErrTooLate", err)
	}
	if n := h.writes(flash); n != 0 {
		t.Errorf("%d orders on the wire", n)
	}
}
