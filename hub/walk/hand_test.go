package walk

import (
	"strings"
	"testing"
	"time"

	"eyebolt/liveness"
	"eyebolt/lock"
)

// stand is a walk at the first step of a kind, with everything as that step needs it.
func stand(t *testing.T, s Step) *Walk {
	t.Helper()
	w, err := New(Config{Door: "front", For: "x", Cameras: []string{"hall"}, Can: lock.Can{Bolt: true, Door: true, By: true, Poll: true}})
	if err != nil {
		t.Fatal(err)
	}
	w.at = time.Minute
	w.Take(Fact{At: w.at, Kind: Reported, Report: lock.Report{What: lock.OfHealth, OK: true, At: w.at}})
	w.door = said[lock.Door]{value: lock.DoorClosed, any: true, made: w.at}
	w.bolt = said[lock.Bolt]{value: lock.BoltThrown, any: true, made: w.at}
	w.plan()
	for w.part().step != s {
		w.now++
	}
	if s == Inside || s == Bolt || s == Home || s == Jam {
		w.bolt.value = lock.BoltDrawn
	}
	w.cams[0] = cam{state: liveness.Live, at: w.at, live: w.at}
	w.goTo(AtPress, 0, 0)
	return w
}

// after lets time pass, in ticks, and then something happen.
func (w *Walk) after(d time.Duration, f Fact) []Do {
	var do []Do
	for end := w.at + d; w.at < end; {
		do = append(do, w.Take(Fact{At: min(end, w.at+250*time.Millisecond)})...)
	}
	f.At, f.Turn = w.at, w.turn
	f.Report.At = w.at
	return append(do, w.Take(f)...)
}

// S12: a second tap of a double tap, and lines that were typed ahead, meet a question that nobody can have read. They are no presses on it.
func TestAPressThatComesTooSoonIsNone(t *testing.T) {
	w := stand(t, Draw)
	turn := w.turn
	if do := w.after(Glance-time.Millisecond, Fact{Kind: Pressed, Press: Go}); len(do) > 0 || w.turn != turn || w.stage != AtPress {
		t.Errorf("the bolt was drawn %v after it was asked: %+v", Glance-time.Millisecond, do)
	}
	if do := w.after(time.Millisecond, Fact{Kind: Pressed, Press: Go}); len(do) != 1 || do[0].What != DoUnlock {
		t.Errorf("what was read was not taken: %+v", do)
	}
}

// What a step waits for is said for as long as it is so: a camera that blinked as it was pressed does not end the walk.
func TestAHintGoesWithItsReason(t *testing.T) {
	w := stand(t, Plug)
	w.cams[0].state = liveness.Lagging
	w.after(time.Second, Fact{Kind: Pressed, Press: Go})
	if v := w.View(w.at); v.Hint == "" || v.Stage != "press" {
		t.Errorf("%+v", v)
	}
	w.after(time.Second, Fact{Kind: Watched, Camera: "hall", State: liveness.Live})
	if v := w.View(w.at); v.Hint != "" {
		t.Errorf("the camera is live, and the page says: %s", v.Hint)
	}
}

// T27: a contact may take doorLimit to call a door closed; one that is ajar is looked at for longer.
func TestAjarIsWatchedForAsLongAsAContactMayTake(t *testing.T) {
	w := stand(t, Ajar)
	w.door.value = lock.DoorOpen
	w.after(time.Second, Fact{Kind: Pressed, Press: Go})
	if w.after(doorLimit-10*time.Millisecond, Fact{Kind: Reported, Report: lock.Report{What: lock.OfDoor, Door: lock.DoorClosed}}); w.results[w.now].OK || w.stage != AtFailed {
		t.Errorf("an ajar door that was called closed within the limit passed: %v", w.part().step)
	}
}

// S6, T8: a hand before the lens, on its way to the plug, is not the loss of power; what the lock answers then, it answers with the camera
// under power, and proves nothing.
func TestAHandBeforeTheLensIsNoPlug(t *testing.T) {
	w := stand(t, Plug)
	w.after(time.Second, Fact{Kind: Pressed, Press: Go})
	for range 20 {
		w.after(250*time.Millisecond, Fact{Kind: Watched, Camera: "hall", State: liveness.Covered, Age: 80 * time.Millisecond})
		w.after(0, Fact{Kind: Reported, Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, Solicited: true}})
	}
	if w.lost || w.leg != 0 {
		t.Error("a camera that sends pictures counts as without power")
	}
	// It is pulled: the verdict stays what it was, and the pictures end.
	w.after(0, Fact{Kind: Watched, Camera: "hall", State: liveness.Covered, Age: darkAge})
	if !w.lost {
		t.Error("a camera whose pictures have ended counts as powered")
	}
	w.after(0, Fact{Kind: Reported, Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, Solicited: true}})
	if w.leg != 1 {
		t.Errorf("leg %d after the lock's answer", w.leg)
	}
}

// S11: a bolt that the lock itself says was drawn by radio or by a code was not drawn by the hand of somebody who has neither.
func TestInsideIsByHand(t *testing.T) {
	for by, want := range map[lock.By]bool{lock.ByUnknown: true, lock.ByInside: true, lock.ByRemote: false, lock.ByResident: false} {
		w := stand(t, Inside)
		w.after(time.Second, Fact{Kind: Pressed, Press: Go})
		w.after(time.Second, Fact{Kind: Reported, Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, By: lock.ByRemote}})
		at := w.now
		w.after(time.Second, Fact{Kind: Reported, Report: lock.Report{What: lock.OfBolt, Bolt: lock.BoltDrawn, By: by}})
		if w.now == at && w.stage == AtAsk {
			w.after(time.Second, Fact{Kind: Reported, Report: lock.Report{What: lock.OfDoor, Door: lock.DoorOpen}})
			w.after(time.Second, Fact{Kind: Pressed, Press: Yes})
		}
		if r := w.results[at]; r.OK != want || !want && !strings.Contains(r.Say, "by hand") {
			t.Errorf("drawn by %v: %+v", by, r)
		}
	}
}
