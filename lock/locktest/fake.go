package locktest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/lock"
)

// FakeConfig says how quick a Fake is. Zero spans mean "at once, but in order".
type FakeConfig struct {
	Now    func() time.Duration // needed
	Travel time.Duration        // of the bolt
	Delay  time.Duration        // of each message, either way
	LateBy time.Duration        // of a late or second effect
}

// Fake is a lock and a door in memory, with a physical truth. It is the World of its own Harness; Open gives drivers to
// it, one after the other or several at once. It must be closed. It works inside a testing/synctest bubble.
type Fake struct {
	cfg FakeConfig

	mu       sync.Mutex // owns everything below
	bolt     lock.Bolt
	open     bool
	motor    int
	lie      Lie
	pathDown bool
	peerDown bool
	wire     []Sent
	sessions []*session
	agenda   agenda
}

// NewFake makes a bolted, closed door.
func NewFake(cfg FakeConfig) *Fake {
	f := &Fake{cfg: cfg, bolt: lock.BoltThrown}
	f.agenda.start(&f.mu)
	return f
}

// Close ends the world; no report follows.
func (f *Fake) Close() { f.agenda.stop(&f.mu) }

// session is one driver's view of the fake.
type session struct {
	f      *Fake
	now    func() time.Duration
	tell   sync.Mutex // held while report runs
	closed atomic.Bool
	report func(lock.Report)
	orders map[lock.Order]bool // under Fake.mu
}

// Open is a lock.Open.
func (f *Fake) Open(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	if cfg.Now == nil || report == nil {
		return nil, errors.New("lock/locktest: Config.Now and report are needed")
	}
	s := &session{f: f, now: cfg.Now, report: report, orders: map[lock.Order]bool{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions = append(f.sessions, s)
	f.later(0, func() func() { return s.health() })
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// later plans do, which runs with the world held and gives what is to be told when it is not.
func (f *Fake) later(d time.Duration, do func() func()) { f.agenda.add(d, do) }

// say tells all drivers that the path and the peer let it through, in order.
func (f *Fake) say(r lock.Report) func() {
	if f.pathDown || f.peerDown {
		return nil
	}
	return f.all(r)
}

func (f *Fake) all(r lock.Report) func() {
	to := append([]*session(nil), f.sessions...)
	return func() {
		for _, s := range to {
			s.say(r)
		}
	}
}

func (s *session) say(r lock.Report) {
	s.tell.Lock()
	defer s.tell.Unlock()
	if !s.closed.Load() {
		r.At = s.now()
		s.report(r)
	}
}

func (s *session) health() func() {
	ok := !s.f.pathDown && !s.f.peerDown
	return func() {
		if ok {
			s.say(lock.Report{What: lock.OfHealth, OK: true})
		} else {
			s.say(lock.Report{What: lock.OfHealth, Err: lock.ErrOffline})
		}
	}
}

// reach is how a command comes through, or why not.
func (s *session) reach(ctx context.Context) error {
	switch {
	case s.closed.Load():
		return fmt.Errorf("%w: driver is closed", lock.ErrNotSent)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", lock.ErrNotSent, ctx.Err())
	case s.f.pathDown || s.f.peerDown:
		return fmt.Errorf("%w: %w", lock.ErrNotSent, lock.ErrOffline)
	}
	return nil
}

// Lock is lock.Lock's.
func (s *session) Lock(ctx context.Context) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if err := s.reach(ctx); err != nil {
		return err
	}
	s.f.command(lock.BoltThrown)
	return nil
}

// Unlock is lock.Lock's.
func (s *session) Unlock(ctx context.Context, o lock.Order) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if err := s.reach(ctx); err != nil {
		return err
	}
	if s.now() > o.NotAfter {
		return lock.ErrTooLate
	}
	if s.orders[o] {
		return errors.New("order was given before")
	}
	s.orders[o] = true
	s.f.command(lock.BoltDrawn)
	return nil
}

// Retract is lock.Lock's.
func (s *session) Retract(ctx context.Context, o lock.Order) error { return s.Unlock(ctx, o) }

// Poll is lock.Lock's.
func (s *session) Poll(ctx context.Context) error {
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := s.reach(ctx); err != nil {
		return err
	}
	f.later(2*f.cfg.Delay, func() func() {
		if f.lie == DoneNotAcked || f.lie == Failed {
			return nil
		}
		return f.say(lock.Report{What: lock.OfBolt, Bolt: f.bolt, Solicited: true})
	})
	return nil
}

// Can is everything that the suite can hold a lock to.
func (s *session) Can() lock.Can {
	return lock.Can{Bolt: true, Door: true, Jam: true, By: true, Battery: true, Poll: true, Expiry: true}
}

// Close is lock.Lock's.
func (s *session) Close() error {
	s.closed.Store(true)
	s.tell.Lock() // a report under way ends first
	defer s.tell.Unlock()
	return nil
}
