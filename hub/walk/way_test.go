package walk

import (
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
)

func has(v View, press Press) bool {
	for _, b := range v.Buttons {
		if b.Press == press.String() {
			return true
		}
	}
	return false
}

func unlocks(do []Do) (n int) {
	for _, d := range do {
		if d.What == DoUnlock {
			n++
		}
	}
	return n
}

// shut is a walk whose person has just said that the bolted door does not open from inside.
func shut(t *testing.T) *Walk {
	t.Helper()
	w := stand(t, Inside)
	w.after(time.Second, Fact{Kind: Pressed, Press: Go})
	w.after(time.Second, Fact{Kind: Reported, Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, By: lock.ByRemote}})
	w.after(time.Second, Fact{Kind: Pressed, Press: No})
	return w
}

// S11: whoever finds that the bolted door does not open from inside is let out at once, by his own press, and reads how the test ends. The
// order is given once (S12): not by a press that comes too soon, nor by a second one, nor by one on what was shown before.
func TestWhoeverIsShutInIsLetOut(t *testing.T) {
	w := shut(t)
	v := w.View(w.at)
	if v.Stage != "failed" || !has(v, Out) || v.Buttons[0].Press != Out.String() || !strings.Contains(v.Say, "does not pass") {
		t.Fatalf("he stands behind a bolted door and reads %+v", v)
	}
	if do := w.after(Glance-time.Millisecond, Fact{Kind: Pressed, Press: Out}); unlocks(do) != 0 {
		t.Error("the second tap of his answer drew the bolt")
	}
	stale := w.turn
	do := w.after(time.Millisecond, Fact{Kind: Pressed, Press: Out})
	if unlocks(do) != 1 {
		t.Fatalf("his press: %+v", do)
	}
	for _, turn := range []uint32{stale, w.turn} {
		if do := w.Take(Fact{At: w.at + time.Second, Kind: Pressed, Press: Out, Turn: turn}); unlocks(do) != 0 {
			t.Errorf("a second press, of turn %d, drew the bolt again", turn)
		}
	}
	for _, p := range []Press{Again, Next} { // what would begin is a step whose bolt this order still moves
		at, stage := w.now, w.stage
		if w.Take(Fact{At: w.at + time.Second, Kind: Pressed, Press: p, Turn: w.turn}); w.now != at || w.stage != stage {
			t.Errorf("%v was taken while the order is under way", p)
		}
	}
	if v := w.View(w.at); len(v.Buttons) != 0 || v.Way == "" {
		t.Errorf("while the order is under way: %+v", v)
	}
	w.after(300*time.Millisecond, Fact{Kind: Reported, Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltDrawn, By: lock.ByRemote}})
	if v := w.View(w.at); has(v, Out) || !has(v, Again) || !strings.Contains(v.Way, "open the door") {
		t.Errorf("the bolt is in: %+v", v)
	}
	// It is not thrown again with somebody behind it.
	for w.stage != AtEnd {
		if w.part().step == Home {
			t.Fatal("the bolt is to be thrown again")
		}
		w.after(time.Second, Fact{Kind: Pressed, Press: map[Stage]Press{AtPress: Cannot, AtFailed: Next}[w.stage]})
	}
	if c := w.Certificate(time.Time{}); c.Passed || !c.Ended {
		t.Errorf("the door passed: %+v", c)
	}
}

// S11: a lock that says little, or nothing any more, a smoke alarm, a contact that calls the door open: whoever is shut in may have the bolt
// drawn all the same, and again, and is told of the key.
func TestTheWayOutAsksForNothing(t *testing.T) {
	for name, r := range map[string]lock.Report{
		"the lock is silent":   {What: lock.OfHealth},
		"a smoke alarm":        {What: lock.OfSmoke},
		"the door seems open":  {What: lock.OfDoor, Door: lock.DoorOpen},
		"the bolt is unknown":  {What: lock.OfBolt},
		"the bolt is jammed":   {What: lock.OfBolt, Bolt: lock.BoltJammed},
		"nothing is different": {What: lock.OfBattery, Percent: 80},
	} {
		w := shut(t)
		w.after(time.Second, Fact{Kind: Reported, Report: r})
		if do := w.after(time.Second, Fact{Kind: Pressed, Press: Out}); unlocks(do) != 1 {
			t.Errorf("%s: he stays shut in: %+v", name, w.View(w.at))
		}
		w.after(w.cfg.Answer, Fact{})
		if v := w.View(w.at); !has(v, Out) || !strings.Contains(v.Way, "key") {
			t.Errorf("%s: it did not come: %+v", name, v)
		}
		w.after(time.Second, Fact{Kind: Pressed, Press: Out})
		w.Take(Fact{At: w.at, Kind: Sent, Turn: w.order, Err: lock.ErrNotSent})
		if v := w.View(w.at); !has(v, Out) || !strings.Contains(v.Way, "did not reach") {
			t.Errorf("%s: it was not sent: %+v", name, v)
		}
	}
}

// S11: whoever went on without getting out finds the way out at each later step, while it waits, and at the end. At a door that was seen to
// open from inside nobody needs it.
func TestTheWayOutStays(t *testing.T) {
	w := shut(t)
	w.after(time.Second, Fact{Kind: Pressed, Press: Next})
	if w.part().step != Plug {
		t.Fatalf("at %v", w.part().step)
	}
	w.after(0, Fact{Kind: Watched, Camera: "hall", State: w.cams[0].state})
	if v := w.View(w.at); v.Stage != "press" || !has(v, Out) {
		t.Errorf("before the plug: %+v", v)
	}
	w.after(time.Second, Fact{Kind: Pressed, Press: Go})
	if v := w.View(w.at); v.Stage != "wait" || !has(v, Out) {
		t.Errorf("while the plug is pulled: %+v", v)
	}
	w.after(plugLimit, Fact{})
	w.after(time.Second, Fact{Kind: Pressed, Press: Next})
	if v := w.View(w.at); v.Stage != "end" || !has(v, Out) {
		t.Fatalf("at the end: %+v", v)
	}
	if do := w.after(time.Second, Fact{Kind: Pressed, Press: Out}); unlocks(do) != 1 {
		t.Error("at the end his press draws no bolt")
	}

	w = stand(t, Home)
	for i, p := range w.parts {
		w.results[i].OK = p.step == Inside
	}
	w.after(time.Second, Fact{Kind: Pressed, Press: Go})
	w.after(w.cfg.Close, Fact{})
	if v := w.View(w.at); v.Stage != "failed" || has(v, Out) {
		t.Errorf("at a door that opens from inside: %+v", v)
	}
}
