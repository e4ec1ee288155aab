//go:build !linux

package monitor

import (
	"context"
	"errors"

	"eyebolt/radio"
)

// Follow is there on Linux alone.
func Follow(context.Context, radio.Config, func(radio.Sign)) error {
	return errors.New("monitor: a radio in monitor mode can be heard on Linux only: leave radio.monitor out")
}
