package run

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/liveness"
)

const (
	// tellEvery is how often an unchanged verdict is told for its age. It wakes nobody. Views are at most 10 a second and say tenths.
	tellEvery = 100 * time.Millisecond
	// ageEvery is how often viewers are told the age (package live).
	ageEvery = 100 * time.Millisecond
	// overdue is how long pictures may come without any of them being confirmed on disk, before they count as unrecorded:
	// three times the second that the recorder itself allows a slow disk.
	overdue = 3 * time.Second
)

// eye is one camera with its judge: the sink of its driver. The judge has its own lock, so that the core never holds up a
// picture, nor a picture the core.
type eye struct {
	door, name string
	live       Live    // nil if this stream is not shown
	second     *second // the stream that is shown in its place, or nil
	rec        Recorder
	now        func() time.Duration
	push       func(any)
	later      func(any)    // push, without waking the core; nil: push
	remind     *reminder    // of the judges' clock; nil: none
	due        atomic.Int64 // when the judge needs it, on now's clock
	note       func(Event)
	log        *slog.Logger
	says       *saying
	beside     []Watcher
	prints     *darkroom // nil: nothing judges stills
	kept       *kept
	learned    map[string]Learned
	needLink   bool
	asker      camera.Asker // nil: nothing is asked
	wall       func() time.Time
	refill     func(ctx context.Context, from, to time.Time, sink RefillSink) (bool, error) // nil: it keeps nothing

	mu        sync.Mutex // guards what follows
	judge     *liveness.Judge
	link      *liveness.Link
	linkAt    time.Duration  // when its certificate was told
	sees      *liveness.Door // nil: not compared
	answers   liveness.Answers
	answering liveness.Answering
	codec     camera.Codec
	keyAt     time.Duration // arrival of the newest key picture that the judge took
	newer     uint64        // pictures that the judge took, at the newest one
	open      bool          // the camera's connection
	told      liveness.Verdict
	toldAt    time.Duration
	shownAt   time.Duration
	arrived   time.Duration // the newest picture
	recording bool
	visit     string        // that is recorded
	since     time.Duration // of recording
	confirmed bool          // at least once in this recording
	confirmAt time.Duration // the newest confirmation
	onDisk    bool          // what the core was told
	ticking   bool          // the clock holds mu
}

var _ camera.Sink = (*eye)(nil)

func (e *eye) Opened(p camera.Params) {
	e.mu.Lock()
	again := e.open
	e.open, e.codec = true, p.Codec
	e.judge.Opened(e.now())
	e.judge.Params(p)
	e.newer = e.judge.Verdict().Pictures
	if e.sees != nil {
		e.sees.Params(p)
	}
	e.pass(e.now(), e.judge.Verdict())
	e.mu.Unlock()
	e.rec.Opened(p)
	for _, w := range e.beside {
		w.Opened(p)
	}
	if e.live != nil {
		e.live.Opened(e.door, p)
	}
	if e.prints != nil && !again {
		e.prints.opened()
	}
	e.says.fine()
	if again { // the parameter sets changed: a camera can do that with every picture
		return
	}
	e.log.Info("camera gives pictures", "door", e.door, "camera", e.name, "width", p.Width, "height", p.Height)
}

func (e *eye) Picture(p camera.Picture) {
	e.mu.Lock()
	e.arrived = p.Arrival
	e.unconfirmed(e.now())                  // here as well: while pictures come in time the clock may sleep for half a second (S6)
	p.Sample = camera.Pack(e.codec, p.NALs) // recorder and viewers keep the same one
	e.judge.Picture(p)
	now, v := e.now(), e.judge.Verdict()
	if v.Pictures != e.newer {
		e.newer = v.Pictures
		v = e.newPicture(&p, v)
	}
	changed := e.tell(now, v)
	if e.live != nil {
		e.live.Picture(e.door, p) // before its age: an age is of the newest picture that was given (S15)
	}
	e.show(now, v, changed)
	e.mu.Unlock()
	e.rec.Picture(p)
	for _, w := range e.beside {
		w.Picture(p)
	}
}

func (e *eye) Closed(err error) {
	e.mu.Lock()
	e.open = false
	e.judge.Closed(e.now())
	e.pass(e.now(), e.judge.Verdict())
	e.mu.Unlock()
	e.rec.Closed()
	for _, w := range e.beside {
		w.Closed()
	}
	if e.live != nil {
		e.live.Closed(e.door)
	}
	what := "gone"
	for _, kind := range camera.Errors {
		if errors.Is(err, kind) {
			what = kind.Error()
		}
	}
	e.says.warn("the camera cannot be used: nothing opens; it is tried again", what, "door", e.door, "camera", e.name, "err", err)
}

