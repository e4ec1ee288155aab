//go:build !linux

package nl80211

import (
	"context"
	"errors"

	"eyebolt/radio"
)

// Follow is there on Linux alone.
func Follow(context.Context, radio.Config, func(radio.Sign)) error {
	return errors.New("nl80211: Linux alone tells of its Wi-Fi this way: leave radio.interface out")
}
