package liveness

import (
	"fmt"
	"math"
	"slices"
	"time"

	"eyebolt/camera"
)

// What a Door compares, and at what odds it speaks.
const (
	// doorBefore and doorAfter are the window around a contact's report in which the picture must change. Contacts report 0.1 to
	// 2 s after the door moved; a camera's picture comes up to a few seconds after that.
	doorBefore, doorAfter = 2500 * time.Millisecond, 5500 * time.Millisecond
	doorWindow            = doorBefore + doorAfter
	// doorSettle is how long the same report again, and a door that bounces, belong to the event before.
	doorSettle = doorAfter + doorBefore
	// doorKept is how many quiet windows are remembered, the oldest going first, and doorEvery how often one is taken once there are
	// enough: half an hour of a home's usual life.
	doorKept, doorEvery, doorEveryFirst = 256, doorWindow, 2 * time.Second
	// doorStale is how long no quiet window may have been had before movements are no longer judged: by then rate control and scene
	// may be others.
	doorStale = 5 * time.Minute
	// doorRank is the share of quiet windows that an event must stand out from. A camera that does not see the door passes it in
	// at most doorChance of all events.
	doorRank, doorChance = 0.9, 0.1
	// doorMiss is how often a camera that does see its door may miss it all the same: the light is off, or somebody stands before it.
	doorMiss = 0.2
	// doorOdds is how much more probable "does not see it" must be before a camera is not trusted. By Wald's inequality a camera
	// that sees its door and misses one event in five is wrongly accused once in a million events at the most: at twenty events
	// a day once in 137 years. A camera that looks elsewhere is found after 10 events at the least (TestDoorNotSeen: half after 14,
	// nine of ten after 22; an opening and a closing are two).
	doorOdds = 1e6
	// doorSwing is how long a door moves at the least. Over this span sizes are averaged: a rate control that swings between fine
	// and coarse from picture to picture is no movement, and a movement that it holds down is seen by how long it lasts.
	doorSwing = 600 * time.Millisecond
	// doorBusy is the change, in powers of two, past which a scene is too lively to tell a door's opening from anything else.
	doorBusy = 2.0
	// doorLeast is the least change that is one.
	doorLeast = 0.3
	// doorDelays is how many openings the constant delay is shown of, doorDelaysLeast how few make it known.
	doorDelays, doorDelaysLeast = 8, 5
	// lateHonest is how often a picture in time may show an opening too late all the same: a rate control that has nothing left shows
	// it when it can, and somebody who walks in is seen better than the leaf. lateBehind is how seldom a picture that is behind seems
	// to be late: noise just before. lateOdds is how much more probable "behind" must be; a picture in time is then wrongly called
	// late in one of 100,000 openings at the most, and one that is behind after 13 openings at the least.
	lateHonest, lateBehind, lateOdds = 0.3, 0.75, 1e5
	// doorSamples bounds the pictures of one window: 60 a second for 8 s and some.
	doorSamples = 512
	// doorMedian is how many pictures the usual size is taken from. Odd, so that there is a median; eight seconds at 15 a second.
	doorMedian = 121
	// doorFloor is added to sizes, so that a scene whose pictures are nearly empty is not lively because one has ten bytes more.
	doorFloor = 128
)

// DoorConfig is one camera's.
type DoorConfig struct {
	// Delay is how long after the contact's report the picture may show the opening: 1 s. More than that is no live picture (S6).
	Delay time.Duration
	// Quiet is how many quiet windows are seen before anything is judged: 40, a minute and a half.
	Quiet int
}

