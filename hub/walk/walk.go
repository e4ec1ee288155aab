// Package walk is the walk test of one door: a person at home does with it whatever can happen to it, one thing at a time, and what
// the lock, the contact and the cameras tell is compared with what he sees. At its end stands the door's [Certificate]: what a hub may
// rely on (S9, S11). It is pure: facts with their times go into [Walk.Take], orders come out; package hub/walk/run gives it hands.
//
// Nothing is taken for passed: each step passes by its own evidence, made after the step began, and by nothing else. A lost lock, a
// stalled machine, an old report and an answer to an earlier question prove nothing. A walk that is begun again begins at the start.
package walk

import (
	"errors"
	"fmt"
	"time"

	"eyebolt/liveness"
	"eyebolt/lock"
)

// Config is one door's.
type Config struct {
	Door    string        // its name in the hub's configuration
	For     string        // what the certificate is made for: see Certificate.For
	Cameras []string      // names; at least one
	Can     lock.Can      // what the driver claims; Door is read again at each step, see Walk.Claims
	Smoke   bool          // a smoke or CO sensor is configured
	Answer  time.Duration // how long the bolt may take to be reported drawn: the hub's own limit. Default 5 s
	Close   time.Duration // how long it may take to be reported thrown: likewise. Default 10 s
}

// Spans of the walk.
const (
	// Glance is how long something must have been shown before a press on it counts: the second tap of a double tap, and a line that was
	// typed ahead, are pressed on what nobody has read (S12).
	Glance = 500 * time.Millisecond
	// Stall is how long nothing may come, ticks included, while something is measured: a machine that stood still measures nothing.
	Stall = time.Second
	// doorLimit is how long a contact may take. One that is slower would let an open door count as closed for that long.
	doorLimit = 10 * time.Second
	// ajarWatch is how long a door that rests ajar must not be called closed: longer than a contact may take to say so.
	ajarWatch = doorLimit + 2*time.Second
	// settle is how long a lock that said "jammed" must not say "thrown" after all.
	settle = 3 * time.Second
	// askLimit is how long a question may stand: whoever went away has answered nothing.
	askLimit = 5 * time.Minute
	// darkAge is how old the newest picture of a camera without power becomes: A2.
	darkAge = 1500 * time.Millisecond
	// plugLimit is how long a camera without power may still send pictures. A1 and A2 are 0.5 s and 1.5 s; the rest is for the hand
	// that pulls the plug after the press.
	plugLimit = 15 * time.Second
	// backLimit is how long a camera may take to come back: some take two minutes to start.
	backLimit = 5 * time.Minute
	// backLive is how long it must be live again: the hub's own arming time (S1).
	backLive = 3 * time.Second
	// smokeLimit is for finding the test button, quietLimit for the alarm to end: then the hub may lock again.
	smokeLimit, quietLimit = time.Minute, 10 * time.Minute
	// pollEvery is how often a lock is asked while its word is awaited, as the hub asks in a visit.
	pollEvery = 5 * time.Second
	// orderLife is how long an order to draw the bolt is good (S12).
	orderLife = lock.OrderLife
	// maxCameras is the hub's own bound.
	maxCameras = 8
	// maxTries bounds how often a step is tried: then the walk ends, and somebody reads what failed.
	maxTries = 20
)

// Kind is what a Fact tells.
type Kind uint8

const (
	Tick     Kind = iota // time passed; at least four times a second
	Reported             // Report
	Watched              // Camera, State, Age; at each change of State and at least twice a second
	Pressed              // Press, Turn
	Sent                 // the order of Turn left, or Err says why not
)

// Fact is one thing that happened.
type Fact struct {
	At     time.Duration // on one monotonic clock, the lock's own (lock.Config.Now)
	Kind   Kind
	Report lock.Report
	Camera string
	State  liveness.State
	Age    time.Duration // of the newest picture
	Press  Press
	Turn   uint32 // of the View that was pressed on: another's is not taken
	Err    error
}

// Press is what the person pressed.
type Press uint8

