package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"eyebolt/lock"

	"github.com/eclipse/paho.golang/autopaho"
)

const (
	// lockExpiry is the broker's expiry of a Lock: the hub repeats it every three seconds, and an old one could throw the
	// bolt into an open door.
	lockExpiry = 2 * time.Second
	// pollGap is the shortest time between two reads: a Zigbee lock needs some 60 ms for one, and its battery pays.
	pollGap = 100 * time.Millisecond
	// proofLimit is how long the broker may take to show that it lives before an order; it needs 1 ms.
	proofLimit = 250 * time.Millisecond
	// answerLimit is how long the bridge may take to show the same; it needs 3 ms, on a small machine that is busy some 100 ms.
	answerLimit = 500 * time.Millisecond
	// spokenLife is how old the last word of a lock of a plain convention may be before an order: the hub asks it every five seconds.
	spokenLife = 12 * time.Second
)

var (
	errClosed   = errors.New("driver is closed")
	errSilent   = errors.New("the lock has not said where its bolt is for more than 12s: asked now")
	errReadOnly = errors.New("connected, but what the lock says cannot be heard yet")
)

// driver is a lock.Lock.
type driver struct {
	name   string
	now    func() time.Duration
	log    *slog.Logger
	plan   plan
	pinger *pinger
	proofs *proofs
	inbox  *lock.Inbox[message]
	newest newest
	report func(lock.Report)
	once   sync.Once
	about  map[string]about // by topic; written once

	manager *autopaho.ConnectionManager
	cancel  context.CancelFunc
	done    chan struct{} // closed when the witness's goroutine has ended

	mu      sync.Mutex // owns everything below
	link    *link      // nil while disconnected
	heard   bool       // subscribed on link: what the lock says arrives
	next    *link      // dialled, not yet accepted by the broker
	healthy error      // nil: commands can reach the lock, as far as is known
	senses  bool       // the lock has shown a door sense
	orders  lock.Orders
	polled  time.Duration
	everAsk bool
	spoke   time.Duration // when the bolt was last told to be somewhere
	closed  bool
}

var _ lock.Open = Open

// Open starts a driver for one door (lock.Open). cfg.Settings is a Settings or a *Settings. report must not call back
// into the driver. An error names the setting that is wrong; a broker that is not there is no error but a report.
func Open(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	s, err := settings(cfg.Settings)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil || report == nil {
		return nil, errors.New("lock/mqtt: Config.Now and report are needed")
	}
	p, err := s.plan()
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &driver{
		name: cfg.Name, now: cfg.Now, log: cfg.Log.With("door", cfg.Name), plan: p, pinger: newPinger(), proofs: newProofs(),
		inbox: newInbox(), report: report, done: make(chan struct{}), healthy: fmt.Errorf("%w: not connected yet", lock.ErrOffline),
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	if err := d.connect(inner); err != nil {
		cancel()
		return nil, fmt.Errorf("lock/mqtt: %w", err)
	}
	go d.listen(inner)
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
	context.AfterFunc(inner, func() { stop() })
	return d, nil
}

// Can says what a lock behind Zigbee2MQTT gives. Auto-lock is the lock's own affair: the bridge has no common word for it.
func (d *driver) Can() lock.Can {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.plan.shape; s != nil {
		return s.can()
	}
	return lock.Can{
		Bolt: true, Jam: true, By: true, Battery: true, Poll: true, Expiry: true,
		Door: d.plan.Contact != "" || d.senses,
	}
}

// Lock sends LOCK. It waits for nothing but a write already under way.
func (d *driver) Lock(ctx context.Context) error {
	return d.command(ctx, d.plan.orders().lock, lockExpiry, func() error {
		d.tell(message{about: plainOrdered, bolt: lock.BoltThrown})
		return nil
	})
}

// Unlock sends UNLOCK once: not after o.NotAfter, and not before broker and bridge have shown that they live now. A lock of a plain
// convention has no bridge that could be asked: it must have said within spokenLife where its bolt is.
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
	d.mu.Lock()
	l, heard, health, spoke := d.link, d.heard, d.healthy, d.spoke
	d.mu.Unlock()
	switch {
	case l == nil || !heard:
		return fmt.Errorf("%w: %w", lock.ErrNotSent, errReadOnly)
	case health != nil:
		return fmt.Errorf("%w: %w", lock.ErrNotSent, health)
	}
	proof, cancel := context.WithTimeout(ctx, min(left, proofLimit))
	defer cancel()
	if err := d.pinger.alive(proof, l); err != nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, err)
	}
	if d.plan.shape == nil {
		if err := d.answers(ctx, l, min(left, answerLimit)); err != nil {
			return fmt.Errorf("%w: %w", lock.ErrNotSent, err)
		}
	} else if d.now()-spoke > spokenLife {
		_ = d.Poll(ctx) // so that the next order finds an answer
		return fmt.Errorf("%w: %w", lock.ErrNotSent, errSilent)
	}
	return d.commandOn(ctx, l, d.plan.orders().unlock, lock.OrderLife, d.inTime(l, o))
}

