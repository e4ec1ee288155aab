package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"eyebolt/bus"
)

// Beat takes a hub's proof of life and answers with ours: its nonce, the block counters, the time, and how much of its log we
// hold. It touches no disk: a slow disk is not a silent service. later, if it is not nil, is what there is to write down; call
// it after the answer is sent. Every beat is answered, and one that echoes an answer of a moment ago proves that the hub lives (S14).
func (s *Service) Beat(now time.Time, hub string, b bus.Beat) (r bus.BeatReply, later func(context.Context) error, err error) {
	if b.Hub != hub {
		return r, nil, fmt.Errorf("beat of hub %q came from hub %q", b.Hub, hub)
	}
	if len(b.Nonce) == 0 || len(b.Nonce) > 64 || len(b.Visits) > maxGoing {
		return r, nil, fmt.Errorf("beat of hub %q: nonce of %d bytes, %d visits", hub, len(b.Nonce), len(b.Visits))
	}
	r = bus.BeatReply{Nonce: b.Nonce, Time: now.UTC()}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.hub(hub)
	if l == nil {
		return bus.BeatReply{}, nil, fmt.Errorf("beat of hub %q: %w", hub, ErrNotFound)
	}
	if l.counters == nil {
		l.counters = make(map[string]uint64, len(l.doors))
		for _, d := range l.doors {
			l.counters[d.name] = d.blocks
		}
	}
	r.Blocks, r.Cursor = l.counters, l.cursor
	if !l.pulse.proves(now, b) {
		return r, nil, nil
	}
	was := l.silent
	l.heard, l.seen, l.ever, l.silent, l.spared = now, now, true, false, 0
	l.visits = slices.Clone(b.Visits)
	if was || now.Sub(l.kept) >= time.Minute {
		l.kept = now
		later = func(ctx context.Context) error { return s.heardAgain(ctx, now, hub, was) }
	}
	if l.pulse.doubled(now, b.Seq) {
		first := later
		later = func(ctx context.Context) error {
			err := s.doubled(ctx, now, hub)
			if first != nil {
				err = errors.Join(err, first(ctx))
			}
			return err
		}
	}
	return r, later, nil
}

// pulse watches the numbers of a hub's beats. A hub counts them from its start on; where they go back again and again, two hubs
// count: one of them is a copy of the other (T29).
type pulse struct {
	told time.Time // the newest answer of ours that a beat has echoed
	seq  uint64
	back int       // how often they went back since from
	from time.Time // the first of those
	said time.Time // when the alarm was stored
}

const (
	// A hub that starts anew more than thrice in a minute is in no state to watch a door either.
	pulseBacks, pulseSpan = 3, time.Minute
	// A hub has at most four beats on the way; a starved one may send them in another order.
	pulseReach = 16
	// pulseQuiet is how long it is not said again.
	pulseQuiet = 10 * time.Minute

	// beatFresh is how old the answer may be that a beat echoes: three of a hub's slow beats.
	beatFresh = 15 * time.Second
	// clockStep is how far in the future an echo may lie: more was said before this machine's clock was turned back.
	clockStep = time.Second
)

// proves says whether the hub lives now, as this beat has it: it was sent after an answer of ours of a moment ago, and after every beat
// that was taken before. One that was minutes on its way, or was overtaken, says what was (T23); the first of a hub that has just started
// has had no answer yet, and the next one comes at once.
func (p *pulse) proves(now time.Time, b bus.Beat) bool {
	if p.told.After(now.Add(clockStep)) {
		p.told = time.Time{}
	}
	if b.Told.IsZero() || b.Told.After(now.Add(clockStep)) || now.Sub(b.Told) > beatFresh {
		return false
	}
	if b.Told.Before(p.told) || b.Told.Equal(p.told) && b.Seq <= p.seq {
		return false
	}
	p.told = b.Told
	return true
}

// doubled takes a beat's number and says whether it is time to raise the alarm.
func (p *pulse) doubled(now time.Time, seq uint64) bool {
	if seq+pulseReach > p.seq { // it went on, came twice, or was overtaken on the way
		p.seq = max(p.seq, seq)
		return false
	}
	p.seq = seq
	if p.back == 0 || now.Sub(p.from) > pulseSpan {
		p.back, p.from = 0, now
	}
	p.back++
	return p.back > pulseBacks && (p.said.IsZero() || now.Sub(p.said) >= pulseQuiet)
}

