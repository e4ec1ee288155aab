package mqtt_test

import (
	"bufio"
	"encoding/json"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
)

// The devices on the air of testdata/peer/radio.cjs, and what of ZCL is spoken with them (07-5123, chapters 3, 7 and 8).
const (
	lockIEEE, contactIEEE, smokeIEEE = "0x000b57fffe100001", "0x00124b0023000002", "0x00124b0023000003"

	clusterPower, clusterLock = 1, 257

	opLock, opUnlock, opManualLock, opManualUnlock = 1, 2, 13, 14
	sourceKeypad, sourceRF, sourceManual           = 0, 1, 2
)

var lockStates = map[lock.Bolt]int{lock.BoltJammed: 0, lock.BoltThrown: 1, lock.BoltDrawn: 2}

const (
	houseTravel = 200 * time.Millisecond
	// houseGivesUp is how long the radio tries to reach a device that does not hear; a real one tries for seconds.
	houseGivesUp = 300 * time.Millisecond
	houseLate    = 2 * time.Second
)

// house is what is on the air of the real Zigbee2MQTT's radio: a lock whose bolt has a truth apart from what it says, a contact,
// a smoke sensor. It outlives Zigbee2MQTT.
type house struct {
	l     net.Listener
	voice voice // nil: the radio of the real Zigbee2MQTT

	mu      sync.Mutex
	radio   net.Conn // nil: no Zigbee2MQTT runs
	bolt    lock.Bolt
	from    lock.Bolt // where the bolt came from, while it moves
	open    bool
	lie     locktest.Lie
	battery int
	dead    bool // the lock: no battery
	run     int  // movements so far; a newer one overtakes an older one
	heard   []heardOrder
	reads   int
}

type heardOrder struct {
	at     time.Time
	unlock bool
}

// voice is how a lock of another convention says what is so. It is called with the house held.
type voice interface {
	tellBolt()
	tellMoving(to lock.Bolt)
	tellDoor()
	tellBattery()
}

func newHouse() (*house, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &house{l: l}
	h.reset()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.radio = c
			h.mu.Unlock()
			go h.serve(c)
		}
	}()
	return h, nil
}

func (h *house) port() string { return strconv.Itoa(h.l.Addr().(*net.TCPAddr).Port) }

// reset makes it the house that the suite begins with.
func (h *house) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run++
	h.bolt, h.open, h.lie, h.dead, h.battery, h.heard, h.reads = lock.BoltThrown, false, locktest.Honest, false, 90, nil, 0
}

type fromRadio struct {
	ID         int    `json:"id"`
	To         string `json:"to"`
	Cluster    int    `json:"cluster"`
	Command    string `json:"command"`
	Attributes []int  `json:"attributes"`
}

func (h *house) serve(c net.Conn) {
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m fromRadio
		if json.Unmarshal(lines.Bytes(), &m) == nil {
			h.hear(c, m)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.radio == c {
		h.radio = nil
	}
	_ = c.Close()
}

// hear is a device's receiver.
func (h *house) hear(c net.Conn, m fromRadio) {
	h.mu.Lock()
	defer h.mu.Unlock()
	values := map[int]int{}
	heard := true
	switch {
	case m.To != lockIEEE:
	case h.dead:
		heard = false
	case m.Cluster == clusterLock && (m.Command == "lockDoor" || m.Command == "unlockDoor"):
		heard = h.command(m.Command == "unlockDoor")
	case m.Command == "read" && m.Cluster == clusterLock:
		h.reads++
		heard = h.lie != locktest.DoneNotAcked && h.lie != locktest.Failed
		at := h.bolt
		if at == lock.BoltUnknown {
			at = h.from
		}
		values[0] = lockStates[at]
	case m.Command == "read" && m.Cluster == clusterPower:
		values[33] = 2 * h.battery
	}
	if heard {
		h.send(c, map[string]any{"id": m.ID, "heard": true, "values": values})
		return
	}
	time.AfterFunc(houseGivesUp, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.send(c, map[string]any{"id": m.ID, "heard": false})
	})
}