// Door tells from coded sizes alone whether a camera sees its own door: whether its picture changes when the contact tells that
// the door moved, more than it does at other times; and how long after it does. Nothing is decoded. One goroutine owns it.
type Door struct {
	cfg  DoorConfig
	mot  motion
	read bool // the quantiser is read from the newest pictures
	med  sizes
	n    int // pictures seen, up to half of doorMedian

	at     [doorSamples]time.Duration // arrival, a ring
	raw    [doorSamples]float64       // beside at: the picture's weight against the usual, in powers of two
	change [doorSamples]float64       // beside at: the mean of raw over doorSwing
	head   int
	filled int

	quiet   [doorKept]float64 // the greatest change of quiet windows, a ring
	quiets  int
	quietAt int
	next    time.Duration // when the next one is taken
	waiting [4]quietMax   // taken, not yet known to be quiet
	waits   int
	busy    time.Duration // no window that began before is quiet
	piece   quietMax      // quiet stretches between movements that leave no room for a window, put together; end: how long they are
	looked  time.Duration // up to when they were looked for
	rested  time.Duration // when the newest quiet window was had

	pending bool
	opens   bool
	report  time.Duration
	told    bool // a report was ever heard
	isOpen  bool
	heard   time.Duration

	odds   float64 // log of how much more probable "does not see it" is; never below 0
	bad    bool    // it was accused and has not redeemed itself
	events uint32  // judged
	hits   uint32
	delays []time.Duration // of the newest openings, oldest first
	behind float64         // log of how much more probable it is that the picture is behind; never below 0
	late   bool            // it was called late and has not redeemed itself
}

type quietMax struct {
	end time.Duration
	max float64
}

// NewDoor gives a Door that has seen nothing. Fields of cfg that are zero or below take their defaults.
func NewDoor(cfg DoorConfig) *Door {
	if cfg.Delay <= 0 {
		cfg.Delay = time.Second
	}
	if cfg.Quiet <= 0 {
		cfg.Quiet = 40
	}
	cfg.Quiet = min(cfg.Quiet, doorKept)
	return &Door{cfg: cfg, delays: make([]time.Duration, 0, doorDelays)}
}

// Report takes a contact's report: the door is open, or closed, and the report was made at this moment of the hub's clock. The first
// one only tells how the door stands. The same again, and what follows within eight seconds, changes nothing.
func (d *Door) Report(open bool, at time.Duration) {
	again := d.told && open == d.isOpen
	first := !d.told
	d.told, d.isOpen = true, open
	if again {
		return
	}
	d.waits, d.busy = 0, max(d.busy, at+doorAfter)
	if first || d.pending || d.heard > 0 && at-d.heard < doorSettle {
		return
	}
	d.pending, d.opens, d.report, d.heard = true, open, at, at
}

// Params takes a connection's parameter sets.
func (d *Door) Params(p camera.Params) {
	if p.Codec == camera.H264 {
		d.mot.params(p.SPS)
		d.mot.params(p.PPS)
	}
}

// Picture takes a complete, strictly newer picture. It gives findings when a report's window has just ended, else nil.
func (d *Door) Picture(p *camera.Picture, codec camera.Codec) []Finding {
	if p.Key { // its size is the scene's, not the change's
		if codec == camera.H264 {
			for _, n := range p.NALs {
				d.mot.params(n)
			}
		}
		return nil
	}
	w, read := d.mot.weigh(p, codec)
	if w == 0 {
		return nil
	}
	if read != d.read { // what was learned in other units is of no use
		d.read, d.med, d.n, d.filled, d.quiets, d.quietAt, d.waits = read, sizes{}, 0, 0, 0, 0, 0
	}
	x := math.Log2(w + doorFloor)
	usual := d.med.add(float32(x))
	if d.n < doorMedian/2 {
		d.n++
		return nil
	}
	return d.take(p.Arrival, x-float64(usual))
}

// isMotion says whether a NAL unit by its first byte is a slice of a picture that is coded as a change.
func isMotion(c camera.Codec, b byte) bool {
	if c == camera.H265 {
		return b>>1&0x3f < 16 // slices of pictures that decoding cannot begin with
	}
	t := b & 0x1f
	return t == 1 || t == 2 // a slice, or its first partition
}

// take adds one change.
func (d *Door) take(at time.Duration, x float64) []Finding {
	d.at[d.head], d.raw[d.head] = at, x
	sum, n := x, 1
	for ; n < d.filled+1 && n < doorSamples; n++ {
		k := (d.head - n + doorSamples) % doorSamples
		if at-d.at[k] > doorSwing {
			break
		}
		sum += d.raw[k]
	}
	d.change[d.head] = sum / float64(n)
	d.head = (d.head + 1) % doorSamples
	d.filled = min(d.filled+1, doorSamples)
	d.settleQuiet(at)
	d.stretches(at)
	if !d.pending || at < d.report+doorAfter {
		return nil
	}
	d.pending = false
	return d.judge(at)
}

