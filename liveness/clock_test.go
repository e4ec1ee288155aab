package liveness

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// T6's law: whatever the rate of a growing lag between 0.1 % and 10 %, whenever it begins and however steady the link, the watch
// stops being live before the newest picture is A1 and what the clocks allow older than it seems, is late or worse soon
// after, and never recovers while the lag goes on.
func TestSlowLagLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := math.Exp(rapid.Float64Range(math.Log(0.001), math.Log(0.1)).Draw(t, "log rate"))
		begin := time.Duration(rapid.IntRange(5, 60).Draw(t, "begin s")) * sec
		seed := rapid.Uint64().Draw(t, "seed")
		skew := rapid.Float64Range(-200e-6, 200e-6).Draw(t, "skew")
		within := time.Duration(float64(600*ms)/(rate-401e-6)) + 2*sec // the base may rise by 200 ppm, and the clock be slow by 200
		jitter := wired(rand.New(rand.NewPCG(seed, 1)))
		end := begin + within + 10*sec
		all := film(0, int(end/period), skew, func(i int) time.Duration {
			return jitter(i) + time.Duration(rate*float64(max(0, time.Duration(i)*period-begin)))
		})
		w := newWorld(t, Config{Replay: 64, Keys: 16})
		w.j.Opened(0)
		var liveTill, named time.Duration
		w.each = func(now time.Duration, v Verdict) {
			switch v.State {
			case Live:
				liveTill = now
			case Late, Lost, Untrusted:
				if named == 0 {
					named = now
				}
			}
		}
		w.run(all, end)
		if liveTill > begin+within {
			t.Fatalf("lag of %.2f %% from %v: live until %v, want at most %v", 100*rate, begin, liveTill, begin+within)
		}
		if named == 0 {
			t.Fatalf("lag of %.2f %%: not named; states %v", 100*rate, w.states())
		}
	})
}

// S13's law of clocks: whatever a camera's clock does, as long as its times rise, the age is never less than the time since the
// newest picture arrived: an arrival timeout is kept in any case. A clock that is off by more than 500 ppm, either way, is
// found within two minutes, and the watch is not live while it is.
func TestClockLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		off := math.Exp(rapid.Float64Range(math.Log(0.0009), math.Log(0.2)).Draw(t, "log off"))
		if rapid.Bool().Draw(t, "slow") {
			off = -off
		}
		seed := rapid.Uint64().Draw(t, "seed")
		const long = 180 * sec
		all := film(0, int(long/period), off, wired(rand.New(rand.NewPCG(seed, 2))))
		w := newWorld(t, Config{Replay: 64, Keys: 16})
		w.j.Opened(0)
		i, arrived := 0, time.Duration(0)
		liveTill := time.Duration(0)
		w.each = func(now time.Duration, v Verdict) {
			for ; i < len(all) && all[i].arrives <= now; i++ {
				if all[i].arrives <= w.j.arrived {
					arrived = all[i].arrives
				}
			}
			if v.State == Live {
				liveTill = now
			}
			if v.Pictures > 0 && v.Age < now-arrived {
				t.Fatalf("at %v: age %v, and nothing has arrived for %v", now, v.Age, now-arrived)
			}
		}
		w.run(all, long)
		if liveTill > 120*sec {
			t.Fatalf("a clock off by %.3f %%: live at %v", 100*off, liveTill)
		}
		f := find(w.j.Explain(), "clock")
		if off < -0.0009 && off > -0.004 && f.State != Lagging {
			t.Fatalf("a clock slow by %.3f %%: explained as %+v", -100*off, f)
		}
	})
}

// A clock that is slow is explained, and trusted again once it is not.
func TestSlowClockIsExplained(t *testing.T) {
	w := newWorld(t, Config{})
	w.j.Opened(0)
	all := film(0, 15*240, 0, wired(rand.New(rand.NewPCG(4, 5))))
	for i := range all { // slow by 0.2 % for 110 s
		slow := time.Duration(0.002 * float64(min(all[i].captured, 110*sec)))
		all[i].media -= slow
	}
	w.run(all, 239*sec)
	w.want(Live, Lagging, Live)
	if at := w.seen[1].Since; at > 95*sec {
		t.Errorf("found at %v, want after nine spans of 10 s", at)
	}
	var said bool
	w = newWorld(t, Config{})
	w.j.Opened(0)
	w.run(all[:15*105], 104*sec)
	f := find(w.j.Explain(), "clock")
	said = f.State == Lagging && strings.Contains(f.Say, "fall behind their arrival by 0.20 %")
	if !said {
		t.Errorf("explained as %+v", f)
	}
}

// S18: a home's Wi-Fi does not make a clock seem wrong: hours of delays with long queues that come and go.
func TestWiFiIsNoWrongClock(t *testing.T) {
	hours := 200
	if testing.Short() {
		hours = 6
	}
	found := 0
	for h := range hours {
		rng := rand.New(rand.NewPCG(uint64(h), 6))
		var c clock
		load, at, last := 0.0, time.Duration(0), time.Duration(0)
		for i := range 3600 * 15 {
			if i%15 == 0 { // the load of the link wanders
				load = 0.97*load + 0.25*rng.NormFloat64()
			}
			d := time.Duration(float64(4*ms) * math.Exp(1.2*rng.NormFloat64()+1.5*max(load, 0)))
			media := time.Duration(i) * period
			at = max(media+d, last)
			last = at
			if off, ahead, ended := c.picture(media, at); off != 0 && ended && !ahead {
				found++
			}
		}
	}
	t.Logf("%d findings in %d hours", found, hours)
	if found > 0 {
		t.Errorf("a wrong clock is found %d times in %d hours of an honest one", found, hours)
	}
}
