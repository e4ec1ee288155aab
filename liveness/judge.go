package liveness

import (
	"math"
	"time"
)

const (
	// TickEvery is how long after a Tick the next one is due: S6 counts the hub's lateness from there.
	TickEvery = 20 * time.Millisecond
	// calm is how old a live camera's newest picture may be before the next Tick is due, if A1 allows as much: four periods of 15
	// pictures a second. A picture in time takes the place of the Ticks that would tell nothing else.
	calm = 300 * time.Millisecond
	// clockEvery is how long after a Tick the next one is due at the latest, however many pictures come: a clock that stands still
	// must be found before it is needed.
	clockEvery = 500 * time.Millisecond
	// NoDeadline is Deadline's answer when time alone changes nothing.
	NoDeadline = time.Duration(math.MaxInt64)

	// enough is how many good pictures in a row make evidence: with two, one step of media time would be its own yardstick.
	enough = 3
	// lateRun is how long pictures may keep coming with an age over A1 before that is named late. A burst after a stall
	// is over sooner; a lag that an attacker holds is not.
	lateRun = time.Second
	// latePictures is how many of them there must be in that time, so that two stragglers are no steady stream.
	latePictures = 5
	// replayHold and trustHold are how long these two lapses stay after their last sign: a replay that is varied now and
	// then, or a clock that is wrong now and then, is one lapse and not many.
	replayHold = 10 * time.Second
	trustHold  = 60 * time.Second
	// hubLateMax is how long a late hub may leave a camera unjudged that has shown nothing for A2: a hub that is always late
	// must not keep a dead camera from being called lost.
	hubLateMax = 3 * time.Second
	// maxJump is how far one picture's media time may leave what its arrival allows. Past it the timeline is another one.
	// Ten seconds is more than any queue in a home holds, and less than the hours by which broken cameras jump.
	maxJump = 10 * time.Second
	// maxMedia bounds media times, so that no difference of two overflows: 73 years.
	maxMedia = time.Duration(math.MaxInt64 / 4)
)

// Judge judges one camera. Its methods take instants of the hub's one monotonic clock, which never runs backward: an
// instant before the newest one heard counts as that one. One goroutine owns a Judge; nothing in it blocks or allocates.
type Judge struct {
	cfg Config
	now time.Duration // the newest instant heard of

	open     bool
	pictures uint64 // strictly newer ones, on this connection
	seenLive bool   // Live has been said on this connection
	delay    delay
	cadence  cadence
	clock    clock
	replay   replay
	cover    cover
	changes  changes
	ask      ask

	newest  time.Duration // media time of the newest picture on this connection
	arrived time.Duration // when it arrived
	began   time.Duration // when the first one did
	line    time.Duration // when this timeline began, or the connection ended: what was seen before vouches for nothing in it
	own     time.Duration // its own time on the hub's clock: media + base. Kept when the connection ends
	watched bool          // own is set
	backs   int           // pictures in a row that are older than newest by more than maxJump

	good     int           // pictures in a row that came in time, left no hole and repeat nothing; stops at enough
	goodFrom time.Duration // own time of the first picture that can end a gap
	goodSet  bool

	lateFrom time.Duration // since when pictures come with an age over A1
	lateN    int           // how many; 0: the last one came in time

	lapse State         // latched until the evidence is good again; Unknown: none
	since time.Duration // of lapse
	hold  time.Duration // lapse stays at least until then

	unrecorded bool
	ticked     bool
	tick       time.Duration // the newest Tick
	due        time.Duration // when the next one is, whatever the verdict does
	hubLate    bool
	hubFrom    time.Duration // when the hub was found late
	hubUntil   time.Duration // hubLate ends with a tick in time from here on

	finders [detectors]finder
	outside [outsiders]outsider
	held    int           // how many detectors hold something against the camera until they say Live
	waiting int           // needed detectors that have not judged on this connection
	stale   time.Duration // when the first needed word grows stale

	attended   bool          // a visit is going on
	attendedAt time.Duration // since when
	silence    time.Duration // when silent's silence becomes a lapse
	silent     Need

	gap gap
	v   Verdict
}

// New gives a Judge that knows nothing: its verdict is Unknown. Fields of cfg that are zero or below take their defaults.
func New(cfg Config) *Judge {
	cfg = cfg.withDefaults()
	j := &Judge{cfg: cfg}
	j.replay.init(cfg.Replay)
	j.replay.keys.init(cfg.Keys)
	j.needs()
	return j
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.A1, 500*time.Millisecond)
	def(&c.A2, 1500*time.Millisecond)
	def(&c.MaxHole, time.Second)
	def(&c.LateTick, 100*time.Millisecond)
	def(&c.KeyWithin, 2*time.Second)
	c.A2 = max(c.A2, c.A1)
	c.Hole = max(c.Hole, 0)
	if !(c.Skew > 0) { // not a number, too
		c.Skew = 200e-6
	}
	if c.Replay <= 0 {
		c.Replay = 65536
	}
	if c.Keys <= 0 {
		c.Keys = 65536
	}
	return c
}

