package matter_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/matter"

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
				c.say(lockState(1 + n%2))
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
			if m["name"] == "LockDoor" {
				break
			}
		}
		took = append(took, time.Since(at))
		time.Sleep(20 * time.Millisecond)
	}
	n, asked, reports := <-sent, h.count("read_attribute"), e.Count()
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	t.Logf("%d events in %d s; %d locks, to the server: median %v, p99 %v, max %v; %d questions, %d reports passed on; heap %d KiB more",
		n, seconds, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], asked, reports, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if half := took[len(took)/2]; half > 50*time.Millisecond {
		t.Errorf("half of the lock commands in a flood: within %v, want 50ms", half)
	}
	if limit := 150; asked > limit { // ten a second, over a run that a starved machine draws out
		t.Errorf("questions to the devices: got %d, want at most %d", asked, limit)
	}
	if limit := 3 * (seconds*60 + 100); reports > limit {
		t.Errorf("reports passed on: got %d, want at most %d", reports, limit)
	}
	if more := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; more > 32 {
		t.Errorf("heap after the flood: %d MiB more", more)
	}
	from := e.Count()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "the truth after the flood", bolt(lock.BoltThrown))
}

// T20: a list of 100 MB is refused before it is in memory, and the health says so.
func TestHuge(t *testing.T) {
	part := []byte(`"` + strings.Repeat("x", 1<<20) + `",`)
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		if m["command"] != "start_listening" {
			return false
		}
		w, err := c.Writer(c.ctx, websocket.MessageText)
		if err != nil {
			return true
		}
		for range 100 {
			if _, err := w.Write(part); err != nil {
				return true
			}
		}
		_ = w.Close()
		return true
	}, nil)
	_, e := h.open()
	e.Wait(t, 0, "refused", ill("beyond every limit of 32 MiB"))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("heap in use after the refusal: %d MiB", m.HeapInuse>>20)
	if m.HeapInuse > 200<<20 {
		t.Errorf("heap in use: %d MiB", m.HeapInuse>>20)
	}
}

// S13, T20: what cannot be read makes bolt and door unknown, and the devices are asked; what is of no kind, or of a stranger's node,
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
		"garbage":         `{"event":"attribute_updated",`,
		"no object":       `[1]`,
		"odd types":       `{"event":"attribute_updated","data":[` + front + `,7,1]}`,
		"no path":         `{"event":"attribute_updated","data":[` + front + `,"1/257",1]}`,
		"a float's node":  `{"event":"attribute_updated","data":[1.5,"1/257/0",1]}`,
		"odd result":      `{"message_id":7,"result":null}`,
		"nothing said":    `{"message_id":"1"}`,
		"an event of air": `{"event":"node_event","data":{"event_id":2}}`,
		"a huge node":     `{"event":"node_removed","data":184467440737095516160}`,
	} {
		lines <- line
		_, from = e.Wait(t, from, name+": unknown", bolt(lock.BoltUnknown))
		_, from = e.Wait(t, from, name+": asked again", bolt(lock.BoltThrown))
	}
	for _, line := range []string{
		`{"gossip":1}`,
		`{"event":"attribute_updated","data":[77,7,1]}`,
		`{"event":"attribute_updated","data":[18446744073709551615,"1/257/0",2]}`, // the largest number of a node
		`{"event":"server_info_updated","data":{}}`,
		`{"message_id":"never asked","result":{}}`,
		`{"message_id":"99999","result":{}}`,
	} {
		lines <- line
	}
	lines <- `{"event":"attribute_updated","data":[` + front + `,"1/47/12",66]}`
	_, after := e.Wait(t, from, "the battery", func(r lock.Report) bool { return r.What == lock.OfBattery && r.Percent == 33 })
	for _, r := range e.Since(from)[:after-from] {
		if r.What != lock.OfBattery && r.What != lock.OfDoor { // the contact answers beside
			t.Errorf("nonsense that was not for us made a report: %+v", r)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conns != 1 {
		t.Errorf("connections: got %d, want 1", h.conns)
	}
}

// S9: what the server believes of the bolt is no report. Here it lists, and tells again and again, that the bolt is thrown, and the lock
// answers that it is drawn.
func TestMemoryIsNoReport(t *testing.T) {
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		switch m["command"] {
		case "read_attribute":
			c.result(m["message_id"], `{"1/257/0":2,"2/69/0":false}`)
		case "device_command":
			c.say(lockState(1))
			c.say(`{"event":"node_event","data":{"node_id":` + front + `,"endpoint_id":1,"cluster_id":257,"event_id":2,"data":{"lockOperationType":0,"operationSource":7}}}`)
			c.result(m["message_id"], `null`)
		default:
			return false
		}
		return true
	}, nil)
	l, e := h.open()
	_, from := e.Wait(t, 0, "drawn", bolt(lock.BoltDrawn))
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, from, "asked, still drawn", bolt(lock.BoltDrawn))
	for _, r := range e.Since(0) {
		if r.What == lock.OfBolt && r.Bolt == lock.BoltThrown || r.What == lock.OfDoor && r.Door == lock.DoorClosed {
			t.Errorf("what it never was: %+v", r)
		}
	}
}