// inTime is the last look at an order, right before it is written: is it too late, and how long may it take to leave (S12)?
func (d *driver) inTime(l *link, o lock.Order) func() error {
	return func() error {
		left := o.NotAfter - d.now()
		if left < 0 {
			return lock.ErrTooLate
		}
		l.within(left)
		d.tell(message{about: plainOrdered, bolt: lock.BoltDrawn})
		return nil
	}
}

// tell says to the witness of a plain convention what is about to leave, so that it knows of it before the lock's own report, which may
// come sooner than the write returns; nobody but that report says whether the lock did it. If the write fails, so does the connection,
// and what was told is void.
func (d *driver) tell(m message) {
	if d.plan.shape != nil {
		d.put(m)
	}
}

// answers returns nil once the bridge has answered a question of now.
func (d *driver) answers(ctx context.Context, l *link, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	question, wait := d.proofs.ask()
	err := d.commandOn(ctx, l, say{d.plan.Base + "/bridge/request/health_check", string(question)}, lock.OrderLife, unchecked)
	if err != nil {
		cancel()
	}
	return errors.Join(err, wait(ctx))
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

// Poll asks for the bolt's state. Two within pollGap are one. ErrCannotPoll if the settings of a plain convention have no way.
func (d *driver) Poll(ctx context.Context) error {
	question := d.plan.orders().poll
	if question.topic == "" {
		return lock.ErrCannotPoll
	}
	now := d.now()
	d.mu.Lock()
	if d.everAsk && now-d.polled < pollGap {
		d.mu.Unlock()
		return nil
	}
	was, ever := d.polled, d.everAsk
	d.polled, d.everAsk = now, true
	d.mu.Unlock()
	err := d.command(ctx, question, lockExpiry, func() error {
		d.tell(message{about: plainAsked})
		return nil
	})
	if err != nil {
		d.mu.Lock()
		d.polled, d.everAsk = was, ever
		d.mu.Unlock()
	}
	return err
}

func (d *driver) command(ctx context.Context, m say, expiry time.Duration, check func() error) error {
	d.mu.Lock()
	l := d.link
	d.mu.Unlock()
	if l == nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, lock.ErrOffline)
	}
	return d.commandOn(ctx, l, m, expiry, check)
}

func unchecked() error { return nil }

func (d *driver) commandOn(ctx context.Context, l *link, m say, expiry time.Duration, check func() error) error {
	packet := publication(m.topic, []byte(m.payload), expiry)
	sent, err := l.send(packet, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.mu.Lock()
		current := d.link == l && !d.closed
		d.mu.Unlock()
		if !current { // never on a connection that was replaced
			return lock.ErrOffline
		}
		return check()
	})
	return lock.Outcome(sent, err)
}

// Close ends the driver and waits until it is silent. It must not be called from report.
func (d *driver) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	<-d.done
	<-d.manager.Done()
	return nil
}
