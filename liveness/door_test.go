package liveness

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"eyebolt/camera"
)

// hallway is a camera of a made-up scene whose coded sizes are log-normal and burst when something moves in it.
type hallway struct {
	r     *rand.Rand
	d     *Door
	at    time.Duration
	lag   time.Duration // of the camera's picture behind the world
	rough float64       // the spread of sizes is so many times as wide as usual: a rate control that swings; 0: 1
	busy  float64       // how many people cross the scene an hour, at any time
	moves []time.Duration
	found []Finding
	buf   []byte
}

func newHallway(seed uint64, cfg DoorConfig) *hallway {
	return &hallway{r: rand.New(rand.NewPCG(seed, 7)), d: NewDoor(cfg), buf: make([]byte, 1<<17)}
}

// run lets the camera see for a while.
func (h *hallway) run(d time.Duration) {
	const period = time.Second / 15
	for end := h.at + d; h.at < end; h.at += period {
		if h.r.Float64() < h.busy/3600/15 {
			h.moves = append(h.moves, h.at)
		}
		size := 600 * math.Exp(0.35*max(h.rough, 1)*h.r.NormFloat64())
		for _, m := range h.moves {
			if t := h.at - m - h.lag; t >= 0 && t < 2*time.Second {
				size *= 6
			}
		}
		n := min(int(size)+2, len(h.buf))
		h.buf[0] = 0x41
		p := camera.Picture{Media: h.at, Arrival: h.at, NALs: [][]byte{h.buf[:n]}, Key: (h.at/period)%30 == 0}
		if fs := h.d.Picture(&p, camera.H264); fs != nil {
			h.found = fs
		}
	}
}

// event is the door moving now, seen or not; the contact reports it a little later.
func (h *hallway) event(open, seen bool) {
	if seen {
		h.moves = append(h.moves, h.at)
	}
	late := 100*time.Millisecond + time.Duration(h.r.Float64()*float64(1900*time.Millisecond))
	h.run(late)
	h.d.Report(open, h.at)
	h.run(6 * time.Second)
	if len(h.moves) > 64 {
		h.moves = h.moves[len(h.moves)-8:]
	}
}

func (h *hallway) by(name string) Finding {
	for _, f := range h.found {
		if f.By == name {
			return f
		}
	}
	return Finding{}
}

// S6: a camera that looks elsewhere is found by its own door's contact, within a score of its movements.
func TestDoorNotSeen(t *testing.T) {
	var took []int
	for seed := range uint64(100) {
		h := newHallway(seed, DoorConfig{})
		h.busy = 20
		h.d.Report(false, h.at)
		h.run(3 * time.Minute)
		n := 0
		for n = 1; n <= 60 && h.by("door").State != Untrusted; n++ {
			h.event(n%2 == 1, false)
			h.run(time.Minute)
		}
		took = append(took, n-1)
	}
	slices.Sort(took)
	t.Logf("a camera that looks elsewhere is found after %d events (least), %d (half of %d), %d (nine of ten), %d (all)", took[0], took[50], len(took), took[90], took[99])
	if took[0] < 10 || took[50] > 16 || took[90] > 30 || took[99] >= 60 {
		t.Errorf("events until it was found: %v", took)
	}
}

// S18: a camera that sees its door is not accused, even if it misses one event in five and people cross the hallway.
func TestDoorSeen(t *testing.T) {
	events, accused, late := 0, 0, 0
	for seed := range uint64(20) {
		h := newHallway(1000+seed, DoorConfig{})
		h.lag, h.busy = 300*time.Millisecond, 20
		h.d.Report(false, h.at)
		h.run(3 * time.Minute)
		for n := 1; n <= 200; n++ {
			h.event(n%2 == 1, h.r.Float64() > 0.15)
			h.run(10 * time.Second)
			events++
			if h.by("door").State == Untrusted {
				accused++
			}
			if h.by("delay").State == Late {
				late++
			}
		}
	}
	t.Logf("%d events of cameras that see 85 %% of them: %d findings untrusted, %d late; 95 %% bound %.2g an event", events, accused, late, 3/float64(events))
	if accused > 0 || late > 0 {
		t.Errorf("S18: %d of %d events accuse a camera that sees its door, %d call it late", accused, events, late)
	}
}

