package liveness

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// drive gives a link pictures of 15 a second for d, with gaps of the given length at the given rate an hour, spread evenly.
func drive(l *Link, from, d, gap time.Duration, perHour float64) time.Duration {
	const period = time.Second / 15
	every := time.Duration(math.MaxInt64)
	if perHour > 0 {
		every = time.Duration(float64(time.Hour) / perHour)
	}
	next := from + every/2
	if perHour == 0 {
		next = math.MaxInt64
	}
	at := from
	for at < from+d {
		l.Picture(at)
		if at >= next {
			at, next = at+gap, next+every
			continue
		}
		at += period
	}
	return at
}

// S18: a camera whose link cannot keep the promised quiet is told so by a measured certificate, and refused above the limit.
func TestLinkGrades(t *testing.T) {
	for _, k := range []struct {
		name    string
		wired   bool
		d, gap  time.Duration
		perHour float64
		want    Grade
	}{
		{"no gaps in a day of Wi-Fi", false, 24 * time.Hour, 0, 0, GradeA},
		{"good Wi-Fi of the model", false, 24 * time.Hour, 600 * time.Millisecond, 0.65, GradeA},
		{"between good and warn", false, 24 * time.Hour, 600 * time.Millisecond, 1.5, GradeB},
		{"above the warning", false, 24 * time.Hour, 600 * time.Millisecond, 3, GradeC},
		{"above the limit", false, 24 * time.Hour, 600 * time.Millisecond, 6, GradeD},
		{"typical Wi-Fi of the model", false, 24 * time.Hour, 600 * time.Millisecond, 37, GradeD},
		{"gaps that are too short to count", false, 24 * time.Hour, 450 * time.Millisecond, 60, GradeA},
		{"the same gaps on a wire", true, 24 * time.Hour, 450 * time.Millisecond, 60, GradeD},
		{"a wire with one hiccup in four hours", true, 24 * time.Hour, 400 * time.Millisecond, 0.25, GradeB},
		{"quick test, clean", false, 10 * time.Minute, 0, 0, GradeA},
		{"quick test, one gap: that may be chance", false, 10 * time.Minute, 600 * time.Millisecond, 6, GradeA},
		{"quick test of a typical Wi-Fi", false, 10 * time.Minute, 600 * time.Millisecond, 37, GradeD},
		{"too short to say", false, 9 * time.Minute, 600 * time.Millisecond, 37, NoGrade},
	} {
		l := NewLink(k.wired)
		end := drive(l, 0, k.d+time.Second, k.gap, k.perHour)
		c := l.Certificate(end)
		if c.Grade != k.want || c.Refused != (k.want == GradeD) {
			t.Errorf("%s: %+v, want grade %q", k.name, c, k.want)
		}
		if c.Say == "" || !strings.HasSuffix(c.Say, ".") {
			t.Errorf("%s: says %q", k.name, c.Say)
		}
	}
}

// S18: how often is a camera on a fair link refused by chance, looked at every ten minutes of its first day?
func TestLinkRefusesNobodyByChance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs = 400
	bad, worse := 0, 0
	for range runs {
		for _, rate := range []float64{2, 15} {
			l := NewLink(false)
			refused := 0
			for bin := range 144 {
				at := time.Duration(bin) * linkBin
				b := l.bin(at)
				b.watched = linkBin
				b.gaps[2] = uint32(poisson(r, rate/6))
				if l.Certificate(at + linkBin - 1).Refused {
					refused++
				}
			}
			if rate == 2 && refused > 0 {
				bad++
			}
			if rate == 15 && refused > 100 {
				worse++
			}
		}
	}
	t.Logf("of %d days at 2 gaps an hour %d were refused at some time; of %d at 15 an hour %d for most of the day", runs, bad, runs, worse)
	if bad > runs/50 {
		t.Errorf("a link at the warning limit was refused in %d of %d days", bad, runs)
	}
	if worse < runs*99/100 {
		t.Errorf("a link three times over the limit was refused in only %d of %d days", worse, runs)
	}
}

