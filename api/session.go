package api

import (
	"context"
	"errors"
	"time"

	"eyebolt/control"
)

// keep stores sessions with everything else of the service.
type keep struct{ s *server }

// storeTimeout bounds what a request waits for its session.
const storeTimeout = 5 * time.Second

func (k keep) ctx() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), storeTimeout)
}

// Find is scs.Store's.
func (k keep) Find(token string) ([]byte, bool, error) {
	ctx, cancel := k.ctx()
	defer cancel()
	v, err := k.s.Service.Session(ctx, k.s.Now(), token)
	var e *control.Error
	if errors.Is(err, control.ErrNotFound) || errors.As(err, &e) && (e.Class == control.NotFound || e.Class == control.Nobody) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return v.Data, true, nil
}

// Commit is scs.Store's.
func (k keep) Commit(token string, b []byte, expiry time.Time) error {
	ctx, cancel := k.ctx()
	defer cancel()
	return k.s.Service.KeepSession(ctx, control.Session{ID: token, Data: b, Until: expiry})
}

// Delete is scs.Store's.
func (k keep) Delete(token string) error {
	ctx, cancel := k.ctx()
	defer cancel()
	return k.s.Service.EndSession(ctx, token)
}