// nine is a door that moves every nine seconds, so that there is never a quiet window of eight between two of its movements.
func (h *hallway) nine(n int, seen float64, each func()) {
	for i := 1; i <= n; i++ {
		began := h.at
		h.event(i%2 == 1, h.r.Float64() < seen)
		h.run(9*time.Second - (h.at - began))
		each()
	}
}

// S18: what was learned of quiet times is not held against a camera whose rate control has become another one since, though the door
// moves so often that no quiet window ever lies between two movements; and one that looks elsewhere does not pass by it.
func TestDoorThatMovesAllTheTime(t *testing.T) {
	accused, passed, found, judged := 0, 0, 0, uint32(0)
	const seeds = 20
	for seed := range uint64(seeds) {
		h := newHallway(3000+seed, DoorConfig{}) // learned while it swings, which it then stops
		h.rough = 3
		h.d.Report(false, h.at)
		h.run(3 * time.Minute)
		h.rough = 1
		bad := false
		h.nine(300, 0.85, func() { bad = bad || h.by("door").State == Untrusted })
		judged += h.d.events
		if bad {
			accused++
		}
		h = newHallway(4000+seed, DoorConfig{}) // looks elsewhere; learned in calm, then it begins to swing
		h.d.Report(false, h.at)
		h.run(3 * time.Minute)
		h.rough = 3
		bad = false
		h.nine(500, 0, func() { bad = bad || h.by("door").State == Untrusted })
		if bad {
			found++
		} else {
			passed++
		}
	}
	t.Logf("of %d cameras each: %d that see their door are accused, %d that do not are found, %d pass; %d movements judged of the former", seeds, accused, found, passed, judged)
	if accused > 0 || found < seeds*9/10 {
		t.Errorf("accused %d, found %d", accused, found)
	}
}

// The odds, exactly: the chance that a camera that misses doorMiss of all events is ever accused within a number of events. The
// count is a Markov chain on the values that the odds can take; it is iterated.
func TestDoorOddsOfAFalseAccusation(t *testing.T) {
	up, down := math.Log((1-doorChance)/doorMiss), math.Log((1-doorMiss)/doorChance)
	limit := math.Log(doorOdds)
	const step = 0.01
	states := int(limit/step) + 1
	p := make([]float64, states)
	p[0] = 1
	accused := 0.0
	const events = 20 * 365
	for range events {
		q := make([]float64, states)
		for i, v := range p {
			if v == 0 {
				continue
			}
			x := float64(i) * step
			if x+up >= limit {
				accused += v * doorMiss
			} else {
				q[int((x+up)/step+0.5)] += v * doorMiss
			}
			q[int(max(0, x-down)/step+0.5)] += v * (1 - doorMiss)
		}
		p = q
	}
	t.Logf("a camera that misses one event in five is accused in a year of twenty events a day with chance %.2g", accused)
	if accused > 0.01 {
		t.Errorf("S18: %.2g", accused)
	}
}

// S6: a camera whose picture is constantly three seconds old is late, though its arrivals are as steady as any (go2rtc 917).
func TestDoorDelay(t *testing.T) {
	for _, k := range []struct {
		lag  time.Duration
		want State
	}{{300 * time.Millisecond, Live}, {700 * time.Millisecond, Live}, {3500 * time.Millisecond, Late}} {
		h := newHallway(9, DoorConfig{})
		h.lag = k.lag
		h.d.Report(false, h.at)
		h.run(3 * time.Minute)
		for n := 1; n <= 32; n++ {
			h.event(n%2 == 1, true)
			h.run(20 * time.Second)
			if n%2 == 1 && n < 9 && h.by("delay").State != Unknown || n < 25 && h.by("delay").State == Late {
				t.Errorf("lag %v: %+v after %d openings", k.lag, h.by("delay"), n/2+1)
			}
		}
		h.event(true, true)
		if f := h.by("delay"); f.State != k.want {
			t.Errorf("lag %v: %+v, want %v", k.lag, f, k.want)
		}
		if f := h.by("door"); f.State != Live {
			t.Errorf("lag %v: %+v: it sees its door, if late", k.lag, f)
		}
	}
}

