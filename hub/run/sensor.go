package run

import (
	"encoding/json"
	"sync"

	"eyebolt/camera"
	"eyebolt/liveness"
)

// Sensor is one camera's freeze and loop detectors, and what they keep over a restart. Its methods may be called from any
// goroutine.
type Sensor struct {
	mu     sync.Mutex
	prints *liveness.Prints
	judged bool // the newest still could be judged
	stills uint64
}

// NewSensor gives detectors that have learned nothing.
func NewSensor(cfg liveness.PrintsConfig) *Sensor { return &Sensor{prints: liveness.NewPrints(cfg)} }

var (
	_ Prints    = (*Sensor)(nil)
	_ Learned   = (*Sensor)(nil)
	_ Relearner = (*Sensor)(nil)
)

// Still judges a decoded picture.
func (s *Sensor) Still(k camera.Still) []liveness.Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.prints.Still(k)
	s.stills++
	for _, f := range found {
		s.judged = f.State != liveness.Unknown
		if !s.judged {
			break
		}
	}
	return found
}

// Opened tells, before its first still, of another connection.
func (s *Sensor) Opened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prints.Opened()
	s.judged = false
}

// unjudged says that nothing is known of this connection yet.
func (s *Sensor) unjudged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judged = false
}

// state says whether the newest still on this connection could be judged, and how many stills there were.
func (s *Sensor) state() (judged bool, stills uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.judged, s.stills
}

// Relearn forgets what was learned, or takes what is in view by infrared for a scene of its own.
func (s *Sensor) Relearn(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if what == RelearnInfrared {
		s.prints.Accept()
		return
	}
	s.prints.Forget()
	s.judged = false
}

// Save gives what was learned.
func (s *Sensor) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.prints.Calibration())
}

// Load takes what Save gave.
func (s *Sensor) Load(b []byte) error {
	c, err := liveness.ParseCalibration(b)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prints.Restore(c)
}
