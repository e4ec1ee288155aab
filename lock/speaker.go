package lock

import "time"

// A device of a real home says a few things a minute; what a jammed radio held back comes in one burst. More than that
// is a flood, and a flood must not fill the hub's queue: of each kind of report, SpeakerBurst pass at once and then one every
// SpeakerGap, the newest, after a word that something was left out.
const (
	SpeakerBurst = 32
	SpeakerGap   = 20 * time.Millisecond
)

// Speaker passes a driver's reports on, in order and bounded. One goroutine owns it.
type Speaker struct {
	Out   func(Report)
	lanes [OfFailure + 1]lane // by What
}

type lane struct {
	tokens  int
	filled  time.Duration
	started bool
	held    bool
	differ  bool // what was left out does not all say the same
	latest  Report
	spoken  Report
}

// Say passes r on, or keeps it for Flush.
func (s *Speaker) Say(r Report) {
	l := &s.lanes[r.What]
	l.refill(r.At)
	if l.tokens == 0 || l.held {
		l.differ = l.differ || !sameNews(r, l.spoken) || (l.held && !sameNews(r, l.latest))
		l.held, l.latest = true, r
		return
	}
	l.tokens--
	l.spoken = r
	s.Out(r)
}

// Flush says what was held, as far as it may, and whether something still waits: then it is to be called again after SpeakerGap.
func (s *Speaker) Flush(at time.Duration) (waits bool) {
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
		if l.differ && (r.What == OfBolt || r.What == OfDoor) {
			s.Out(Report{What: r.What, At: r.At}) // unknown: what came between was not told
		}
		l.held, l.differ, l.spoken = false, false, r
		s.Out(r)
	}
	return waits
}

func (l *lane) refill(at time.Duration) {
	if !l.started {
		l.started, l.tokens, l.filled = true, SpeakerBurst, at
		return
	}
	if n := (at - l.filled) / SpeakerGap; n > 0 {
		l.tokens = int(min(time.Duration(l.tokens)+n, SpeakerBurst))
		l.filled += n * SpeakerGap
	}
}

// sameNews: the two say the same of the home.
func sameNews(a, b Report) bool {
	return a.What == b.What && a.Bolt == b.Bolt && a.Door == b.Door && a.By == b.By && a.Who == b.Who && a.Percent == b.Percent && a.OK == b.OK
}
