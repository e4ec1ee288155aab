package matter

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
	// proofLimit is how long the lock may take to answer before an order: on Wi-Fi it needs some 50 ms, a sleeping Thread lock up to half
	// a second. What is left of the order's second is for the write.
	proofLimit = 900 * time.Millisecond
	// answerLimit is when a question to the lock counts as not answered. The server itself gives up after some twelve seconds.
	answerLimit = 5 * time.Second
	// carryLimit is how long the server may try to bring a command to the lock (interaction_timeout_ms), for each of the two messages of a
	// timed interaction; timedLimit how long the lock expects an order that was announced to it (timed_request_timeout_ms). An order thus
	// draws at most some carryLimit and timedLimit after the server took it up, or never.
	carryLimit = time.Second
	timedLimit = time.Second
	// throwLimit is carryLimit for a Lock, which should arrive even late; it ends before the hub, every three seconds, repeats it.
	throwLimit = 2500 * time.Millisecond
	// orderLimit is when an order counts as not answered: the server's own limits are over by then.
	orderLimit = 3 * time.Second
	// holdLimit is when a question that the server never answers is forgotten. Until then no other is put behind it.
	holdLimit = 90 * time.Second
	// lockLimit is the same for a Lock, which is worth more than an idle queue. maxThrows bounds those that the server holds meanwhile for
	// a lock out of reach: one that it tries, one that waits.
	lockLimit = 15 * time.Second
	maxThrows = 2
)

var (
	errClosed   = errors.New("driver is closed")
	errNoAnswer = errors.New("the lock did not answer: check its batteries, its network and the Matter server")
	errSilent   = errors.New("nothing was heard of the command, which may still be carried out")
	errOrder    = errors.New("an order of before is still with the Matter server")
	errProof    = errors.New("the lock does not answer now")
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
	orders  lock.Orders
	closed  bool
}

var _ lock.Open = Open

// Open starts a driver for one door (lock.Open). cfg.Settings is a Settings or a *Settings. report must not call back into the
// driver. An error names the setting that is wrong; a server that is not there is no error but a report.
func Open(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	s, err := settings(cfg.Settings)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil || report == nil {
		return nil, errors.New("lock/matter: Config.Now and report are needed")
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
	d.done.Go(func() { ws.Keep(inner, d.serve, d.down) })
	d.done.Go(func() { d.listen(inner) })
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
	context.AfterFunc(inner, func() { stop() })
	return d, nil
}

func settings(given any) (Settings, error) {
	switch s := given.(type) {
	case Settings:
		return s, nil
	case *Settings:
		if s != nil {
			return *s, nil
		}
	}
	return Settings{}, fmt.Errorf("lock/matter: settings are a %T, want matter.Settings", given)
}

// Can says what a Matter lock gives. Auto-lock is the lock's own affair. Expiry is not claimed: see the package's words about what may
// happen to an order that was sent.
func (d *driver) Can() lock.Can {
	return lock.Can{Bolt: true, Jam: true, By: true, Battery: true, Poll: true, Door: d.plan.Contact != "" || d.plan.DoorSense}
}

// Lock sends the wish for a thrown bolt. It waits for nothing but a write already under way. While the lock does not answer and the server
// holds maxThrows of them, all newer than the last order, another would only throw the bolt once more when the lock is back (S11): it is
// not sent.
func (d *driver) Lock(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, err)
	}
	d.mu.Lock()
	if s.throws >= maxThrows && d.healthy != nil {
		d.mu.Unlock()
		return nil
	}
	s.throws++
	age := s.age
	d.mu.Unlock()
	err = d.write(ctx, s, command{kind: sendLock, age: age}, "device_command", d.deviceCommand(s, "LockDoor", throwLimit), 0, func() error { return nil })
	if err != nil {
		d.mu.Lock()
		if s.age == age {
			s.throws--
		}
		d.mu.Unlock()
	}
	return err
}

// Unlock sends the order once: not before the lock has answered a question of now, not after o.NotAfter.
func (d *driver) Unlock(ctx context.Context, o lock.Order) error { return d.draw(ctx, o) }

// Retract is an Unlock for the bolt that stands out of an open door.
func (d *driver) Retract(ctx context.Context, o lock.Order) error { return d.draw(ctx, o) }

