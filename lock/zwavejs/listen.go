package zwavejs

import (
	"context"
	"time"

	"eyebolt/lock"
)

// look is how often commands of which nothing was heard are looked at.
const look = time.Second

// listen owns the witness: it takes what the inbox holds, passes on what may be believed, and asks.
func (d *driver) listen(ctx context.Context) {
	s := lock.Speaker{Out: func(r lock.Report) {
		if r.What == lock.OfHealth {
			d.mu.Lock()
			if d.session != nil || r.Err != nil { // a connection that broke meanwhile is not well
				d.healthy = r.Err
			}
			d.mu.Unlock()
		}
		if ctx.Err() == nil {
			d.report(r)
		}
	}}
	w := newWitness(d.plan.Settings, d.log, s.Say)
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.inbox.ready:
		case <-again.C:
		}
		d.giveUp()
		queue, lost := d.inbox.take()
		if lost {
			w.overflow(d.now())
		}
		for i := range queue {
			w.take(queue[i])
		}
		d.mu.Lock()
		d.heard = w.heard
		d.mu.Unlock()
		waits := s.Flush(d.now())
		now, pause := w.asks(d.now())
		if now || d.wantsAgain() {
			if err := d.Poll(ctx); err != nil {
				d.log.Debug("the lock was not asked", "err", err) // asked again after the pause
			}
		}
		next := look
		switch {
		case waits:
			next = lock.SpeakerGap
		case pause > 0:
			next = min(pause, look)
		}
		again.Reset(next)
	}
}

// wantsAgain says whether a question was wanted while another was under way, which is answered now.
func (d *driver) wantsAgain() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session == nil || !d.session.again || d.session.asking {
		return false
	}
	d.session.again = false
	return true
}

// giveUp ends the wait for commands of which nothing was heard for long.
func (d *driver) giveUp() {
	now := d.now()
	d.mu.Lock()
	s := d.session
	var old []pending
	for s != nil && len(s.pending) > 0 && now-s.pending[0].sent > answerLimit {
		old = append(old, s.pending[0])
		s.pending = append(s.pending[:0], s.pending[1:]...)
	}
	d.mu.Unlock()
	for _, p := range old {
		if p.kind == kindProof {
			continue // nobody waits any more
		}
		d.settle(s, p, result{id: p.id, err: errSilent})
	}
}
