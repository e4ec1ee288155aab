package main

import (
	"errors"
	"fmt"
	"time"
)

// airHonest is the name of the undisturbed stream's result.
const airHonest = "honest"

// airSlack is what the way from a decision to whoever measures it may add: processes, a broker and a web server, all of them on
// one emulated processor.
const airSlack = 150 * time.Millisecond

// mustBe says what of a story was not as the rules want it. What must hold is of docs/SAFETY.md: T1, T2, S6, S7, S11, S18.
func (b *airBench) mustBe(r airResult) error {
	var wrong []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	at := r.marks
	if b.Protected && r.Story != "outage" {
		must(r.Outcome == "done" && r.GapS == 0, "S18: protected, and yet the visit is %s, %s, with %.1f s unwatched", r.Outcome, r.Reason, r.GapS)
		must(at["lost"] == 0 && at["alarm"] == 0, "S18: protected, and yet the watch was lost at %v, alarm at %v", at["lost"], at["alarm"])
	} else {
		last := r.gap.from
		within := func(name string, from, limit time.Duration) {
			must(at[name] > 0 && at[name]-from <= limit+airSlack, "S6: %s came %.3f s after, want at most %.3f s", name, (at[name] - from).Seconds(), limit.Seconds())
		}
		must(r.gap.length > time.Second, "the air was bad, and yet pictures came: the longest gap is %v", r.gap.length)
		within("lagging", last, 500*time.Millisecond)
		within("lost", last, 1500*time.Millisecond)
		within("alarm", last, 1500*time.Millisecond)
		switch r.Story {
		case "flood", "outage": // the door is closed: at once
			within("lock", last, 500*time.Millisecond)
		default: // S11: as it closes
			within("lock", at["door_closed"], 0)
			must(at["lock"] >= at["door_closed"], "S11: Lock before the door was closed")
		}
		must(r.Outcome == "incident" && r.GapS > 0, "S7: the visit is %s, with %.1f s unwatched", r.Outcome, r.GapS)
	}
	must(at["thrown"] > 0 && at["thrown"] >= at["lock"], "the bolt was not thrown")
	must(r.Story != "return" || r.Held, "T1: the door opened to the courier who came back")
	must(r.Story != "bystander" || r.Out, "T2: the door is secured, and the honest courier was not let go")
	return errors.Join(wrong...)
}
