package liveness

import (
	"fmt"
	"time"
)

const (
	// answerWithin is how soon a key picture must follow a question, if the camera's own come rarely enough for that to mean
	// anything: never more than a quarter of their usual distance, so that chance answers one question in four.
	answerWithin = time.Second
	// answerRarely is the least usual distance of key pictures at which asking proves something.
	answerRarely = time.Second
	// answerGaps is how many distances are seen before the first question, and answerPatience how long is waited for them.
	answerGaps, answerPatience = 3, 20 * time.Second
	// answerAgain is the least time between two questions: some cameras make one key picture a second at the most.
	answerAgain = time.Second
	// answerAsks questions are asked, and answerOf of them must be answered: by chance alone, 4 cameras in 10,000 would pass.
	answerAsks, answerOf = 8, 7
)

// Answers finds out whether a camera answers when it is asked for a key picture (an ONVIF synchronisation point, an RTCP picture loss
// indication), so that only one that does is challenged later (Judge.Asked). One goroutine owns it.
type Answers struct {
	began   time.Duration
	started bool
	key     time.Duration // the newest one
	keyed   bool
	asking  bool // a question was sent since the newest key picture
	gaps    int
	usual   time.Duration // the least distance of key pictures that nobody asked for
	asked   time.Duration
	open    bool // a question waits for its answer
	asks    int
	good    int
	before  int // good, when the newest question was asked
}

// Answering is what was found.
type Answering uint8

const (
	AnswerLearning  Answering = iota // the camera's own key pictures are being watched, or it is being asked
	AnswerProven                     // it answers
	AnswerDeaf                       // it does not
	AnswerPointless                  // its key pictures come so often that an answer cannot be told from them
)

// Picture takes a picture's arrival, and whether it is a key picture.
func (a *Answers) Picture(key bool, at time.Duration) {
	if !a.started {
		a.started, a.began = true, at
	}
	if a.open && at-a.asked > a.within() {
		a.open = false
	}
	if !key {
		return
	}
	if a.open { // no distance begins with an answer: many cameras keep to the timetable of their own key pictures
		a.open, a.keyed = false, false
		a.good++
		return
	}
	// What was usual when it was proven stays: whoever plays in key pictures out of turn has nobody excused by them (T5).
	if a.keyed && !a.asking && a.good < answerOf {
		if gap := at - a.key; a.gaps == 0 || gap < a.usual {
			a.usual = gap
		}
		a.gaps++
	}
	a.key, a.keyed, a.asking = at, true, false
}

// Ready says whether a question may be asked now: the camera's own key pictures are known, and no question is open.
func (a *Answers) Ready(at time.Duration) bool {
	if a.open && at-a.asked > a.within() {
		a.open = false
	}
	if a.open || !a.started || a.State() != AnswerLearning {
		return false
	}
	if a.gaps < answerGaps && at-a.began >= answerPatience && a.gaps == 0 {
		a.usual, a.gaps = answerPatience, answerGaps // rarer than anybody waits for
	}
	return a.gaps >= answerGaps
}

// Moment says whether an answer now would be told from a key picture in its turn: in the first half of the usual distance after one
// of the camera's own. After each of those there is one question at the most, so that the own ones go on being seen.
func (a *Answers) Moment(at time.Duration) bool {
	return a.gaps >= answerGaps && a.key > 0 && !a.asking && at-a.key < a.usual/2
}

// Again is Moment for a camera that missed a question: it need not wait for the next of the camera's own key pictures, only for
// the time in which the answer to the newest question might still come, and answerAgain.
func (a *Answers) Again(at time.Duration) bool {
	return a.gaps >= answerGaps && a.key > 0 && !a.open && at-a.asked >= answerAgain && at-a.key < a.usual/2
}

// Asked tells that a question is being sent: an answer may come before its sender knows that it went.
func (a *Answers) Asked(at time.Duration) {
	a.asked, a.open, a.asking, a.asks, a.before = at, true, true, a.asks+1, a.good
}

// Unsent tells that the newest question was not sent: it counts for neither side, unless it was answered all the same.
func (a *Answers) Unsent() {
	if a.open = false; a.good == a.before {
		a.asks--
	}
}

func (a *Answers) within() time.Duration { return min(answerWithin, a.usual/4) }

// State says what was found. A question that is still open counts for neither side.
func (a *Answers) State() Answering {
	switch {
	case a.good >= answerOf:
		return AnswerProven
	case a.gaps >= answerGaps && a.usual < answerRarely:
		return AnswerPointless
	case a.asks >= answerAsks && !a.open, a.asks-a.good > answerAsks-answerOf+btoi(a.open):
		return AnswerDeaf
	}
	return AnswerLearning
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Say is State in a sentence.
func (a *Answers) Say() string {
	switch a.State() {
	case AnswerProven:
		return fmt.Sprintf("it gives a key picture when it is asked: %d of %d times within %d ms", a.good, a.asks, a.within().Milliseconds())
	case AnswerDeaf:
		return fmt.Sprintf("it gives no key picture when it is asked: %d of %d times", a.good, a.asks)
	case AnswerPointless:
		return fmt.Sprintf("its key pictures come every %.1f s by themselves, so that asking for one proves nothing", a.usual.Seconds())
	default:
		return "whether it gives a key picture when it is asked is not known yet"
	}
}
