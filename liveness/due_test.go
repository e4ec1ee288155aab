package liveness

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// S6: that Deadline forgot something would leave no lapse unnoticed. Whoever ticks at what is planned alone, and knows no deadline,
// finds the loss of pictures within one TickEvery; and whoever ticks at Due finds it at its instant.
func TestPlanFindsWhatDeadlineForgets(t *testing.T) {
	for _, a1 := range []time.Duration{100 * ms, 250 * ms, 500 * ms} {
		for shift := time.Duration(0); shift < 70*ms; shift += 3 * ms {
			for _, blunt := range []bool{true, false} {
				j := New(Config{A1: a1, Replay: 64})
				all := film(0, 75, 0, none)
				last := all[74].arrives
				var lagging, lost time.Duration
				now := time.Duration(0)
				j.Opened(now)
				now += shift
				j.Tick(now)
				for i := 0; now < last+4*sec; {
					next := j.due
					if !blunt {
						next = j.Due()
					}
					if i < len(all) && all[i].arrives <= next {
						now = max(now, all[i].arrives)
						j.Picture(cameraPicture(all[i]))
						i++
					} else {
						now = max(now, next)
						j.Tick(now)
					}
					switch v := j.Verdict(); {
					case now < last:
					case v.State == HubLate:
						t.Fatalf("A1 %v: the hub is late at %v, and every tick came when it was due", a1, now)
					case v.State == Lagging && lagging == 0:
						lagging = now - last
					case v.State == Lost && lost == 0:
						lost = now - last
					}
				}
				slack := time.Duration(1)
				if blunt {
					slack = TickEvery
				}
				if lagging <= a1 || lagging > a1+slack || lost <= 1500*ms || lost > 1500*ms+slack {
					t.Errorf("A1 %v, shift %v, without deadlines %t: lagging after %v, lost after %v", a1, shift, blunt, lagging, lost)
				}
			}
		}
	}
}

// S6: wherever the hub stands still, for however long, and goes on: a camera whose pictures wait in time is never called lagging or
// lost for it. Either the hub is late, or nothing was noticed.
func TestAStallOfTheHubBlamesNoCamera(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a1 := rapid.SampledFrom([]time.Duration{250 * ms, 500 * ms}).Draw(t, "A1")
		from := time.Duration(rapid.Int64Range(int64(4*sec), int64(5*sec)).Draw(t, "from"))
		long := time.Duration(rapid.Int64Range(0, int64(1200*ms)).Draw(t, "long"))
		first := rapid.SampledFrom([]string{"tick", "pictures"}).Draw(t, "first")
		j := New(Config{A1: a1, Replay: 64})
		all := film(0, 150, 0, none)
		j.Opened(0)
		j.Tick(0)
		stood := false
		for i, now := 0, time.Duration(0); i < len(all)-1; {
			next := min(j.Due(), all[i].arrives)
			if !stood && next > from {
				stood = true
				now = max(next, from+long)
				if first == "pictures" {
					for ; all[i].arrives <= now; i++ {
						p := cameraPicture(all[i])
						p.Arrival = now
						j.Picture(p)
					}
				}
				j.Tick(now)
				for ; all[i].arrives <= now; i++ {
					p := cameraPicture(all[i])
					p.Arrival = now
					j.Picture(p)
				}
			} else if now = max(now, next); next == all[i].arrives {
				j.Picture(cameraPicture(all[i]))
				i++
			} else {
				j.Tick(now)
			}
			if v := j.Verdict(); now > 3*sec && v.State != Live && v.State != HubLate {
				t.Fatalf("at %v, after a stall from %v for %v: %v", now, from, long, v.State)
			}
		}
	})
}
