package liveness

import "time"

// detector is one of the Judge's own. Each keeps its newest fact and its newest lapse, in numbers; sentences are made by
// Explain alone.
type detector uint8

const (
	byAge detector = iota
	byHole
	byLate
	byClock
	byReplay
	byCover
	byKey
	byDisk
	detectors
)

var names = [detectors]string{"age", "hole", "late", "clock", "replay", "cover", "key", "disk"}

// A fact is what one of the Judge's own detectors last found, as numbers.
type fact struct {
	state        State
	at           time.Duration
	score, limit float64
	n, of        int // what the detector counts, where it does
}

// finder is a detector's memory.
type finder struct {
	newest, lapse fact
	judged        bool          // it has said Live on this connection
	judgedAt      time.Duration // the newest time that it did
	heardAt       time.Duration // of the newest word, whatever it was
	held          State         // what it holds against the camera until it says Live; Unknown: nothing
}

// outsiders bounds how many detectors beside the Judge it keeps apart: more than there are. Past it they share the last place.
const outsiders = 16

// outsider is a detector beside the Judge.
type outsider struct {
	finder
	f, lapsed Finding
}

// Need is a detector without whose word the watch is not live (S1).
type Need struct {
	By string // its name, as in Finding.By
	// Within is how old its newest Live may be: a detector whose source has died must not count as content. In a visit that is
	// a lapse, and so is a shorter silence (Attended). 0: one word on this connection is enough, as for the door that was seen
	// to open.
	Within time.Duration
}

// Found takes what a detector beside the Judge says. A lapse is latched until the same detector says Live, and then for as
// long as any lapse of its kind is held; Unknown, and a Finding of no name, change nothing but what Explain tells. A lapse
// outlives a reconnection: that a camera answers again is no evidence that its lens is free. At is at or before now; a lapse's
// gap begins at the newest Live of the same detector, the last instant that it vouches for (S7). A Live whose evidence is older
// than this connection, or that comes while there is none, satisfies no Need: what was decoded or verified on the way is told
// late, and belongs to the connection before (S1).
func (j *Judge) Found(f Finding) {
	if f.By == "" {
		return
	}
	j.advance(f.At)
	o := j.outsider(f.By)
	before, vouched := o.judgedAt, o.judged
	o.f = f
	fa := fact{state: f.State, at: f.At, score: f.Score, limit: f.Limit}
	if rank(f.State) > 0 {
		o.lapsed = f
		if vouched && j.watched {
			j.gap.mark(min(before, j.own))
		}
	}
	j.note(&o.finder, fa)
	if f.By == "scene" {
		j.cover.scene(f)
	}
	if f.State == Live && (!j.open || f.At < j.line) {
		o.judged, o.judgedAt = vouched, before
		j.needs()
	}
	j.decide()
	j.plan()
}

// find records what one of the Judge's own detectors found.
func (j *Judge) find(d detector, f fact) { j.note(&j.finders[d], f) }

// note records a fact, latches a lapse, and takes it back.
func (j *Judge) note(r *finder, f fact) {
	r.newest = f
	if f.n != saysNothing {
		r.heardAt = max(r.heardAt, f.at)
	}
	switch {
	case f.state == Live:
		r.judged, r.judgedAt = true, f.at
		if r.held != Unknown {
			j.hold = max(j.hold, j.now+holdOf(r.held))
			r.held = Unknown
			j.held--
		}
	case rank(f.state) > 0:
		r.lapse = f
		if r.held == Unknown {
			j.held++
		}
		r.held = f.state
		j.fall(f.state, f.at, holdOf(f.state))
	case f.state == Lagging: // no lapse, but not live either
		if r.held == Unknown {
			j.held++
			r.held = Lagging
		}
	}
	j.needs()
}

// remark records a lapse that is over with its cause: what is latched is the Judge's own.
func (j *Judge) remark(d detector, f fact) { j.finders[d].newest, j.finders[d].lapse = f, f }

// release lets go of what a detector holds without its word: what it spoke of is gone.
func (j *Judge) release(d detector) {
	if r := &j.finders[d]; r.held != Unknown {
		r.held = Unknown
		j.held--
	}
}

// holdOf is how long a lapse stays after its last sign.
func holdOf(s State) time.Duration {
	switch s {
	case Replayed, Frozen, Covered:
		return replayHold
	case Untrusted:
		return trustHold
	default:
		return 0
	}
}

func (j *Judge) outsider(by string) *outsider {
	for i := range j.outside {
		o := &j.outside[i]
		if o.f.By == "" || o.f.By == by || i == outsiders-1 {
			return o
		}
	}
	return nil // not reached
}

// finder gives the memory of a detector by its name, or nil.
func (j *Judge) finder(by string) *finder {
	for d, n := range names {
		if n == by {
			return &j.finders[d]
		}
	}
	for i := range j.outside {
		if j.outside[i].f.By == by {
			return &j.outside[i].finder
		}
	}
	return nil
}

// needs counts anew which needed detectors have still to judge, and when the first of the others grows stale.
func (j *Judge) needs() {
	j.waiting, j.stale, j.silence = 0, NoDeadline, NoDeadline
	for _, n := range j.cfg.Need {
		r := j.finder(n.By)
		switch {
		case always(n.By):
		case r == nil || !r.judged:
			j.waiting++
		case n.Within > 0:
			j.stale = min(j.stale, r.judgedAt+n.Within)
			j.listen(n, r)
		}
	}
}

// always says whether a detector judges every picture, so that a live watch has its word.
func always(by string) bool {
	for d, n := range names {
		if n == by {
			return detector(d) != byCover && detector(d) != byKey
		}
	}
	return false
}

// ready says whether every needed detector has judged on this connection, and not too long ago.
func (j *Judge) ready() bool { return j.waiting == 0 && j.now <= j.stale }

// Waiting names the detectors of Config.Need whose word is missing, or has grown stale: while there is one, the watch is not
// live. It is empty for a camera of which nothing is needed beyond its pictures' times.
//
// What this means in time (S1): arming begins when the last of them has judged. With freeze among them that is at the third
// key picture after a reconnection (two scores need three), and with a key picture every 2 to 4 s the door is armed 7 to
// 9 s, or 11 to 15 s, after the camera answers: not 3 s. After a restart of the hub the print's baseline is learned anew,
// 20 key pictures: 40 to 80 s. Only key pictures that the hub asks for (Asked) make either shorter. What the arming time
// cannot do is look at a second key picture: at one every 4 s, the 3 s of arming may see none at all, so that a freeze that
// begins as arming does is found after the bolt has drawn, at the second or third key picture from then.
func (j *Judge) Waiting() []string {
	var all []string
	for _, n := range j.cfg.Need {
		r := j.finder(n.By)
		if !always(n.By) && (r == nil || !r.judged || n.Within > 0 && j.now > r.judgedAt+n.Within) {
			all = append(all, n.By)
		}
	}
	return all
}
