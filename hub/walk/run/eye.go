package run

import (
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/hub/walk"
	"eyebolt/liveness"
)

// eye is one camera with its judge: the sink of its driver.
type eye struct {
	name string
	now  func() time.Duration
	tell func(walk.Fact)
	cam  camera.Camera

	mu    sync.Mutex // guards what follows; never held while tell runs
	judge *liveness.Judge
	told  liveness.State
	at    time.Duration // when it was told
}

var _ camera.Sink = (*eye)(nil)

func (e *eye) Opened(p camera.Params) {
	e.mu.Lock()
	e.judge.Opened(e.now())
	e.judge.Params(p)
	e.mu.Unlock()
}

func (e *eye) Picture(p camera.Picture) {
	e.mu.Lock()
	e.judge.Picture(p)
	e.mu.Unlock()
	e.say(false)
}

func (e *eye) Closed(error) {
	e.mu.Lock()
	e.judge.Closed(e.now())
	e.mu.Unlock()
	e.say(false)
}

func (e *eye) tick(now time.Duration) {
	e.mu.Lock()
	e.judge.Tick(now)
	e.mu.Unlock()
	e.say(true)
}

// say tells the verdict when it changes and, with the clock, for its age.
func (e *eye) say(tick bool) {
	e.mu.Lock()
	now, v := e.now(), e.judge.Verdict()
	tell := v.State != e.told || tick && now-e.at >= tellEvery
	if tell {
		e.told, e.at = v.State, now
	}
	e.mu.Unlock()
	age := v.Age
	if v.State == liveness.Lost && v.GapTo > v.GapFrom {
		age = max(0, now-v.GapFrom) // a connection that broke is lost at once, and how long nothing was seen is the gap's to say
	}
	if tell {
		e.tell(walk.Fact{Kind: walk.Watched, Camera: e.name, State: v.State, Age: age})
	}
}
