package zwavejs_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/zwavejs"
)

// jumper is a clock that can be set ahead.
type jumper struct {
	h     *hostile
	ahead atomic.Int64
}

func (j *jumper) now() time.Duration { return j.h.now() + time.Duration(j.ahead.Load()) }

// S13: outside of visits, too, the lock must answer every Prove: a server that goes on answering without its stick, or says nothing
// more of a question, is found out. In between the lock's battery is left alone.
func TestProve(t *testing.T) {
	for name, refuse := range map[string]bool{"the server refuses": true, "the server is silent": false} {
		t.Run(name, func(t *testing.T) {
			var gone atomic.Bool
			h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
				if m["command"] != "endpoint.invoke_cc_api" || !gone.Load() {
					return false
				}
				if refuse {
					c.say(fmt.Sprintf(`{"type":"result","success":false,"messageId":%q,"errorCode":"zwave_error","zwaveErrorCode":202,"zwaveErrorMessage":"The serial port is not open! (ZW0202)"}`, m["messageId"]))
				}
				return true
			}, nil)
			j := &jumper{h: h}
			_, e := open(t, j.now, zwavejs.Settings{URL: h.url, Lock: "2", Contact: "3"})
			_, from := e.Wait(t, 0, "health", well)
			gone.Store(true)
			asked := h.count("endpoint.invoke_cc_api")
			j.ahead.Store(int64(9 * time.Minute))
			time.Sleep(1500 * time.Millisecond) // the driver looks every second
			if got := h.count("endpoint.invoke_cc_api"); got != asked {
				t.Errorf("questions to the lock within ten minutes: %d more", got-asked)
			}
			j.ahead.Store(int64(10 * time.Minute))
			for deadline := time.Now().Add(20 * time.Second); h.count("endpoint.invoke_cc_api") == asked; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the lock was not asked after ten minutes")
				}
			}
			if !refuse {
				j.ahead.Store(int64(10*time.Minute + 11*time.Second))
			}
			e.Wait(t, from, "the lock does not answer", ill("the lock did not answer"))
		})
	}
}

// S12: the not-after is looked at again at the last moment: here the stick takes its time to show that it lives, and the order's
// second passes meanwhile.
func TestLateAtTheLastMoment(t *testing.T) {
	j := &jumper{}
	var slow atomic.Bool
	h := newHostile(t, func(_ *hostileConn, m map[string]any) bool {
		if m["command"] == "controller.is_failed_node" && slow.Load() {
			j.ahead.Store(int64(2 * time.Second))
		}
		return false
	}, nil)
	j.h = h
	l, e := open(t, j.now, zwavejs.Settings{URL: h.url, Lock: "2", Contact: "3"})
	e.Wait(t, 0, "health", well)
	slow.Store(true)
	err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: j.now() + time.Second})
	if !errors.Is(err, lock.ErrTooLate) {
		t.Errorf("unlock: got %v, want ErrTooLate", err)
	}
	if got := h.count("node.set_value"); got != 0 {
		t.Errorf("%d orders were sent", got)
	}
}

// S12: a lock that has not answered for twelve seconds gets no order; it is asked, and the next one passes.
func TestStaleLock(t *testing.T) {
	j := &jumper{}
	h := newHostile(t, nil, nil)
	j.h = h
	l, e := open(t, j.now, zwavejs.Settings{URL: h.url, Lock: "2", Contact: "3"})
	_, from := e.Wait(t, 0, "health", well)
	j.ahead.Store(int64(13 * time.Second))
	if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: j.now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	e.Wait(t, from, "the answer", bolt(lock.BoltThrown))
	if err := l.Unlock(t.Context(), lock.Order{Visit: "w", NotAfter: j.now() + time.Second}); err != nil {
		t.Errorf("unlock, once it was asked: %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); h.count("node.set_value") == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the order never came")
		}
	}
}
