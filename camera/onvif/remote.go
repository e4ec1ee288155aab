package onvif

import (
	"context"
	"errors"
	"sync"
	"time"

	"eyebolt/camera"
)

// Remote is one camera's ONVIF side for as long as a hub runs. It connects when it is first needed, and anew when the camera
// was restarted or has another address. Its methods may be called from several goroutines.
type Remote struct {
	cfg Config
	lim limits

	mu     sync.Mutex // guards what follows; it is held while connecting, so that a camera is asked once
	c      *Client
	choice Choice
	still  *Still
	failed time.Duration // when connecting last failed
	why    error
}

// NewRemote checks cfg. It connects to nothing yet.
func NewRemote(cfg Config) (*Remote, error) {
	if _, err := parse(cfg); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		start := time.Now()
		cfg.Now = func() time.Duration { return time.Since(start) }
	}
	return &Remote{cfg: cfg, lim: defaults}, nil
}

// client gives the connected client. What failed a moment ago is not tried again: a wrong password would lock the account.
func (r *Remote) client(ctx context.Context) (*Client, Choice, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c != nil {
		return r.c, r.choice, nil
	}
	pause := r.lim.first
	if errors.Is(r.why, camera.ErrCredentials) || errors.Is(r.why, ErrLocked) {
		pause = r.lim.refused
	}
	if r.why != nil && r.cfg.Now()-r.failed < pause {
		return nil, Choice{}, r.why
	}
	c, choice, err := r.connect(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.why, r.failed = err, r.cfg.Now()
		}
		return nil, Choice{}, err
	}
	r.c, r.choice, r.still, r.why = c, choice, nil, nil
	return c, choice, nil
}

func (r *Remote) connect(ctx context.Context) (*Client, Choice, error) {
	c, err := dial(ctx, r.cfg, r.lim)
	if err != nil {
		return nil, Choice{}, err
	}
	all, err := c.Profiles(ctx)
	if err != nil {
		c.Close()
		return nil, Choice{}, err
	}
	choice, ok := Choose(all)
	if !ok {
		c.Close()
		return nil, Choice{}, c.fault(camera.ErrNoVideo, "none of its %d profiles is H.264 or H.265", len(all))
	}
	return c, choice, nil
}

// check forgets a client that can no longer be used.
func (r *Remote) check(c *Client, err error) error {
	if err == nil || !errors.Is(err, camera.ErrUnreachable) && !errors.Is(err, camera.ErrCredentials) && !errors.Is(err, ErrDisabled) && !errors.Is(err, ErrLocked) && !errors.Is(err, ErrClock) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c == c {
		r.c.Close()
		r.c, r.still = nil, nil
		r.why, r.failed = err, r.cfg.Now()
	}
	return err
}

// Choice is which of the camera's streams are used for what.
func (r *Remote) Choice(ctx context.Context) (Choice, error) {
	_, choice, err := r.client(ctx)
	return choice, err
}

// Ask asks for a key picture on the watched stream, now (SetSynchronizationPoint).
func (r *Remote) Ask(ctx context.Context) error {
	c, choice, err := r.client(ctx)
	if err != nil {
		return err
	}
	return r.check(c, c.SyncPoint(ctx, choice.Watch))
}

// Snapshot fetches one JPEG of the watched lens.
func (r *Remote) Snapshot(ctx context.Context) ([]byte, error) {
	c, choice, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	still := r.still
	r.mu.Unlock()
	if still == nil || still.c != c {
		if still, err = c.Still(ctx, choice.Watch); err != nil {
			return nil, r.check(c, err)
		}
		r.mu.Lock()
		if r.c == c {
			r.still = still
		}
		r.mu.Unlock()
	}
	b, err := still.Snapshot(ctx)
	return b, r.check(c, err)
}

// Tampers gives the camera's own alarms about its picture until ctx ends, as Client.Tampers does. A camera that cannot be
// reached yet is tried until it can; one without events ends it with ErrUnsupported.
func (r *Remote) Tampers(ctx context.Context, take func(Tamper), lost func(error)) error {
	wait := r.lim.first
	var known tracker
	for {
		c, _, err := r.client(ctx)
		if err == nil {
			wait = r.lim.first
			inner, cancel := context.WithCancelCause(ctx)
			err = c.tampers(inner, &known, take, func(err error) {
				lost(err)
				if errors.Is(err, camera.ErrUnreachable) { // it may have another address by now
					cancel(err)
				}
			})
			gone := context.Cause(inner)
			cancel(nil)
			if ctx.Err() != nil || gone == nil {
				return err
			}
			_ = r.check(c, gone)
		} else if ctx.Err() == nil {
			lost(err)
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		wait = min(2*wait, r.lim.most)
	}
}

// Backfill fetches a span from the camera's own storage, as Client.Backfill does; the lens is the watched one.
func (r *Remote) Backfill(ctx context.Context, from, to time.Time, sink Refill) (Filled, error) {
	c, choice, err := r.client(ctx)
	if err != nil {
		return Filled{}, err
	}
	f, err := c.Backfill(ctx, Span{From: from, To: to, Source: choice.Watch.Source}, sink)
	return f, r.check(c, err)
}

// Close ends its connections.
func (r *Remote) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c != nil {
		r.c.Close()
		r.c = nil
	}
}
