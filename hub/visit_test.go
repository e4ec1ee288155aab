package hub

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// The honest visit: one decision, durable before the one Unlock; secured, released, done; no alarm (S1, S3, S5, S9, S19).
func TestHonestVisit(t *testing.T) {
	h := ready(t)
	if r := h.slide(); !r.OK {
		t.Fatalf("slide: %+v", r)
	}
	h.through()
	h.until("secured")
	if h.view.Released {
		t.Error("S19: released before \"I am out\"")
	}
	if r := h.out(); !r.OK {
		t.Fatalf("out: %+v", r)
	}
	h.until("tail")
	if !h.view.Released {
		t.Error("S19: not released after secured and \"I am out\"")
	}
	h.until("idle")
	h.run(time.Second)

	if i, j := slices.Index(h.wire, "durable"), slices.Index(h.wire, "unlock"); i < 0 || j < i {
		t.Errorf("S5: wire %v, want durable before unlock", h.wire)
	}
	if n := h.count("unlock"); n != 1 {
		t.Errorf("S3: %d unlocks, want 1", n)
	}
	for _, a := range h.alarms {
		t.Errorf("S18: an honest visit was not quiet: %s", a.Reason)
	}
	want := []string{"visit began arrived", "visit ended delivered"}
	if got := h.words(ledger.KindVisit); !slices.Equal(got, want) {
		t.Errorf("visit entries %q, want %q", got, want)
	}
	if got := h.records; !slices.Equal(got, []string{"record hall", "keep hall"}) {
		t.Errorf("recorder %v", got)
	}
	if len(h.view.Incidents) != 0 || h.view.Visit != "" {
		t.Errorf("after the visit: %+v", h.view)
	}
}

// The same visit twice with the same seed gives the same record, byte for byte.
func TestDeterministic(t *testing.T) {
	record := func() (out []string) {
		h := ready(t)
		h.slide()
		h.through()
		h.until("secured")
		h.out()
		h.until("idle")
		for _, e := range h.disk {
			out = append(out, string(e.Encode()))
		}
		return out
	}
	if a, b := record(), record(); !slices.Equal(a, b) {
		t.Error("two runs of one seed differ")
	}
}

// T1: the picture is lost while the door is open. Bolted as it closes, alarm, incident with the gap; never released; no
// second opening (S6, S7, S10).
func TestRhino(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.run(2 * time.Second)
	lostAt := h.mono
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	if h.view.Watch != "lost" || !h.view.Leave || h.view.Alarm != "lapse-lost" {
		t.Errorf("blind for 3 s: watch %s, leave %v, alarm %q", h.view.Watch, h.view.Leave, h.view.Alarm)
	}
	h.move(false)
	if n := len(h.wire); h.wire[n-1] != "lock" {
		t.Errorf("S6: the door closed blind, wire %v, want lock in that step", h.wire)
	}
	h.until("secured")
	securedAt := h.mono
	h.run(2 * time.Second)
	h.cams["hall"].blind = false
	h.run(time.Second)
	h.out()
	h.run(70 * time.Second)
	h.until("idle")
	if h.view.Released {
		t.Error("S7: released from a visit that lapsed")
	}
	if len(h.view.Incidents) != 1 {
		t.Fatalf("incidents %+v, want one", h.view.Incidents)
	}
	in := h.view.Incidents[0]
	want := tenths(securedAt - lostAt)
	if in.Total < want-0.11 || in.Total > want+0.11 {
		t.Errorf("S7: total %.1f s, want %.1f (blind %v until secured)", in.Total, want, securedAt-lostAt)
	}
	if len(in.Gaps) != 1 || in.Gaps[0].Second < in.Total+1.9 || in.Gaps[0].Why != "lapse-lost" {
		t.Errorf("gaps %+v: want one of the whole blind time", in.Gaps)
	}
	// Nobody else opens this door until a resident has read it (S7).
	if r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}); r.OK {
		t.Error("a new visit began over an open incident")
	}
	h.must(bus.Ask{What: bus.AskClose, Visit: in.Visit, By: "resident"})
	h.run(time.Second)
	if len(h.view.Incidents) != 0 || h.view.Alarm != "" {
		t.Errorf("after closing: %+v", h.view)
	}
}

