package liveness

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAgeLaw is S6's law: for any camera clock within 200 ppm, and whatever the network does to the pictures (stalls, bursts,
// losses, growing lag, any delay that keeps their order), the watch is never live while the newest picture is older, in
// truth, than A1 plus the smallest delay that any picture of the connection has had, plus what two clocks may drift apart.
func TestAgeLaw(t *testing.T) {
	live, judged := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		a1 := rapid.SampledFrom([]time.Duration{250 * ms, 500 * ms}).Draw(t, "A1")
		skew := rapid.Float64Range(-200e-6, 200e-6).Draw(t, "skew")
		base := time.Duration(rapid.IntRange(0, 400).Draw(t, "base ms")) * ms
		all := film(0, rapid.IntRange(60, 900).Draw(t, "pictures"), skew, func(int) time.Duration { return base })
		end := all[len(all)-1].captured
		for range rapid.IntRange(0, 6).Draw(t, "events") {
			from := time.Duration(rapid.Int64Range(0, int64(end)).Draw(t, "from"))
			long := time.Duration(math.Exp(rapid.Float64Range(2, 8.5).Draw(t, "log ms")) * 1e6)
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				all = stall(all, from, from+long)
			case 1:
				all = lose(all, from, from+long)
			case 2: // a lag that grows and stays
				rate := rapid.Float64Range(0, 0.2).Draw(t, "rate")
				for i := range all {
					if past := all[i].captured - from; past > 0 {
						all[i].arrives += time.Duration(rate * float64(min(past, long)))
					}
				}
			case 3: // jitter, for a while
				seed := rapid.Uint64().Draw(t, "seed")
				for i := range all {
					if all[i].captured >= from && all[i].captured < from+long {
						seed = seed*6364136223846793005 + 1
						all[i].arrives += time.Duration(seed>>40) * 8 // up to 134 ms
					}
				}
			}
			all = inOrder(all)
		}

		w := newWorld(t, Config{A1: a1, Replay: 64})
		w.j.Opened(0)
		i, newest, least := 0, time.Duration(-1), time.Duration(math.MaxInt64)
		w.each = func(now time.Duration, v Verdict) {
			for ; i < len(all) && all[i].arrives <= now; i++ {
				if !all[i].lost && all[i].arrives <= w.j.now {
					newest = all[i].captured
					least = min(least, all[i].arrives-all[i].captured)
				}
			}
			judged++
			if v.State != Live {
				return
			}
			live++
			truth := now - newest
			bound := a1 + least + time.Duration(400e-6*float64(now)) + time.Microsecond
			if truth > bound {
				t.Fatalf("live at %v with a picture that is %v old; bound %v", now, truth, bound)
			}
		}
		last := end
		for i := range all {
			last = max(last, all[i].arrives)
		}
		w.run(all, last+3*sec)
		want := Lost
		if newest < 0 {
			want = Unknown
		}
		if v := w.j.Verdict(); v.State != want {
			t.Fatalf("3 s after the last picture: %v, want %v", v.State, want)
		}
	})
	if live < judged/20 || judged == 0 {
		t.Errorf("live in %d of %d verdicts: the law was hardly tried", live, judged)
	}
	t.Logf("live in %d of %d verdicts", live, judged)
}

// TestDeadlineLaw: whatever happens, no verdict changes between two calls otherwise than at Deadline: a hub that ticks at the
// deadlines alone sees each change at the same instant as one that ticks all the time.
func TestDeadlineLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := film(0, 120, 0, func(int) time.Duration { return 3 * ms })
		from := time.Duration(rapid.Int64Range(0, int64(8*sec)).Draw(t, "from"))
		to := from + time.Duration(rapid.Int64Range(0, int64(3*sec)).Draw(t, "long"))
		if rapid.Bool().Draw(t, "tcp") {
			all = stall(all, from, to)
		} else {
			all = lose(all, from, to)
		}
		j := New(Config{Replay: 64})
		j.Opened(0)
		step := 5 * ms
		i := 0
		for now := time.Duration(0); now < 12*sec; now += step {
			for ; i < len(all) && all[i].arrives <= now; i++ {
				if !all[i].lost {
					p := all[i]
					j.Picture(cameraPicture(p))
				}
			}
			before, deadline := j.Verdict().State, j.Deadline()
			if v := j.Tick(now); v.State != before && now < deadline {
				t.Fatalf("at %v: from %v to %v by time alone, before the deadline %v", now, before, v.State, deadline)
			}
			if d := j.Deadline(); d <= now && j.Verdict().State == Live {
				t.Fatalf("at %v: live, and the deadline %v is not ahead", now, d)
			}
		}
	})
}

// TestVerdictTimesAreSane: Since and the gap never run ahead of the clock nor backward, whatever calls come in whatever order.
func TestVerdictTimesAreSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := New(Config{Replay: 64})
		now, since := time.Duration(0), time.Duration(0)
		for range rapid.IntRange(1, 300).Draw(t, "calls") {
			now += time.Duration(rapid.Int64Range(0, int64(400*ms)).Draw(t, "dt"))
			switch rapid.IntRange(0, 5).Draw(t, "call") {
			case 0:
				j.Opened(now)
			case 1:
				j.Closed(now)
			case 2:
				j.Recorded(rapid.Bool().Draw(t, "ok"), now)
			case 3:
				j.Tick(now)
			default:
				s := shot{media: time.Duration(rapid.Int64().Draw(t, "media")), arrives: now}
				if rapid.Bool().Draw(t, "sane") {
					s.media = now
				}
				j.Picture(cameraPicture(s))
			}
			v := j.Verdict()
			if v.Since < since || v.Since > now {
				t.Fatalf("at %v: since %v, before it %v", now, v.Since, since)
			}
			since = v.Since
			if v.State == Live && (v.Age > 500*ms || !j.open || v.Pictures < 3) {
				t.Fatalf("live with age %v, open %v, %d pictures", v.Age, j.open, v.Pictures)
			}
			if v.GapTo < v.GapFrom && v.GapFrom <= now {
				t.Fatalf("at %v: gap from %v to %v", now, v.GapFrom, v.GapTo)
			}
		}
	})
}
