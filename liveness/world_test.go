package liveness

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"eyebolt/camera"
)

const (
	ms     = time.Millisecond
	sec    = time.Second
	period = sec / 15
)

// shot is one picture of a simulated camera: the truth, and what the hub sees of it.
type shot struct {
	captured time.Duration // on the hub's clock: the truth
	media    time.Duration // what the camera's clock says
	arrives  time.Duration
	missing  uint32
	key      bool
	nals     [][]byte
	lost     bool
}

// film makes n pictures a period apart, from start, of a camera whose clock runs off by skew, each delayed by delay.
func film(start time.Duration, n int, skew float64, delay func(i int) time.Duration) []shot {
	all := make([]shot, n)
	for i := range all {
		at := time.Duration(i) * period
		all[i] = shot{
			captured: start + at, key: i%30 == 0, nals: picture(uint64(start)+uint64(i), i%30 == 0),
			media:   time.Duration(float64(at) * (1 + skew)),
			arrives: start + at + delay(i),
		}
	}
	return inOrder(all)
}

// inOrder is what TCP does: nothing arrives before what was sent before it.
func inOrder(all []shot) []shot {
	for i := 1; i < len(all); i++ {
		all[i].arrives = max(all[i].arrives, all[i-1].arrives)
	}
	return all
}

// picture is a coded slice that differs for each seed.
func picture(seed uint64, key bool) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 600)
	b[0] = 0x41
	if key {
		b = make([]byte, 6000)
		b[0] = 0x65
	}
	for i := 1; i < len(b); i++ {
		b[i] = byte(rng.Uint32())
	}
	return [][]byte{b}
}

// stall holds what is sent in [from, to) until to, as a jammed TCP connection does.
func stall(all []shot, from, to time.Duration) []shot {
	for i := range all {
		if all[i].arrives >= from && all[i].arrives < to {
			all[i].arrives = to
		}
	}
	return inOrder(all)
}

// lose takes away what is captured in [from, to), as a jammed UDP stream does.
func lose(all []shot, from, to time.Duration) []shot {
	for i := range all {
		all[i].lost = all[i].lost || all[i].captured >= from && all[i].captured < to
	}
	return all
}

// world runs one Judge as the hub does: pictures as they arrive, a tick every 20 ms and at each deadline.
type world struct {
	tb    complainer
	j     *Judge
	now   time.Duration
	tick  time.Duration
	seen  []Verdict // each change of State, and the last verdict
	each  func(now time.Duration, v Verdict)
	pause [2]time.Duration // the hub does nothing in between
	prev  State
}

type complainer interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

func newWorld(tb complainer, cfg Config) *world {
	return &world{tb: tb, j: New(cfg)}
}

func (w *world) note(v Verdict) {
	if v.State != w.prev {
		w.seen = append(w.seen, v)
		w.prev = v.State
	}
	if w.each != nil {
		w.each(w.now, v)
	}
}

// run feeds pictures and lets time pass until end.
func (w *world) run(all []shot, end time.Duration) {
	w.tb.Helper()
	all = slices.DeleteFunc(slices.Clone(all), func(s shot) bool { return s.lost })
	for {
		next, what := end, 0
		if w.tick <= next {
			next, what = w.tick, 1
		}
		if d := w.j.Deadline(); d < next {
			next, what = d, 2
		}
		if len(all) > 0 && all[0].arrives <= next {
			next, what = all[0].arrives, 3
		}
		next = max(next, w.now) // what is overdue is done at once
		if next >= w.pause[0] && next < w.pause[1] {
			next = w.pause[1]
			if what == 0 {
				what = 1
			}
		}
		if next > end || next == end && what == 0 {
			w.now = end
			return
		}
		stuck := w.now == next && what == 2
		w.now = next
		switch what {
		case 3:
			s := all[0]
			all = all[1:]
			w.j.Picture(camera.Picture{Media: s.media, Arrival: w.now, Key: s.key, Missing: s.missing, NALs: s.nals})
			w.note(w.j.Verdict())
		default:
			before := w.j.Verdict().State
			v := w.j.Tick(w.now)
			if stuck && v.State == before && w.j.Deadline() == w.now {
				w.tb.Fatalf("deadline at %v changes nothing and stays", w.now)
			}
			w.tick = max(w.tick, w.now/TickEvery*TickEvery+TickEvery)
			w.note(v)
		}
	}
}

// states are the changes so far.
func (w *world) states() []State {
	var s []State
	for _, v := range w.seen {
		s = append(s, v.State)
	}
	return s
}

func (w *world) want(states ...State) {
	w.tb.Helper()
	if !slices.Equal(w.states(), states) {
		w.tb.Errorf("states %v, want %v\n%+v", w.states(), states, w.seen)
	}
}

// wired is the delay of a cable: median 0.3 ms, 99 % under 5 ms, and 1 in 30,000 pictures up to 150 ms.
func wired(rng *rand.Rand) func(int) time.Duration {
	return func(int) time.Duration {
		d := 300e3 * math.Exp(rng.NormFloat64()*1.2)
		if rng.IntN(30_000) == 0 {
			d += float64(rng.IntN(int(150 * ms)))
		}
		return time.Duration(d)
	}
}

func none(int) time.Duration { return 0 }

func cameraPicture(s shot) camera.Picture {
	return camera.Picture{Media: s.media, Arrival: s.arrives, Key: s.key, Missing: s.missing, NALs: s.nals}
}
