package modbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

const (
	// pollEvery is how often the inputs are asked. What lasts shorter is not seen.
	pollEvery = 100 * time.Millisecond
	// lineLimit is how long a Lock waits for a transaction under way; a board that needs longer may mix up the two.
	lineLimit = 100 * time.Millisecond
	// pulseSlack is by how much a board's clock and its relay may stretch a pulse.
	pulseSlack = time.Second
	// closeLimit is how long the end waits for the answer to a command: the end of the connection may take the command with it.
	closeLimit = 300 * time.Millisecond
)

var (
	errClosed = errors.New("driver is closed")
	errProof  = errors.New("the board did not answer within the order's time")
)

// driver is a lock.Lock.
type driver struct {
	now         func() time.Duration
	log         *slog.Logger
	plan        plan
	witness     witness // of the goroutine that serves
	transaction atomic.Uint32
	cancel      context.CancelFunc
	done        sync.WaitGroup

	mu      sync.Mutex // owns everything below
	session *session   // nil while not connected
	healthy error      // nil: orders can reach the lock, as far as is known
	polled  bool       // a Poll waits for a connection
	pulses  [2]pulse   // of the outputs that draw and throw
	orders  lock.Orders
	closed  bool
}

// pulse is what is known of an output.
type pulse struct {
	look bool // it is to be looked at, at due
	ours bool
	due  time.Duration
}

var _ lock.Open = Open

// Open starts a driver for one door (lock.Open). cfg.Settings is a Settings or a *Settings. report must not call back into the
// driver. An error names the setting that is wrong; a board that is not there is no error but a report.
func Open(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	s, ok := cfg.Settings.(Settings)
	if p, isPointer := cfg.Settings.(*Settings); isPointer && p != nil {
		s, ok = *p, true
	}
	if !ok {
		return nil, fmt.Errorf("lock/modbus: settings are a %T, want modbus.Settings", cfg.Settings)
	}
	if cfg.Now == nil || report == nil {
		return nil, errors.New("lock/modbus: Config.Now and report are needed")
	}
	p, err := s.plan()
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &driver{now: cfg.Now, log: cfg.Log.With("door", cfg.Name), plan: p, healthy: fmt.Errorf("%w: not connected yet", lock.ErrOffline)}
	// Not from 0: what a gateway still owes to the driver before this one must not fit a question of ours.
	d.transaction.Store(rand.Uint32())
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	d.witness = witness{smoke: p.smoke.used, say: func(r lock.Report) {
		if r.What == lock.OfHealth {
			d.setHealth(r.Err)
		}
		if inner.Err() == nil {
			report(r)
		}
	}}
	d.done.Go(func() {
		ws.Keep(inner, d.serve, func(err error) { d.witness.lost(err, d.now()) })
	})
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
	context.AfterFunc(inner, func() { stop() })
	return d, nil
}

// Can says what a wired lock gives. By: the inputs do not tell whose hand it was. Expiry: see the package's words.
func (d *driver) Can() lock.Can {
	return lock.Can{Bolt: true, Door: true, Jam: d.plan.jam.used, Poll: true}
}

// Lock ends the pulse that draws, and throws the bolt where an output does that. It waits for nothing but a transaction under way, and
// for that at most lineLimit.
func (d *driver) Lock(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	if !d.plan.throws || d.drawing() {
		if err := d.write(ctx, s, question{writeCoil, d.plan.draw, coilOff}, lineLimit, writeLimit, ctx.Err); err != nil || !d.plan.throws {
			return err
		}
	}
	if err := d.write(ctx, s, d.plan.pulse(d.plan.throw), lineLimit, writeLimit, ctx.Err); err != nil {
		return err
	}
	d.began(1)
	return nil
}

// Unlock sends the order once: not before the board has answered a question of after the call, not after o.NotAfter.
func (d *driver) Unlock(ctx context.Context, o lock.Order) error { return d.draw(ctx, o) }

// Retract is an Unlock for the bolt that stands out of an open door.
func (d *driver) Retract(ctx context.Context, o lock.Order) error { return d.draw(ctx, o) }

func (d *driver) draw(ctx context.Context, o lock.Order) error {
	s, err := d.accept(o)
	if err != nil {
		return err
	}
	left := o.NotAfter - d.now()
	if left < 0 {
		return lock.ErrTooLate
	}
	timely, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	proof := make(chan error, 1)
	s.want(proof)
	select {
	case err = <-proof:
	case <-s.over:
		err = lock.ErrOffline
	case <-timely.Done():
		err = errProof
	}
	if err != nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, err)
	}
	if err := d.write(timely, s, d.plan.pulse(d.plan.draw), left, o.NotAfter-d.now(), func() error {
		if d.now() > o.NotAfter {
			return lock.ErrTooLate
		}
		return ctx.Err()
	}); err != nil {
		return err
	}
	d.began(0)
	return nil
}

// accept takes an order for the first time, and only if it is short and may reach the lock.
func (d *driver) accept(o lock.Order) (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, errClosed)
	}
	now := d.now()
	if err := d.orders.Take(o, now); err != nil {
		return nil, err
	}
	switch {
	case now > o.NotAfter:
		return nil, lock.ErrTooLate
	case d.session == nil || d.healthy != nil:
		return nil, d.unwell()
	}
	return d.session, nil
}

// unwell says why nothing can be sent. d.mu is held.
func (d *driver) unwell() error {
	if d.healthy == nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, lock.ErrOffline)
	}
	return fmt.Errorf("%w: %w", lock.ErrNotSent, d.healthy)
}

// write sends one command, after it has waited for its turn: a Lock goes on without one.
func (d *driver) write(ctx context.Context, s *session, q question, turn, within time.Duration, check func() error) error {
	held := s.take(ctx, turn)
	sent, err := s.send(&call{question: q, command: true}, d.next(), held, within, func() error {
		d.mu.Lock()
		current := d.session == s && !d.closed
		d.mu.Unlock()
		if !current { // never on a connection that was replaced
			return lock.ErrOffline
		}
		return check()
	})
	return lock.Outcome(sent, err)
}

// next is a transaction's name. It goes on over connections, so that an old answer does not fit a new question.
func (d *driver) next() uint16 { return uint16(d.transaction.Add(1)) }

// began notes that an output was switched on, and must be off in time.
func (d *driver) began(output int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pulses[output] = pulse{look: true, ours: true, due: d.now() + d.plan.openFor + pulseSlack}
}

// drawing says whether the pulse that draws may still last.
func (d *driver) drawing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pulses[0].look
}

// Poll has the next answer of the inputs told. It comes with the next question, within pollEvery, or when the board is back.
func (d *driver) Poll(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return fmt.Errorf("%w: %w", lock.ErrNotSent, errClosed)
	case d.session == nil:
		d.polled = true
	default:
		d.session.want(nil)
	}
	return nil
}

// current is the session on which commands may leave.
func (d *driver) current() (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, errClosed)
	case d.session == nil:
		return nil, d.unwell()
	}
	return d.session, nil
}

func (d *driver) setHealth(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.healthy = err
}

// Close ends the driver and waits until it is silent. It must not be called from report.
func (d *driver) Close() error {
	d.mu.Lock()
	d.closed = true
	s := d.session
	d.mu.Unlock()
	if s != nil {
		s.take(context.Background(), closeLimit)
	}
	d.cancel()
	d.done.Wait()
	return nil
}
