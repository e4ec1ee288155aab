package run

import (
	"context"
	"time"

	"eyebolt/hub"
	"eyebolt/radio"
)

// Radio is one place where signs of an attack on the air are heard.
type Radio struct {
	Name   string // for the log: "monitor wlan1"
	Door   string // which door it is about; empty: the whole home
	Follow radio.Follow
	Config radio.Config // Now and Log are filled in
}

// radioAgain is how long after it broke a place is tried anew: a USB radio that was pulled out may come back.
const radioAgain = 10 * time.Second

// maxSigns bounds what one place may put into the core's queue in a second. An attacker makes as many frames as he likes; what
// the house itself tells must not wait behind them.
const maxSigns = 20

// hear follows one place until the context ends. Whether it works or not, the house is watched all the same: a sign is told,
// never needed.
func (h *Hub) hear(ctx context.Context, r Radio) {
	cfg := r.Config
	cfg.Now, cfg.Log = h.cfg.Now, h.cfg.Log
	says := &saying{log: h.cfg.Log, now: h.cfg.Now}
	left, at := maxSigns, time.Duration(0)
	for ctx.Err() == nil {
		err := r.Follow(ctx, cfg, func(s radio.Sign) {
			if now := h.cfg.Now(); now-at >= time.Second {
				left, at = maxSigns, now
			}
			if left == 0 {
				return
			}
			left--
			h.cfg.Log.Debug("noticed on the air", "kind", s.Kind, "count", s.Count, "source", s.Source, "station", s.Station)
			h.queue.push(hub.Sign{Door: r.Door, Sign: s})
		})
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			says.warn("signs of an attack on the air are not heard there; the watch goes on without", err.Error(), "radio", r.Name, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(radioAgain):
		}
	}
}
