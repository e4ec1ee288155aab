package mqtt

import (
	"time"

	"eyebolt/lock"
)

// A device of a real home says a few things a minute; what a jammed radio held back comes in one burst. More than that
// is a flood, and a flood must not fill the hub's queue: of each kind of report, burst pass at once and then one every
// gap, the newest, after a word that something was left out.
const (
	burst = 32
	gap   = 20 * time.Millisecond
)

// speaker passes reports on, in order and bounded. One goroutine owns it.
type speaker struct {
	out   func(lock.Report)
	lanes [lock.OfFailure + 1]lane // by What
}

type lane struct {
	tokens  int
	filled  time.Duration
	started bool
	held    bool
	differ  bool // what was left out does not all say the same
	latest  lock.Report
	spoken  lock.Report
}

func (s *speaker) say(r lock.Report) {
	l := &s.lanes[r.What]
	l.refill(r.At)
	if l.tokens == 0 || l.held {
		l.differ = l.differ || !sameNews(r, l.spoken) || (l.held && !sameNews(r, l.latest))
		l.held, l.latest = true, r
		return
	}
	l.tokens--
	l.spoken = r
	s.out(r)
}

// flush says what was held, as far as it may, and whether something still waits.
func (s *speaker) flush(at time.Duration) (waits bool) {
	for i := range s.lanes {
		l := &s.lanes[i]
		if !l.held {
			continue
		}
		l.refill(at)
		if l.tokens == 0 {
			waits = true
			continue
		}
		l.tokens--
		r := l.latest
		r.Age += max(at-r.At, 0)
		r.At = max(at, r.At)
		if l.differ && (r.What == lock.OfBolt || r.What == lock.OfDoor) {
			s.out(lock.Report{What: r.What, At: r.At}) // unknown: what came between was not told
		}
		l.held, l.differ, l.spoken = false, false, r
		s.out(r)
	}
	return waits
}

func (l *lane) refill(at time.Duration) {
	if !l.started {
		l.started, l.tokens, l.filled = true, burst, at
		return
	}
	if n := (at - l.filled) / gap; n > 0 {
		l.tokens = int(min(time.Duration(l.tokens)+n, burst))
		l.filled += n * gap
	}
}

// sameNews: the two say the same of the home.
func sameNews(a, b lock.Report) bool {
	return a.What == b.What && a.Bolt == b.Bolt && a.Door == b.Door && a.By == b.By && a.Who == b.Who && a.Percent == b.Percent && a.OK == b.OK
}
