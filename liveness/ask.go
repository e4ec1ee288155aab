package liveness

import (
	"fmt"
	"time"
)

const (
	// askLostWith is the weight of a question whose answer may have been lost with the packets around it: whoever can drop a
	// packet after each question must not be safe from them.
	askLostWith = 0.5
	// askSooner is how much sooner than its turn, as a share of the usual interval, a key picture must come to be an answer.
	askSooner = 0.85
	// askKnown is how many intervals must be known for that.
	askKnown = 3
	// askSlack is added to twice the longest answer that was learned.
	askSlack = 300 * time.Millisecond
)

// ask is the active challenge: the hub asks for a key picture at a moment that nobody can know beforehand, and the stream must
// show one, out of its turn. It proves that encoder and return path answer now, which a recording does not; a sensor that is
// stuck answers too.
//
// A camera that does not answer, again and again (doubt), is Untrusted: a proof that was expected is missing, as a signature would be (the word's
// meaning in the contract). It is not Lost, since its pictures come and S6 names their loss by their age alone; not Late,
// which would be to know that the answer still comes (T6 is found by ages); and not Replayed (T5), though that is the attack
// which it finds: nothing was seen twice. It stays until the camera does answer, three times. What is measured is the answer's own time, by
// the age clock and not by its arrival: a link that stalls delays the answer with every other picture, and is judged for that.
// It delays the question on its way as well: by how much pictures since then were late, an answer may be later, KeyWithin at the
// most (S18).
type ask struct {
	steps   [steps]time.Duration // of key pictures that came in their turn, newest first
	n       int
	last    time.Duration // own time of the newest key picture
	has     bool
	asked   bool // that one was an answer
	open    bool
	at      time.Duration // when it was asked
	early   bool          // so early after a key picture that a prompt answer comes out of turn
	broken  bool          // pictures are missing since then
	doubt   doubt
	longest time.Duration // answer so far
	stall   time.Duration // the oldest that a picture since the question was when it came
}

// every is the usual interval, 0 if it is not known.
func (a *ask) every() time.Duration {
	if a.n < askKnown {
		return 0
	}
	v := a.steps
	all := v[:a.n]
	for i := 1; i < len(all); i++ {
		for k := i; k > 0 && all[k-1] > all[k]; k-- {
			all[k-1], all[k] = all[k], all[k-1]
		}
	}
	return all[len(all)/2]
}

func (a *ask) step(d time.Duration) {
	copy(a.steps[1:], a.steps[:])
	a.steps[0] = d
	a.n = min(a.n+1, steps)
}

// within is how soon an answer must have been captured.
func (a *ask) within(most time.Duration) time.Duration {
	if a.longest > 0 {
		return min(most, 2*a.longest+askSlack+a.stall)
	}
	return most
}

// Asked tells that the camera was asked for a key picture just now (ONVIF SetSynchronizationPoint, RTCP PLI). Its answer must have
// been captured within Config.KeyWithin, or twice the longest answer so far, 300 ms, and what the link stalled for meanwhile, if
// that is less; a later one, or none by
// the time that pictures show to have passed, is a miss. An answer counts only if it comes out of turn; one that does not,
// though a prompt one would have, is a miss too, and one that may have been lost with packets is half of one. One miss is no
// lapse: ask again soon (Doubted), and five in a row are. So ask at random moments, best in the first half of the usual interval
// (Calibration tells it); a camera that answers more slowly than its key pictures come cannot be challenged. A second question
// before the first is settled is no question.
func (j *Judge) Asked(now time.Duration) {
	j.advance(now)
	if a := &j.ask; j.open && j.pictures > 0 && !a.open {
		a.open, a.at, a.broken, a.stall = true, j.now, false, 0
		every := a.every()
		prompt := a.longest
		if prompt == 0 {
			prompt = every * 6 / 10
		}
		a.early = a.has && every > 0 && j.now-a.last+prompt < time.Duration(askSooner*float64(every))
	}
}

// What is said of an answer.
const (
	askAnswered = iota + 1
	askNone
	askTurn
	askBroken
	askUnknown
)

// judgeAsk looks at a picture for an answer. own is its own time, age how old it came; broken says that pictures before it are
// missing.
func (j *Judge) judgeAsk(key, broken bool, own, age time.Duration) {
	a := &j.ask
	if !key && !a.open {
		return
	}
	a.stall = max(a.stall, age)
	a.broken = a.broken || broken
	took := own - a.at
	limit := a.within(j.cfg.KeyWithin)
	f := fact{at: own, score: took.Seconds(), limit: limit.Seconds()}
	answer := a.open && key && took >= 0 && took <= limit
	switch {
	case answer:
		a.open = false
		every := a.every()
		switch {
		case every == 0 || !a.has:
			f.n = askUnknown
		case !a.early && own-a.last >= time.Duration(askSooner*float64(every)):
			f.n = askTurn // asked when one was due: nobody's fault
		case own-a.last < time.Duration(askSooner*float64(every)):
			f.n = askAnswered
			if a.doubt.answer() {
				f.state = Live
			}
			a.longest = max(a.longest, took-a.stall)
		default:
			f.state, f.n, f.of = a.miss(1), askTurn, a.doubt.row
		}
	case a.open && took > limit:
		a.open = false
		weight := 1.0
		if f.n = askNone; a.broken {
			f.n, weight = askBroken, askLostWith
		}
		f.state = a.miss(weight)
		f.of = a.doubt.row
	default:
		f.n = 0
	}
	if f.n != 0 {
		j.find(byKey, f)
	}
	if key {
		if a.has && !answer && !a.asked && own > a.last {
			a.step(own - a.last)
		}
		a.last, a.has, a.asked = own, true, answer
	}
}

// miss takes a question that was not answered.
func (a *ask) miss(weight float64) State {
	if a.doubt.miss(weight) {
		return Untrusted
	}
	return Unknown
}

// Asking says whether a question waits for its answer.
func (j *Judge) Asking() bool { return j.ask.open }

// Doubted says whether questions were missed and not made good yet: ask again as soon as an answer would prove something.
func (j *Judge) Doubted() bool { return j.ask.doubt.odds > 0 }

// drop forgets what belongs to a connection. The doubt does not: whoever breaks the connection whenever he was asked would never be
// found.
func (a *ask) drop() { a.has, a.open = false, false }

func sayKey(f fact) string {
	again, more := "", ""
	if f.of > 1 {
		again = fmt.Sprintf(", %d times in a row", f.of)
	}
	if f.state != Untrusted {
		more = "; it is asked again"
	}
	switch {
	case f.n == askAnswered && f.state == Live:
		return fmt.Sprintf("asked for a key picture, it gave one out of turn in %s, within %s", seconds(f.score), seconds(f.limit))
	case f.n == askAnswered:
		return fmt.Sprintf("asked for a key picture, it gave one out of turn in %s, within %s; it must do so again before it is trusted", seconds(f.score), seconds(f.limit))
	case f.n == askNone:
		return fmt.Sprintf("asked for a key picture, it gave none within %s%s%s", seconds(f.limit), again, more)
	case f.n == askTurn && f.of > 0:
		return fmt.Sprintf("asked for a key picture, it gave only the one that it gives in any case%s%s", again, more)
	case f.n == askTurn:
		return "the answer came when a key picture was due in any case: it proves nothing"
	case f.n == askBroken:
		return fmt.Sprintf("asked for a key picture, it gave none, and pictures are missing after the question%s%s", again, more)
	default:
		return "it is not yet known how often key pictures come by themselves"
	}
}