// S18: an encoder that shows three of ten openings too late does not make its camera late.
func TestDoorDelayNowAndThen(t *testing.T) {
	late := 0
	for seed := range uint64(20) {
		h := newHallway(50+seed, DoorConfig{})
		h.d.Report(false, h.at)
		h.run(3 * time.Minute)
		for n := 1; n <= 200; n++ {
			h.lag = 300 * time.Millisecond
			if h.r.Float64() < 0.3 {
				h.lag = 4 * time.Second
			}
			h.event(n%2 == 1, true)
			h.run(10 * time.Second)
			if h.by("delay").State == Late {
				late++
			}
		}
	}
	if late > 0 {
		t.Errorf("S18: late in %d of 4000 events", late)
	}
}

// Contacts repeat themselves, bounce, and are first heard at any time: one event is counted once.
func TestDoorRepeats(t *testing.T) {
	h := newHallway(3, DoorConfig{})
	h.d.Report(false, h.at)
	h.run(3 * time.Minute)
	before := h.d.events
	for range 5 {
		h.d.Report(true, h.at)
		h.run(500 * time.Millisecond)
		h.d.Report(true, h.at) // again
		h.d.Report(false, h.at)
		h.run(200 * time.Millisecond)
	}
	h.run(10 * time.Second)
	if n := h.d.events - before; n != 1 {
		t.Errorf("a bouncing contact was counted as %d events", n)
	}
	h.run(time.Minute)
	h.d.Report(false, h.at)
	h.run(10 * time.Second)
	if n := h.d.events - before; n != 1 {
		t.Errorf("the same report again was counted: %d events", n)
	}
}

// What cannot be told is not told: too early, in a scene that never rests, and over a hole.
func TestDoorCannotSay(t *testing.T) {
	early := newHallway(4, DoorConfig{})
	early.d.Report(false, 0)
	early.run(20 * time.Second)
	early.event(true, false)
	lively := newHallway(5, DoorConfig{})
	lively.busy = 3000
	lively.d.Report(false, 0)
	lively.run(5 * time.Minute)
	lively.event(true, false)
	hole := newHallway(6, DoorConfig{})
	hole.d.Report(false, 0)
	hole.run(5 * time.Minute)
	hole.d.Report(true, hole.at)
	hole.at += 3 * time.Second
	hole.run(8 * time.Second)
	for name, h := range map[string]*hallway{"early": early, "lively": lively, "hole": hole} {
		f := h.by("door")
		if f.State != Unknown || f.Say == "" || h.d.events != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestDoorSurvivesRestart(t *testing.T) {
	h := newHallway(8, DoorConfig{})
	h.d.Report(false, 0)
	h.run(3 * time.Minute)
	for n := 1; n < 40 && h.by("door").State != Untrusted; n++ {
		h.event(n%2 == 1, false)
		h.run(20 * time.Second)
	}
	raw, err := json.Marshal(h.d.State())
	if err != nil {
		t.Fatal(err)
	}
	var s DoorState
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	again := NewDoor(DoorConfig{})
	if fs := again.Restore(s, time.Second); len(fs) == 0 || fs[0].State != Untrusted {
		t.Errorf("after a restart the camera is trusted: %+v", fs)
	}
	for _, bad := range []DoorState{{Odds: math.NaN()}, {Odds: -1}, {Hits: 2, Events: 1}, {Delays: make([]time.Duration, 99)}, {Delays: []time.Duration{math.MaxInt64}}} {
		if fs := NewDoor(DoorConfig{}).Restore(bad, 0); fs != nil {
			t.Errorf("%+v was taken up: %+v", bad, fs)
		}
	}
}

func BenchmarkDoor(b *testing.B) {
	d := NewDoor(DoorConfig{})
	n := make([]byte, 2000)
	n[0] = 0x41
	r := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for i := range b.N {
		p := camera.Picture{Arrival: time.Duration(i) * time.Second / 15, NALs: [][]byte{n[:100+r.IntN(1900)]}}
		d.Picture(&p, camera.H264)
	}
}