// T2: lost between the door's closing and the lock's report: bolted, an incident, and no release for anybody.
func TestBystander(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.run(time.Second)
	h.deaf = true // the bolt is held for a while
	h.move(false)
	h.cams["hall"].blind = true
	h.run(4 * time.Second)
	if h.view.Secured || h.view.Released {
		t.Error("S9: secured without a report")
	}
	h.deaf = false
	h.until("secured")
	h.cams["hall"].blind = false
	h.out()
	h.until("idle")
	if len(h.view.Incidents) != 1 || h.view.Incidents[0].Total <= 0 {
		t.Errorf("incidents %+v, want one with a gap", h.view.Incidents)
	}
}

// T3: the bolt is blocked: no report, no release, alarm in the published time.
func TestBlockedBolt(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.deaf = true
	h.move(false)
	h.run(12 * time.Second)
	h.out()
	h.run(time.Second)
	if h.view.Alarm != "not-secured" || h.view.Released {
		t.Errorf("alarm %q released %v, want not-secured and not released", h.view.Alarm, h.view.Released)
	}
}

// S5: decided and never durable: no Unlock, whenever the disk comes back (T18).
func TestDecidedNotDurable(t *testing.T) {
	h := ready(t)
	h.stuck = true
	if r := h.slide(); !r.OK {
		t.Fatalf("slide: %+v", r)
	}
	h.run(3 * time.Second)
	if n := h.count("unlock"); n != 0 {
		t.Fatalf("S5: %d unlocks with nothing on disk", n)
	}
	h.stuck = false
	h.flush()
	h.run(3 * time.Second)
	if n := h.count("unlock"); n != 0 {
		t.Errorf("S12: durable after its limit gave %d unlocks, want none", n)
	}
}

// T18: the decision cannot be written.
func TestDiskFull(t *testing.T) {
	h := ready(t)
	h.broken = true
	h.slide()
	h.run(3 * time.Second)
	if n := h.count("unlock"); n != 0 {
		t.Errorf("S5: %d unlocks on a full disk", n)
	}
	if r := h.ask(bus.Ask{What: bus.AskHold, Text: "pets", On: true}); r.OK {
		t.Error("T18: acknowledged what is not on disk")
	}
}

// refuse has the disk say no to all that waits for it, and go on.
func (h *home) refuse() {
	for _, a := range h.waits {
		if a.Done != 0 {
			h.in(Written{Done: a.Done, Err: errors.New("input/output error")})
		}
	}
	h.waits, h.stuck = nil, false
}

// T18, S19: the courier's signed "I am out" is acknowledged once it is on disk. One that the disk did not take is refused, and his phone
// asks for it again.
func TestOutIsDurable(t *testing.T) {
	h := ready(t)
	h.slide()
	h.through()
	h.until("secured")
	out := func(ref uint64) {
		h.in(Asked{Ref: ref, Ask: bus.Ask{ID: fmt.Sprint("out-", ref), What: bus.AskOut, Door: h.who.Door, Visit: h.view.Visit, Assertion: h.who.Courier.Sign(h.view.OutNonce)}})
	}
	h.stuck = true
	out(900)
	if r, ok := h.answers[900]; ok {
		t.Errorf("answered %+v before it was on disk", r)
	}
	h.refuse()
	if r := h.answers[900]; r.OK || r.Reason != interlock.LedgerFailed.String() {
		t.Errorf("not written, and answered %+v; want ledger-failed", r)
	}
	if h.view.OutNonce == nil {
		t.Fatal("his phone does not ask again")
	}
	out(901)
	h.run(100 * time.Millisecond)
	if r := h.answers[901]; !r.OK || h.view.OutNonce != nil {
		t.Errorf("written, and answered %+v; asks again: %v", r, h.view.OutNonce != nil)
	}
}

// T18, S19: a courier is shown his release once it is on disk: at once with a disk that works, and a while after one that did not has
// healed.
func TestReleaseIsDurable(t *testing.T) {
	h := ready(t)
	h.slide()
	h.through()
	h.until("secured")
	h.stuck = true
	h.in(Asked{Ref: 900, Ask: bus.Ask{ID: "out-1", What: bus.AskOut, Door: h.who.Door, Visit: h.view.Visit, Assertion: h.who.Courier.Sign(h.view.OutNonce)}})
	h.run(300 * time.Millisecond)
	if h.view.Phase != "tail" || h.view.Released {
		t.Errorf("phase %s, released %v with nothing on disk", h.view.Phase, h.view.Released)
	}
	h.refuse()
	h.run(200 * time.Millisecond)
	if h.view.Released {
		t.Error("released, and it was not written")
	}
	h.run(freeAgain)
	if !h.view.Released {
		t.Error("not released with a disk that works again")
	}
}

