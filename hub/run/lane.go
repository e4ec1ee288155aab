package run

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"eyebolt/hub"
	"eyebolt/lock"
)

const (
	// lockTimeout is how long one attempt to throw the bolt may take. The interlock asks again every 3 s.
	lockTimeout = 2 * time.Second
	// lockWorkers is how many attempts may be under way: a connection that hangs must not hold up the next.
	lockWorkers = 2
	// maxOrders bounds what may wait in a lane. The interlock gives a door one order at a time.
	maxOrders = 4
)

// lane carries one door's orders to its lock, beside everything else that the hub does. Lock is never queued behind an
// Unlock: an Unlock that has not begun when a Lock comes is not sent, and one under way is cancelled and followed by another
// Lock.
type lane struct {
	door   string
	lock   lock.Lock
	now    func() time.Duration
	push   func(any)
	note   func(Event)
	log    *slog.Logger
	locks  chan struct{} // holds one: a Lock that nobody has begun yet
	polls  chan struct{} // likewise
	orders chan order

	mu      sync.Mutex
	gen     uint64 // of Locks
	cancel  context.CancelFunc
	working bool   // an Unlock or Retract is under way
	again   bool   // a Lock came while it was
	locked  uint64 // gen when the newest finished attempt to lock began
}

type order struct {
	do    string // "unlock" or "retract"
	order lock.Order
	n     uint32
	gen   uint64
}

func newLane(door string, now func() time.Duration, push func(any), note func(Event), log *slog.Logger) *lane {
	return &lane{
		door: door, now: now, push: push, note: note, log: log,
		locks: make(chan struct{}, 1), polls: make(chan struct{}, 1), orders: make(chan order, maxOrders),
	}
}

// run starts the lane's goroutines; they end with ctx.
func (l *lane) run(ctx context.Context, wg *sync.WaitGroup) {
	for range lockWorkers {
		wg.Go(func() { l.each(ctx, l.locks, l.doLock) })
	}
	wg.Go(func() { l.each(ctx, l.polls, l.doPoll) })
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case o := <-l.orders:
				l.doOrder(ctx, o)
			}
		}
	})
}

func (l *lane) each(ctx context.Context, signal <-chan struct{}, do func(context.Context)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signal:
			do(ctx)
		}
	}
}

// Lock has the bolt thrown. It returns at once.
func (l *lane) Lock() {
	l.mu.Lock()
	l.gen++
	l.again = l.working
	if l.cancel != nil {
		l.cancel()
	}
	l.mu.Unlock()
	signal(l.locks)
}

// Poll asks for a report. It returns at once.
func (l *lane) Poll() { signal(l.polls) }

// Order passes an Unlock or Retract on. It returns at once.
func (l *lane) Order(do string, o lock.Order, n uint32) {
	l.mu.Lock()
	gen := l.gen
	l.mu.Unlock()
	select {
	case l.orders <- order{do, o, n, gen}:
	default:
		l.push(hub.Carried{Door: l.door, Do: do, N: n, Err: lock.ErrNotSent})
	}
}

// settled says whether every Lock that was asked for has been tried.
func (l *lane) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked >= l.gen
}

func (l *lane) doLock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	l.mu.Lock()
	gen := l.gen
	l.mu.Unlock()
	l.note(Event{Door: l.door, What: "lock", At: l.now()})
	err := l.lock.Lock(ctx)
	l.mu.Lock()
	l.locked = max(l.locked, gen)
	l.mu.Unlock()
	if err != nil {
		l.log.Warn("lock was not sent, it will be tried again", "door", l.door, "err", err)
	}
	l.push(hub.Carried{Door: l.door, Do: "lock", Err: err})
}

func (l *lane) doPoll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	if err := l.lock.Poll(ctx); err != nil {
		l.log.Debug("lock was not asked", "door", l.door, "err", err)
	}
}

func (l *lane) doOrder(ctx context.Context, o order) {
	left := o.order.NotAfter - l.now()
	l.mu.Lock()
	if o.gen != l.gen || left <= 0 {
		l.mu.Unlock()
		l.push(hub.Carried{Door: l.door, Do: o.do, N: o.n, Err: lock.ErrNotSent})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	l.cancel, l.working = cancel, true
	l.mu.Unlock()

	l.note(Event{Door: l.door, What: o.do, At: l.now()})
	var err error
	if o.do == "unlock" {
		err = l.lock.Unlock(ctx, o.order)
	} else {
		err = l.lock.Retract(ctx, o.order)
	}
	l.mu.Lock()
	again := l.again
	l.cancel, l.working, l.again = nil, false, false
	l.mu.Unlock()
	if again {
		signal(l.locks) // the Lock that came meanwhile may have overtaken this order
	}
	if err != nil {
		l.log.Warn(o.do+" may not have been carried out", "door", l.door, "err", err)
	}
	l.push(hub.Carried{Door: l.door, Do: o.do, N: o.n, Err: err})
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