const (
	Nothing Press = iota
	Go            // do it, or: I do it now
	Yes
	No
	Cannot // this cannot be done here: the step fails
	Again  // try the failed step again
	Next   // go on; the step stays failed
	Out    // draw the bolt at once: somebody wants to get out (S11)
	presses
)

var pressWords = [presses]string{"", "go", "yes", "no", "cannot", "again", "next", "out"}

func (p Press) String() string {
	if p < presses {
		return pressWords[p]
	}
	return "unknown"
}

// ParsePress finds the press whose word is s.
func ParsePress(s string) (Press, bool) {
	for p := Go; p < presses; p++ {
		if pressWords[p] == s {
			return p, true
		}
	}
	return Nothing, false
}

// What says what is to be done.
type What uint8

const (
	DoLock   What = iota + 1 // throw the bolt
	DoUnlock                 // draw it once, not after NotAfter (S12)
	DoPoll                   // ask the lock for its state
	DoFile                   // keep the certificate as it is now
)

// Do is one thing to do, at once.
type Do struct {
	What     What
	Turn     uint32        // of the order, for Fact.Turn of its Sent
	NotAfter time.Duration // of an Unlock
}

// Stage is where a step stands.
type Stage uint8

const (
	AtPress  Stage = iota // waits for the person to begin
	AtWait                // waits for devices
	AtAsk                 // waits for the person's answer
	AtFailed              // failed: again, or on
	AtEnd                 // the walk is over
	stages
)

var stageWords = [stages]string{"press", "wait", "ask", "failed", "end"}

func (s Stage) String() string { return stageWords[min(s, stages-1)] }

// part is one step of this door's walk.
type part struct {
	step   Step
	camera int
}

// said is the newest that a device told of one thing.
type said[T comparable] struct {
	value T
	made  time.Duration // when it was true: Report.At less Report.Age
	at    time.Duration // when it came
	asked bool          // it answered a question
	any   bool
}

// since says whether v was told, and was true, after from.
func (s said[T]) since(from time.Duration, v T) bool { return s.any && s.value == v && s.made > from }

type cam struct {
	state liveness.State
	age   time.Duration
	at    time.Duration // when that was told
	live  time.Duration // since when it has been live without a break
}

// Walk is one walk test. One goroutine owns it.
type Walk struct {
	cfg   Config
	at    time.Duration
	begun bool // a fact was taken
	parts []part
	now   int
	stage Stage
	leg   int    // of a step with several
	turn  uint32 // raised at each change of step, stage or leg
	order uint32 // turn of the newest order
	from  time.Duration
	until time.Duration
	asked time.Duration // the newest Poll
	shown time.Duration // since when the present turn has been shown
	threw time.Duration // the newest order to throw the bolt
	way   way           // how far the way out is
	wayAt time.Duration // when it was ordered

	bolt    said[lock.Bolt]
	by      lock.By
	door    said[lock.Door]
	healthy bool
	lockErr string
	smoke   bool
	smokeAt time.Duration
	battery int
	cams    []cam

	drawn, open bool // seen in this leg: the bolt drawn, the door open
	lagged      bool // likewise: the camera left live
	lost        bool // likewise: it was lost, or lapsed in another way
	answered    bool // likewise: the lock answered a question

	results []Result
	delays  [delaysOf]samples
	proven  Proven
	spoke   speaking
	do      []Do
}

// New gives a walk that has not begun.
func New(cfg Config) (*Walk, error) {
	switch {
	case cfg.Door == "":
		return nil, errors.New("walk: which door? name one of the configuration")
	case len(cfg.Cameras) == 0:
		return nil, fmt.Errorf("walk: door %q has no camera: no eye, no bolt", cfg.Door)
	case len(cfg.Cameras) > maxCameras:
		return nil, fmt.Errorf("walk: door %q has %d cameras: at most %d", cfg.Door, len(cfg.Cameras), maxCameras)
	}
	if cfg.Answer <= 0 {
		cfg.Answer = 5 * time.Second
	}
	if cfg.Close <= 0 {
		cfg.Close = 10 * time.Second
	}
	return &Walk{cfg: cfg, cams: make([]cam, len(cfg.Cameras)), battery: -1, parts: []part{{step: Ready}}, results: []Result{{Step: Ready.String()}}}, nil
}

