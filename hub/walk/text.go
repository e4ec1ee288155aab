package walk

import (
	"time"

	"eyebolt/liveness"
)

// texts are what the person reads at a step: what it is called, what he does, what the button that begins it says, what is waited for,
// and what he is asked. One thing at a time, in words that need no manual.
type texts struct {
	title, do, button, wait, question, asks, yes, no string
}

var stepTexts = [nSteps]texts{
	Ready: {title: "Before you begin", do: "Go to the door. Stay inside, and close it. Have at hand the door’s key, and something to block the bolt’s hole, such as a folded piece of card.", button: "Begin"},
	Bolt:  {title: "Bolt the door", do: "Close the door and press. The bolt is thrown.", button: "Throw the bolt", wait: "Waiting for the lock to say that its bolt is out.", question: "Pull at the door. Does the bolt hold it?", asks: "holds", yes: "Yes, it holds", no: "No, it opens"},
	Draw:  {title: "Draw the bolt", do: "Stay at the door and press. The bolt is drawn.", button: "Draw the bolt", wait: "Waiting for the lock to say that its bolt is in."},
	Open:  {title: "Open the door", do: "Press, and open the door wide at once.", button: "I open it now", wait: "Waiting for the contact to say that the door is open."},
	Ajar:  {title: "Leave it ajar", do: "Pull the door to until it touches its frame, but does not latch. Then press, and leave it so.", button: "It rests ajar", wait: "Leave it so. The contact must not call this closed."},
	Close: {title: "Close the door", do: "Open the door wide again. Then press, and close it at once until it latches.", button: "I close it now", wait: "Waiting for the contact to say that the door is closed."},
	Jam:   {title: "Block the bolt", do: "Open the door. Put something solid into the bolt’s hole in the frame. Close the door and press.", button: "It is blocked: throw the bolt", wait: "The bolt runs against the block. The lock must not call it thrown.", question: "The lock says that its bolt is out. Did it go out all the way?", asks: "out", yes: "Yes, nothing blocked it", no: "No, it is blocked"},
	Free:  {title: "Free the bolt", do: "Press. The bolt is drawn back.", button: "Draw the bolt", wait: "Waiting for the lock to say that its bolt is in."},
	Inside: {
		title: "Open it from inside", do: "Take the block out of the hole. Stay inside, close the door and press. The bolt is thrown.", button: "Throw the bolt", wait: "Waiting for the lock.",
		question: "Now open the door by hand alone: no key, no code, no phone, as if there were no power. Does it open?", asks: "opens", yes: "Yes, it stands open", no: "No, it does not open",
	},
	Home:  {title: "Bolt it again", do: "Come in, close the door and press. The bolt is thrown.", button: "Throw the bolt", wait: "Waiting for the lock to say that its bolt is out."},
	Smoke: {title: "Smoke alarm", do: "Press here, then hold the test button of the smoke or CO sensor.", button: "I test it now", wait: "Waiting for the smoke sensor."},
	Plug:  {title: "Pull the camera’s plug", do: "Press, and pull the camera’s plug at once.", button: "I pull it now", wait: "Waiting for the loss of the picture to be noticed."},
}

// again are the waits of later legs.
func (w *Walk) waiting() string {
	switch s := w.part().step; {
	case s == Jam && w.leg == jamAsked:
		return "The lock has said nothing. It is asked, so that it is known to be in reach."
	case s == Jam && w.leg == jamSettles:
		return "The lock says that its bolt is jammed, as it should. It must not say “thrown” after all."
	case s == Inside && w.leg == 2:
		return "Waiting for lock and contact to tell of it."
	case s == Smoke && w.leg == 1:
		return "It is heard. Waiting for its alarm to end."
	case s == Plug && w.leg == 1:
		return "It was noticed. Put the plug back. Waiting for the picture."
	case s == Plug && w.lost:
		return "It was noticed. Waiting for the lock to answer without the camera."
	}
	return stepTexts[w.part().step].wait
}

// Title is what a step is called; camera may be empty.
func Title(step, camera string) string {
	for i, word := range stepWords {
		if word == step {
			if camera != "" {
				return stepTexts[i].title + ": " + camera
			}
			return stepTexts[i].title
		}
	}
	return step
}

// Button is what can be pressed now.
type Button struct {
	Press string `json:"press"`
	Label string `json:"label"`
}

// CameraView is one camera now.
type CameraView struct {
	Name  string `json:"name"`
	Live  bool   `json:"live"`
	Known bool   `json:"known"`
	AgeMs int64  `json:"age_ms"`
}

// View is what the person sees now.
type View struct {
	Door    string   `json:"door"`
	Turn    uint32   `json:"turn"`
	Step    string   `json:"step"`
	Camera  string   `json:"camera,omitempty"`
	Number  int      `json:"number"` // from 1; 0 before the walk has begun
	Of      int      `json:"of"`     // steps of this walk; 0 before it has begun
	Stage   string   `json:"stage"`  // press, wait, ask, failed, end
	Title   string   `json:"title"`
	Say     string   `json:"say"`            // what to do, what is waited for, what is asked, why it failed
	Asks    string   `json:"asks,omitempty"` // what is asked: holds, out, tried, opens
	Hint    string   `json:"hint,omitempty"` // why it cannot begin yet
	Buttons []Button `json:"buttons"`
	Way     string   `json:"way,omitempty"`     // how far somebody's way out has come, in a sentence (S11)
	LeftMs  int64    `json:"left_ms,omitempty"` // of the present limit
	// WayLeftMs is how long the lock still has to say that it has drawn its bolt for whoever wants out; 0: nothing is under way.
	WayLeftMs int64 `json:"way_left_ms,omitempty"`
	AllMs     int64 `json:"all_ms,omitempty"`

	Lock    bool         `json:"lock"` // it answers
	LockSay string       `json:"lock_say,omitempty"`
	Bolt    string       `json:"bolt"`    // thrown, drawn, jammed, unknown
	DoorIs  string       `json:"door_is"` // closed, open, ajar, unknown
	Smoke   bool         `json:"smoke,omitempty"`
	Battery int          `json:"battery"` // percent; -1 unknown
	Cameras []CameraView `json:"cameras"`

	Results []ResultView `json:"results"`
	Delays  []Delay      `json:"delays"`
	Passed  bool         `json:"passed"` // at the end
	Proven  Proven       `json:"proven"`
	StaleMs int64        `json:"door_stale_ms,omitempty"`
}

