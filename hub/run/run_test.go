package run

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/mem"
	"eyebolt/ledger"
	"eyebolt/lock"
)

// The honest visit on real goroutines, disk and recorder: on disk before on the wire (S5), secured, released, the clip filed,
// and the whole record at the service.
func TestHonestVisit(t *testing.T) {
	h := newHouse(t)
	durable := false
	h.spy = func(string) {
		es, err := h.ledger.Read(context.Background(), 0, h.ledger.Size())
		durable = err == nil && has(es, ledger.KindDecision, "unlock")
	}
	h.prepare()
	h.arrive()
	h.unlock()
	if !durable {
		t.Error("S5: the order was on its way before the decision was on disk")
	}
	h.lock.Door(true)
	h.until("open")
	h.lock.Door(false)
	h.until("secured")
	if bolt, _ := h.lock.Truth(); bolt != lock.BoltThrown {
		t.Errorf("S9: secured, but the bolt is %v", bolt)
	}
	if r := h.out(); !r.OK {
		t.Fatalf("out: %+v", r)
	}
	h.wait("released", func() bool { return h.view.Released || h.view.Phase == "idle" })
	h.until("idle")
	if u, _ := h.wired(); u != 1 {
		t.Errorf("S3: %d unlocks on the wire, want 1", u)
	}
	h.wait("clip filed and shipped", func() bool { return has(h.log, ledger.KindClip, ledger.WordFiled) })
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.alarms {
		t.Errorf("S18: an honest visit was not quiet: %s", a.Reason)
	}
	if h.notes == 0 {
		t.Error("the record came without a signed checkpoint")
	}
	if !has(h.log, ledger.KindVisit, ledger.WordEnded) {
		t.Errorf("record at the service: %q", words(h.log))
	}
}

// S6, T10: pictures stop with the bolt drawn, and the service cannot be reached. Lagging, Lock, lost, alarm at the service: in this order, though nothing is written
// to the disk and the bus is gone at first.
func TestJam(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	h.unlock()
	h.mu.Lock()
	h.stall, h.events = true, nil
	h.mu.Unlock()
	h.hubEnd.SetOnline(false)
	last := h.eye.set(true)
	h.wait("a Lock on the wire", func() bool { _, locks := h.wired(); return locks > 0 })
	h.wait("lost", func() bool { return slices.ContainsFunc(h.events, func(e Event) bool { return e.What == "lost" }) })
	h.hubEnd.SetOnline(true)
	h.wait("alarm at the service", func() bool { return len(h.alarms) > 0 })

	h.mu.Lock()
	defer h.mu.Unlock()
	var order []string
	at := map[string]time.Duration{}
	for _, e := range h.events {
		if _, ok := at[e.What]; !ok {
			order = append(order, e.What)
			at[e.What] = e.At - last
		}
	}
	want := []string{"lagging", "lock", "lost", "alarm"}
	if got := slices.DeleteFunc(order, func(s string) bool { return !slices.Contains(want, s) }); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	if at["lagging"] < 250*time.Millisecond {
		t.Errorf("S18: lagging %v after the last picture, before A1", at["lagging"])
	}
	t.Logf("after the last picture: lagging %v, lock %v, lost %v, alarm given %v", at["lagging"], at["lock"], at["lost"], at["alarm"])
}

// S5: the disk never answers: no Unlock reaches the wire, and the door goes on being watched.
func TestStalledDisk(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	h.mu.Lock()
	h.stall = true
	h.mu.Unlock()
	h.slide()
	h.wait("the decision dropped", func() bool { return h.view.Phase == "ready" || h.view.Phase == "arming" })
	h.mu.Lock()
	h.stall = false
	h.mu.Unlock()
	if u, _ := h.wired(); u != 0 {
		t.Errorf("S5: %d unlocks with nothing durable", u)
	}
	h.must(bus.Ask{What: bus.AskCannot, Visit: h.seen().Visit, Text: "nobody"})
	h.until("idle")
}

// S12, S14, T9: the hub goes down with the door unlocked and comes up on the same record. No second Unlock; the bolt is thrown; a
// service that was gone meanwhile gets the whole record.
func TestRestart(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	h.unlock()
	h.hubEnd.SetOnline(false)
	h.hub.running.Store(false) // no farewell: the power is cut
	h.shut()
	if bolt, _ := h.lock.Truth(); bolt != lock.BoltDrawn {
		t.Fatalf("the bolt is %v before the restart, want drawn", bolt)
	}
	h.open()
	h.wait("the bolt thrown", func() bool { bolt, _ := h.lock.Truth(); return bolt == lock.BoltThrown })
	h.hubEnd.SetOnline(true)
	h.wait("an alarm", func() bool {
		return slices.ContainsFunc(h.alarms, func(a bus.Alarm) bool { return a.Reason == "restarted" })
	})
	h.wait("the whole record", func() bool {
		n := 0
		for _, e := range h.log {
			if e.Kind == ledger.KindBoot {
				n++
			}
		}
		return n == 2 && uint64(len(h.log)) >= h.ledger.Size()-8
	})
	if u, _ := h.wired(); u != 1 {
		t.Errorf("S12: %d unlocks on the wire, want 1", u)
	}
}

// S8: Stop with the door unlocked: nobody will watch, so it is bolted first.
func TestStopBolts(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	h.unlock()
	h.shut()
	if u, locks := h.wired(); u != 1 || locks == 0 {
		t.Errorf("wire after Stop: %d unlocks, %d locks, want 1 and at least 1", u, locks)
	}
}

// S16, T23: messages are lost and doubled; every alarm still reaches the service, the record arrives whole and in order, and
// nothing happens twice.
func TestBadBus(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	n := 0
	h.bus.Faults(func(e mem.Envelope) mem.Fate {
		n++
		return mem.Fate{Drop: n%3 == 0 && !strings.HasSuffix(e.Subject, ".ask"), Copies: n % 2}
	})
	h.unlock()
	h.eye.set(true)
	h.wait("the alarm", func() bool {
		return slices.ContainsFunc(h.alarms, func(a bus.Alarm) bool { return a.Reason == "lapse-lost" })
	})
	h.eye.set(false)
	h.wait("the record", func() bool {
		return has(h.log, ledger.KindDecision, "unlock") && has(h.log, ledger.KindCommand, "told")
	})
	if u, _ := h.wired(); u != 1 {
		t.Errorf("S12: %d unlocks, want 1", u)
	}
}

// A block and a slide race: once the block is answered, no unlock follows (S4).
func TestBlockRace(t *testing.T) {
	h := newHouse(t)
	h.prepare()
	h.arrive()
	v := h.seen()
	proof := h.who.Courier.Sign(v.Nonce)
	h.must(bus.Ask{What: bus.AskBlock, Count: 1})
	before, _ := h.wired()
	h.ask(bus.Ask{What: bus.AskSlide, Visit: v.Visit, Assertion: proof})
	h.wait("blocked", func() bool { return h.view.Blocked && h.view.Phase == "idle" })
	if after, _ := h.wired(); after != before {
		t.Error("S4: unlocked after the block was answered")
	}
}