// Claims takes what the driver claims by now: a lock's own door sense is known only once it has spoken.
func (w *Walk) Claims(c lock.Can) { w.cfg.Can = c }

// Take is the whole of the walk: what happened, and what to do. At never goes back; an earlier one counts as the newest heard of.
func (w *Walk) Take(f Fact) []Do {
	at := max(f.At, w.at)
	still := at - w.at
	stalled := w.begun && still > Stall
	w.at, w.begun = at, true
	if w.stage == AtWait && stalled && w.watching() {
		w.until += still
		for i := range w.cams {
			w.cams[i].live = max(w.cams[i].live, at)
		}
	} else if w.stage == AtWait && stalled {
		w.fail(fmt.Sprintf("This machine stood still for %.1f s, so nothing was measured. Try again.", still.Seconds()))
	}
	switch f.Kind {
	case Reported:
		w.reported(f.Report)
	case Watched:
		w.watched(f)
	case Pressed:
		w.pressed(f)
	case Sent:
		switch {
		case f.Err == nil || f.Turn != w.order:
		case w.way == wayOrdered:
			w.goWay(wayUnsent)
		case w.stage == AtWait:
			w.fail("The order did not reach the lock: " + plain(f.Err.Error()) + ". Check the lock's power and its radio, and try again.")
		}
	}
	w.judgeWay()
	if w.stage == AtWait || w.stage == AtAsk {
		steps[w.part().step].judge(w)
	}
	if (w.stage == AtWait || w.stage == AtAsk) && w.at >= w.until {
		w.late()
	}
	do := w.do
	w.do = nil
	return do
}

// watching says that nothing is measured in this leg but that something stays as it is for a while: time in which nobody looked is not
// part of that while, and the leg goes on.
func (w *Walk) watching() bool {
	s := w.part().step
	return s == Ajar || s == Jam && w.leg == jamSettles || w.leg == 1 && (s == Smoke || s == Plug)
}

func (w *Walk) part() part { return w.parts[w.now] }

// goTo begins a stage. Each has a turn of its own, so that a press on what was shown before is not taken for one on this (S12).
func (w *Walk) goTo(s Stage, leg int, within time.Duration) {
	w.stage, w.leg = s, leg
	w.turn++
	w.from, w.until, w.shown = w.at, w.at+within, w.at
	if w.way != wayOrdered {
		w.way = wayNone
	}
	w.drawn, w.open, w.lagged, w.lost, w.answered = false, false, false, false, false
}

// late is a limit that passed.
func (w *Walk) late() {
	if w.stage == AtAsk {
		w.fail("Nobody answered in five minutes. Try again when you are at the door.")
		return
	}
	steps[w.part().step].late(w)
}

// pass ends the step well and goes on.
func (w *Walk) pass(say string) {
	r := &w.results[w.now]
	r.OK, r.Say, r.Tries = true, say, r.Tries+1
	w.next()
}

// fail ends the step; it may be tried again.
func (w *Walk) fail(say string) {
	r := &w.results[w.now]
	if !r.OK && r.Say != "" && len(r.Before) < maxBefore {
		r.Before = append(r.Before, r.Say)
	}
	r.OK, r.Say, r.Tries = false, say, r.Tries+1
	w.goTo(AtFailed, 0, 0)
	w.do = append(w.do, Do{What: DoFile})
}

// next goes to the step after this one.
func (w *Walk) next() {
	if w.now+1 == len(w.parts) {
		w.goTo(AtEnd, 0, 0)
		w.do = append(w.do, Do{What: DoFile})
		return
	}
	if w.now++; w.part().step == Home && !w.opens() {
		r := &w.results[w.now]
		r.Say, r.Tries = "The door has not been seen to open from inside, so it is not bolted again with somebody behind it.", r.Tries+1
		w.next()
		return
	}
	w.goTo(AtPress, 0, 0)
}

