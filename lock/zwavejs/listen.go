package zwavejs

import (
	"context"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
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
		case <-d.inbox.Ready():
		case <-again.C:
		}
		d.giveUp()
		queue, lost := d.inbox.Take()
		if lost {
			w.overflow(d.now())
		}
		for i := range queue {
			if m := &queue[i]; m.what == cleared {
				d.get(ctx, m.session, m.sent)
				continue
			}
			w.take(queue[i])
		}
		d.mu.Lock()
		d.heard = w.asker.Answered()
		d.mu.Unlock()
		waits := s.Flush(d.now())
		now, pause := w.asks(d.now())
		if now || d.wantsAgain() {
			if err := d.Poll(ctx); err != nil {
				d.log.Debug("the lock was not asked", "err", err) // asked again after the pause
			}
		}
		learn, wait := w.learns(d.now())
		if learn {
			if err := d.learn(ctx); err != nil {
				d.log.Debug("the server was not asked for the smoke sensor", "err", err) // asked again after the pause
			}
		}
		next := look
		for _, p := range []time.Duration{pause, wait} {
			if p > 0 {
				next = min(next, p)
			}
		}
		if waits {
			next = lock.SpeakerGap
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
	d.mu.Lock()
	s := d.session
	d.mu.Unlock()
	if s == nil {
		return
	}
	d.unheard(s, s.calls.Overdue(d.now(), func(command) time.Duration { return answerLimit }))
}

// unheard settles commands of which nothing was heard.
func (d *driver) unheard(s *session, old []ws.Call[command]) {
	for _, c := range old {
		if c.What.kind != kindProof { // of a proof, nobody waits any more
			d.settle(s, c, result{err: errSilent})
		}
	}
}