// A list says which lock takes orders with a PIN only: a set-up asks for it then, and else not.
func TestListSaysWhichLockWantsAPIN(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "false": false, "null": false, `"true"`: false, "1": false, `{"x":true}`: false} {
		h := newHostile(t, nil, nil)
		h.nodes = strings.Replace(listing, `"1/257/3":1`, `"1/257/51":`+value, 1)
		all, err := matter.List(t.Context(), h.settings(), nil)
		if err != nil || len(all) == 0 || all[0].Kind != lock.KindLock {
			t.Fatalf("%v, %+v", err, all)
		}
		if all[0].PIN != want {
			t.Errorf("%s: the lock wants a PIN: %v", value, all[0].PIN)
		}
		for _, d := range all[1:] {
			if d.PIN {
				t.Errorf("%+v wants a PIN", d)
			}
		}
	}
}

// What is there does not fit the settings: the health says what to write.
func TestMisfit(t *testing.T) {
	pin := strings.Replace(listing, `"1/257/3":1`, `"1/257/51":true`, 1)
	bridge := strings.Replace(listing, `"1/257/3":1`, `"1/57/5":"Zigbee lock"`, 1)
	two := strings.Replace(listing, `"1/257/3":1`, `"4/257/0":1`, 1)
	for _, c := range []struct {
		name, nodes string
		set         func(*matter.Settings)
		want        string
	}{
		{"no such node", listing, func(s *matter.Settings) { s.Lock = "9" }, "lock: the Matter server has no node 9; it has " + front + " (Front lock)"},
		{"no such name", listing, func(s *matter.Settings) { s.Lock = "Frontlock" }, `no node named "Frontlock"; it has ` + front + " (Front lock)"},
		{"the contact as lock", listing, func(s *matter.Settings) { s.Lock = door }, "node " + door + " is no lock"},
		{"a leak sensor as contact", listing, func(s *matter.Settings) { s.Contact = door + "/3" }, "endpoint 3 of node " + door + " is no contact"},
		{"no alarm", listing, func(s *matter.Settings) { s.Smoke = front }, "is no smoke alarm"},
		{"a PIN is needed", pin, func(*matter.Settings) {}, "give one by pin_file"},
		{"a bridge", bridge, func(*matter.Settings) {}, "answers from memory"},
		{"two locks", two, func(*matter.Settings) {}, "write " + front + "/1 for the first"},
		{"nothing", `[]`, func(*matter.Settings) {}, "it has none: add the lock to it first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHostile(t, nil, nil)
			h.nodes = c.nodes
			s := h.settings()
			c.set(&s)
			l, e := open(t, h.now, s)
			e.Wait(t, 0, "the reason", ill(c.want))
			if err := l.Unlock(t.Context(), h.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
		})
	}
	t.Run("no Matter server", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(server.Close)
		_, e := open(t, func() time.Duration { return 0 }, matter.Settings{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Lock: "2"})
		e.Wait(t, 0, "the reason", ill("what answers there is no WebSocket: 404"))
	})
}
