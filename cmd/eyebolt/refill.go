package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onvif"
	"eyebolt/hub/run"
	"eyebolt/record/fmp4"
)

// filer is a recorder that also files, beside a visit's film, what a camera had kept on its own storage.
type filer struct{ *fmp4.Recorder }

var _ run.Filer = filer{}

// File begins to file it.
func (f filer) File(visit string) (run.Filing, error) {
	b, err := f.Backfill(visit)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// refill fetches from a camera's own storage (ONVIF Profile G) what nobody watched.
func refill(r *onvif.Remote) func(ctx context.Context, from, to time.Time, sink run.RefillSink) (bool, error) {
	return func(ctx context.Context, from, to time.Time, sink run.RefillSink) (bool, error) {
		f, err := r.Backfill(ctx, from, to, sink)
		// A camera without storage, or one that refuses us, is not asked again: each try may be one towards a locked account.
		for _, never := range []error{onvif.ErrUnsupported, onvif.ErrLocked, camera.ErrCredentials} {
			if errors.Is(err, never) {
				return false, fmt.Errorf("%w: %w", run.ErrNoRefill, err)
			}
		}
		return f.Whole, err
	}
}