type view struct {
	max   float64
	whole bool // pictures came all the while
}

// window is what was seen in a span that has ended.
func (d *Door) window(from, to time.Duration) view {
	v := view{max: math.Inf(-1), whole: d.filled > 0}
	last := to
	for i := range d.filled {
		k := (d.head - 1 - i + 2*doorSamples) % doorSamples
		if d.at[k] > to {
			continue
		}
		if last-d.at[k] > time.Second {
			v.whole = false
		}
		last = d.at[k]
		if d.at[k] < from {
			return v
		}
		v.max = max(v.max, d.change[k])
	}
	v.whole = v.whole && last-from <= time.Second
	return v
}

// threshold is what an event must stand out from.
func (d *Door) threshold() float64 {
	var room [doorKept]float64
	q := room[:copy(room[:], d.quiet[:d.quiets])]
	slices.Sort(q)
	return max(doorLeast, q[min(len(q)-1, int(doorRank*float64(len(q)+1)))])
}

// onset is when the change first stood out: the first picture that did by itself, of the first span whose mean did.
func (d *Door) onset(from, to time.Duration, over float64) (time.Duration, bool) {
	crossed, first, ok := time.Duration(0), time.Duration(0), false
	for i := range d.filled {
		k := (d.head - 1 - i + 2*doorSamples) % doorSamples
		switch at := d.at[k]; {
		case at < from:
			return first, ok
		case at <= to && d.change[k] > over:
			crossed, first, ok = at, at, true
		case ok && crossed-at <= doorSwing && d.raw[k] > over:
			first = at
		}
	}
	return first, ok
}

// judge weighs the event whose window has ended.
func (d *Door) judge(now time.Duration) []Finding {
	from, to := d.report-doorBefore, d.report+doorAfter
	w := d.window(from, to)
	cannot := func(why string) []Finding {
		return []Finding{{By: "door", At: now, Score: d.odds, Limit: math.Log(doorOdds), Say: why}}
	}
	switch {
	case d.quiets < d.cfg.Quiet:
		return cannot("the door moved before the camera had been watched long enough to know how its picture usually changes")
	case now-d.rested > doorStale:
		return cannot("the door has been moving so often that it is not known how the picture usually changes now")
	case !w.whole:
		return cannot("the door moved while pictures were missing")
	}
	over := d.threshold()
	if over > doorBusy {
		return cannot("the scene is too lively to tell the door's moving from the rest")
	}
	d.events++
	hit := w.max > over
	if hit {
		d.hits++
		d.odds = max(0, d.odds-math.Log((1-doorMiss)/doorChance))
	} else {
		d.odds = min(math.Log(doorOdds)+1, d.odds+math.Log((1-doorChance)/doorMiss))
	}
	switch {
	case d.odds >= math.Log(doorOdds):
		d.bad = true
	case d.odds < math.Log(doorOdds)/2:
		d.bad = false
	}
	found := []Finding{d.sees(now, w.max, over)}
	if hit && d.opens {
		if at, ok := d.onset(from, to, over); ok {
			if len(d.delays) == doorDelays {
				copy(d.delays, d.delays[1:])
				d.delays = d.delays[:doorDelays-1]
			}
			d.delays = append(d.delays, at-d.report)
			if at-d.report > d.cfg.Delay {
				d.behind = min(math.Log(lateOdds)+1, d.behind+math.Log(lateBehind/lateHonest))
			} else {
				d.behind = max(0, d.behind-math.Log((1-lateHonest)/(1-lateBehind)))
			}
			switch {
			case d.behind >= math.Log(lateOdds):
				d.late = true
			case d.behind < math.Log(lateOdds)/2:
				d.late = false
			}
			found = append(found, d.delayed(now))
		}
	}
	return found
}