// ResultView is a step in the list.
type ResultView struct {
	Title string `json:"title"`
	State string `json:"state"` // passed, failed, now, later
	Say   string `json:"say,omitempty"`
}

var (
	boltWords = []string{"unknown", "thrown", "drawn", "jammed"}
	doorWords = []string{"unknown", "closed", "open", "ajar"}
)

// View is what the person sees at this moment.
func (w *Walk) View(now time.Duration) View {
	now = max(now, w.at)
	p := w.part()
	t := stepTexts[p.step]
	c := w.Certificate(time.Time{})
	v := View{
		Door: w.cfg.Door, Turn: w.turn, Step: p.step.String(), Number: w.now, Of: len(w.parts) - 1, Stage: w.stage.String(),
		Title: t.title, Say: t.do, Buttons: w.buttons(), Way: w.waySay(),
		Lock: w.healthy, LockSay: w.lockErr, Bolt: boltWords[min(int(w.bolt.value), 3)], DoorIs: doorWords[min(int(w.door.value), 3)], Smoke: w.smoke, Battery: w.battery,
		Delays: c.Delays, Passed: c.Passed, Proven: c.Proven, StaleMs: c.DoorStaleMs, Cameras: []CameraView{}, Results: []ResultView{},
	}
	if p.step == Plug {
		v.Camera = w.cfg.Cameras[p.camera]
	}
	switch w.stage {
	case AtPress:
		v.Hint = steps[p.step].needs(w)
	case AtWait, AtAsk:
		if v.Say = w.waiting(); w.stage == AtAsk {
			v.Say, v.Asks = w.asks().question, w.asks().asks
		}
		v.LeftMs, v.AllMs = max(0, w.until-now).Milliseconds(), (w.until - w.from).Milliseconds()
	case AtFailed:
		v.Say = w.results[w.now].Say
	case AtEnd:
		v.Title, v.Say = "Not passed", c.Say()
		if c.Passed {
			v.Title, v.Say = "Passed", "The lock and the contact of this door can be believed, and nobody is locked in. Couriers may be let in here."
		}
	}
	if w.way == wayOrdered {
		v.WayLeftMs = max(1, (w.cfg.Answer - (now - w.wayAt)).Milliseconds())
	}
	for i, k := range w.cams {
		cv := CameraView{Name: w.cfg.Cameras[i], Live: k.state == liveness.Live, Known: k.at > 0, AgeMs: -1}
		if k.at > 0 {
			cv.AgeMs = (now - k.at + k.age).Milliseconds()
		}
		v.Cameras = append(v.Cameras, cv)
	}
	for i, r := range c.Steps {
		state := "later"
		switch {
		case i == w.now && w.stage != AtEnd && w.stage != AtFailed:
			state = "now"
		case r.OK:
			state = "passed"
		case r.Tries > 0:
			state = "failed"
		}
		v.Results = append(v.Results, ResultView{Title: Title(r.Step, r.Camera), State: state, Say: r.Say})
	}
	return v
}

// triedTexts are Jam's, for a lock that said nothing.
var triedTexts = texts{
	question: "The lock has said nothing. Did you see or hear it try: its motor, or its bolt against the block?",
	asks:     "tried", yes: "Yes, it tried", no: "No, nothing moved",
}

// asks are the words of the present question. Free asks what Jam would have asked, of a lock that says it later.
func (w *Walk) asks() texts {
	switch s := w.part().step; {
	case s == Jam && w.leg == jamTried:
		return triedTexts
	case s == Free:
		return stepTexts[Jam]
	default:
		return stepTexts[s]
	}
}

// buttons are what can be pressed now. The way out comes first where a step has failed: nothing is more urgent to whoever is behind the
// bolt.
func (w *Walk) buttons() []Button {
	if w.way == wayOrdered {
		return []Button{}
	}
	b := w.stageButtons()
	if !w.shutIn() {
		return b
	}
	out := Button{Out.String(), "Draw the bolt now"}
	if w.stage == AtFailed {
		return append([]Button{out}, b...)
	}
	return append(b, out)
}

func (w *Walk) stageButtons() []Button {
	t := stepTexts[w.part().step]
	cannot := Button{Cannot.String(), "I cannot do this"}
	switch w.stage {
	case AtPress:
		b := []Button{{Go.String(), t.button}}
		if w.now > 0 {
			b = append(b, cannot)
		}
		return b
	case AtAsk:
		q := w.asks()
		return []Button{{Yes.String(), q.yes}, {No.String(), q.no}}
	case AtFailed:
		b := []Button{}
		if w.results[w.now].Tries < maxTries {
			b = append(b, Button{Again.String(), "Try again"})
		}
		next := "Go on; this stays failed"
		if w.now == 0 || w.now+1 == len(w.parts) {
			next = "End the walk test"
		}
		return append(b, Button{Next.String(), next})
	}
	return []Button{}
}
