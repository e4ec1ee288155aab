package sim

import (
	"time"

	"eyebolt/hub"
	"eyebolt/liveness"
)

// The bounds of docs/SAFETY.md for a camera on Wi-Fi; on a cable A1 is 250 ms.
const (
	a1Wifi, a1Wired = 500 * time.Millisecond, 250 * time.Millisecond
	a2              = 1500 * time.Millisecond
	period          = time.Second / 15
)

// blindness is why a camera does not truly show its door.
type blindness struct {
	kind  string // "dark": no pictures come; else pictures come that show something else
	state liveness.State
	from  time.Duration
	found time.Duration // when its detector says so; 0: never
	amiss bool          // its detector does not find it, however long it lasts
}

// eye is a camera: what it truly sees, and what would be judged of its pictures.
type eye struct {
	name  string
	a1    time.Duration
	blind blindness
	last  time.Duration // own time of the newest true picture
	dark  bool          // no pictures come
	until time.Duration // whatever is wrong lasts at least until then
	judge judge
	said  liveness.State // what the hub was told last
	lit   time.Duration  // when it was last dark: what was sent before is lost
	sent  time.Duration  // with Options.Pictures: when the newest picture that came was sent

	// Pictures come late (T6): by lagRate seconds a second since lagFrom, up to lagMost.
	lagRate float64
	lagFrom time.Duration
	lagMost time.Duration
}

// age is how old the newest picture is by the camera's own clock, which nobody but the town knows.
func (e *eye) age(h *home) time.Duration {
	switch {
	case e.dark:
		return h.t.now - e.last
	case h.t.opt.Pictures:
		return h.t.now - e.sent
	}
	return e.lag(h.t.now)
}

// lag is how late pictures come now.
func (e *eye) lag(now time.Duration) time.Duration {
	if e.lagRate == 0 {
		return 0
	}
	return min(e.lagMost, time.Duration(float64(now-e.lagFrom)*e.lagRate))
}

// judge gives verdicts of an eye, in the hub's time. It lives in the hub: a restart makes a new one.
type judge interface {
	// verdict is what is said now.
	verdict(now time.Duration) liveness.Verdict
	// due is when it may say something else by itself.
	due(now time.Duration) time.Duration
}

// drift is how fast a delay may grow that is taken for the camera's clock (liveness.Config.Skew): nobody can tell them apart.
const drift = 200e-6

// sees says whether the picture that reaches the hub shows the door as it is now, give or take A1, and, where the shipped judge measures
// ages, what may be drift.
func (e *eye) sees(now time.Duration, measured bool) bool {
	late := e.lag(now)
	if measured && e.lagRate != 0 {
		late -= time.Duration(drift * float64(now-e.lagFrom))
	}
	return e.blind.kind == "" && late <= e.a1
}

// model is the judge at the level of verdicts: what liveness says, by its stated bounds.
type model struct {
	e       *eye
	boot    time.Duration // the town's time at the hub's boot
	state   liveness.State
	gapFrom time.Duration
	gapTo   time.Duration
	heals   time.Duration // since when good pictures come again; 0: they do not
	held    time.Duration // a lapse is held at least until then
	over    time.Duration // since when pictures come with an age over A1; 0: they do not
}

const (
	lateRun = time.Second      // how long late pictures may come before they are named late
	hold    = 10 * time.Second // how long a replay stays one lapse after its last sign
	good    = 3 * period       // what makes evidence
)

func (m *model) verdict(now time.Duration) liveness.Verdict {
	e, was := m.e, m.state
	own := now - now%period - e.lag(now)
	if e.dark {
		own = e.last
	}
	age := now - own
	bad := liveness.Unknown
	switch {
	case !e.dark && e.blind.kind != "" && e.blind.found > 0 && now >= e.blind.found:
		bad = e.blind.state
		m.held = now + hold
	case e.dark && age > a2:
		bad = liveness.Lost
	case age > e.a1:
		bad = liveness.Lagging
		if m.over == 0 {
			m.over = now
		}
		if !e.dark && now-m.over > lateRun {
			bad = liveness.Late
		}
	}
	if age <= e.a1 {
		m.over = 0
	}
	switch {
	case bad == liveness.Lagging && (lapse(was) || was == liveness.Unknown):
		m.heals = 0
	case bad != liveness.Unknown:
		m.state, m.heals = bad, 0
	case e.dark:
	case was != liveness.Live:
		if m.heals == 0 {
			m.heals = own
		}
		if now >= m.heals+good && now >= m.held {
			m.state = liveness.Live
		}
	}
	switch {
	case lapse(m.state) && !lapse(was):
		m.gapFrom, m.gapTo = own, now
		if !e.dark && e.blind.found > 0 {
			m.gapFrom = e.blind.found - 2*period
		}
	case lapse(m.state):
		m.gapTo = now
	case lapse(was):
		m.gapTo = m.heals
	}
	if m.state == liveness.Live {
		m.heals = 0
	}
	return liveness.Verdict{State: m.state, Age: age, GapFrom: max(0, m.gapFrom-m.boot), GapTo: max(0, m.gapTo-m.boot), Pictures: 1}
}

func (m *model) due(now time.Duration) time.Duration {
	e := m.e
	switch {
	case e.dark && now <= e.last+e.a1:
		return e.last + e.a1 + time.Millisecond
	case e.dark && now <= e.last+a2:
		return e.last + a2 + time.Millisecond
	case e.dark:
		return now + time.Hour
	case e.lagRate != 0 || m.state != liveness.Live:
		return now + period
	case e.blind.kind != "" && e.blind.found > now:
		return e.blind.found
	}
	return now + time.Hour
}

func lapse(s liveness.State) bool { return s >= liveness.Lost && s <= liveness.Untrusted }

// tellEvery is how often an unchanged verdict is told for its age; hub/run tells it every 100 ms, the core wants it every second.
const tellEvery = 400 * time.Millisecond

// watch tells the hub what its judge says, again and again, until the hub's end.
func (h *home) watch(e *eye) {
	boot := h.boot
	e.judge = h.newJudge(e)
	e.said = liveness.Unknown
	told := -tellEvery
	planned := time.Duration(-1) // when the next look is
	var look func()
	again := func() {
		if h.boot == boot && planned == h.t.now {
			look()
		}
	}
	plan := func(at time.Duration) {
		if planned < 0 || at < planned || planned <= h.t.now {
			planned = at
			h.t.q.push(at, again)
		}
	}
	look = func() {
		if !h.up || h.stalled {
			return
		}
		v := e.judge.verdict(h.t.now)
		if v.State != e.said || h.t.now-told >= tellEvery {
			if v.State != e.said {
				h.t.tell(h, "watch", "says %v of %s", hub.WatchWord(v.State), e.name)
			}
			h.outside.saw(h, e, v)
			e.said, told = v.State, h.t.now
			h.take(hub.Seen{Door: doorName, Camera: e.name, At: h.mono(), Verdict: v})
		}
		plan(min(told+tellEvery, max(e.judge.due(h.t.now), h.t.now+time.Millisecond)))
	}
	h.looks = append(h.looks, look)
	look()
}

// relook has every camera judged at once: something about it has changed.
func (h *home) relook() {
	for _, look := range h.looks {
		look()
	}
}

func (h *home) newJudge(e *eye) judge {
	if h.t.opt.Pictures {
		return newPictures(h, e)
	}
	return &model{e: e, boot: h.bootAt}
}
