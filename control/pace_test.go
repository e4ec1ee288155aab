package control_test

import (
	"context"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// counting counts the writes to a store.
type counting struct {
	control.Store
	writes int
}

func (c *counting) Write(ctx context.Context, f func(control.Tx) error) error {
	c.writes++
	return c.Store.Write(ctx, f)
}

// T20: a hub that was taken over and shows something else each time has the disk write at its own pace, not at the hub's; what it
// shows at last counts all the same.
func TestFloodOfViewsIsNoFloodOfWrites(t *testing.T) {
	for _, k := range []struct {
		name string
		show func(v *bus.View, i uint64, d control.Delivery)
	}{
		{"block counters", func(v *bus.View, i uint64, _ control.Delivery) { v.BlockCount = i }},
		{"phases", func(v *bus.View, i uint64, d control.Delivery) {
			v.GrantID, v.Visit, v.Phase = d.Grant, "V1", []string{"ready", "open"}[i%2]
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := newTown(t)
			d := w.ready(w.a)
			c := &counting{Store: w.store}
			w.store = c
			w.restart()
			c.writes = 0
			show := func(i uint64) {
				v := bus.View{Hub: w.a.hub, Door: "front", Seq: i, At: w.now, Phase: "idle"}
				k.show(&v, i, d)
				if err := w.s.View(context.Background(), w.now, w.a.hub, v); err != nil {
					t.Fatal(err)
				}
			}
			const n = 4000 // twenty seconds of what one hub may say
			for i := range uint64(n) {
				show(i + 1)
				w.now = w.now.Add(5 * time.Millisecond)
			}
			if c.writes > 500 {
				t.Errorf("%d views had the disk write %d times, want at most 500", n, c.writes)
			}
			w.now = w.now.Add(time.Second)
			show(n + 1)
			if got := w.beat(w.a).Blocks["front"]; k.name == "block counters" && got != n+1 {
				t.Errorf("the hub counts %d, the service %d", n+1, got)
			}
		})
	}
}
