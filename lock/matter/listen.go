package matter

import (
	"context"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

// item is one thing that the witness weighs.
type item struct {
	what     what
	at       time.Duration // Config.Now on arrival
	ids      ids           // of connected
	reach    bool          // of connected: the server can reach the lock, as it says
	err      error         // of disconnected, misfit: why; of answered, carried: what went wrong
	of       kind          // of answered: readLock, readContact or readSmoke
	answer   answer        // of answered
	sent     time.Duration // of answered: when the question left
	event    *event        // of said
	deadline time.Duration // of carried: the order's not-after; 0: a Lock
	loose    bool          // of carried: an order of which nothing was heard
}

type what uint8

const (
	connected what = iota
	disconnected
	misfit     // connected, but the settings do not fit what is there
	answered   // a device answered a question, or did not
	carried    // what became of a command
	said       // an event
	unreadable // a message that may have been about the door
)

// newInbox keeps, in a flood, what tells of the connection and of commands.
func newInbox() *lock.Inbox[item] { return lock.NewInbox(func(m item) bool { return m.what < said }) }

// look is how often commands of which nothing was heard are looked at.
const look = 500 * time.Millisecond

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
			w.take(queue[i])
		}
		w.tick(d.now())
		waits := s.Flush(d.now())
		next := look
		for k := readLock; k <= readSmoke; k++ {
			now, pause := w.asks(k, d.now())
			if now || (k == readLock && d.wantsAgain()) {
				if err := d.ask(ctx, k); err != nil {
					d.log.Debug("a device was not asked", "err", err) // asked again after the pause
				}
			}
			if pause > 0 {
				next = min(next, pause)
			}
		}
		if waits {
			next = lock.SpeakerGap
		}
		again.Reset(next)
	}
}

// ask asks the lock, or a sensor that is of another node.
func (d *driver) ask(ctx context.Context, k kind) error {
	if k == readLock {
		return d.Poll(ctx)
	}
	s, err := d.current()
	if err != nil {
		return err
	}
	at := s.ids.contact
	if k == readSmoke {
		at = s.ids.smoke
	}
	d.mu.Lock()
	busy := s.sensing[k-readContact]
	s.sensing[k-readContact] = true
	d.mu.Unlock()
	if busy {
		return nil
	}
	err = d.read(ctx, s, command{kind: k, paths: s.ids.paths(k, false)}, at.node)
	if err != nil {
		d.mu.Lock()
		s.sensing[k-readContact] = false
		d.mu.Unlock()
	}
	return err
}

// wantsAgain says, once, whether a question was wanted while another was under way, which is answered now.
func (d *driver) wantsAgain() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.session; s == nil || !s.again || s.asking || s.drawing > 0 {
		return false
	}
	d.session.again = false
	return true
}

// giveUp tells of questions that take too long, and ends the wait for commands of which nothing was heard for long.
func (d *driver) giveUp() {
	now := d.now()
	d.mu.Lock()
	s := d.session
	slow := s != nil && s.asking && !s.told && now-s.asked > answerLimit
	if slow {
		s.told = true
	}
	d.mu.Unlock()
	if s == nil {
		return
	}
	if slow {
		d.put(item{what: answered, of: readLock, err: errNoAnswer})
	}
	d.unheard(s, s.calls.Overdue(now, func(c command) time.Duration {
		switch c.kind {
		case sendUnlock:
			return orderLimit
		case readProof:
			return answerLimit
		case sendLock:
			return lockLimit
		case readLock, readContact, readSmoke:
		}
		return holdLimit
	}))
}

// unheard settles commands of which nothing was heard.
func (d *driver) unheard(s *session, old []ws.Call[command]) {
	for _, c := range old {
		d.settle(s, c, result{err: errSilent})
	}
}
