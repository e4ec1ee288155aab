package run

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"

	"eyebolt/bus"
)

// stuck is a bus on which answers hang, as they do on a connection whose other end takes nothing any more: the client
// library waits for the peer's window, for up to a minute.
type stuck struct {
	bus.Conn
	hangs atomic.Bool
	hung  chan struct{} // told once an answer hangs
	end   chan struct{} // closed: what hangs goes on
}

func (s *stuck) Subscribe(subject string, h func(bus.Message)) (func(), error) {
	return s.Conn.Subscribe(subject, func(m bus.Message) {
		if to := m.Reply; to != nil {
			m.Reply = func(b []byte) error {
				if s.hangs.Load() {
					select {
					case s.hung <- struct{}{}:
					default:
					}
					<-s.end
				}
				return to(b)
			}
		}
		h(m)
	})
}

// S5, S6, T10: the bus takes no answer. The hub goes on: pictures stop, and the bolt is thrown.
func TestStuckBus(t *testing.T) {
	s := &stuck{hung: make(chan struct{}, 1), end: make(chan struct{})}
	h := newHouse(t, func(h *house) { h.wrap = func(c bus.Conn) bus.Conn { s.Conn = c; return s } })
	h.prepare()
	h.arrive()
	h.unlock()

	s.hangs.Store(true)
	t.Cleanup(func() { close(s.end) })
	b, err := json.Marshal(bus.Ask{ID: "stuck", What: bus.AskView, Door: h.who.Door})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.far.Send(bus.Subject(h.who.Hub, "ask"), b, func([]byte) {}); err != nil {
		t.Fatal(err)
	}
	<-s.hung
	h.eye.set(true)
	h.wait("a Lock on the wire", func() bool { _, locks := h.wired(); return locks > 0 })
	h.wait("the alarm given", func() bool { return slices.ContainsFunc(h.events, func(e Event) bool { return e.What == "alarm" }) })
}

// stuckLog takes no line any more once it hangs.
type stuckLog struct {
	hangs atomic.Bool
	end   chan struct{}
}

func (s *stuckLog) Enabled(context.Context, slog.Level) bool { return true }
func (s *stuckLog) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *stuckLog) WithGroup(string) slog.Handler            { return s }
func (s *stuckLog) Handle(context.Context, slog.Record) error {
	if s.hangs.Load() {
		<-s.end
	}
	return nil
}

// S5, S6, T18: nobody takes the log's lines, as with a log that is written to the disk that hangs. Locks that fail are tried
// again all the same, and the watch goes on.
func TestStuckLog(t *testing.T) {
	s := &stuckLog{end: make(chan struct{})}
	h := newHouse(t, func(h *house) { h.logs = s })
	h.prepare()
	h.arrive()
	h.unlock()
	h.refuse.Store(2 * lockWorkers) // that many Locks fail, and each failure is logged
	s.hangs.Store(true)
	t.Cleanup(func() { close(s.end) })
	h.eye.set(true)
	h.wait("a Lock on the wire", func() bool { _, locks := h.wired(); return locks > 0 })
	h.wait("the alarm at the service", func() bool { return len(h.alarms) > 0 })
}
