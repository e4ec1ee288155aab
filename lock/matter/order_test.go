package matter_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/lock"
)

// S12: a lock that does not answer now gets no order, whatever the server says, and the driver says so within the order's second.
func TestNoProofNoOrder(t *testing.T) {
	for name, answer := range map[string]string{
		"silent":       "",
		"gone":         `{"message_id":%q,"error_code":0,"details":"src/app/ReadClient.cpp:745: CHIP Error 0x00000032: Timeout"}`,
		"unavailable":  `{"message_id":%q,"error_code":3,"details":"Node 5 is not (yet) available."}`,
		"says nothing": `{"message_id":%q,"result":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var gone atomic.Bool
			h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
				if !gone.Load() || m["command"] != "read_attribute" || !strings.Contains(m["paths"].(string), "257") {
					return false
				}
				if answer != "" {
					c.say(strings.Replace(answer, "%q", `"`+m["message_id"].(string)+`"`, 1))
				}
				return true
			}, nil)
			l, e := h.open()
			e.Wait(t, 0, "health", well)
			gone.Store(true)
			begin := time.Now()
			if err := l.Unlock(t.Context(), h.order()); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
			if took := time.Since(begin); took > 2*time.Second { // the order's second, and a starved machine's delay
				t.Errorf("unlock took %v", took)
			}
			if got := h.count("UnlockDoor"); got != 0 {
				t.Errorf("%d orders were sent", got)
			}
		})
	}
}

// jumper is a clock that can be set ahead.
type jumper struct {
	h     *hostile
	ahead atomic.Int64
}

func (j *jumper) now() time.Duration { return j.h.now() + time.Duration(j.ahead.Load()) }

// S12: the not-after is looked at again at the last moment: here the lock takes its time to answer, and the order's second passes.
func TestLateAtTheLastMoment(t *testing.T) {
	j := &jumper{}
	var late atomic.Bool
	h := newHostile(t, func(_ *hostileConn, m map[string]any) bool {
		if late.Load() && m["command"] == "read_attribute" {
			j.ahead.Store(int64(2 * time.Second))
		}
		return false
	}, nil)
	j.h = h
	l, e := open(t, j.now, h.settings())
	e.Wait(t, 0, "health", well)
	late.Store(true)
	if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: j.now() + time.Second}); !errors.Is(err, lock.ErrTooLate) {
		t.Errorf("unlock: got %v, want ErrTooLate", err)
	}
	if got := h.count("UnlockDoor"); got != 0 {
		t.Errorf("%d orders were sent", got)
	}
}

// S12: every order carries both limits, so that the server does not repeat it and the lock does not take it late; and the PIN, which is
// in no text that the driver passes on.
func TestLimitsAndPINOfAnOrder(t *testing.T) {
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		if m["name"] != "UnlockDoor" {
			return false
		}
		c.refuse(m["message_id"], "wrong code 482159 for this user")
		return true
	}, nil)
	s := h.settings()
	s.PINFile = writeFile(t, "pin", "482159\n")
	l, e := open(t, h.now, s)
	_, from := e.Wait(t, 0, "health", well)
	if err := l.Unlock(t.Context(), h.order()); err != nil {
		t.Fatal(err)
	}
	r, _ := e.Wait(t, from, "the refusal", func(r lock.Report) bool { return r.What == lock.OfFailure })
	if strings.Contains(r.Err.Error(), "482159") {
		t.Errorf("the PIN is told: %v", r.Err)
	}
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.until("the Lock", func() bool { return h.count("LockDoor") == 1 })
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.commands {
		if m["command"] != "device_command" {
			continue
		}
		args := m["args"].(map[string]any)
		if args["timed_request_timeout_ms"] != 1000.0 || args["interaction_timeout_ms"].(float64) > 2500 {
			t.Errorf("limits of %v: %s", m["name"], m["raw"])
		}
		if got := args["payload"].(map[string]any)["PINCode"]; got != base64.StdEncoding.EncodeToString([]byte("482159")) {
			t.Errorf("PIN of %v: %v", m["name"], got)
		}
	}
}

// S12, S13: an order of which nothing is heard is a failure within three seconds; bolt and health are unknown, no other order leaves, not
// even when the lock answers; and what draws late is told.
func TestUnansweredOrder(t *testing.T) {
	var mu sync.Mutex
	var conn *hostileConn
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		mu.Lock()
		defer mu.Unlock()
		conn = c
		return m["name"] == "UnlockDoor"
	}, nil)
	j := &jumper{h: h}
	l, e := open(t, j.now, h.settings())
	_, from := e.Wait(t, 0, "health", well)
	at := h.now()
	if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: j.now() + time.Second}); err != nil {
		t.Fatal(err)
	}
	r, _ := e.Wait(t, from, "the failure", func(r lock.Report) bool { return r.What == lock.OfFailure })
	t.Logf("failure told after %v: %v", r.At-at, r.Err)
	e.Wait(t, from, "bolt unknown", bolt(lock.BoltUnknown))
	_, from = e.Wait(t, from, "health off", ill("may still be carried out"))
	_, from = e.Wait(t, from, "the lock's answer", bolt(lock.BoltThrown))
	if err := l.Unlock(t.Context(), lock.Order{Visit: "w", NotAfter: j.now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("another order: got %v, want ErrNotSent", err)
	}
	mu.Lock()
	conn.say(lockState(2))
	mu.Unlock()
	_, from = e.Wait(t, from, "the late effect", bolt(lock.BoltDrawn))
	j.ahead.Store(int64(11 * time.Second))
	e.Wait(t, from, "health", well)
	if got := h.count("UnlockDoor"); got != 1 {
		t.Errorf("%d orders were sent", got)
	}
}

// S12: the connection breaks with an order before the server: on the next connection, too, the lock is not well, and no order leaves.
func TestOrderLostWithItsConnection(t *testing.T) {
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		if m["name"] == "UnlockDoor" {
			_ = c.CloseNow()
			return true
		}
		return false
	}, nil)
	j := &jumper{h: h}
	l, e := open(t, j.now, h.settings())
	_, from := e.Wait(t, 0, "health", well)
	if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: j.now() + time.Second}); errors.Is(err, lock.ErrNotSent) {
		t.Fatalf("unlock: %v, but it was sent", err)
	}
	_, next := e.Wait(t, from, "the failure", func(r lock.Report) bool { return r.What == lock.OfFailure })
	_, next = e.Wait(t, next, "the lock's answer", bolt(lock.BoltThrown))
	if err := l.Unlock(t.Context(), lock.Order{Visit: "w", NotAfter: j.now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("another order: got %v, want ErrNotSent", err)
	}
	for _, r := range e.Since(from) {
		if well(r) {
			t.Errorf("well, while an order is loose: %+v", r)
		}
	}
	j.ahead.Store(int64(11 * time.Second))
	e.Wait(t, next, "health", well)
}

// S11: Locks to a lock that is silent do not pile up in the server; a lock that answers gets each.
func TestLocksDoNotPileUp(t *testing.T) {
	var gone atomic.Bool
	h := newHostile(t, func(_ *hostileConn, m map[string]any) bool {
		return gone.Load() && (m["command"] == "device_command" || strings.Contains(m["paths"].(string), "257"))
	}, nil)
	j := &jumper{h: h}
	l, e := open(t, j.now, h.settings())
	_, from := e.Wait(t, 0, "health", well)
	throw := func(n int) {
		for range n {
			if err := l.Lock(t.Context()); err != nil {
				t.Errorf("lock: %v", err)
			}
		}
	}
	throw(5)
	h.until("five Locks", func() bool { return h.count("LockDoor") == 5 })
	gone.Store(true)
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.ahead.Store(int64(6 * time.Second))
	e.Wait(t, from, "health off", ill("did not answer"))
	throw(20)
	time.Sleep(200 * time.Millisecond)
	if got := h.count("LockDoor") - 5; got < 1 || got > 2 {
		t.Errorf("Locks to a silent lock: %d, want 1 or 2", got)
	}
}
