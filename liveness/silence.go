package liveness

import (
	"fmt"
	"time"
)

const (
	// silentLeast is how long a needed detector may say nothing in a visit, at the least: three stills of a camera with a key
	// picture every 10 s. An honest one speaks with each of them.
	silentLeast = 30 * time.Second
	// silentKeys is the same in key pictures, for a camera whose own come more rarely: it lost two of three.
	silentKeys = 3
)

// Attended tells that a visit is going on at the camera's door, or that it is over. Outside visits a needed detector speaks
// now and then, and one whose word has grown stale leaves the watch lagging: nobody is let in, and nobody is inside. In a visit
// it speaks all the time, and one that a live watch relied on and that falls silent is a lapse, untrusted: a proof that was
// expected is missing (S6, S13). Silent is one that
//   - has said nothing, not even that it cannot say, for 30 s or for three of the camera's usual key picture intervals,
//     whichever is longer, but never for longer than its Need.Within; or
//   - has not said Live for Need.Within, whatever else it said.
//
// Either counts from the visit's begin at the earliest, so that what was rare before it has time to speak. The lapse stays
// until the detector says Live, as any other of its own does; its gap begins at its last Live (S7). A Need without Within
// asks for one word and no more, and cannot fall silent.
func (j *Judge) Attended(on bool, now time.Duration) {
	j.advance(now)
	if on != j.attended {
		j.attended, j.attendedAt = on, j.now
		j.needs()
	}
	j.decide()
}

// silentAfter is how long a needed detector may say nothing at all in a visit.
func (j *Judge) silentAfter(n Need) time.Duration {
	return min(n.Within, max(silentLeast, silentKeys*j.ask.every()))
}

// listen notes that a needed detector's silence becomes a lapse at an instant, if none does sooner.
func (j *Judge) listen(n Need, r *finder) {
	if !j.attended || n.Within <= 0 || r.held != Unknown {
		return
	}
	patience := j.silentAfter(n)
	first := j.attendedAt + patience
	due := max(first, min(max(r.heardAt, r.judgedAt)+patience, r.judgedAt+n.Within))
	if due < j.silence {
		j.silence, j.silent = due, n
	}
}

// listening says whether a silence counts: a watch that was never live on this connection relied on nobody, one that has no
// pictures is lost for that, and a hub that is late may have kept the detector from speaking.
func (j *Judge) listening() bool {
	return j.silence != NoDeadline && j.open && j.seenLive && (!j.hubLate || j.now-j.hubFrom > hubLateMax)
}

// fellSilent finds the first detector that was relied upon and says nothing any more.
func (j *Judge) fellSilent() {
	if !j.listening() || j.now <= j.silence {
		return
	}
	r, n := j.finder(j.silent.By), j.silent
	if r == nil {
		return
	}
	f := fact{state: Untrusted, at: j.silence, score: (j.now - r.judgedAt).Seconds(), limit: j.silentAfter(n).Seconds(), n: saysNothing}
	if j.now > r.judgedAt+n.Within {
		f.limit = n.Within.Seconds()
	}
	if j.watched {
		j.gap.mark(min(r.judgedAt, j.own))
	}
	for i := range j.outside {
		if o := &j.outside[i]; o.f.By == n.By {
			o.lapsed = Finding{By: n.By, State: f.state, At: f.at, Score: f.score, Limit: f.limit, Say: saySilent(n.By, f)}
		}
	}
	j.note(r, f)
}

// saysNothing is fact.n of a detector that fell silent.
const saysNothing = -1

// checks name what a detector looks for, to a person.
var checks = map[string]string{
	"freeze": "for pictures that stand still", "loop": "for a recording that is played again", "scene": "for a covered lens",
	"cover": "for a covered lens", "signature": "of the camera's signatures", "key": "that the camera answers",
}

func saySilent(by string, f fact) string {
	what, ok := checks[by]
	if !ok {
		what = "by " + by
	}
	return fmt.Sprintf("the check %s has not said that all is well for %s, of %s allowed: whether this camera still sees is not known", what, seconds(f.score), seconds(f.limit))
}