// doubled tells a household that two hubs speak with one key.
func (s *Service) doubled(ctx context.Context, now time.Time, hub string) error {
	s.log.Error("control: two hubs speak with one key", "hub", hub)
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		h, err := get[Hub](tx, hub)
		if err != nil {
			return err
		}
		events, err = s.raise(tx, now, h, "", "", "hub-doubled",
			"Two hubs speak with this hub's key at once: its disk or its key was copied. Do not trust what is shown of your door; block it, and set the hub up anew with a new key.", false)
		return err
	})
	if err != nil {
		return err // the next beat that goes back says it again
	}
	s.mu.Lock()
	if l := s.hub(hub); l != nil {
		l.pulse.said = now
	}
	s.mu.Unlock()
	s.feed.add(events...)
	return nil
}

// heardAgain notes in the store that a hub lives, and tells its household if it had been missed.
func (s *Service) heardAgain(ctx context.Context, now time.Time, hub string, was bool) error {
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		h, err := get[Hub](tx, hub)
		if err != nil {
			return err
		}
		silent := h.SilentSince
		h.Seen, h.SilentSince = now, time.Time{}
		if err := put(tx, h); err != nil {
			return err
		}
		if !was {
			return nil
		}
		e, err := s.raise(tx, now, h, "", "", "hub-back", fmt.Sprintf("The hub answers again. It was not heard of for %s.", spoken(now.Sub(silent))), true)
		events = e
		return err
	})
	if err == nil {
		s.feed.add(events...)
	}
	return err
}

// maxSpared is how often in a row a hub that is not heard is spared for this instance's own lateness. A machine that slept is late
// once or twice; one that is late at every tick, as under a flood, must not put off the alarm for ever.
const maxSpared = 4

// Tick is the service's dead man's switch (S14); call it every 100 ms or so. late says that this instance was itself not running
// for a while: then every hub's timer starts anew before anybody is missed.
func (s *Service) Tick(ctx context.Context, now time.Time, late bool) error {
	type miss struct {
		hub    string
		since  time.Time
		visits []string
	}
	var missed []miss
	s.mu.Lock()
	for _, l := range s.hubs {
		if late && l.spared < maxSpared {
			l.heard = now
			l.spared++
			continue
		}
		limit := l.limit
		if len(l.visits) > 0 {
			limit = min(limit, VisitSilence)
		}
		if l.ever && !l.silent && now.Sub(l.heard) > limit {
			l.silent = true
			missed = append(missed, miss{l.id, l.heard, l.visits})
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, m := range missed { // each by itself: one that cannot be told keeps no other from being told
		err := s.missed(ctx, now, m.hub, m.since, m.visits)
		if err == nil {
			continue
		}
		errs = append(errs, err)
		s.mu.Lock()
		if l := s.hub(m.hub); l != nil && l.heard.Equal(m.since) {
			l.silent = false // not told: the next tick tries again
		}
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

// missed raises the alarm for a hub that is silent.
func (s *Service) missed(ctx context.Context, now time.Time, hub string, since time.Time, visits []string) error {
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		h, err := get[Hub](tx, hub)
		if err != nil {
			return err
		}
		if h.SilentSince.Equal(since) {
			return nil // this very silence was told: only the word of it was lost
		}
		h.SilentSince = since
		if err := put(tx, h); err != nil {
			return err
		}
		visit, door, text := "", "", fmt.Sprintf("The hub has not been heard of for %s. Check its power and network.", spoken(now.Sub(since)))
		if len(visits) > 0 {
			visit = visits[0]
			text = "The hub fell silent in the middle of a visit: nobody watches from here. Look after the door."
			if v, err := get[Visit](tx, visit); err == nil && v.Hub == hub {
				door = v.Door
			}
		}
		events, err = s.raise(tx, now, h, door, visit, "hub-silent", text, false)
		return err
	})
	if err == nil {
		s.feed.add(events...)
		s.log.Warn("control: hub is silent", "hub", hub, "since", since, "visits", visits)
	}
	return err
}

// spoken is a span as people say it.
func spoken(d time.Duration) string {
	switch {
	case d < 0 || d > 365*24*time.Hour:
		return "a long time"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	}
	return fmt.Sprintf("%d hours", int(d.Hours()))
}

// online says whether a hub was heard of lately: within three of its slow beats.
func (s *Service) online(now time.Time, hub string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.hub(hub)
	return l != nil && l.here(now)
}

// here is online for a hub that was found; the caller holds Service.mu.
func (l *liveHub) here(now time.Time) bool {
	return !l.seen.IsZero() && !l.silent && now.Sub(l.seen) <= 15*time.Second
}

func (s *Service) seen(hub string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.hub(hub); l != nil {
		return l.seen
	}
	return time.Time{}
}
