package zwavejs_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/zwavejs"

	"github.com/coder/websocket"
)

// T20: ten thousand events a second, each saying the other thing of the bolt. A Lock reaches the server within 50 ms all the same,
// the hub is given a bounded number of reports, memory stays, and the lock's battery is not asked to death.
func TestFlood(t *testing.T) {
	const perSecond, seconds = 10_000, 3
	sent := make(chan int, 1)
	h := newHostile(t, nil, func(c *hostileConn) {
		begin, n := time.Now(), 0
		for time.Since(begin) < seconds*time.Second && c.ctx.Err() == nil {
			for due := int(time.Since(begin).Seconds() * perSecond); n < due; n++ {
				c.say(currentMode([2]int{0, 255}[n%2]))
			}
			time.Sleep(2 * time.Millisecond)
		}
		sent <- n
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l, e := h.open()
	e.Wait(t, 0, "health", well)
	var took []time.Duration
	for begin := time.Now(); time.Since(begin) < seconds*time.Second; {
		for len(h.heard) > 0 {
			<-h.heard
		}
		at := time.Now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatalf("lock in a flood: %v", err)
		}
		for m := range h.heard {
			if m["command"] == "node.set_value" {
				break
			}
		}
		took = append(took, time.Since(at))
		time.Sleep(20 * time.Millisecond)
	}
	n, asked, reports := <-sent, h.count("endpoint.invoke_cc_api"), e.Count()
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	t.Logf("%d events in %d s; %d locks, to the server: median %v, p99 %v, max %v; %d questions to the lock, %d reports passed on; heap %d KiB more",
		n, seconds, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], asked, reports, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if half := took[len(took)/2]; half > 50*time.Millisecond {
		t.Errorf("half of the lock commands in a flood: within %v, want 50ms", half)
	}
	if limit := 3 * (seconds*60 + 100); reports > limit {
		t.Errorf("reports passed on: got %d, want at most %d", reports, limit)
	}
	from := e.Count()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "the truth after the flood", bolt(lock.BoltThrown))
}

