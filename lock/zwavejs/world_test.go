package zwavejs_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/zwavejs"
)

// world is the peer's house, with a path that can be cut. Its wire is what the virtual lock's radio heard.
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

func (w *world) settings() zwavejs.Settings {
	return zwavejs.Settings{URL: "ws://" + w.pipe.Addr(), Lock: "2", Contact: "3", Smoke: "4"}
}

func (w *world) harness() locktest.Harness {
	return locktest.Harness{
		Open:     zwavejs.Open,
		Config:   lock.Config{Name: "front", Now: w.now, Settings: w.settings()},
		World:    w,
		Patience: 90 * time.Second, // a server that was killed needs some ten seconds, and more where it is starved
		Refusals: 5,                // likewise
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
	x := w.p.truth(w.t)
	return bolts[x.Bolt], map[string]lock.Door{"open": lock.DoorOpen, "closed": lock.DoorClosed}[x.Door]
}

func (w *world) Hand(to lock.Bolt) { w.p.hand(w.t, "/hand", url.Values{"to": {word(to)}}) }
func (w *world) Door(open bool)    { w.p.hand(w.t, "/door", url.Values{"open": {yesNo(open)}}) }
func (w *world) Battery(percent int) {
	w.p.hand(w.t, "/battery", url.Values{"percent": {num(percent)}})
}
func (w *world) Path(up bool)      { w.pipe.Set(up) }
func (w *world) Plant(b lock.Bolt) { w.p.hand(w.t, "/plant", url.Values{"bolt": {word(b)}}) }

func (w *world) Lie(l locktest.Lie) {
	kind := map[locktest.Lie]string{
		locktest.Honest: "honest", locktest.AckedNotDone: "acked-not-done", locktest.DoneNotAcked: "done-not-acked", locktest.Late: "late",
		locktest.Twice: "twice", locktest.Failed: "failed", locktest.Jammed: "jammed",
	}[l]
	w.p.hand(w.t, "/lie", url.Values{"kind": {kind}, "late": {num(int(w.late.Milliseconds()))}})
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
		at := time.UnixMicro(int64(h.At * 1000)).Sub(w.start)
		sent = append(sent, locktest.Sent{At: at, Unlock: h.Unlock})
	}
	return sent
}
