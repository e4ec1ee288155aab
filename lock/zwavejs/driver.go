package zwavejs

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
	// proofLimit is how long server and stick may take to show that they live before an order: an idle stick needs some 10 ms, one
	// that waits for a device's answer, ours included, up to a second. What is left of the order's second is for the write.
	proofLimit = 900 * time.Millisecond
	// answerLife is how long ago the lock itself may have answered before an order: in a visit the hub asks every 5 s, and this
	// lets one answer be lost.
	answerLife = 12 * time.Second
	// answerLimit is when a question counts as not answered: the server tries three times, and a lock that must be woken needs
	// some two seconds for each.
	answerLimit = 10 * time.Second
)

var (
	errClosed = errors.New("driver is closed")
	errProof  = errors.New("the server or its stick does not show that it lives")
	errFailed = errors.New("the stick calls the lock a failed node: check its batteries and its distance")
	errStale  = errors.New("the lock itself has not answered lately: it is asked now")
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
	orders  lock.Orders
	closed  bool
}

var _ lock.Open = Open

// Open starts a driver for one door (lock.Open). cfg.Settings is a Settings or a *Settings. report must not call back into the
// driver. An error names the setting that is wrong; a server that is not there is no error but a report.
func Open(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	s, ok := cfg.Settings.(Settings)
	if p, isPointer := cfg.Settings.(*Settings); isPointer && p != nil {
		s, ok = *p, true
	}
	if !ok {
		return nil, fmt.Errorf("lock/zwavejs: settings are a %T, want zwavejs.Settings", cfg.Settings)
	}
	if cfg.Now == nil || report == nil {
		return nil, errors.New("lock/zwavejs: Config.Now and report are needed")
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

// Can says what a lock behind Z-Wave JS gives. Auto-lock is the lock's own affair. Expiry is not claimed: see the package's words
// about what may happen to an order that was sent.
func (d *driver) Can() lock.Can {
	return lock.Can{Bolt: true, Jam: true, By: true, Battery: true, Poll: true, Door: d.plan.Contact != "" || d.plan.DoorSense}
}

// Lock sends the wish for a thrown bolt. It waits for nothing but a write already under way.
func (d *driver) Lock(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	return d.write(ctx, s, command{kind: kindLock}, set(s.ids.lock, modeSecured), 0, func() error { return nil })
}

// Unlock sends the order once: not before server and stick have shown that they live now, not after o.NotAfter.
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
	health, old := d.healthy, d.now()-d.heard > answerLife
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
	return d.write(ctx, s, command{kind: kindUnlock, deadline: o.NotAfter}, set(s.ids.lock, modeUnsecured), max(o.NotAfter-d.now(), time.Millisecond), func() error {
		if d.now() > o.NotAfter {
			return lock.ErrTooLate
		}
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

// prove has the server ask its stick whether the lock is a failed node: an answer shows that both live, and costs the lock's
// battery nothing.
func (d *driver) prove(ctx context.Context, s *session) error {
	answer := make(chan result, 1)
	p := command{kind: kindProof, answer: answer}
	if err := d.write(ctx, s, p, isFailed(s.ids.lock), 0, func() error { return nil }); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return errProof
	case <-s.over:
		return lock.ErrOffline
	case r := <-answer:
		if r.err != nil {
			return fmt.Errorf("%w: %w", errProof, r.err)
		}
		failed, err := readFailed(r.body)
		if err == nil && failed {
			err = errFailed
		}
		return err
	}
}

// Poll asks the lock where its bolt is. One question is under way at a time; another follows it.
//
// A lock's report does not say which question it answers, and the server takes the next one for the answer: one, perhaps, that the lock
// sent long before and that waits in the server. What the stick says comes in order, so it is asked first (which costs no battery): when
// it has answered, nothing of before waits any more.
func (d *driver) Poll(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	d.mu.Lock()
	if s.asking {
		s.again = true
		d.mu.Unlock()
		return nil
	}
	s.asking = true
	d.mu.Unlock()
	err = d.write(ctx, s, command{kind: kindStick}, isFailed(s.ids.lock), 0, func() error { return nil })
	if err != nil {
		d.asked(s)
	}
	return err
}

// get is the question to the lock, after the one to the stick, which left at since.
func (d *driver) get(ctx context.Context, s *session, since time.Duration) {
	err := d.write(ctx, s, command{kind: kindGet, since: since}, map[string]any{
		"command": "endpoint.invoke_cc_api", "nodeId": s.ids.lock, "endpoint": 0, "commandClass": ccDoorLock, "methodName": "get", "args": []any{},
	}, 0, func() error { return nil })
	if err != nil {
		d.asked(s)
		d.log.Debug("the lock was not asked", "err", err) // asked again after the pause
	}
}

// learn asks the server what it knows of the smoke sensor, which costs no battery. One question is under way at a time.
func (d *driver) learn(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	d.mu.Lock()
	busy := s.learns
	s.learns = true
	d.mu.Unlock()
	if busy {
		return nil
	}
	err = d.write(ctx, s, command{kind: kindState}, map[string]any{"command": "node.get_state", "nodeId": s.ids.smoke}, 0, func() error { return nil })
	if err != nil {
		d.mu.Lock()
		s.learns = false
		d.mu.Unlock()
	}
	return err
}

// isFailed has the server ask its stick whether it calls a node failed.
func isFailed(node int) map[string]any {
	return map[string]any{"command": "controller.is_failed_node", "nodeId": node}
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

// set is the wish for a mode. set_value, since a Set through the command class's own API makes no event for other clients.
func set(node, mode int) map[string]any {
	return map[string]any{
		"command": "node.set_value", "nodeId": node, "value": mode,
		"valueId": map[string]any{"commandClass": ccDoorLock, "endpoint": 0, "property": "targetMode"},
	}
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
