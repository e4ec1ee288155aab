package matter_test

import (
	"encoding/json"
	"net/url"
	"strconv"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/matter"
)

// world is the peer's house, with a path that can be cut. Its wire is what the virtual lock heard on its network.
type world struct {
	t     testing.TB
	p     *peer
	pipe  *locktest.Pipe
	start time.Time
	late  time.Duration
}

func newWorld(t testing.TB) *world {
	t.Helper()
	p := thePeer(t)
	return &world{t: t, p: p, pipe: locktest.NewPipe(t, p.addr), start: time.Now(), late: 3 * time.Second}
}

func (w *world) now() time.Duration { return time.Since(w.start) }

func (w *world) settings() matter.Settings {
	return matter.Settings{URL: "ws://" + w.pipe.Addr() + "/ws", Lock: "1", Contact: "1", Smoke: "1/3"}
}

func (w *world) harness() locktest.Harness {
	return locktest.Harness{
		Open:     matter.Open,
		Config:   lock.Config{Name: "front", Now: w.now, Settings: w.settings()},
		World:    w,
		Patience: 2 * time.Minute, // a server that was killed needs some twenty seconds, and more where it is starved
		Refusals: 5,               // likewise
	}
}

var bolts = map[string]lock.Bolt{"thrown": lock.BoltThrown, "drawn": lock.BoltDrawn, "jammed": lock.BoltJammed, "moving": lock.BoltUnknown}

func word(b lock.Bolt) string {
	for w, x := range bolts {
		if x == b {
			return w
		}
	}
	return ""
}

func (w *world) Truth() (lock.Bolt, lock.Door) {
	var x struct{ Bolt, Door string }
	if err := json.Unmarshal(w.p.hand(w.t, "/truth", nil), &x); err != nil {
		w.t.Fatal(err)
	}
	return bolts[x.Bolt], map[string]lock.Door{"open": lock.DoorOpen, "closed": lock.DoorClosed}[x.Door]
}

func (w *world) Hand(to lock.Bolt) { w.p.hand(w.t, "/hand", url.Values{"to": {word(to)}}) }
func (w *world) Door(open bool) {
	w.p.hand(w.t, "/door", url.Values{"open": {map[bool]string{true: "1", false: "0"}[open]}})
}

func (w *world) Battery(percent int) {
	w.p.hand(w.t, "/battery", url.Values{"percent": {strconv.Itoa(percent)}})
}
func (w *world) Path(up bool) { w.pipe.Set(up) }

// Plant has the server remember a state that is not the lock's.
func (w *world) Plant(b lock.Bolt) {
	w.t.Helper()
	want := map[lock.Bolt]string{lock.BoltThrown: "1", lock.BoltDrawn: "2"}[b]
	w.p.hand(w.t, "/said", url.Values{"bolt": {word(b)}})
	w.until("the server remembers it", func() bool { return w.p.remembered(w.t, "1/257/0") == want })
	w.p.hand(w.t, "/hush", nil)
}

func (w *world) Lie(l locktest.Lie) {
	kind := map[locktest.Lie]string{
		locktest.Honest: "honest", locktest.AckedNotDone: "acked-not-done", locktest.DoneNotAcked: "done-not-acked", locktest.Late: "late",
		locktest.Twice: "twice", locktest.Failed: "failed", locktest.Jammed: "jammed",
	}[l]
	w.p.hand(w.t, "/lie", url.Values{"kind": {kind}, "late": {strconv.FormatInt(w.late.Milliseconds(), 10)}})
}

func (w *world) Peer(up bool) {
	w.t.Helper()
	if !up {
		w.p.mu.Lock()
		k := w.p.server
		w.p.mu.Unlock()
		k.kill()
		return
	}
	if err := w.p.startServer(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) Wire() []locktest.Sent {
	var heard []struct {
		At     float64 // milliseconds of Unix time
		Unlock bool
	}
	if err := json.Unmarshal(w.p.hand(w.t, "/wire", nil), &heard); err != nil {
		w.t.Fatal(err)
	}
	var sent []locktest.Sent
	for _, h := range heard {
		sent = append(sent, locktest.Sent{At: time.UnixMicro(int64(h.At * 1000)).Sub(w.start), Unlock: h.Unlock})
	}
	return sent
}

func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("never so: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