// T20: a message of 100 MB is refused before it is in memory, and the health says so.
func TestHuge(t *testing.T) {
	part := []byte(`"` + strings.Repeat("x", 1<<20) + `",`)
	h := newHostile(t, nil, func(c *hostileConn) {
		w, err := c.Writer(c.ctx, websocket.MessageText)
		if err != nil {
			return
		}
		for range 100 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		_ = w.Close()
	})
	l, e := h.open()
	e.Wait(t, 0, "refused", ill("beyond every limit of 32 MiB"))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("heap in use after the refusal: %d MiB", m.HeapInuse>>20)
	if m.HeapInuse > 200<<20 {
		t.Errorf("heap in use: %d MiB", m.HeapInuse>>20)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// S13, T20: what cannot be read makes bolt and door unknown, and the lock is asked; what is of no kind, or of a stranger's node,
// costs nothing; nothing costs the connection.
func TestUnreadable(t *testing.T) {
	lines := make(chan string)
	h := newHostile(t, nil, func(c *hostileConn) {
		for line := range lines {
			c.say(line)
		}
	})
	defer close(lines)
	_, e := h.open()
	e.Wait(t, 0, "thrown", bolt(lock.BoltThrown))
	_, from := e.Wait(t, 0, "health", well)
	for name, line := range map[string]string{
		"garbage":       `{"type":"event",`,
		"no object":     `[1]`,
		"odd types":     `{"type":"event","event":{"source":"node","event":"value updated","nodeId":2,"args":{"commandClass":"98"}}}`,
		"odd result":    `{"type":"result","success":"yes","messageId":"1"}`,
		"no such thing": `{"type":"event","event":7}`,
	} {
		lines <- line
		_, from = e.Wait(t, from, name+": unknown", bolt(lock.BoltUnknown))
		_, from = e.Wait(t, from, name+": asked again", bolt(lock.BoltThrown))
	}
	for _, line := range []string{
		`{"type":"gossip"}`,
		`{"type":"event","event":{"source":"node","event":"value updated","nodeId":77,"args":{"commandClass":"98"}}}`,
		`{"type":"event","event":{"source":"controller","event":"statistics updated"}}`,
		`{"type":"result","success":true,"messageId":"never asked","result":{}}`,
	} {
		lines <- line
	}
	lines <- `{"type":"event","event":{"source":"node","event":"value updated","nodeId":2,"args":{"commandClass":128,"endpoint":0,"property":"level","newValue":33}}}`
	_, after := e.Wait(t, from, "the battery", func(r lock.Report) bool { return r.What == lock.OfBattery && r.Percent == 33 })
	for _, r := range e.Since(from)[:after-from] {
		if r.What != lock.OfBattery {
			t.Errorf("nonsense that was not for us made a report: %+v", r)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conns != 1 {
		t.Errorf("connections: got %d, want 1", h.conns)
	}
}

// S11, T20: a word that was lost may have been the smoke sensor's, and a sensor that is being interviewed is listed without its values:
// the server is asked, and what it knows is told.
func TestLostSmoke(t *testing.T) {
	const sensor = `{"nodeId":4,"ready":true,"values":[{"commandClass":113,"endpoint":0,"property":"Smoke Alarm","propertyKey":"Sensor status","value":%d}]}`
	lines := make(chan string)
	var now atomic.Int64 // what the sensor last told the server
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		switch m["command"] {
		case "start_listening":
			c.result(m["messageId"], strings.Replace(listing, `]}]}}`, `]},{"nodeId":4,"status":1,"ready":false,"values":[]}]}}`, 1))
			go func() {
				for line := range lines {
					c.say(line)
				}
			}()
		case "node.get_state":
			if m["nodeId"] != 4.0 {
				t.Errorf("asked of node %v, want 4", m["nodeId"])
			}
			c.result(m["messageId"], fmt.Sprintf(`{"state":`+sensor+`}`, now.Load()))
		default:
			return false
		}
		return true
	}, nil)
	defer close(lines)
	_, e := open(t, h.now, zwavejs.Settings{URL: h.url, Lock: "2", Contact: "3", Smoke: "4"})
	smoke := func(ok bool) func(lock.Report) bool {
		return func(r lock.Report) bool { return r.What == lock.OfSmoke && r.OK == ok }
	}
	_, from := e.Wait(t, 0, "health", well)
	now.Store(2)
	lines <- `{"type":"event","event":{"source":"node","event":"ready","nodeId":4,"nodeState":{}}}`
	_, from = e.Wait(t, from, "smoke, when the sensor is known", smoke(false))
	now.Store(0)
	lines <- `{"type":"event",`
	_, from = e.Wait(t, from, "it is over, when a word was lost", smoke(true))
	now.Store(1)
	for range 4 * lock.InboxRoom { // at once: more than can wait
		lines <- currentMode(0)
	}
	lines <- `{"type":"event",` // a machine that is fast enough loses nothing
	e.Wait(t, from, "smoke, after a flood", smoke(false))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conns != 1 {
		t.Errorf("connections: got %d, want 1", h.conns)
	}
}

// S9: what the server believes of the bolt is no report. Here its currentMode says thrown again and again, as it does when a
// command was only heard, and the lock answers that it is drawn.
func TestOptimism(t *testing.T) {
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		switch m["command"] {
		case "endpoint.invoke_cc_api":
			c.result(m["messageId"], `{"response":{"currentMode":0,"targetMode":255,"boltStatus":"locked"}}`)
			return true
		case "node.set_value":
			c.say(currentMode(255))
			c.result(m["messageId"], `{"result":{"status":255}}`)
			return true
		}
		return false
	}, nil)
	l, e := h.open()
	_, from := e.Wait(t, 0, "drawn", bolt(lock.BoltDrawn))
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "asked, still drawn", bolt(lock.BoltDrawn))
	for _, r := range e.Since(0) {
		if r.What == lock.OfBolt && r.Bolt == lock.BoltThrown {
			t.Errorf("thrown, which it never was: %+v", r)
		}
	}
}

