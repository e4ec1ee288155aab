//go:build unix

package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/nats"
)

// BenchmarkHubs has hubs beat at 2 Hz, as in visits, over TCP in this process, and tells what both ends cost together.
func BenchmarkHubs(b *testing.B) {
	const hubs, seconds = 1000, 5
	for b.Loop() {
		var before, after runtime.MemStats
		w := newTown(b, hubs)
		runtime.GC()
		runtime.ReadMemStats(&before)
		conns := make([]*nats.Conn, hubs)
		for i := range conns {
			conns[i] = w.hub(b, i)
		}
		until(b, "all connected", func() bool { return w.server.Connections() == hubs+1 })
		runtime.GC()
		runtime.ReadMemStats(&after)
		var cpu0, cpu1 syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &cpu0)
		ctx, cancel := context.WithTimeout(b.Context(), seconds*time.Second)
		var wg sync.WaitGroup
		var answered, lost, worst atomic.Int64
		for i, c := range conns {
			wg.Go(func() {
				m := bus.Beat{Hub: fmt.Sprintf("hub-%d", i), Nonce: make([]byte, 16), Visits: []string{"V"}}
				subject := fmt.Sprintf("hub.hub-%d.beat", i)
				first := time.NewTimer(time.Duration(i) * 500 * time.Millisecond / hubs)
				select {
				case <-first.C:
				case <-ctx.Done():
					return
				}
				turn := time.NewTicker(500 * time.Millisecond)
				defer turn.Stop()
				for {
					begin := time.Now()
					m.Seq, m.Told = m.Seq+1, begin
					body, _ := json.Marshal(m)
					if _, err := c.Request(ctx, subject, body); err == nil {
						answered.Add(1)
						took := time.Since(begin).Microseconds()
						for old := worst.Load(); took > old && !worst.CompareAndSwap(old, took); old = worst.Load() {
						}
					} else if ctx.Err() == nil {
						lost.Add(1)
					}
					select {
					case <-turn.C:
					case <-ctx.Done():
						return
					}
				}
			})
		}
		wg.Wait()
		cancel()
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &cpu1)
		used := time.Duration(cpu1.Utime.Nano() + cpu1.Stime.Nano() - cpu0.Utime.Nano() - cpu0.Stime.Nano())
		b.ReportMetric(float64(answered.Load())/seconds, "beats/s")
		b.ReportMetric(float64(lost.Load()), "lost")
		b.ReportMetric(used.Seconds()/seconds*100, "%cpu(both-ends)")
		b.ReportMetric(float64(worst.Load())/1000, "worst-ms")
		b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/hubs/1024, "KiB/hub(both-ends)")
	}
}
