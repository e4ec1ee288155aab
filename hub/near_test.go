package hub

import (
	"fmt"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// press blocks the door on the home's own network.
func (h *home) press(by string) bus.AskReply {
	h.Helper()
	h.ref++
	ref := h.ref
	h.in(Pressed{Ref: ref, Door: h.who.Door, By: by})
	h.run(100 * time.Millisecond)
	r, ok := h.answers[ref]
	if !ok {
		h.Fatal("nobody answered the block")
	}
	return r
}

// S4: a block from the home's own network ends a visit that has not unlocked, holds after a restart, and is lifted by a resident who
// saw it, under a number that is higher than its own.
func TestBlockFromTheHome(t *testing.T) {
	h := ready(t)
	if r := h.press("Home Assistant"); !r.OK {
		t.Fatalf("got %+v", r)
	}
	if !h.view.Blocked || h.view.Phase != "idle" {
		t.Fatalf("got blocked %v in phase %s, want a blocked door without a visit", h.view.Blocked, h.view.Phase)
	}
	if n := h.count("unlock"); n != 0 {
		t.Errorf("%d unlocks after a block", n)
	}
	h.boot([]string{"hall"}, 2)
	h.run(4 * time.Second)
	if !h.view.Blocked {
		t.Fatal("the block is gone after a restart")
	}
	if r := h.ask(bus.Ask{ID: "lift", What: bus.AskUnblock, Count: h.view.BlockCount + 1}); !r.OK || h.view.Blocked {
		t.Fatalf("lifting it: got %+v, blocked %v", r, h.view.Blocked)
	}
}

// S4, T23: an unblock that the service gave before it heard of the block, and delivers afterwards, lifts nothing; however many orders
// wait there.
func TestOldUnblockAfterABlockFromTheHome(t *testing.T) {
	h := newHome(t)
	h.run(4 * time.Second)
	before := h.view.BlockCount
	h.press("Home Assistant")
	for i := range uint64(100) {
		r := h.ask(bus.Ask{ID: fmt.Sprint("old-", i), What: bus.AskUnblock, Count: before + 1 + i})
		if r.OK || r.Reason != interlock.Blocked.String() || !h.view.Blocked {
			t.Fatalf("an unblock of the past, number %d: got %+v, blocked %v", before+1+i, r, h.view.Blocked)
		}
	}
}

// S4, T23: a press on a door that is blocked already is a block like the first: an unblock that was given before it, and is still on its
// way, does not lift it, even if presses were so many that the record took no more of them.
func TestOldUnblockAfterManyBlocksFromTheHome(t *testing.T) {
	h := newHome(t)
	h.run(4 * time.Second)
	for range 2 * slowMax {
		h.press("Home Assistant")
	}
	onItsWay := h.view.BlockCount + 1
	if r := h.press("Home Assistant"); !r.OK {
		t.Fatalf("got %+v", r)
	}
	if r := h.ask(bus.Ask{ID: "old", What: bus.AskUnblock, Count: onItsWay}); r.OK || !h.view.Blocked {
		t.Fatalf("an unblock of before the newest press: got %+v, blocked %v", r, h.view.Blocked)
	}
	if r := h.ask(bus.Ask{ID: "lift", What: bus.AskUnblock, Count: h.view.BlockCount + 1}); !r.OK || h.view.Blocked {
		t.Errorf("lifting it: got %+v, blocked %v", r, h.view.Blocked)
	}
}

// S1: while the service has not heard of the block its counter differs, so nothing opens even if the block were not known here.
func TestBlockFromTheHomeMovesTheCounter(t *testing.T) {
	h := ready(t)
	before := h.view.BlockCount
	h.press("Home Assistant")
	if h.view.BlockCount <= before {
		t.Errorf("got the counter %d after %d: the service would not notice", h.view.BlockCount, before)
	}
}

// T20: somebody who presses on and on fills no disk, pushes no resident's ask out of memory, and unblocks nothing.
func TestBlockFromTheHomeAgainAndAgain(t *testing.T) {
	h := newHome(t)
	h.run(4 * time.Second)
	if r := h.ask(bus.Ask{ID: "mine", What: bus.AskHold, Text: "pets", On: true}); !r.OK {
		t.Fatalf("hold: %+v", r)
	}
	size := len(h.disk)
	const presses = 5000
	for range presses {
		h.ref++
		h.in(Pressed{Ref: h.ref, Door: h.who.Door, By: "Home Assistant"})
	}
	h.run(time.Second)
	blocks := 0
	for _, e := range h.disk[size:] {
		if e.Kind == ledger.KindConfig && e.Word == "block" {
			blocks++
		}
	}
	if blocks > slowMax+2 || blocks == 0 {
		t.Errorf("%d entries of %d presses, want 1 to %d", blocks, presses, slowMax+2)
	}
	if len(h.answers) < presses {
		t.Errorf("%d answers to %d presses", len(h.answers), presses)
	}
	if _, kept := h.c.asks.index["mine"]; !kept {
		t.Error("a resident's ask was pushed out")
	}
	if r := h.press("Home Assistant"); !r.OK || !h.view.Blocked {
		t.Errorf("got %+v, blocked %v", r, h.view.Blocked)
	}
}

func TestPressedAtNoDoor(t *testing.T) {
	h := newHome(t)
	h.run(time.Second)
	h.in(Pressed{Ref: 99, Door: "nowhere", By: "x"})
	if r := h.answers[99]; r.OK || r.Reason != interlock.WrongDoor.String() {
		t.Errorf("got %+v", r)
	}
}

// S7: the newest incident is shown with its time and reason, while it is open and after a resident has closed it, also after a restart.
func TestLastIncident(t *testing.T) {
	h := ready(t)
	if h.view.LastIncident != nil {
		t.Fatalf("got %+v before there was one", h.view.LastIncident)
	}
	h.slide()
	h.until("unlocked")
	visit := h.view.Visit
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	in := h.view.LastIncident
	if in == nil || !in.Open || in.Visit != visit || in.Reason == "" || in.Text == "" || in.At.IsZero() {
		t.Fatalf("got %+v", in)
	}
	first := *in
	h.cams["hall"].blind = false
	h.run(2 * time.Minute)
	for _, restart := range []bool{false, true} {
		if restart {
			h.boot([]string{"hall"}, 3)
			h.run(4 * time.Second)
		}
		if in := h.view.LastIncident; in == nil || !in.Open || in.Visit != first.Visit || in.Reason != first.Reason || !in.At.Equal(first.At) {
			t.Fatalf("restart %v: got %+v, want %+v", restart, in, first)
		}
	}
	if h.view.LastIncident.Total <= 0 {
		t.Errorf("got %v unwatched seconds", h.view.LastIncident.Total)
	}
	h.must(bus.Ask{ID: "read", What: bus.AskClose, Visit: first.Visit})
	if in := h.view.LastIncident; in == nil || in.Open || in.Visit != first.Visit {
		t.Errorf("closed: got %+v", in)
	}
}
