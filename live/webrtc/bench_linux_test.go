package webrtc

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"eyebolt/web/webtest"
)

func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkViewers is what the hub pays for real browsers that look at one 720p15 camera at 2 Mbit/s, in the processor time
// of this process over five seconds of life (the browsers are other processes). Run it with -benchtime 1x.
func BenchmarkViewers(b *testing.B) {
	f := hd(b, "high")
	for _, n := range []int{0, 1, 4} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := set(b, nil)
			film(b, s, f)
			until(b, "the camera", func() bool { d := s.door("front"); d.mu.Lock(); defer d.mu.Unlock(); return len(d.gop) > 0 })
			if n > 0 {
				url, br := serve(b, s), webtest.Start(b)
				for i := range n {
					p := br.Page()
					p.Go(url)
					p.Eval(fmt.Sprintf(`look('%d')`, i), nil)
					p.Wait("seen.frames > 10")
				}
			}
			for b.Loop() {
				began := cpu(b)
				pause := time.NewTimer(5 * time.Second)
				<-pause.C
				b.ReportMetric(100*float64(cpu(b)-began)/float64(5*time.Second), "%core")
			}
		})
	}
}