// tick lets time pass.
func (e *eye) tick(now time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unconfirmed(now)
	e.ticking = true
	defer func() { e.ticking = false }()
	v := e.judge.Tick(now)
	if v.State == liveness.HubLate {
		e.link.Skip()
	}
	e.certify(now)
	e.pass(now, v)
}

// unconfirmed finds pictures that have come for too long without any of them being confirmed on disk. The caller holds mu.
func (e *eye) unconfirmed(now time.Duration) {
	if e.recording && e.confirmed && e.onDisk && e.arrived-e.confirmAt > overdue {
		e.disk(false, now)
	}
}

// pass passes a verdict on, to the core and to viewers. The caller holds mu, so that verdicts keep their order.
func (e *eye) pass(now time.Duration, v liveness.Verdict) { e.show(now, v, e.tell(now, v)) }

// tell passes a verdict on to the core if it says something new, and says whether its state has changed. The caller holds mu.
func (e *eye) tell(now time.Duration, v liveness.Verdict) (changed bool) {
	changed = v.State != e.told.State
	if changed {
		e.note(Event{Door: e.door, Camera: e.name, What: hub.WatchWord(v.State), At: now})
	}
	if changed || now-e.toldAt >= tellEvery {
		s := hub.Seen{Door: e.door, Camera: e.name, At: now, Verdict: v}
		if changed {
			s.Why = e.judge.Explain()
		}
		if changed || e.later == nil {
			e.push(s)
		} else {
			e.later(s)
		}
		e.told, e.toldAt = v, now
	}
	e.plan()
	return changed
}

// show passes a verdict on to viewers. The caller holds mu.
func (e *eye) show(now time.Duration, v liveness.Verdict, changed bool) {
	if e.second != nil && (changed || now-e.shownAt >= ageEvery) {
		e.second.watch(hub.WatchWord(v.State))
		e.shownAt = now
	}
	if e.live != nil && (changed || now-e.shownAt >= ageEvery) {
		age := v.Age.Milliseconds()
		if v.State == liveness.Unknown && v.Pictures == 0 {
			age = -1
		}
		e.live.SetAge(e.door, age, hub.WatchWord(v.State))
		e.shownAt = now
	}
}

// start keeps the pictures for a visit.
func (e *eye) start(visit string) {
	now := e.now()
	e.mu.Lock()
	e.recording, e.visit, e.since, e.confirmed, e.onDisk, e.confirmAt = true, visit, now, false, false, now
	e.judge.Attended(true, now)
	e.pass(now, e.judge.Verdict())
	e.mu.Unlock()
	e.visiting(true)
	if err := e.rec.Start(visit); err != nil {
		e.log.Error("recording did not start, so nothing opens", "door", e.door, "camera", e.name, "err", err)
		e.confirm(false, 0, err)
	}
}

// keep ends a visit's recording.
func (e *eye) keep(visit string) {
	e.mu.Lock()
	e.recording = false
	e.judge.Attended(false, e.now())
	if !e.onDisk {
		now := e.now()
		e.judge.Recorded(true, now) // nothing is being recorded any more, so nothing is held against the camera
		e.pass(now, e.judge.Verdict())
	}
	e.mu.Unlock()
	e.visiting(false)
	e.rec.Stop(visit, e.filed(visit))
}

// confirm takes the recorder's word. Before the first picture is on disk, "not yet" is no failure: the door stays shut by
// itself until then.
func (e *eye) confirm(ok bool, _ time.Duration, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	if !e.recording {
		return
	}
	if !ok && !e.confirmed && now-e.since < overdue {
		e.log.Debug("nothing is on disk yet", "door", e.door, "camera", e.name, "err", err)
		return
	}
	if ok {
		e.confirmAt, e.confirmed = now, true
	} else {
		e.log.Error("pictures do not reach the disk", "door", e.door, "camera", e.name, "err", err)
	}
	e.disk(ok, now)
}

// disk tells judge and core whether pictures reach the disk. The caller holds mu.
func (e *eye) disk(ok bool, now time.Duration) {
	if ok == e.onDisk && ok {
		return
	}
	e.onDisk = ok
	e.judge.Recorded(ok, now)
	e.pass(now, e.judge.Verdict())
	e.push(hub.Recorded{Door: e.door, Camera: e.name, Visit: e.visit, OK: ok})
}