// S4: a block in every phase. None is followed by an unlock; with the door open the visit is in alarm and bolted as it closes.
func TestBlockInEveryPhase(t *testing.T) {
	for _, phase := range []string{"idle", "arming", "ready", "deciding", "unlocking", "unlocked", "open", "closing", "secured", "tail"} {
		t.Run(phase, func(t *testing.T) {
			h := newHome(t)
			h.prepare()
			h.reach(phase)
			before := h.count("unlock")
			h.blocks[h.who.Door]++
			h.in(Asked{Ref: 900, Ask: bus.Ask{ID: "block-1", What: bus.AskBlock, Door: h.who.Door, By: "resident", Count: h.blocks[h.who.Door]}})
			h.stuck = false
			h.flush()
			if !h.answers[900].OK {
				t.Errorf("block: %+v", h.answers[900])
			}
			h.run(5 * time.Second)
			if n := h.count("unlock"); n != before {
				t.Errorf("S4: %d unlocks after the block", n-before)
			}
			if !h.view.Blocked {
				t.Error("the view does not say blocked")
			}
			if phase == "open" {
				if h.view.Alarm != "blocked-while-open" || !h.view.Leave {
					t.Errorf("blocked with the door open: alarm %q leave %v", h.view.Alarm, h.view.Leave)
				}
				locks := h.count("lock")
				h.move(false)
				if h.count("lock") == locks {
					t.Error("S4: not bolted as it closed")
				}
			}
		})
	}
}

// reach brings an honest visit to a phase.
func (h *home) reach(phase string) {
	h.Helper()
	if phase == "idle" {
		return
	}
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	if phase == "arming" {
		return
	}
	h.until("ready")
	if phase == "ready" {
		return
	}
	h.stuck = phase == "deciding"
	h.slide()
	if phase == "deciding" {
		return
	}
	h.until("unlocking")
	if phase == "unlocking" {
		return
	}
	h.until("unlocked")
	if phase == "unlocked" {
		return
	}
	h.move(true)
	h.run(time.Second)
	if phase == "open" {
		return
	}
	h.move(false)
	if phase == "closing" {
		return
	}
	h.until("secured")
	if phase == "secured" {
		return
	}
	if r := h.out(); !r.OK {
		h.Fatalf("out: %+v", r)
	}
	h.until("tail")
}

// S19, S9: the disk took its time over a release, and somebody has asked for the bolt anew meanwhile: the courier is shown his release once
// the door is proven again, not before.
func TestReleaseWaitsForTheProof(t *testing.T) {
	h := ready(t)
	h.slide()
	h.through()
	h.until("secured")
	h.stuck = true
	h.in(Asked{Ref: 900, Ask: bus.Ask{ID: "out-1", What: bus.AskOut, Door: h.who.Door, Visit: h.view.Visit, Assertion: h.who.Courier.Sign(h.view.OutNonce)}})
	h.run(300 * time.Millisecond)
	h.deaf, h.plug = true, false // no report comes
	h.in(Asked{Ref: 901, Ask: bus.Ask{ID: "lock-1", What: bus.AskLock, Door: h.who.Door}})
	h.stuck = false
	h.flush()
	h.run(3 * time.Second)
	if h.view.Secured || h.view.Released {
		t.Errorf("secured %t, released %t after a Lock that nobody answered", h.view.Secured, h.view.Released)
	}
	h.deaf, h.plug = false, true
	h.run(8 * time.Second)
	if !h.view.Secured || !h.view.Released {
		t.Errorf("secured %t, released %t once it is proven", h.view.Secured, h.view.Released)
	}
}

// S11, S6: a hub that stood still while the door opened learns of both in one step. It is late, and throws no bolt at a door that it is
// just being told to be open; as it closes, it does.
func TestWakesToAnOpenDoor(t *testing.T) {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.mono += 12 * time.Second
	h.move(true)
	if n := h.count("lock"); n != 0 {
		t.Errorf("%d Locks at an open door", n)
	}
	h.run(2 * time.Second)
	h.move(false)
	h.run(100 * time.Millisecond)
	if h.count("lock") == 0 {
		t.Error("no Lock as it closes")
	}
}
