package hub

import (
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// T29, S3, T12: a hub that was restored from an old backup has forgotten what it opened and what was taken back. The service holds
// more of its record than it does itself: it refuses every grant of its epoch, tells the household, and remembers that.
func TestRestoredFromBackup(t *testing.T) {
	h := newHome(t)
	h.prepare()
	backup := slices.Clone(h.disk)
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	h.until("ready")
	h.slide()
	h.through()
	h.until("secured")
	h.out()
	h.until("idle")
	h.run(time.Second)
	h.cursor = uint64(len(h.disk)) // all is shipped

	again := func(name string, want interlock.Reason) {
		t.Helper()
		r := h.ask(bus.Ask{ID: name, What: bus.AskArrive, GrantID: h.who.Delivery.ID, Grant: h.who.Bytes(), Parcel: "PARCEL-1"})
		if r.OK != (want == interlock.NoReason) || r.Reason != want.String() && !r.OK {
			t.Errorf("%s: got %+v, want %q", name, r, want)
		}
	}
	again("the hub as it is", interlock.GrantUsed)

	h.disk, h.alarms, h.wire = backup, nil, nil
	h.boot([]string{"hall"}, 3)
	h.run(5 * time.Second)
	again("restored", interlock.GrantRevoked)
	if r := h.ask(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()}); r.OK || r.Reason != interlock.GrantRevoked.String() {
		t.Errorf("the grant given again: %+v", r)
	}
	told := 0
	for _, a := range h.alarms {
		if a.Reason == wordBehind {
			told++
		}
	}
	if told != 1 || !h.wrote("config behind grant-revoked") {
		t.Errorf("told %d times, on record %t; want both once", told, h.wrote("config behind grant-revoked"))
	}
	h.cursor = 1 // it has written more than the service ever held, or the service forgot
	h.boot([]string{"hall"}, 4)
	h.run(5 * time.Second)
	again("after a restart", interlock.GrantRevoked)

	// The household raises the epoch and consents anew.
	h.cursor = uint64(len(h.disk))
	h.who.Epoch, h.who.Consent.Epoch, h.who.Delivery.Epoch = 2, 2, 2
	h.boot([]string{"hall"}, 5)
	h.run(5 * time.Second)
	if n := h.count("unlock"); n != 0 {
		t.Errorf("the restored hub unlocked %d times", n)
	}
	h.who.Delivery.ID = "delivery-2"
	again("a grant of the new epoch", interlock.NoReason)
}

// T29, S3: a disk that was put back by few entries is found out too, though the hub's own start writes as many anew before the service
// answers: what this start has written cannot have been sent yet.
func TestRestoredByOneEntry(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		h := newHome(t)
		h.prepare()
		h.run(time.Second)
		held := len(h.disk)
		h.cursor = uint64(held)
		h.disk = h.disk[:held-n]
		h.boot([]string{"hall"}, 3)
		h.run(5 * time.Second)
		if !h.c.behind() {
			t.Errorf("put back by %d entries: not found out, with %d on record and %d at the service", n, len(h.disk), held)
		}
	}
}

// T29: an honest hub whose first answer came too slowly to count has sent what it wrote meanwhile: that is no sign of an old disk.
func TestSlowFirstAnswer(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.cursor = uint64(len(h.disk))
	h.silent = true
	h.boot([]string{"hall"}, 3)
	h.in(Answered{Seq: 1, Sent: h.mono, Trip: maxTrip + 1, Reply: bus.BeatReply{Blocks: h.blocks, Time: noon, Cursor: h.cursor}})
	h.run(time.Second)
	h.cursor, h.silent, h.seq = uint64(len(h.disk)), false, 1
	h.run(5 * time.Second)
	if h.c.behind() {
		t.Error("an honest hub thinks that it was restored")
	}
}

// T29, T18: a disk that said no to what it had written holds the same entries twice, and so does the service: more than this hub ever gave
// it, and no sign of another hub.
func TestEntriesThatStandTwice(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.run(time.Second)
	for _, e := range slices.Clone(h.disk) {
		e.Index = uint64(len(h.disk))
		h.disk = append(h.disk, e)
	}
	h.cursor = uint64(len(h.disk))
	h.run(20 * time.Second)
	if h.c.behind() {
		t.Error("an honest hub thinks that it was restored")
	}
}

// A service that holds as much as the hub wrote, or less, says nothing against it.
func TestCursorOfTheService(t *testing.T) {
	h := ready(t)
	for range 20 {
		h.run(500 * time.Millisecond)
		h.cursor = uint64(len(h.disk))
	}
	if h.c.behind() || h.wrote("config behind grant-revoked") {
		t.Error("an honest hub thinks that it was restored")
	}
}

// T16, T19: the record says what the service holds; it does not say that the service holds what there never was.
func TestServiceHoldsNoMoreThanThereIs(t *testing.T) {
	h := newHome(t)
	h.prepare()
	h.in(Shipped{Cursor: 1 << 40})
	h.run(time.Second)
	if h.wrote("checkpoint held") {
		t.Error("on record: the service holds more than was ever written")
	}
	for range 5 * heldEvery {
		h.must(bus.Ask{What: bus.AskHome, On: true})
	}
	h.in(Shipped{Cursor: uint64(len(h.disk))})
	h.run(time.Second)
	if !h.wrote("checkpoint held") {
		t.Error("not on record: the service holds everything")
	}
}
