package run

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/hub"
	"eyebolt/radio"
)

// T20: whoever floods the air fills no queue of the hub's; a place that breaks is tried again, and nothing else ends.
func TestSignsAreBoundedAndPlacesAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		h := &Hub{queue: newQueue(), cfg: Config{Now: func() time.Duration { return time.Since(begin) }, Log: slog.New(slog.DiscardHandler)}}
		ctx, stop := context.WithCancel(t.Context())
		runs := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.hear(ctx, Radio{Name: "test", Door: "front", Follow: func(ctx context.Context, cfg radio.Config, tell func(radio.Sign)) error {
				runs++
				if cfg.Now == nil || cfg.Log == nil {
					t.Error("no clock or log was handed in")
				}
				for range 1000 {
					tell(radio.Sign{Kind: radio.Flood})
				}
				if runs == 1 {
					return errors.New("the radio was pulled out")
				}
				<-ctx.Done()
				return nil
			}})
		}()
		synctest.Wait()
		items, _, _ := h.queue.take(nil)
		if len(items) != maxSigns {
			t.Errorf("%d of 1000 signs in a second reached the core, want %d", len(items), maxSigns)
		}
		if s, ok := items[0].(hub.Sign); !ok || s.Door != "front" {
			t.Errorf("%#v", items[0])
		}
		time.Sleep(radioAgain + time.Second)
		synctest.Wait()
		if runs != 2 {
			t.Errorf("tried %d times, want 2", runs)
		}
		stop()
		<-done
	})
}