func (h *house) command(unlock bool) (heard bool) {
	h.heard = append(h.heard, heardOrder{time.Now(), unlock})
	to := lock.BoltThrown
	if unlock {
		to = lock.BoltDrawn
	}
	switch h.lie {
	case locktest.Failed:
		return false
	case locktest.AckedNotDone:
	case locktest.DoneNotAcked:
		h.drive(to, h.lie, 0)
		return false
	case locktest.Late:
		h.drive(to, h.lie, houseLate)
	case locktest.Twice:
		h.drive(to, h.lie, 0)
		run := h.run
		time.AfterFunc(houseLate, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.run <= run+1 { // at most one Lock came between: not another test
				h.drive(to, locktest.Honest, 0)
			}
		})
	case locktest.Honest, locktest.Jammed:
		h.drive(to, h.lie, 0)
	}
	return true
}

// drive runs the motor.
func (h *house) drive(to lock.Bolt, lie locktest.Lie, after time.Duration) {
	h.run++
	run := h.run
	mine := func(do func()) func() {
		return func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.run == run {
				do()
			}
		}
	}
	begin := func() {
		if h.bolt != lock.BoltUnknown {
			h.from = h.bolt
		}
		h.bolt = lock.BoltUnknown
		if h.voice != nil && lie != locktest.DoneNotAcked {
			h.voice.tellMoving(to)
		}
		time.AfterFunc(houseTravel, mine(func() {
			h.bolt = to
			if to == lock.BoltThrown && lie == locktest.Jammed {
				h.bolt = lock.BoltJammed
			}
			if lie != locktest.DoneNotAcked {
				h.tellBolt(map[lock.Bolt]int{lock.BoltThrown: opLock, lock.BoltDrawn: opUnlock}[h.bolt], sourceRF, 0xFFFF)
			}
		}))
	}
	if after == 0 {
		begin()
		return
	}
	time.AfterFunc(after, mine(begin))
}

// tellBolt has the lock report its bolt and, unless operation is 0, who moved it.
func (h *house) tellBolt(operation, source, user int) {
	if h.voice != nil {
		h.voice.tellBolt()
		return
	}
	h.attribute(lockIEEE, clusterLock, 0, "enum8", lockStates[h.bolt])
	if operation != 0 {
		h.tell(map[string]any{"from": lockIEEE, "operation": map[string]int{"code": operation, "source": source, "user": user}})
	}
}

func (h *house) attribute(ieee string, cluster, attribute int, kind string, value int) {
	h.tell(map[string]any{"from": ieee, "report": map[string]any{"cluster": cluster, "attribute": attribute, "type": kind, "value": value}})
}

// tell is a device's sender. Without a Zigbee2MQTT nobody hears it.
func (h *house) tell(m any) {
	if h.radio != nil {
		h.send(h.radio, m)
	}
}

func (h *house) send(c net.Conn, m any) {
	b, err := json.Marshal(m)
	if err == nil {
		_, _ = c.Write(append(b, '\n'))
	}
}

// do changes the house.
func (h *house) do(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *house) hand(to lock.Bolt) {
	h.do(func() {
		h.run++
		h.bolt = to
		h.tellBolt(map[lock.Bolt]int{lock.BoltThrown: opManualLock, lock.BoltDrawn: opManualUnlock}[to], sourceManual, 0xFFFF)
	})
}

func (h *house) door(open bool) {
	h.do(func() {
		h.open = open
		if h.voice != nil {
			h.voice.tellDoor()
			return
		}
		h.zone(contactIEEE, open)
	})
}

func (h *house) zone(ieee string, alarm bool) {
	h.tell(map[string]any{"from": ieee, "zone": map[bool]int{true: 1}[alarm]})
}

func (h *house) truth() (lock.Bolt, lock.Door) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open {
		return h.bolt, lock.DoorOpen
	}
	return h.bolt, lock.DoorClosed
}

// orders are what the lock's radio heard.
func (h *house) orders() []heardOrder {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]heardOrder(nil), h.heard...)
}

func (h *house) unlocks() int {
	n := 0
	for _, o := range h.orders() {
		if o.unlock {
			n++
		}
	}
	return n
}

func (h *house) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("never so: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
