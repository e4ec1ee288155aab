package run

import (
	"log/slog"
	"sync"
	"time"

	"eyebolt/lock"
)

// sayAgain is how often something that goes on and on is logged.
const sayAgain = time.Minute

// saying logs what a device says of itself: each change at once, what stays as it is once a minute.
type saying struct {
	log *slog.Logger
	now func() time.Duration

	mu   sync.Mutex
	last string
	at   time.Duration
}

func (s *saying) warn(msg, what string, args ...any) {
	now := s.now()
	s.mu.Lock()
	quiet := s.last == what && now-s.at < sayAgain
	if !quiet {
		s.last, s.at = what, now
	}
	s.mu.Unlock()
	if !quiet {
		s.log.Warn(msg, args...)
	}
}

// fine forgets the trouble, and says whether there was one.
func (s *saying) fine() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.last != ""
	s.last = ""
	return was
}

// lock logs a lock's health and failures.
func (s *saying) lock(door string, r lock.Report) {
	switch {
	case r.What == lock.OfHealth && !r.OK && r.Err != nil:
		s.warn("the lock cannot be reached: nothing opens", r.Err.Error(), "door", door, "err", r.Err)
	case r.What == lock.OfHealth && r.OK:
		if s.fine() {
			s.log.Info("the lock can be reached again", "door", door)
		}
	case r.What == lock.OfFailure && r.Err != nil:
		s.log.Warn("a command to the lock failed", "door", door, "err", r.Err)
	}
}