// plan lays out the steps for the door as it stands. The walk begins bolted, else it is bolted first.
func (w *Walk) plan() {
	list := []Step{Draw, Open, Ajar, Close, Bolt, Draw, Jam, Free, Inside, Home}
	if w.bolt.value != lock.BoltThrown {
		list = append([]Step{Bolt}, list...)
	}
	if w.cfg.Smoke {
		list = append(list, Smoke)
	}
	for _, s := range list {
		w.add(part{step: s}, "")
	}
	for i, name := range w.cfg.Cameras {
		w.add(part{step: Plug, camera: i}, name)
	}
}

func (w *Walk) add(p part, camera string) {
	w.parts = append(w.parts, p)
	w.results = append(w.results, Result{Step: p.step.String(), Camera: camera})
}

// pressed takes the person's press, if it is one on what is shown now.
func (w *Walk) pressed(f Fact) {
	if f.Turn != w.turn || w.at-w.shown < Glance || w.way == wayOrdered {
		return
	}
	s := &steps[w.part().step]
	switch {
	case f.Press == Out && w.shutIn():
		w.letOut()
	case w.stage == AtEnd:
	case f.Press == Cannot && w.now > 0 && (w.stage == AtPress || w.stage == AtAsk):
		w.fail("You said that this cannot be done here.")
	case f.Press == Go && w.stage == AtPress:
		if s.needs(w) == "" {
			s.begin(w)
		}
	case (f.Press == Yes || f.Press == No) && w.stage == AtAsk:
		s.answer(w, f.Press == Yes)
	case f.Press == Again && w.stage == AtFailed && w.results[w.now].Tries < maxTries:
		w.goTo(AtPress, 0, 0)
	case f.Press == Next && w.stage == AtFailed:
		if w.now == 0 { // nothing of what follows can be done
			w.goTo(AtEnd, 0, 0)
			return
		}
		w.next()
	}
}

// reported takes what the lock or a sensor told. A report that is older than the newest of its kind says nothing new.
func (w *Walk) reported(r lock.Report) {
	made := min(r.At, w.at) - max(r.Age, 0)
	switch r.What {
	case lock.OfBolt:
		if r.Bolt != lock.BoltUnknown && made < w.bolt.made {
			return
		}
		w.bolt, w.by = said[lock.Bolt]{r.Bolt, made, w.at, r.Solicited, r.Bolt != lock.BoltUnknown}, r.By
		w.answered = w.answered || r.Solicited && r.Bolt != lock.BoltUnknown
	case lock.OfDoor:
		if r.Door != lock.DoorUnknown && made < w.door.made {
			return
		}
		w.spoke.heard(w.door.value, r, w.at)
		w.door = said[lock.Door]{r.Door, made, w.at, r.Solicited, r.Door != lock.DoorUnknown}
	case lock.OfHealth:
		w.healthy, w.lockErr = r.OK, ""
		if r.Err != nil {
			w.lockErr = plain(r.Err.Error())
		}
	case lock.OfBattery:
		w.battery = min(max(r.Percent, 0), 100)
	case lock.OfSmoke:
		w.smoke, w.smokeAt = !r.OK, made
	}
}

func (w *Walk) watched(f Fact) {
	for i, name := range w.cfg.Cameras {
		if name != f.Camera {
			continue
		}
		c := &w.cams[i]
		if f.State == liveness.Live && c.state != liveness.Live {
			c.live = w.at
		}
		c.state, c.age, c.at = f.State, max(0, f.Age), w.at
	}
}

// lock and unlock order the bolt. Only a press comes here.
func (w *Walk) lock(leg int, within time.Duration) {
	w.goTo(AtWait, leg, within)
	w.order, w.asked, w.threw = w.turn, w.at, w.at
	w.do = append(w.do, Do{What: DoLock, Turn: w.turn})
}

func (w *Walk) unlock(leg int, within time.Duration) {
	w.goTo(AtWait, leg, within)
	w.order, w.asked = w.turn, w.at
	w.do = append(w.do, Do{What: DoUnlock, Turn: w.turn, NotAfter: w.at + orderLife})
}

// poll asks the lock now and then: one that tells nothing by itself is asked in a visit, too.
func (w *Walk) poll() {
	if w.cfg.Can.Poll && w.at-w.asked >= pollEvery {
		w.asked = w.at
		w.do = append(w.do, Do{What: DoPoll})
	}
}
