package sim

import (
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/hub"
	"eyebolt/ledger"
)

// Ending is what came of one visit of a plan, as somebody beside the hub sees it. Times count from the visit's first move; 0 means that it
// did not happen.
type Ending struct {
	Home, Visit int // from 0 and from 1
	Attack      int // of the first move that began; 0: none did
	Phase       string
	Outcome     string        // done, incident, not-delivered, as the record has it; "": no visit came to its end
	Gap         float64       // seconds that nobody watched while the door was not secured, as the record has them
	Alarm       string        // reason of the first alarm or lapse that the service had after the first move, the hub's or its own
	Refused     []string      // why the hub said no to whoever asked for what is not his, each once
	Disowned    bool          // a stranger said no to a record that was changed
	Noticed     time.Duration // the hub's view was no longer live, or it alarmed, or its service did
	Told        time.Duration // the service had stored the alarm
	Ordered     time.Duration // the hub ordered the bolt thrown
	Unlocked    time.Duration // the hub ordered the bolt drawn
	Bolted      time.Duration // the bolt was thrown into a closed door

	at time.Duration // of the first move
}

// chronicle is a home's endings, the newest last.
type chronicle struct{ all []Ending }

// now is the ending that is being written; nil before the first visit.
func (k *chronicle) now() *Ending {
	if len(k.all) == 0 {
		return nil
	}
	return &k.all[len(k.all)-1]
}

func (k *chronicle) begins(h *home, n int) {
	k.all = append(k.all, Ending{Home: h.side.n, Visit: n})
}

func (k *chronicle) moves(h *home, m Move, phase string) {
	if e := k.now(); e != nil && e.Attack == 0 && m.Attack != household {
		e.Attack, e.Phase, e.at = m.Attack, phase, h.t.now
	}
}

// first notes a moment unless it was noted before or no move has begun.
func (k *chronicle) first(h *home, of func(e *Ending) *time.Duration) {
	if e := k.now(); e != nil && e.Attack != 0 {
		if at := of(e); *at == 0 {
			*at = max(h.t.now-e.at, 1)
		}
	}
}

func (k *chronicle) noticed(h *home) {
	k.first(h, func(e *Ending) *time.Duration { return &e.Noticed })
}

// does notes what the hub does.
func (k *chronicle) does(h *home, e hub.Effect) {
	switch e := e.(type) {
	case hub.Lock:
		k.first(h, func(e *Ending) *time.Duration { return &e.Ordered })
	case hub.Unlock:
		k.first(h, func(e *Ending) *time.Duration { return &e.Unlocked })
	case hub.Show:
		if e.View.Watch != "live" {
			k.noticed(h)
		}
	case hub.Alarm:
		k.noticed(h)
	}
}

// told notes an alarm that the service has stored, the hub's or its own.
func (k *chronicle) told(h *home, a bus.Alarm) {
	k.noticed(h)
	if e := k.now(); e != nil && e.Attack != 0 && e.Alarm == "" {
		e.Alarm = a.Reason
	}
	k.first(h, func(e *Ending) *time.Duration { return &e.Told })
}

func (k *chronicle) refused(reason string) {
	if e := k.now(); e != nil && reason != "" && !slices.Contains(e.Refused, reason) {
		e.Refused = append(e.Refused, reason)
	}
}

// disowned notes that a stranger said no to a record.
func (k *chronicle) disowned() {
	if e := k.now(); e != nil {
		e.Disowned = true
	}
}

// silent notes what the service alarms of by itself: a hub in a visit that it does not hear (S14).
func (k *chronicle) silent(h *home) {
	e := k.now()
	if e == nil || e.Attack == 0 || e.Told != 0 || h.up && !h.stalled && !h.post.down {
		return
	}
	for _, a := range must(h.t.service.s.Standing(bg)) {
		if a.Hub == h.side.hub && a.Reason == "hub-silent" {
			k.told(h, bus.Alarm{Reason: a.Reason})
			return
		}
	}
}

// moved notes where the bolt is now.
func (k *chronicle) moved(h *home) {
	if h.door.thrown && !h.door.open {
		k.first(h, func(e *Ending) *time.Duration { return &e.Bolted })
	}
}

// durable notes how the newest visit has ended.
func (k *chronicle) durable(e ledger.Entry) {
	n := k.now()
	if n == nil || e.Kind != ledger.KindVisit || e.Word != ledger.WordEnded {
		return
	}
	var d ledger.VisitData
	if decodeJSON(e.Data, &d) == nil && (n.Outcome == "" || d.Outcome == "incident") {
		n.Outcome, n.Gap = d.Outcome, d.GapSeconds
	}
}
