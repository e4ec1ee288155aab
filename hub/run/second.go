package run

import (
	"errors"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
)

// second is a camera's second stream: pictures for viewers alone, where browsers cannot play the watched ones. It is not recorded
// and decides nothing. Viewers are told the age of its own newest picture (S15), and the watch's word for the watched stream: what
// holds the door is not what they look at, and both are said. A judge of its own does the counting, none of whose verdicts leaves
// here.
type second struct {
	door, name string
	live       Live
	now        func() time.Duration
	says       *saying

	mu      sync.Mutex // guards what follows
	judge   *liveness.Judge
	word    string // the watch's, for the watched stream
	shownAt time.Duration
}

var _ camera.Sink = (*second)(nil)

func (s *second) Opened(p camera.Params) {
	s.mu.Lock()
	s.judge.Opened(s.now())
	s.mu.Unlock()
	s.live.Opened(s.door, p)
	s.says.fine()
}

func (s *second) Picture(p camera.Picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge.Picture(p)
	s.live.Picture(s.door, p) // before its age: an age is of the newest picture that was given (S15)
	s.show(s.now(), false)
}

func (s *second) Closed(err error) {
	s.mu.Lock()
	s.judge.Closed(s.now())
	s.show(s.now(), true)
	s.mu.Unlock()
	s.live.Closed(s.door)
	what := "gone"
	for _, kind := range camera.Errors {
		if errors.Is(err, kind) {
			what = kind.Error()
		}
	}
	s.says.warn("the camera's second stream (live_url) cannot be shown; the watch goes on; it is tried again", what, "door", s.door, "camera", s.name, "err", err)
}

// tick lets time pass.
func (s *second) tick(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge.Tick(now)
	s.show(now, false)
}

// watch takes the watch's word.
func (s *second) watch(word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := word != s.word
	s.word = word
	s.show(s.now(), changed)
}

// show tells viewers the age. The caller holds mu.
func (s *second) show(now time.Duration, at bool) {
	if !at && now-s.shownAt < ageEvery {
		return
	}
	v := s.judge.Verdict()
	age := v.Age.Milliseconds()
	if v.State == liveness.Unknown && v.Pictures == 0 {
		age = -1
	}
	s.live.SetAge(s.door, age, s.word)
	s.shownAt = now
}
