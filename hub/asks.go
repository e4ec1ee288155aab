package hub

import (
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

const (
	// keepAsks is how long an ask's answer is remembered: longer than anything on the way between service and hub is
	// re-sent (T23).
	keepAsks = 10 * time.Minute
	// maxAsks bounds that memory: a service that sends more than 1.7 asks a second for ten minutes is a fault; then the
	// oldest are forgotten. An order that would be dangerous twice is guarded by more than its ID: a slide by its nonce,
	// a grant by "used", an unblock by its counter.
	maxAsks = 1024
	// maxWaiting bounds who waits for one ask's answer.
	maxWaiting = 16
)

// asked is one ask that was taken.
type asked struct {
	id      string
	at      time.Duration
	done    bool
	reply   bus.AskReply
	waiting []uint64
}

// asks remembers what was asked and answered, so that an ask is taken once (T23).
type asks struct {
	ring  []*asked // oldest first
	index map[string]*asked
}

// seen says whether this ask was taken before. If so, and it is answered, reply is its answer; if its answer still waits for
// the disk, ref will get it too, unless too many wait already: then it is told so, and may ask again. Nobody is left waiting
// for nothing.
func (a *asks) seen(now time.Duration, id string, ref uint64) (reply bus.AskReply, answered, known bool) {
	a.forget(now)
	e := a.index[id]
	if e == nil {
		return bus.AskReply{}, false, false
	}
	if e.done {
		return e.reply, true, true
	}
	if len(e.waiting) >= maxWaiting {
		return refusal(interlock.LedgerSlow), true, true
	}
	e.waiting = append(e.waiting, ref)
	return bus.AskReply{}, false, true
}

// take begins an ask.
func (a *asks) take(now time.Duration, id string, ref uint64) {
	if a.index == nil {
		a.index = map[string]*asked{}
	}
	e := &asked{id: id, at: now, waiting: []uint64{ref}}
	a.ring = append(a.ring, e)
	a.index[id] = e
	a.forget(now)
}

// answer ends an ask and gives those who wait for it, even if it was forgotten meanwhile.
func (e *asked) answer(r bus.AskReply) []uint64 {
	if e == nil || e.done {
		return nil
	}
	e.done, e.reply = true, r
	refs := e.waiting
	e.waiting = nil
	return refs
}

func (a *asks) forget(now time.Duration) {
	for len(a.ring) > 0 && (len(a.ring) > maxAsks || now-a.ring[0].at > keepAsks) {
		delete(a.index, a.ring[0].id)
		a.ring[0] = nil
		a.ring = a.ring[1:]
	}
}
