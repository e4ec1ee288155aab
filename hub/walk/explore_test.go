package walk

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/liveness"
	"eyebolt/lock"
)

// happening is one thing that can happen to any walk, with the time until it does.
type happening struct {
	name  string
	dt    time.Duration
	fact  func(w *Walk) Fact
	ticks bool // the clock goes on alone until the limit
}

func (w *Walk) clone() *Walk {
	k := *w
	k.cams, k.parts = slices.Clone(w.cams), slices.Clone(w.parts)
	k.results = slices.Clone(w.results)
	k.delays = [delaysOf]samples{} // nothing depends on them
	for i := range k.results {
		k.results[i].Before, k.results[i].Tries = nil, min(k.results[i].Tries, 1)
	}
	return &k
}

// key is the state as far as anything can depend on it: times count by what they mean.
func (w *Walk) key() string {
	ok := true
	for _, r := range w.results[:w.now] {
		ok = ok && r.OK
	}
	// What does not matter at this step is left out: whatever it is can be told again at every other.
	if w.way == wayOrdered && w.stage != AtWait { // nothing is taken but what the lock tells of it
		return fmt.Sprint(w.now, len(w.parts), w.stage, ok, "way", left(w.cfg.Answer-(w.at-w.wayAt)), w.bolt.value, w.bolt.made > w.wayAt)
	}
	if w.stage == AtFailed || w.stage == AtEnd {
		return fmt.Sprint(w.now, len(w.parts), w.stage, ok, w.bolt.value, w.shutIn(), w.opens(), w.at-w.shown >= Glance)
	}
	// How a way out ended is text alone.
	k := fmt.Sprint(w.now, len(w.parts), w.stage, w.leg, ok, left(w.until-w.at), w.bolt.value, w.door.value, w.healthy, w.smoke, w.stage == AtWait || w.at-w.shown >= Glance, w.opens(), w.shutIn())
	if w.way == wayOrdered {
		k += fmt.Sprint("way", left(w.cfg.Answer-(w.at-w.wayAt)), w.bolt.made > w.wayAt)
	}
	if w.stage == AtWait || w.stage == AtAsk {
		switch w.part().step {
		case Open, Close:
			k += fmt.Sprint(w.door.made > w.from)
		case Ajar, Smoke, Plug:
		default:
			k += fmt.Sprint(w.bolt.made > w.from, w.at-w.asked >= pollEvery)
		}
	}
	switch c := w.cams[0]; w.part().step {
	case Jam, Free:
		k += fmt.Sprint(w.bolt.made > w.threw)
	case Inside:
		k += fmt.Sprint(w.drawn, w.open, w.door.made > w.from)
	case Smoke:
		k += fmt.Sprint(w.smokeAt > w.from)
	case Ready:
		k += fmt.Sprint(c.state)
	case Plug:
		k += fmt.Sprint(c.state, c.age >= darkAge, c.at >= w.from, c.live >= w.from, min(w.at-c.live, backLive)/time.Second, w.lagged, w.lost, w.answered)
	}
	return k
}

// left is how much of a limit is left, in steps that matter: none, little, much.
func left(d time.Duration) string {
	switch {
	case d <= 0:
		return "none"
	case d <= 2*time.Second:
		return "little"
	}
	return "much"
}

