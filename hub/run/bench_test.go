package run

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
)

// BenchmarkSlideToUnlock is the courier's slide, sent to the hub's bus, until the order is handed to the lock: verified,
// decided, on disk (fsync), checked again. Budget: 50 ms at the 99th percentile.
func BenchmarkSlideToUnlock(b *testing.B) {
	h := newHouse(b)
	h.prepare()
	var spans []time.Duration
	var at time.Duration
	h.spy = func(string) { at = h.now() }
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		h.who.Delivery.ID = fmt.Sprintf("delivery-%d", i)
		h.must(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()})
		h.arrive()
		b.StartTimer()
		from := h.now()
		h.unlock()
		b.StopTimer()
		spans = append(spans, at-from)
		h.lock.Door(true)
		h.until("open")
		h.lock.Door(false)
		h.until("secured")
		if r := h.out(); !r.OK {
			b.Fatalf("out: %+v", r)
		}
		h.until("idle")
		b.StartTimer()
	}
	slices.Sort(spans)
	at2 := func(p float64) float64 {
		return float64(spans[min(len(spans)-1, int(p*float64(len(spans))))].Microseconds()) / 1000
	}
	b.ReportMetric(at2(0.5), "p50-ms")
	b.ReportMetric(at2(0.99), "p99-ms")
	b.ReportMetric(at2(1), "max-ms")
	b.ReportMetric(0, "ns/op")
}
