package lock

import (
	"log/slog"
	"time"
)

const (
	// askFirst and askMost are the pauses between questions that nobody answers: a lock's battery pays for each.
	askFirst = 500 * time.Millisecond
	askMost  = 30 * time.Second
)

// Asker decides when a lock is asked for its state: at once when its driver wants to know, again after growing pauses until there is
// an answer to a question of later, and at the latest every Prove since the last answer. Times are on the clock of Config.Now. One
// goroutine owns it; the zero value wants nothing.
type Asker struct {
	Prove time.Duration // 0: not by the clock

	want     bool
	wanted   time.Duration // since when
	tries    int
	next     time.Duration // not before
	answered time.Duration
}

// Want wants a fresh answer, at once.
func (a *Asker) Want(at time.Duration) { a.want, a.wanted, a.tries, a.next = true, at, 0, at }

// Missed says that a question was not answered: it is asked again, after a pause.
func (a *Asker) Missed(at time.Duration) {
	if !a.want {
		a.want, a.wanted, a.tries, a.next = true, at, 0, at+askFirst
	}
}

// Got says that the lock answered, at that time, a question that left at sent.
func (a *Asker) Got(sent, at time.Duration) {
	a.answered = at
	if sent >= a.wanted {
		a.want = false
	}
}

// Answered is when the lock last answered; 0: never.
func (a *Asker) Answered() time.Duration { return a.answered }

// Due says whether the lock is to be asked now, which it counts as a try, and otherwise when to look again; 0: not before something
// is heard.
func (a *Asker) Due(at time.Duration) (now bool, again time.Duration) {
	if !a.want {
		switch left := a.answered + a.Prove - at; {
		case a.Prove == 0:
			return false, 0
		case left > 0:
			return false, left
		}
		a.Want(at)
	}
	if wait := a.next - at; wait > 0 {
		return false, wait
	}
	pause := min(askFirst<<min(a.tries, 10), askMost)
	a.tries++
	a.next = at + pause
	return true, pause
}

// warnAgain is how long one sentence is not repeated in the log, however often there is cause.
const warnAgain = time.Minute

// Warner logs each sentence at most once a minute. One goroutine owns it.
type Warner struct {
	Log  *slog.Logger
	last map[string]time.Duration // by sentence; sentences are the driver's own, so they are few
}

// Warn logs a sentence, unless it did so lately.
func (w *Warner) Warn(at time.Duration, sentence string, args ...any) {
	if last, ok := w.last[sentence]; ok && at-last < warnAgain {
		return
	}
	if w.last == nil {
		w.last = map[string]time.Duration{}
	}
	w.last[sentence] = at
	w.Log.Warn(sentence, args...)
}