func happenings() []happening {
	const soon = 10 * time.Millisecond
	report := func(name string, r lock.Report) happening {
		return happening{name, soon, func(w *Walk) Fact { r := r; r.At = w.at + soon; return Fact{Kind: Reported, Report: r} }, false}
	}
	press := func(p Press, back uint32) happening {
		return happening{fmt.Sprintf("%v-%d", p, back), soon, func(w *Walk) Fact { return Fact{Kind: Pressed, Press: p, Turn: w.turn - back} }, false}
	}
	camera := func(s liveness.State, age time.Duration) happening {
		return happening{fmt.Sprint("camera ", s, age), soon, func(*Walk) Fact { return Fact{Kind: Watched, Camera: "hall", State: s, Age: age} }, false}
	}
	all := []happening{
		{"tick", 900 * time.Millisecond, func(*Walk) Fact { return Fact{} }, false},
		{"stall", Stall + 500*time.Millisecond, func(*Walk) Fact { return Fact{} }, false},
		{"limit", 0, nil, true},
		{"not sent", soon, func(w *Walk) Fact { return Fact{Kind: Sent, Turn: w.order, Err: lock.ErrNotSent} }, false},
		report("healthy", lock.Report{What: lock.OfHealth, OK: true}), report("offline", lock.Report{What: lock.OfHealth}),
		report("smoke", lock.Report{What: lock.OfSmoke}), report("no smoke", lock.Report{What: lock.OfSmoke, OK: true}),
		report("old thrown", lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, Age: time.Hour}),
		report("old closed", lock.Report{What: lock.OfDoor, Door: lock.DoorClosed, Age: time.Hour}),
		report("answers drawn", lock.Report{What: lock.OfBolt, Bolt: lock.BoltDrawn, Solicited: true}),
	}
	// What was so right before the step began, and is told only now, is no evidence for it.
	before := func(name string, r lock.Report) happening {
		return happening{name, soon, func(w *Walk) Fact {
			r := r
			r.At = w.at + soon
			r.Age = r.At - w.from + time.Millisecond
			return Fact{Kind: Reported, Report: r}
		}, false}
	}
	all = append(all, before("was thrown", lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown}), before("was drawn", lock.Report{What: lock.OfBolt, Bolt: lock.BoltDrawn}),
		before("was closed", lock.Report{What: lock.OfDoor, Door: lock.DoorClosed}), before("was open", lock.Report{What: lock.OfDoor, Door: lock.DoorOpen}))
	for b := lock.BoltUnknown; b <= lock.BoltJammed; b++ {
		all = append(all, report(fmt.Sprint("bolt ", b), lock.Report{What: lock.OfBolt, Bolt: b}))
	}
	for d := lock.DoorUnknown; d <= lock.DoorAjar; d++ {
		all = append(all, report(fmt.Sprint("door ", d), lock.Report{What: lock.OfDoor, Door: d}))
	}
	for _, s := range []liveness.State{liveness.Unknown, liveness.Live, liveness.Lagging, liveness.Lost, liveness.HubLate} {
		all = append(all, camera(s, 0))
	}
	all = append(all, camera(liveness.Covered, 0), camera(liveness.Covered, darkAge))
	for p := Go; p < presses; p++ {
		all = append(all, press(p, 0), press(p, 1))
	}
	return all
}

// S9, S11, S12, S13: every order of facts at every step. Whatever comes, an order to a bolt comes from a press on what is shown and
// from nothing else; no bolt is thrown at a door that is not reported closed, nor under a smoke alarm; a step passes by its own
// evidence; a lock out of reach and a machine that stood still prove nothing; the certificate passes only when everything did.
func TestExplore(t *testing.T) {
	w, err := New(Config{Door: "front", For: "x", Cameras: []string{"hall"}, Smoke: true, Can: lock.Can{Bolt: true, Door: true, Poll: true}})
	if err != nil {
		t.Fatal(err)
	}
	list := happenings()
	seen := map[string]bool{w.key(): true}
	queue := []*Walk{w}
	transitions, passed := 0, 0
	stagesSeen := map[string]bool{}
	most := 1 << 30
	if testing.Short() {
		most = 30_000 // every step is reached by then
	}
	for len(queue) > 0 && !t.Failed() && len(seen) < most {
		from := queue[0]
		queue = queue[1:]
		for _, h := range list {
			if h.ticks && from.stage != AtWait && from.stage != AtAsk {
				continue
			}
			to := from.clone()
			transitions++
			if h.ticks {
				for i := 0; to.turn == from.turn && i < 1000; i++ {
					before := *to // to read alone
					f := Fact{At: to.at + 900*time.Millisecond}
					do := to.Take(f)
					if to.turn != from.turn || slices.ContainsFunc(do, func(d Do) bool { return d.What != DoPoll }) {
						rules(t, &before, to, f, do, "limit")
					}
				}
				if to.turn == from.turn {
					t.Errorf("no limit ends %v/%v", from.part().step, from.stage)
				}
			} else {
				f := h.fact(to)
				f.At = to.at + h.dt
				rules(t, from, to, f, to.Take(f), h.name)
			}
			if to.stage == AtEnd && from.stage != AtEnd && to.Certificate(time.Time{}).Passed {
				passed++
			}
			if k := to.key(); !seen[k] {
				seen[k] = true
				stagesSeen[fmt.Sprint(to.part().step, to.stage, to.leg)] = true
				queue = append(queue, to)
			}
		}
	}
	t.Logf("%d states, %d transitions, %d ways to pass at the end, %d stages", len(seen), transitions, passed, len(stagesSeen))
	if !testing.Short() && passed == 0 || len(stagesSeen) < 30 {
		t.Errorf("the exploration came nowhere: %d passed, %d stages: %v", passed, len(stagesSeen), stagesSeen)
	}
}

