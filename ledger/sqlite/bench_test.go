package sqlite_test

import (
	"slices"
	"testing"
	"time"
)

// spread prints the median, the 99th percentile and the maximum of what was measured, in µs.
func spread(b *testing.B, name string, all []time.Duration) {
	slices.Sort(all)
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Nanoseconds()) / 1e3 }
	b.ReportMetric(at(0.5), name+"-p50-µs")
	b.ReportMetric(at(0.99), name+"-p99-µs")
	b.ReportMetric(at(1), name+"-max-µs")
}

// BenchmarkAppendGroup is the rate at which one caller's entries become durable while 256 of them wait at any time.
func BenchmarkAppendGroup(b *testing.B) {
	l := open(b, b.TempDir())
	defer l.Close()
	took := make([]time.Duration, b.N)
	slots := make(chan struct{}, 256)
	b.ResetTimer()
	for i := range b.N {
		slots <- struct{}{}
		start := time.Now()
		l.Append(func(err error) {
			if err != nil {
				b.Error(err)
			}
			took[i] = time.Since(start)
			<-slots
		}, fact(i))
	}
	if err := l.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	spread(b, "durable", took)
}

// BenchmarkAppendOne is the time from one Append to its durability, nothing else waiting: the courier's slide.
func BenchmarkAppendOne(b *testing.B) {
	l := open(b, b.TempDir())
	defer l.Close()
	took := make([]time.Duration, b.N)
	durable := make(chan error, 1)
	b.ResetTimer()
	for i := range b.N {
		start := time.Now()
		l.Append(func(err error) { durable <- err }, fact(i))
		if err := <-durable; err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	b.StopTimer()
	spread(b, "durable", took)
}
