package run

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/ledger"
	"eyebolt/record"
)

// RefillSink takes pictures that nobody watched, each with the wall time that its camera says it was taken at.
type RefillSink interface {
	Opened(camera.Params)
	Picture(p camera.Picture, at time.Time) error
}

// Filing takes pictures that are filed beside a visit's film, marked as backfilled.
type Filing interface {
	RefillSink
	// End files what came and gives a clip of the new files alone.
	End() (record.Clip, error)
}

// Filer is what a Recorder may be, too: one that files beside a visit's film what was fetched afterwards.
type Filer interface {
	File(visit string) (Filing, error)
}

// ErrNoRefill wraps an error of Camera.Refill after which asking again is of no use.
var ErrNoRefill = errors.New("camera keeps nothing that can be fetched")

const (
	// refillMargin is fetched before and behind a gap: the camera's clock tells whole seconds, and decoding begins at a key picture.
	refillMargin = 2 * time.Second
	// refillMost bounds the length of what is fetched of one gap: one that is longer is fetched up to here.
	refillMost = time.Hour - 2*refillMargin
	// refillVisits bounds the visits whose gaps are remembered, refillSpans the gaps of one, refillJobs what waits to be fetched.
	refillVisits, refillSpans, refillJobs = 16, 64, 64
)

// refillAfter is how long after a visit is filed each try comes: a camera that was jammed is given time to come back and to close its
// own file, and nobody waits for it.
var refillAfter = []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// gapSpan is a time that nobody watched, by the wall clock.
type gapSpan struct{ from, to time.Time }

// refillJob is a gap to fetch from one camera.
type refillJob struct {
	eye   *eye
	visit string
	span  gapSpan
	try   int
	due   time.Duration
}

// refills fetches from cameras' own storage what nobody watched, after the visit and never during one: it would take the air from
// the watch. What is fetched fills the picture; the gap stays on record as it was (S7).
type refills struct {
	some  chan struct{} // holds one: a job was added
	now   func() time.Duration
	after []time.Duration
	push  func(any)
	note  func(msg string, args ...any)
	busy  atomic.Bool // a visit goes on

	mu    sync.Mutex // guards what follows
	order []string   // of visits, the oldest first
	gaps  map[string][]gapSpan
	jobs  []refillJob
}

// wrote looks at an entry of the record for a gap in a visit.
func (r *refills) wrote(e ledger.Entry) {
	if e.Kind != ledger.KindGap || e.Visit == "" {
		return
	}
	var d ledger.GapData
	if json.Unmarshal(e.Data, &d) != nil || !d.From.Before(d.To) {
		return
	}
	key := e.Door + "\x00" + e.Visit
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.gaps[key]; !known {
		if r.gaps == nil {
			r.gaps = map[string][]gapSpan{}
		}
		if len(r.order) == refillVisits {
			delete(r.gaps, r.order[0])
			r.order = r.order[1:]
		}
		r.order = append(r.order, key)
	}
	spans := r.gaps[key]
	for i := range spans {
		if spans[i].from.Equal(d.From) { // told again, longer
			spans[i].to = d.To
			return
		}
	}
	if len(spans) < refillSpans {
		r.gaps[key] = append(spans, gapSpan{d.From, d.To})
	}
}

// filed takes it that a visit's film by a camera is filed: its gaps are to be fetched.
func (r *refills) filed(e *eye, f hub.Filed) {
	film := false
	for _, k := range f.Clip.Files {
		if k.Backfilled {
			return // it is our own, or was told again after a restart
		}
		film = true
	}
	if e == nil || e.refill == nil || !film {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.gaps[f.Door+"\x00"+f.Visit] {
		if s.to.Sub(s.from) > refillMost {
			s.to = s.from.Add(refillMost)
		}
		told := slices.ContainsFunc(r.jobs, func(j refillJob) bool { return j.eye == e && j.visit == f.Visit && j.span.from.Equal(s.from) })
		if len(r.jobs) < refillJobs && !told {
			r.jobs = append(r.jobs, refillJob{eye: e, visit: f.Visit, span: s, due: r.now() + r.after[0]})
			signal(r.some)
		}
	}
}

// refillLook is how often it is looked whether something that waits is due, or a visit has begun while something is fetched.
const refillLook = 200 * time.Millisecond

// run fetches, one gap after the other, until ctx ends.
func (r *refills) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.some:
		case <-timer.C:
		}
		for !r.busy.Load() && ctx.Err() == nil {
			j, ok := r.next()
			if !ok {
				break
			}
			r.fetch(ctx, j)
		}
		r.mu.Lock()
		if len(r.jobs) > 0 {
			timer.Reset(refillLook)
		} // else some tells of the next one
		r.mu.Unlock()
	}
}

// next takes a job that is due.
func (r *refills) next() (refillJob, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, j := range r.jobs {
		if j.due <= r.now() {
			r.jobs = append(r.jobs[:i], r.jobs[i+1:]...)
			return j, true
		}
	}
	return refillJob{}, false
}

// later puts a job back, if it has tries left.
func (r *refills) later(j refillJob) bool {
	if j.try++; j.try >= len(r.after) {
		return false
	}
	j.due = r.now() + r.after[j.try]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.jobs = append(r.jobs, j)
	return true
}

// through passes pictures on and remembers how far they went.
type through struct {
	Filing
	last time.Time
	n    int
}

func (t *through) Picture(p camera.Picture, at time.Time) error {
	err := t.Filing.Picture(p, at)
	if err == nil {
		t.last, t.n = at, t.n+1
	}
	return err
}

// fetch fetches one gap. What came is filed even if it is not all: the rest is asked for again.
func (r *refills) fetch(ctx context.Context, j refillJob) {
	filer, ok := j.eye.rec.(Filer)
	if !ok {
		return
	}
	filing, err := filer.File(j.visit)
	if err != nil {
		if !r.later(j) {
			r.note("what the camera kept of a gap could not be filed", "visit", j.visit, "camera", j.eye.name, "err", err)
		}
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go r.yield(ctx, cancel)
	t := &through{Filing: filing}
	_, err = j.eye.refill(ctx, j.span.from.Add(-refillMargin), j.span.to.Add(refillMargin), t)
	clip, filedErr := filing.End()
	if len(clip.Files) > 0 {
		r.push(hub.Filed{Door: j.eye.door, Camera: j.eye.name, Visit: j.visit, Clip: clip})
	}
	switch {
	case err == nil && filedErr == nil:
		return // all that the camera has of it
	case errors.Is(err, ErrNoRefill):
		r.note("a gap cannot be fetched from the camera", "visit", j.visit, "camera", j.eye.name, "err", err)
		return
	case r.busy.Load():
		j.try-- // the visit that has begun is no fault of the camera's
	}
	if filedErr == nil && t.n > 0 && t.last.After(j.span.from) {
		j.span.from = t.last.Add(refillMargin) // less the margin: where it broke off
		if !j.span.from.Before(j.span.to.Add(refillMargin)) {
			return
		}
	}
	if !r.later(j) {
		r.note("a gap could not be fetched from the camera", "visit", j.visit, "camera", j.eye.name, "err", errors.Join(err, filedErr))
	}
}

// yield ends a fetching when a visit begins.
func (r *refills) yield(ctx context.Context, stop context.CancelFunc) {
	tick := time.NewTicker(refillLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if r.busy.Load() {
				stop()
				return
			}
		}
	}
}