// Opened tells that the camera answers, or, on a connection that is open already, that its parameter sets changed: that
// alone is no new evidence and takes none away.
func (j *Judge) Opened(now time.Duration) {
	j.advance(now)
	if !j.open {
		j.open = true
		j.restart()
	}
	j.decide()
	j.plan()
}

// Closed tells that the connection is gone. If it gave pictures, the camera is lost from here (S6: the stream is reset).
func (j *Judge) Closed(now time.Duration) {
	j.advance(now)
	if j.open && j.pictures > 0 {
		j.remark(byHole, fact{state: Lost, at: j.now, limit: j.cfg.MaxHole.Seconds()})
		j.fall(Lost, j.now, 0)
	}
	j.open = false
	j.restart()
	j.decide()
	j.plan()
}

// restart forgets what belongs to one timeline of media time. A new timeline's base is learned anew: that it is constantly
// later than the old one cannot be seen from its times alone.
func (j *Judge) restart() {
	j.pictures, j.seenLive, j.backs, j.lateN = 0, false, 0, 0
	j.newest, j.arrived, j.began, j.line = 0, 0, 0, j.now
	j.delay, j.cadence, j.clock = delay{}, cadence{}, clock{}
	for d := range j.finders {
		j.finders[d].judged = false
	}
	for i := range j.outside {
		j.outside[i].judged = false
	}
	j.cover.n, j.cover.out = 0, false
	j.changes.opened()
	j.ask.drop()
	j.release(byClock) // it was this timeline's
	j.needs()
	j.spoil()
}

// spoil begins the count of good pictures anew.
func (j *Judge) spoil() { j.good, j.goodSet = 0, false }

// Recorded tells what the recorder says: pictures of this camera reach the disk, or they do not. Until it is first
// called nothing is held against the camera. The caller says false when a confirmation is overdue.
func (j *Judge) Recorded(ok bool, now time.Duration) {
	j.advance(now)
	j.unrecorded = !ok
	f := fact{state: Live, at: j.now}
	if !ok {
		f.state = Unrecorded
		j.finders[byDisk].lapse = f
	}
	j.finders[byDisk].newest = f
	j.decide()
	j.plan()
}

// Tick lets time pass and gives the verdict. It is called at Due, or earlier. A Tick that comes more than LateTick after it was
// due makes the hub late: nobody is judged for that time, and for as long after as LateTick, in which the pictures that waited
// are read.
func (j *Judge) Tick(now time.Duration) Verdict {
	j.advance(now)
	j.tick, j.ticked = j.now, true
	j.due = max(j.due, j.now+TickEvery)
	if j.hubLate && j.now >= j.hubUntil {
		j.hubLate = false
	}
	j.decide()
	j.plan()
	return j.v
}

// Verdict is the one of the newest call.
func (j *Judge) Verdict() Verdict { return j.v }

// Deadline is the next instant at which the verdict can change by time alone, or NoDeadline. A Tick at that instant
// sees the change.
func (j *Judge) Deadline() time.Duration {
	d := NoDeadline
	if j.hubLate {
		d = max(j.hubUntil, j.now)
	}
	if j.open && j.pictures > 0 {
		switch {
		case j.v.State == Live:
			d = min(d, j.own+j.cfg.A1+1)
			if j.stale != NoDeadline {
				d = min(d, j.stale+1)
			}
		case rank(j.lapse) < rank(Lost) && j.now <= j.own+j.cfg.A2:
			d = min(d, j.own+j.cfg.A2+1)
		}
		if !j.hubLate && j.listening() {
			d = min(d, j.silence+1)
		}
		if j.good >= enough && j.delay.quiet > j.now {
			d = min(d, j.delay.quiet)
		}
	}
	if j.lapse != Unknown && j.hold > j.now {
		d = min(d, j.hold)
	}
	return d
}

// Due is when the next Tick is due, or NoDeadline before the first one. Every call may change it, to earlier as well.
//
// It is TickEvery after the newest Tick. While the camera is live, a picture puts it off for as long as a Tick that is not late
// finds the picture no older than A1: a hub that stood still blames no camera for it (S6). Deadline is never put off.
func (j *Judge) Due() time.Duration {
	if !j.ticked {
		return NoDeadline
	}
	return min(j.due, j.Deadline())
}

// plan says when the next Tick is due after this call.
func (j *Judge) plan() {
	switch {
	case !j.ticked || j.hubLate:
	case j.v.State != Live:
		j.due = min(j.due, j.now+TickEvery)
	default:
		j.due = max(j.due, min(j.own+min(calm, j.cfg.A1-j.cfg.LateTick), j.tick+clockEvery))
	}
}

// advance moves the clock and finds the hub late.
func (j *Judge) advance(now time.Duration) {
	j.now = max(j.now, now)
	if j.ticked && j.now-j.due > j.cfg.LateTick {
		if !j.hubLate {
			j.hubFrom = j.now
		}
		j.hubLate, j.hubUntil = true, j.now+j.cfg.LateTick
		j.spoil()
	}
}
