package onvif

import (
	"maps"
	"slices"
	"time"
)

// absentMost is how many whole accounts of its states in a row a camera must leave an alarm out of for it to have ended: one may
// have been given by a camera whose analytics were still starting.
const absentMost = 2

// tracker keeps what a camera last said of each topic and source, so that an event that comes again or late does not take
// back a newer one, and which of its alarms stand. It outlives subscriptions and connections.
type tracker struct {
	last  map[string]seen
	given int // notifications of a present state in the account under way
}

type seen struct {
	at     time.Time // on the camera's clock
	on     bool
	tamper Tamper        // the newest
	state  bool          // it is a property with an end, and not a moment
	told   bool          // in the account under way
	listed bool          // at least one account has told of it: a camera that tells of its changes alone leaves it out of every one
	absent int           // accounts in a row that left it out
	left   time.Duration // when the newest of them was whole
}

// trackedMost bounds the topics and sources that a camera can make us remember: kinds times lenses, with room.
const trackedMost = 64

// fresh says whether t, of the camera's time at, is news: newer than the last of its topic and source, or the state at the
// beginning of a subscription.
func (k *tracker) fresh(t Tamper, at time.Time) bool {
	key := t.Topic + "\x00" + t.Source
	was, known := k.last[key]
	switch {
	case !known && len(k.last) == trackedMost:
		return true
	case t.Initial:
	case known && !at.IsZero() && at.Before(was.at):
		return false // an old one, delivered late
	case known && at.Equal(was.at) && t.On == was.on && !t.Moment:
		return false // the same again
	}
	if k.last == nil {
		k.last = map[string]seen{}
	}
	k.last[key] = seen{at: at, on: t.On, tamper: t, state: !t.Moment, told: true, listed: was.listed || t.Initial} // what changes while the account is given is told, too
	return true
}

// begin begins an account: a new subscription is told the present state of each property first (ONVIF Core, Properties:
// PropertyOperation Initialized).
func (k *tracker) begin() {
	k.given = 0
	for key, s := range k.last {
		s.told = false
		k.last[key] = s
	}
}

// end gives what has ended when an account is whole: alarms with an end that the camera has told of in an account, and has left out of
// absentMost in a row since then, as it does when the rule that made them was removed. Accounts nearer to each other than apart count
// once: a camera that is switched off and on again and again is still starting in all of them. A camera that gives no account at all ends
// nothing, and one that is still told stands: whoever covers a lens cannot make its alarm end by this.
func (k *tracker) end(now, apart time.Duration) (gone []Tamper) {
	if k.given == 0 {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(k.last)) {
		s := k.last[key]
		switch {
		case !s.on || !s.state || !s.listed:
			continue
		case s.told:
			s.absent = 0
		case s.absent > 0 && now-s.left < apart:
			continue
		default:
			s.absent, s.left = s.absent+1, now
		}
		if s.absent >= absentMost {
			s.on = false
			t := s.tamper
			t.On, t.Initial, t.Gone = false, false, true
			gone = append(gone, t)
		}
		k.last[key] = s
	}
	return gone
}

// standing says whether an alarm with an end stands.
func (k *tracker) standing() bool {
	for _, s := range k.last {
		if s.on && s.state {
			return true
		}
	}
	return false
}