func (d *Door) sees(now time.Duration, change, over float64) Finding {
	f := Finding{By: "door", State: Live, At: now, Score: d.odds, Limit: math.Log(doorOdds)}
	switch {
	case d.bad:
		f.State = Untrusted
		f.Say = fmt.Sprintf("the picture did not change when the door moved, in %d of %d times: this camera does not see its door", d.events-d.hits, d.events)
	case change > over:
		f.Say = fmt.Sprintf("the picture changed as the door moved, %.1f times as much as it usually does; so it did in %d of %d times", math.Exp2(change-over), d.hits, d.events)
	default:
		f.Say = fmt.Sprintf("the picture hardly changed when the door moved this time; it did in %d of %d times", d.hits, d.events)
	}
	return f
}

// delayed says how long after the contact's report the picture shows an opening: the median of the newest. The door moved before its
// report, so this is the least that the picture is late by.
func (d *Door) delayed(now time.Duration) Finding {
	f := Finding{By: "delay", At: now, Limit: d.cfg.Delay.Seconds()}
	if n := len(d.delays); n > 0 {
		by := append(make([]time.Duration, 0, doorDelays), d.delays...)
		slices.Sort(by)
		f.Score = by[n/2].Seconds()
	}
	switch {
	case d.late:
		f.State = Late
		f.Say = fmt.Sprintf("the picture shows the door opening %.1f s after its contact told of it, again and again; %.1f s is allowed: the camera sends old pictures, or does not see the door itself", f.Score, f.Limit)
	case len(d.delays) < doorDelaysLeast:
		f.Say = fmt.Sprintf("the picture's constant delay is not certified yet: %d of %d openings seen", len(d.delays), doorDelaysLeast)
	default:
		f.State = Live
		f.Say = fmt.Sprintf("the picture shows the door opening %.1f s after the contact's report, of %.1f s allowed", max(0, f.Score), f.Limit)
	}
	return f
}

// Forget begins anew: the camera was moved. What it held against the camera is its last finding's until its next one.
func (d *Door) Forget() { *d = *NewDoor(d.cfg) }

// DoorState is what a Door keeps over a restart: what it holds against its camera, and what it certified.
type DoorState struct {
	Odds   float64         `json:"odds"`
	Bad    bool            `json:"bad"`
	Events uint32          `json:"events"`
	Hits   uint32          `json:"hits"`
	Delays []time.Duration `json:"delays_ns"`
	Behind float64         `json:"behind"`
	Late   bool            `json:"late"`
}

// State gives what to keep.
func (d *Door) State() DoorState {
	return DoorState{Odds: d.odds, Bad: d.bad, Events: d.events, Hits: d.hits, Delays: slices.Clone(d.delays), Behind: d.behind, Late: d.late}
}

// Restore takes a kept State up and gives the findings that still stand. What no Door can have written is left out.
func (d *Door) Restore(s DoorState, now time.Duration) []Finding {
	if math.IsNaN(s.Odds) || s.Odds < 0 || s.Odds > math.Log(doorOdds)+2 || s.Hits > s.Events || math.IsNaN(s.Behind) || s.Behind < 0 || s.Behind > math.Log(lateOdds)+2 || len(s.Delays) > doorDelays {
		return nil
	}
	for _, k := range s.Delays {
		if k < -doorBefore || k > doorAfter {
			return nil
		}
	}
	d.odds, d.bad, d.events, d.hits = s.Odds, s.Bad, s.Events, s.Hits
	d.behind, d.late = s.Behind, s.Late
	d.delays = append(d.delays[:0], s.Delays...)
	var found []Finding
	if d.bad {
		found = append(found, d.sees(now, 0, 0))
	}
	if f := d.delayed(now); f.State == Late {
		found = append(found, f)
	}
	return found
}

// sizes is the running median of coded sizes, in powers of two.
type sizes struct {
	ring, sorted [doorMedian]float32
	n, at        int
}

// add takes a size and gives the median of those before it and itself.
func (s *sizes) add(b float32) float32 {
	if s.n == doorMedian {
		i, _ := slices.BinarySearch(s.sorted[:s.n], s.ring[s.at])
		copy(s.sorted[i:], s.sorted[i+1:s.n])
		s.n--
	}
	i, _ := slices.BinarySearch(s.sorted[:s.n], b)
	copy(s.sorted[i+1:s.n+1], s.sorted[i:s.n])
	s.sorted[i] = b
	s.n++
	s.ring[s.at] = b
	s.at = (s.at + 1) % doorMedian
	return s.sorted[s.n/2]
}
