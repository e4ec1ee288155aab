package liveness

import (
	"fmt"
	"math"
	"time"
)

// Explain gives the newest finding of each detector that has found anything, the Judge's own first. A lapse stays its
// detector's finding for as long as it is held.
func (j *Judge) Explain() []Finding {
	var all []Finding
	for d := range detectors {
		f := j.finders[d].newest
		if d == byAge {
			f = j.ageFact()
		}
		if l := j.finders[d].lapse; j.lapse != Unknown && l.state != Unknown && l.at >= j.since && f.state != l.state && d != byAge {
			f = l
		}
		if f != (fact{}) {
			all = append(all, j.say(d, f))
		}
	}
	for i := range j.outside {
		if o := &j.outside[i]; o.f.By != "" {
			f := o.f
			if o.held != Unknown && rank(f.State) == 0 {
				f = o.lapsed
			}
			all = append(all, f)
		}
	}
	return all
}

// Lapses gives the newest lapse of each detector that ever found one: why it said what it said.
func (j *Judge) Lapses() []Finding {
	var all []Finding
	for d := range detectors {
		if f := j.finders[d].lapse; f.state != Unknown {
			all = append(all, j.say(d, f))
		}
	}
	for i := range j.outside {
		if o := &j.outside[i]; o.lapsed.State != Unknown {
			all = append(all, o.lapsed)
		}
	}
	return all
}

// ageFact is the age detector's: it has no memory of its own, since time alone changes what it says.
func (j *Judge) ageFact() fact {
	if !j.watched {
		return fact{}
	}
	f := fact{state: Live, at: j.arrived, score: j.v.Age.Seconds(), limit: j.cfg.A1.Seconds()}
	switch {
	case j.v.Age > j.cfg.A2:
		f.state, f.limit = Lost, j.cfg.A2.Seconds()
	case j.v.Age > j.cfg.A1:
		f.state = Lagging
	}
	return f
}

func (j *Judge) say(d detector, f fact) Finding {
	say := sentence
	if f.n == saysNothing {
		say = func(d detector, f fact) string { return saySilent(names[d], f) }
	}
	return Finding{By: names[d], State: f.state, At: f.at, Score: f.score, Limit: f.limit, Say: say(d, f)}
}

// sentence says a fact to a person.
func sentence(d detector, f fact) string {
	bad := f.state != Live && f.state != Unknown
	switch d {
	case byAge:
		if bad {
			return fmt.Sprintf("the newest picture is %s old; more than %s is too old", seconds(f.score), seconds(f.limit))
		}
		return fmt.Sprintf("the newest picture is %s old, of %s allowed", seconds(f.score), seconds(f.limit))
	case byHole:
		switch {
		case f.state == Lagging:
			return fmt.Sprintf("%s of pictures never came, which is on record", seconds(f.score))
		case bad && f.score == 0:
			return "the connection ended"
		case bad:
			return fmt.Sprintf("%s of pictures never came; more than %s is a lapse", seconds(f.score), seconds(f.limit))
		}
		return "no picture is missing"
	case byLate:
		if bad {
			return fmt.Sprintf("pictures keep coming %s late; %s is allowed", seconds(f.score), seconds(f.limit))
		}
		return "pictures come in time"
	case byClock:
		return sayClock(f)
	case byReplay:
		return sayReplay(f)
	case byCover:
		return sayCover(f)
	case byKey:
		return sayKey(f)
	case byDisk:
		if bad {
			return "pictures do not reach the disk"
		}
		return "pictures reach the disk"
	}
	return ""
}

func seconds(s float64) string {
	return time.Duration(math.Round(s*1e3) * 1e6).String()
}