func poisson(r *rand.Rand, mean float64) int {
	n, p := 0, math.Exp(-mean)
	for u := r.Float64(); u > p; n++ {
		u -= p
		p *= mean / float64(n+1)
		if n > 1000 {
			break
		}
	}
	return n
}

func TestLinkForgetsAfterADay(t *testing.T) {
	l := NewLink(false)
	at := drive(l, 0, time.Hour, 600*time.Millisecond, 60)
	if c := l.Certificate(at); !c.Refused {
		t.Fatalf("60 gaps an hour are not refused: %+v", c)
	}
	at = drive(l, at, 25*time.Hour, 0, 0)
	if c := l.Certificate(at); c.Grade != GradeA || c.Gaps[2] != 0 {
		t.Errorf("a day later: %+v", c)
	}
}

// What the hub itself missed, and a camera that was unplugged for a night, are not held against the link.
func TestLinkCountsTheLinkAlone(t *testing.T) {
	l := NewLink(false)
	at := drive(l, 0, time.Hour, 0, 0)
	for range 50 {
		l.Skip() // the hub was late
		at += 5 * time.Second
		at = drive(l, at, time.Minute, 0, 0)
	}
	if c := l.Certificate(at); c.Gaps != [len(Gaps)]uint32{} {
		t.Errorf("the hub's own lateness counts: %+v", c)
	}
	before := l.Certificate(at).Watched
	at = drive(l, at+8*time.Hour, time.Minute, 0, 0)
	c := l.Certificate(at)
	if c.Gaps[2] != 1 || c.Watched-before > 2*time.Minute {
		t.Errorf("a night unplugged is %d gaps and %v of watching", c.Gaps[2], c.Watched-before)
	}
	if c := l.Certificate(at + 2*time.Second); c.Gaps[3] != 2 {
		t.Errorf("a pause that goes on is not seen: %+v", c)
	}
}

func TestLinkSurvivesRestart(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	l := NewLink(false)
	at := drive(l, 0, 5*time.Hour, 600*time.Millisecond, 12)
	want := l.Certificate(at)
	raw, err := json.Marshal(l.State(at, noon))
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 32<<10 {
		t.Errorf("a day is kept in %d bytes", len(raw))
	}
	var s LinkState
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		name string
		down time.Duration
		want uint32
	}{{"an hour down", time.Hour, want.Gaps[2]}, {"the clock went back", -time.Hour, want.Gaps[2]}, {"two days down", 48 * time.Hour, 0}} {
		again := NewLink(false)
		again.Restore(s, 3*time.Second, noon.Add(k.down))
		if got := again.Certificate(3 * time.Second); got.Gaps[2] != k.want {
			t.Errorf("%s: %d gaps, want %d", k.name, got.Gaps[2], k.want)
		}
	}
	bad := NewLink(false)
	bad.Restore(LinkState{Saved: noon, Bins: []LinkBinKept{{AgoMs: math.MinInt64}, {AgoMs: math.MaxInt64}, {WatchedMs: -1}, {WatchedMs: math.MaxInt64}}}, 0, noon)
	if c := bad.Certificate(0); c.Watched != 0 {
		t.Errorf("nonsense was taken up: %+v", c)
	}
}

func TestPoissonTail(t *testing.T) {
	for _, k := range []struct {
		n          uint32
		mean, want float64
	}{{0, 1, 1}, {1, 1, 0.632}, {3, 5.0 / 6, 0.0506}, {4, 5.0 / 6, 0.0098}, {139, 120, 0.0475}} {
		if got := poissonTail(k.n, k.mean); math.Abs(got-k.want) > 0.003 {
			t.Errorf("P(N ≥ %d | %.2f) = %.4f, want %.4f", k.n, k.mean, got, k.want)
		}
	}
}

func BenchmarkLink(b *testing.B) {
	l := NewLink(false)
	b.ReportAllocs()
	for i := range b.N {
		l.Picture(time.Duration(i) * time.Second / 15)
	}
}
