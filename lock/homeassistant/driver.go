package homeassistant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

const (
	// proofLimit is how long Home Assistant may take to answer a ping before an order: it needs a millisecond when it is idle.
	proofLimit = 900 * time.Millisecond
	// answerLife is how long ago the lock itself may have spoken before an order: in a visit the hub asks every 5 s, and this lets one
	// answer be lost.
	answerLife = 12 * time.Second
	// answerLimit is when a question counts as not answered.
	answerLimit = 10 * time.Second
	// look is how often what was not answered is looked at.
	look = time.Second
)

var (
	errClosed = errors.New("driver is closed")
	errProof  = errors.New("no sign of life: Home Assistant does not answer a ping")
	errStale  = errors.New("the lock itself has not spoken lately: it is asked now")
	errSilent = errors.New("nothing was heard of the command, which may still be carried out")
)

// driver is a lock.Lock.
type driver struct {
	now    func() time.Duration
	log    *slog.Logger
	plan   plan
	inbox  *lock.Inbox[item]
	report func(lock.Report)
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // owns everything below
	session *session   // nil while not listening to a server that has the lock
	healthy error      // nil: commands can reach the lock, as far as is known
	heard   time.Duration
	spoke   bool // the lock did, on this connection
	orders  lock.Orders
	closed  bool
}

var _ lock.Open = Open

func settingsOf(settings any) (Settings, error) {
	s, ok := settings.(Settings)
	if p, isPointer := settings.(*Settings); isPointer && p != nil {
		s, ok = *p, true
	}
	if !ok {
		return s, fmt.Errorf("lock/homeassistant: settings are a %T, want homeassistant.Settings", settings)
	}
	return s, nil
}

// Open starts a driver for one door (lock.Open). cfg.Settings is a Settings or a *Settings. report must not call back into the
// driver. An error names the setting that is wrong; a server that is not there is no error but a report.
func Open(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	s, err := settingsOf(cfg.Settings)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil || report == nil {
		return nil, errors.New("lock/homeassistant: Config.Now and report are needed")
	}
	p, err := s.plan()
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &driver{
		now: cfg.Now, log: cfg.Log.With("door", cfg.Name), plan: p, inbox: newInbox(), report: report,
		healthy: fmt.Errorf("%w: not connected yet", lock.ErrOffline),
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	d.done.Go(func() { ws.Keep(inner, d.serve, func(err error) { d.down(explain(err)) }) })
	d.done.Go(func() { d.listen(inner) })
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
	context.AfterFunc(inner, func() { stop() })
	return d, nil
}

// Can says what a lock behind Home Assistant gives. Who worked a bolt is not claimed: integrations tell it each in their own words.
// Expiry is not claimed: see the package's words about what may come late.
func (d *driver) Can() lock.Can {
	return lock.Can{Bolt: true, Jam: true, Poll: true, Door: d.plan.Contact != "", Battery: d.plan.Battery != ""}
}

// Lock sends the wish for a thrown bolt. It waits for nothing but a write already under way.
func (d *driver) Lock(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	return d.write(ctx, s, command{kind: kindLock}, move(s.ids.lock, "lock"), func() error {
		d.put(item{what: ordered, sent: d.now()})
		return nil
	})
}

// Unlock sends the order once: not before Home Assistant has answered a ping of now, not after o.NotAfter.
func (d *driver) Unlock(ctx context.Context, o lock.Order) error { return d.draw(ctx, o) }

// Retract is an Unlock for the bolt that stands out of an open door.
func (d *driver) Retract(ctx context.Context, o lock.Order) error { return d.draw(ctx, o) }

func (d *driver) draw(ctx context.Context, o lock.Order) error {
	if err := d.accept(o); err != nil {
		return err
	}
	left := o.NotAfter - d.now()
	if left < 0 {
		return lock.ErrTooLate
	}
	s, err := d.current()
	if err != nil {
		return err
	}
	d.mu.Lock()
	health, old := d.healthy, !d.spoke || d.now()-d.heard > answerLife
	d.mu.Unlock()
	switch {
	case health != nil:
		return fmt.Errorf("%w: %w", lock.ErrNotSent, health)
	case old:
		_ = d.Poll(ctx) // so that the next order finds it fresh
		return fmt.Errorf("%w: %w", lock.ErrNotSent, errStale)
	}
	proof, cancel := context.WithTimeout(ctx, min(left, proofLimit))
	defer cancel()
	if err := d.prove(proof, s); err != nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, err)
	}
	return d.write(ctx, s, command{kind: kindUnlock, deadline: o.NotAfter}, move(s.ids.lock, "unlock"), func() error {
		d.mu.Lock()
		health := d.healthy
		d.mu.Unlock()
		switch {
		case health != nil: // it has become unavailable meanwhile
			return health
		case d.now() > o.NotAfter:
			return lock.ErrTooLate
		}
		d.put(item{what: ordered, sent: d.now(), deadline: o.NotAfter})
		return nil
	})
}

// accept takes an order for the first time, and only if it is short.
func (d *driver) accept(o lock.Order) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, errClosed)
	}
	return d.orders.Take(o, d.now())
}

// prove has Home Assistant itself answer, not only its machine.
func (d *driver) prove(ctx context.Context, s *session) error {
	answer := make(chan error, 1)
	if err := d.write(ctx, s, command{kind: kindProof, answer: answer}, map[string]any{"type": "ping"}, func() error { return nil }); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return errProof
	case <-s.over:
		return lock.ErrOffline
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("%w: %w", errProof, err)
		}
		return nil
	}
}

// Poll has the lock asked where its bolt is.
func (d *driver) Poll(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	at := d.now()
	d.put(item{what: asked, sent: at}) // before it leaves: the answer may be here sooner than the service's result
	err = d.write(ctx, s, command{kind: kindAsk}, map[string]any{
		"type": "call_service", "domain": d.plan.domain, "service": d.plan.service, "service_data": d.plan.data,
	}, func() error { return nil })
	if err != nil {
		d.put(item{what: asked, sent: at, err: err})
	}
	return err
}

// current is the session on which commands may leave.
func (d *driver) current() (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, errClosed)
	case d.session == nil:
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, d.healthy)
	}
	return d.session, nil
}

func move(entity, service string) map[string]any {
	return map[string]any{"type": "call_service", "domain": "lock", "service": service, "target": map[string]any{"entity_id": entity}}
}

// Close ends the driver and waits until it is silent. It must not be called from report.
func (d *driver) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.done.Wait()
	return nil
}

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
	w := newWitness(d.plan, d.log, s.Say)
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
		d.mu.Lock()
		d.heard, d.spoke = w.asker.Answered(), w.proven
		d.mu.Unlock()
		waits := s.Flush(d.now())
		now, pause := w.asks(d.now())
		if now {
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

// giveUp ends the wait for commands of which nothing was heard for long.
func (d *driver) giveUp() {
	d.mu.Lock()
	s := d.session
	d.mu.Unlock()
	if s != nil {
		d.unheard(s.calls.Overdue(d.now(), func(command) time.Duration { return answerLimit }))
	}
}

// unheard settles commands of which nothing was heard.
func (d *driver) unheard(old []ws.Call[command]) {
	for _, c := range old {
		if c.What.kind != kindProof { // of a proof, nobody waits any more
			d.settle(c, errSilent)
		}
	}
}