// S12: a server that hangs, or whose stick does, gets no order; the driver says so within the order's second.
func TestNoProofNoOrder(t *testing.T) {
	for name, stick := range map[string]string{
		"silent":       "",
		"gone":         `{"type":"result","success":false,"messageId":%q,"errorCode":"zwave_error","zwaveErrorCode":202,"zwaveErrorMessage":"The serial port is not open! (ZW0202)"}`,
		"calls it off": `{"type":"result","success":true,"messageId":%q,"result":{"failed":true}}`,
		"says nothing": `{"type":"result","success":true,"messageId":%q,"result":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var bad atomic.Bool
			h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
				if m["command"] != "controller.is_failed_node" || !bad.Load() {
					return false
				}
				if stick != "" {
					c.say(fmt.Sprintf(stick, m["messageId"]))
				}
				return true
			}, nil)
			l, e := h.open()
			e.Wait(t, 0, "health", well)
			bad.Store(true)
			begin := time.Now()
			if err := l.Unlock(t.Context(), h.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
			if took := time.Since(begin); took > 1500*time.Millisecond { // the order's second, and a starved machine's delay
				t.Errorf("unlock took %v", took)
			}
			if got := h.count("node.set_value"); got != 0 {
				t.Errorf("%d commands were sent", got)
			}
		})
	}
}

// S9, S13: a report does not say which question it answers, so one that waited in the server from before the question would be taken for
// the answer. The stick is asked first: when it has answered, nothing of before waits any more.
func TestWhatWaitsIsNoAnswer(t *testing.T) {
	waits := true // until the stick, whose words come in order, has answered
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		switch m["command"] {
		case "controller.is_failed_node":
			waits = false
			c.say(currentMode(255))
		case "endpoint.invoke_cc_api":
			said := `{"response":{"currentMode":0,"boltStatus":"unlocked"}}`
			if waits {
				said = `{"response":{"currentMode":255,"boltStatus":"locked"}}`
			}
			c.result(m["messageId"], said)
			return true
		}
		return false
	}, nil)
	_, e := h.open()
	e.Wait(t, 0, "drawn", bolt(lock.BoltDrawn))
	for _, r := range e.Since(0) {
		if bolt(lock.BoltThrown)(r) {
			t.Errorf("what waited in the server was taken for the answer: %+v", r)
		}
	}
}

// S13: a stick that does not answer is no way to the lock, whatever the server remembers of it.
func TestASilentStick(t *testing.T) {
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		if m["command"] != "controller.is_failed_node" {
			return false
		}
		c.say(fmt.Sprintf(`{"type":"result","success":false,"messageId":%q,"errorCode":"zwave_error","zwaveErrorCode":202,"zwaveErrorMessage":"The serial port is not open! (ZW0202)"}`, m["messageId"]))
		return true
	}, nil)
	l, e := h.open()
	e.Wait(t, 0, "the stick's silence", ill("its stick does not show that it lives"))
	if got := h.count("endpoint.invoke_cc_api"); got != 0 {
		t.Errorf("%d questions to the lock", got)
	}
	if err := l.Unlock(t.Context(), h.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
}

// S12, S13: the lock's thrown answer that crossed its own word of having been drawn is not believed: nobody can say which was first.
func TestCrossing(t *testing.T) {
	gets := 0
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		if m["command"] != "endpoint.invoke_cc_api" {
			return false
		}
		gets++
		switch gets {
		case 1:
			return false // thrown
		case 2:
			c.say(`{"type":"event","event":{"source":"node","event":"notification","nodeId":2,"endpointIndex":0,"ccId":113,"args":{"type":6,"event":6,"parameters":{"userId":3}}}}`)
			c.result(m["messageId"], `{"response":{"currentMode":255,"boltStatus":"locked"}}`)
		default:
			c.result(m["messageId"], `{"response":{"currentMode":0,"boltStatus":"unlocked"}}`)
		}
		return true
	}, nil)
	l, e := h.open()
	_, from := e.Wait(t, 0, "thrown", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, _ := e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
	if r.By != lock.ByResident || r.Who != "user 3" {
		t.Errorf("who drew it: got %d %q, want the resident, user 3", r.By, r.Who)
	}
	e.Wait(t, from, "drawn, as asked", func(r lock.Report) bool { return bolt(lock.BoltDrawn)(r) && r.Solicited })
	for _, r := range e.Since(from) {
		if bolt(lock.BoltThrown)(r) {
			t.Errorf("thrown was believed: %+v", r)
		}
	}
}

// What is there does not fit the settings: the health says what to write.
func TestMisfit(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*zwavejs.Settings)
		want string
	}{
		{"no such node", func(s *zwavejs.Settings) { s.Lock = "9" }, "lock: Z-Wave JS has no node 9; it has 2 (Front lock), 3 (Front door)"},
		{"no such name", func(s *zwavejs.Settings) { s.Lock = "Frontlock" }, `no node named "Frontlock"; it has 2 (Front lock)`},
		{"the contact as lock", func(s *zwavejs.Settings) { s.Lock, s.Contact = "3", "2" }, "node 3 has no Door Lock command class"},
		{"one node twice", func(s *zwavejs.Settings) { s.Contact = "Front lock" }, "are one node"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHostile(t, nil, nil)
			s := zwavejs.Settings{URL: h.url, Lock: "2", Contact: "3"}
			c.set(&s)
			l, e := open(t, h.now, s)
			e.Wait(t, 0, "the reason", ill(c.want))
			if err := l.Unlock(t.Context(), h.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
		})
	}
	t.Run("no Z-Wave JS", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(server.Close)
		_, e := open(t, func() time.Duration { return 0 }, zwavejs.Settings{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Lock: "2"})
		e.Wait(t, 0, "the reason", ill("what answers there is no WebSocket: 404"))
	})
}
