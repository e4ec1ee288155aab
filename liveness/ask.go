package liveness

import (
	"fmt"
	"time"
)

const (
	// askTries is how often in a row a camera may answer by a key picture that it would have given anyway, or lose the answer
	// with the packets around it.
	askTries = 3
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
// A camera that does not answer is Untrusted: a proof that was expected is missing, as a signature would be (the word's
// meaning in the contract). It is not Lost, since its pictures come and S6 names their loss by their age alone; not Late,
// which would be to know that the answer still comes (T6 is found by ages); and not Replayed (T5), though that is the attack
// which it finds: nothing was seen twice. It stays until the camera does answer. What is measured is the answer's own time, by
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
	tries   int           // in a row without proof
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
// the time that pictures show to have passed, is a lapse. An answer counts only if it comes out of turn; three in a row that
// do not, though a prompt one would have, are a lapse too. So ask at random moments, best in the first half of the usual interval
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
			f.state, f.n = Live, askAnswered
			a.tries, a.longest = 0, max(a.longest, took-a.stall)
		default:
			a.tries++
			f.n = askTurn
		}
	case a.open && took > limit:
		a.open = false
		f.n = askNone
		if a.broken {
			f.n = askBroken
			a.tries++
		} else {
			f.state = Untrusted
		}
	default:
		f.n = 0
	}
	if f.state == Unknown && a.tries >= askTries {
		f.state, a.tries = Untrusted, 0
	}
	if f.n != 0 {
		f.of = a.tries
		j.find(byKey, f)
	}
	if key {
		if a.has && !answer && !a.asked && own > a.last {
			a.step(own - a.last)
		}
		a.last, a.has, a.asked = own, true, answer
	}
}

// drop forgets what belongs to a connection.
func (a *ask) drop() { a.has, a.open, a.tries = false, false, 0 }

func sayKey(f fact) string {
	switch {
	case f.n == askAnswered:
		return fmt.Sprintf("asked for a key picture, it gave one out of turn in %s, within %s", seconds(f.score), seconds(f.limit))
	case f.n == askNone:
		return fmt.Sprintf("asked for a key picture, it gave none within %s", seconds(f.limit))
	case f.state == Untrusted && f.n == askTurn:
		return fmt.Sprintf("asked for a key picture %d times, it gave only those that it gives in any case", askTries)
	case f.state == Untrusted:
		return fmt.Sprintf("asked for a key picture %d times, it lost packets each time", askTries)
	case f.n == askTurn:
		return fmt.Sprintf("the answer came when a key picture was due in any case: it proves nothing, %d of %d", f.of, askTries)
	case f.n == askBroken:
		return fmt.Sprintf("pictures are missing after the question: it proves nothing, %d of %d", f.of, askTries)
	default:
		return "it is not yet known how often key pictures come by themselves"
	}
}