// rules judges one step of the walk from outside.
func rules(t *testing.T, from, to *Walk, f Fact, do []Do, name string) {
	t.Helper()
	bad := func(format string, a ...any) {
		t.Errorf("%v/%v leg %d, %s: %s", from.part().step, from.stage, from.leg, name, fmt.Sprintf(format, a...))
	}
	pressed := f.Kind == Pressed && f.Turn == from.turn
	for _, d := range do {
		switch d.What {
		case DoUnlock:
			if pressed && f.Press == Out {
				// S11: whoever may be shut in gets out from every stage, whatever lock, contact and smoke sensor say; the order is one, and this press's own (S12).
				if !from.shutIn() || to.way != wayOrdered || d.NotAfter != to.at+time.Second || d.Turn != to.turn {
					bad("S12: an unlock for somebody who may be shut in: %+v", d)
				}
				continue
			}
			if !pressed || f.Press != Go || from.stage != AtPress || (from.part().step != Draw && from.part().step != Free) || !to.healthy || d.NotAfter != to.at+time.Second {
				bad("S12: an unlock: %+v", d)
			}
		case DoLock:
			if !pressed || f.Press != Go || from.stage != AtPress || to.door.value != lock.DoorClosed || to.smoke || !to.healthy {
				bad("S11: a lock: %+v", d)
			}
		}
	}
	if f.Kind == Pressed && f.Turn != from.turn && to.turn != from.turn && from.stage != AtWait && from.stage != AtAsk {
		bad("a press on what is no longer shown was taken")
	}
	if pressed && from.at+10*time.Millisecond-from.shown < Glance && to.turn != from.turn && from.stage != AtWait && from.stage != AtAsk {
		bad("S12: a press was taken before it could be read")
	}
	if from.stage == AtWait && from.part().step == Plug && from.leg == 0 && to.leg == 1 && to.stage == AtWait && (to.cams[0].state == liveness.Live || to.cams[0].state == liveness.Covered && to.cams[0].age < darkAge) {
		bad("S6: the lock answered while the camera had power")
	}
	if can := slices.ContainsFunc(to.buttons(), func(b Button) bool {
		return b.Press == Out.String() || to.stage == AtPress && (to.part().step == Draw || to.part().step == Free) && b.Press == Go.String() && steps[to.part().step].needs(to) == ""
	}); !can &&
		to.now > 0 && to.bolt.value == lock.BoltThrown && !to.opens() && to.way != wayOrdered && to.stage != AtAsk && (to.stage != AtWait || to.part().step == Smoke || to.part().step == Plug) {
		bad("S11: the bolt is out, nobody has seen the door open from inside, and %v/%v has no way out", to.part().step, to.stage)
	}
	if from.way == wayOrdered && f.Kind == Pressed && (len(do) > 0 || to.stage != from.stage) {
		bad("S12: a press was taken while the way out was under way: %+v", do)
	}
	if to.stage != AtEnd && to.part().step == Home && !to.opens() {
		bad("S11: the door is to be bolted again though it was not seen to open from inside")
	}
	if to.part().step == Jam && to.leg == jamTried && from.leg != jamTried && (from.leg != jamAsked || !to.answered && !(f.Kind == Reported && f.Report.Solicited && f.Report.Bolt != lock.BoltUnknown)) {
		bad("S9: the person is asked before the lock has answered")
	}
	moved := from.now != to.now || from.stage != to.stage || from.leg != to.leg || from.way != to.way
	if moved && to.turn == from.turn {
		bad("another question has the same turn")
	}
	if f.At-from.at > Stall && from.stage == AtWait && to.stage != AtFailed && !(from.watching() && to.turn == from.turn && to.until > from.until) {
		bad("a machine that stood still came to %v", to.stage)
	}
	if from.stage == AtWait && !to.healthy && from.part().step != Smoke && to.stage != AtFailed {
		bad("S13: without its lock it came to %v", to.stage)
	}
	if to.stage == AtEnd {
		c := to.Certificate(time.Time{})
		for _, r := range c.Steps {
			if c.Passed && (!r.OK || len(c.Steps) < 12) {
				bad("the certificate passed: %+v", c)
			}
		}
	}
	if i := from.now; to.now > i && to.results[i].OK || to.stage == AtEnd && from.stage != AtEnd && to.results[i].OK {
		passes(bad, from, to, f)
	}
}