func (d *driver) draw(ctx context.Context, o lock.Order) error {
	s, err := d.admit(o)
	if err != nil {
		return err
	}
	defer d.drawn(ctx, s)
	proof, cancel := context.WithTimeout(ctx, min(o.NotAfter-d.now(), proofLimit))
	defer cancel()
	if err := d.prove(proof, s); err != nil {
		return fmt.Errorf("%w: %w", lock.ErrNotSent, err)
	}
	within, took := max(o.NotAfter-d.now(), time.Millisecond), false
	err = d.write(ctx, s, command{kind: sendUnlock, deadline: o.NotAfter}, "device_command", d.deviceCommand(s, "UnlockDoor", carryLimit), within, func() error {
		if d.now() > o.NotAfter {
			return lock.ErrTooLate
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		switch {
		case d.healthy != nil:
			return d.healthy
		case s.order:
			return errOrder
		}
		s.order, s.age, s.throws, took = true, s.age+1, 0, true
		return nil
	})
	if err != nil && took {
		d.mu.Lock()
		s.order = false
		d.mu.Unlock()
		if !errors.Is(err, lock.ErrNotSent) { // nobody will hear what became of it
			d.put(item{what: carried, err: errSilent, deadline: o.NotAfter, loose: true})
		}
	}
	return err
}

// admit takes an order for the first time, only if it is short, and only on a way that is well.
func (d *driver) admit(o lock.Order) (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, errClosed)
	}
	now := d.now()
	if err := d.orders.Take(o, now); err != nil {
		return nil, err
	}
	switch s := d.session; {
	case o.NotAfter < now:
		return nil, lock.ErrTooLate
	case d.healthy != nil:
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, d.healthy)
	case s == nil:
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, lock.ErrOffline)
	case s.order:
		return nil, fmt.Errorf("%w: %w", lock.ErrNotSent, errOrder)
	default:
		s.drawing++
		return s, nil
	}
}

// drawn lets the questions through that were held back.
func (d *driver) drawn(ctx context.Context, s *session) {
	d.mu.Lock()
	s.drawing--
	d.mu.Unlock()
	if d.wantsAgain() {
		_ = d.Poll(context.WithoutCancel(ctx)) // asked again by listen
	}
}

// prove has the lock itself answer a question of now. The server takes one thing after the other to a node, so an answer also shows
// that nothing is ahead of the order.
func (d *driver) prove(ctx context.Context, s *session) error {
	answer := make(chan error, 1)
	c := command{kind: readProof, paths: s.ids.paths(readProof, d.plan.DoorSense), answer: answer}
	if err := d.read(ctx, s, c, s.ids.lock.node); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return errProof
	case <-s.over:
		return lock.ErrOffline
	case err := <-answer:
		return err
	}
}

// Poll asks the lock where its bolt is. One question is under way at a time; another follows it.
func (d *driver) Poll(ctx context.Context) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	d.mu.Lock()
	if s.asking || s.drawing > 0 {
		s.again = true
		d.mu.Unlock()
		return nil
	}
	s.asking, s.told, s.asked = true, false, d.now()
	d.mu.Unlock()
	err = d.read(ctx, s, command{kind: readLock, paths: s.ids.paths(readLock, d.plan.DoorSense)}, s.ids.lock.node)
	if err != nil {
		d.mu.Lock()
		s.asking = false
		d.mu.Unlock()
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

// deviceCommand is a command of the Door Lock cluster, which takes only timed interactions (Matter Application Cluster Specification,
// Door Lock, Commands: access "T").
func (d *driver) deviceCommand(s *session, name string, limit time.Duration) map[string]any {
	payload := map[string]any{}
	if d.plan.pin != nil {
		payload["PINCode"] = d.plan.pin // bytes are base64 in the server's JSON, as in ours
	}
	return map[string]any{
		"node_id": s.ids.lock.node, "endpoint_id": s.ids.lock.endpoint, "cluster_id": clusterLock, "command_name": name, "payload": payload,
		"timed_request_timeout_ms": timedLimit.Milliseconds(), "interaction_timeout_ms": limit.Milliseconds(),
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
