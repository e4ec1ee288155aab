package hub

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"eyebolt/bus"
	"eyebolt/ledger"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// Whatever happens in whatever order, with every restart in between: bolts come first and wait for nothing (S5); an Unlock
// follows a durable decision of its own, once, from the step that took "durable" and never in another (S5, S12); every ask
// is answered; every entry can be written.
func TestAnyOrder(t *testing.T) {
	opened := 0
	rapid.Check(t, func(rt *rapid.T) {
		h := newHome(t)
		h.prepare()
		h.lying = true
		if rapid.Bool().Draw(rt, "arrived") {
			h.reach(rapid.SampledFrom([]string{"ready", "deciding", "unlocked", "open", "secured"}).Draw(rt, "phase"))
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			in := h.anything(rt)
			if in == nil {
				continue
			}
			h.in(in)
			if a, ok := in.(Asked); ok && !h.stuck && !h.broken {
				for i := 0; i < 10 && h.answers[a.Ref] == (bus.AskReply{}); i++ {
					h.run(20 * time.Millisecond)
				}
				if h.answers[a.Ref] == (bus.AskReply{}) {
					rt.Fatalf("ask %q was not answered", a.Ask.What)
				}
			}
		}
		h.stuck, h.broken = false, false
		h.flush()
		opened += h.count("unlock")
		if t.Failed() {
			rt.Fatal("a rule was broken")
		}
		decisions := 0
		for _, e := range h.disk {
			if e.Kind == ledger.KindDecision {
				decisions++
			}
		}
		if n := h.count("unlock"); n > decisions {
			rt.Fatalf("S5: %d unlocks of %d decisions", n, decisions)
		}
	})
	t.Logf("%d doors were opened in all", opened)
	if opened == 0 {
		t.Error("no run ever opened: the property proves nothing")
	}
}

// anything is one thing that can happen; nil if it has happened already.
func (h *home) anything(rt *rapid.T) Input {
	door := h.who.Door
	ask := func(a bus.Ask) Input {
		h.ref++
		a.ID = rapid.SampledFrom([]string{"a", "b", time.Duration(h.ref).String()}).Draw(rt, "id")
		if a.Door == "" {
			a.Door = door
		}
		return Asked{Ref: h.ref, Ask: a}
	}
	switch rapid.IntRange(0, 15).Draw(rt, "what") {
	case 0:
		h.run(time.Duration(rapid.IntRange(1, 300).Draw(rt, "ticks")) * 20 * time.Millisecond)
	case 1:
		return Tick{Late: rapid.Bool().Draw(rt, "late")}
	case 2:
		v := liveness.Verdict{State: liveness.State(rapid.IntRange(0, 11).Draw(rt, "state")), Age: time.Duration(rapid.Int64().Draw(rt, "age")), GapFrom: time.Duration(rapid.Int64().Draw(rt, "from")), GapTo: time.Duration(rapid.Int64().Draw(rt, "to")), Pictures: 1}
		return Seen{Door: door, Camera: "hall", At: h.mono, Verdict: v}
	case 3:
		return Recorded{Door: door, Camera: "hall", Visit: rapid.SampledFrom([]string{h.view.Visit, "another"}).Draw(rt, "visit"), OK: rapid.Bool().Draw(rt, "ok")}
	case 4:
		r := lock.Report{What: lock.What(rapid.IntRange(0, 7).Draw(rt, "what")), Bolt: lock.Bolt(rapid.IntRange(0, 5).Draw(rt, "bolt")), Door: lock.Door(rapid.IntRange(0, 5).Draw(rt, "door")), By: lock.By(rapid.IntRange(0, 6).Draw(rt, "by")), OK: rapid.Bool().Draw(rt, "ok"), Percent: rapid.Int().Draw(rt, "percent"), Who: "\xffme", At: h.mono - time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "old"))*time.Millisecond}
		return Reported{Door: door, Report: r}
	case 5:
		h.open = !h.open
		h.reportDoor()
	case 6:
		h.flush()
	case 7:
		if h.stuck = !h.stuck; !h.stuck {
			h.flush()
		}
	case 8:
		for _, a := range h.waits { // one batch, out of turn, or refused
			if a.Done != 0 {
				h.waits = slices.DeleteFunc(h.waits, func(o Append) bool { return o.Done == a.Done })
				if rapid.IntRange(0, 3).Draw(rt, "failed") == 0 {
					return Written{Done: a.Done, Err: errors.New("disk full")}
				}
				for _, e := range a.Entries {
					e.Index = uint64(len(h.disk))
					h.disk = append(h.disk, e)
				}
				return Written{Done: a.Done}
			}
		}
	case 9:
		done := rapid.Uint64Range(0, 30).Draw(rt, "done")
		if slices.ContainsFunc(h.waits, func(a Append) bool { return a.Done == done }) {
			return nil // only a disk that lies calls written what is not: no rule can hold then
		}
		return Written{Done: done}
	case 10:
		return ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	case 11:
		return ask(bus.Ask{What: bus.AskSlide, Assertion: h.who.Courier.Sign(append(slices.Clone(h.view.Nonce), make([]byte, 32)...)[:32])})
	case 12:
		return ask(bus.Ask{What: bus.AskOut, Assertion: h.who.Courier.Sign(append(slices.Clone(h.view.OutNonce), make([]byte, 32)...)[:32])})
	case 13:
		what := rapid.SampledFrom([]string{bus.AskBlock, bus.AskUnblock, bus.AskLock, bus.AskLeave, bus.AskAck, bus.AskHome, bus.AskHold, bus.AskCannot, bus.AskRevoke, bus.AskView}).Draw(rt, "ask")
		return ask(bus.Ask{What: what, Count: rapid.Uint64Range(0, 6).Draw(rt, "count"), On: rapid.Bool().Draw(rt, "on"), Text: "pets", Revoked: []string{"x"}})
	case 14:
		if len(h.c.doors[0].incidents) > 0 {
			return ask(bus.Ask{What: bus.AskClose, Visit: h.c.doors[0].incidents[0].Visit})
		}
	case 15:
		if rapid.IntRange(0, 5).Draw(rt, "power") == 0 {
			h.boot([]string{"hall"}, rapid.Uint64().Draw(rt, "seed"))
		}
	}
	return nil
}

// A record that was written by nobody is replayed without harm: what does not verify is not believed (S13, T19).
func FuzzReplay(f *testing.F) {
	for _, k := range []string{"config pair", "config grant", "config block", "config hold", "visit began", "visit ended", "decision unlock", "gap gap", "command alarm", "fact clock-sure"} {
		f.Add(k, []byte(`{"id":"x","grant":"g","count":3,"what":"pets","outcome":"incident"}`), "front", "v1", int64(0))
	}
	f.Fuzz(func(t *testing.T, what string, data []byte, door, visit string, at int64) {
		h := newHome(t)
		kind, word := ledger.Kind(what), what
		for i := range what {
			if what[i] == ' ' {
				kind, word = ledger.Kind(what[:i]), what[i+1:]
			}
		}
		h.disk = append(h.disk, ledger.Entry{Index: 99, Time: noon.Add(time.Duration(at)), Door: door, Visit: visit, Kind: kind, Word: word, Data: data})
		h.boot([]string{"hall"}, 2)
		h.run(5 * time.Second)
		if h.count("unlock") != 0 {
			t.Error("S12: an unlock out of the record")
		}
	})
}