// passes judges the evidence by which a step passed.
func passes(bad func(string, ...any), from, to *Walk, f Fact) {
	fresh := func(what lock.What) bool {
		return f.Kind == Reported && f.Report.What == what && f.Report.At-f.Report.Age > from.from
	}
	ok := false
	switch from.part().step {
	case Ready:
		ok = f.Press == Go && to.healthy && to.door.value == lock.DoorClosed && to.cams[0].state == liveness.Live
	case Bolt:
		ok = f.Press == Yes && from.stage == AtAsk && to.bolt.value == lock.BoltThrown && to.door.value == lock.DoorClosed
	case Draw:
		ok = fresh(lock.OfBolt) && f.Report.Bolt == lock.BoltDrawn
	case Free:
		ok = fresh(lock.OfBolt) && f.Report.Bolt == lock.BoltDrawn || f.Press == Go && from.bolt.value == lock.BoltDrawn && from.bolt.made > from.threw
	case Open:
		ok = fresh(lock.OfDoor) && (f.Report.Door == lock.DoorOpen || f.Report.Door == lock.DoorAjar)
	case Close:
		ok = fresh(lock.OfDoor) && f.Report.Door == lock.DoorClosed
	case Ajar:
		ok = to.at-from.from >= ajarWatch && (to.door.value == lock.DoorOpen || to.door.value == lock.DoorAjar)
	case Jam:
		settled := from.leg == jamSettles && from.stage == AtWait && to.at >= from.until
		seen := from.leg == jamTried && from.stage == AtAsk && f.Press == Yes // after an answer of the lock: see the legs
		ok = (settled || seen) && !(to.bolt.value == lock.BoltThrown && to.bolt.made > to.threw)
	case Inside:
		ok = from.leg == 2 && to.stage == AtPress && f.Kind == Reported || from.leg == 1 && f.Press == Yes && from.drawn && from.open
	case Home:
		ok = fresh(lock.OfBolt) && f.Report.Bolt == lock.BoltThrown
	case Smoke:
		ok = from.leg == 1 && fresh(lock.OfSmoke) && f.Report.OK
	case Plug:
		ok = from.leg == 1 && to.cams[0].state == liveness.Live && to.at-to.cams[0].live >= backLive
	}
	if !ok {
		bad("passed by %+v", f)
	}
}
