package run

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/liveness"
	"eyebolt/lock"
)

const (
	// certifyEvery is how often a link's certificate is told; a day of it changes slowly.
	certifyEvery = time.Minute
	// keepEvery is how often what was learned goes to disk: as much is learned anew after a power cut.
	keepEvery = 5 * time.Minute
)

// Names of the parts that this package keeps itself.
const (
	partLink  = "link"
	partDoor  = "door"
	partJudge = "judge"
)

// newPicture lets the detectors beside the judge see a strictly newer picture. The caller holds mu; nothing here decodes. It gives
// the verdict after what they found.
func (e *eye) newPicture(p *camera.Picture, v liveness.Verdict) liveness.Verdict {
	e.link.Picture(p.Arrival)
	if p.Key {
		e.keyAt = p.Arrival
	}
	e.answers.Picture(p.Key, p.Arrival)
	if e.sees == nil {
		return v
	}
	for _, f := range e.sees.Picture(p, e.codec) {
		e.judge.Found(f)
		v = e.judge.Verdict()
	}
	return v
}

// found takes what a Watcher, or a detector of stills, found. Any goroutine calls it.
func (e *eye) found(f liveness.Finding) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	f.At = min(f.At, now)
	e.judge.Found(f)
	e.pass(now, e.judge.Verdict())
}

// still takes a decoded picture.
func (e *eye) still(s camera.Still) {
	if e.prints != nil {
		if s.Media > 0 && s.Quantiser == 0 { // of a key picture, and not a JPEG that the camera made
			e.mu.Lock()
			s.Quantiser, s.Changes = e.judge.KeyQuantiser(s.Media), e.judge.KeyChanges(s.Media)
			e.mu.Unlock()
		}
		e.prints.still(s)
	}
}

// contact takes what the door's contact told.
func (e *eye) contact(r lock.Report) {
	open := r.Door == lock.DoorOpen || r.Door == lock.DoorAjar
	if e.sees == nil || r.What != lock.OfDoor || !open && r.Door != lock.DoorClosed {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sees.Report(open, min(r.At, e.now())-max(0, r.Age))
}

// visiting tells the Watchers.
func (e *eye) visiting(on bool) {
	for _, w := range e.beside {
		w.Visit(on)
	}
}

// certify tells the link's certificate now and then. The caller holds mu.
func (e *eye) certify(now time.Duration) {
	if e.linkAt != 0 && now-e.linkAt < certifyEvery {
		return
	}
	e.linkAt = max(now, 1)
	c := e.link.Certificate(now)
	if e.needLink && c.Grade == liveness.NoGrade {
		c.Refused = true
	}
	e.push(hub.Linked{Door: e.door, Camera: e.name, Certificate: c})
}

// recall takes up what was kept of this camera. What cannot be read is learned anew, and said.
func (e *eye) recall() {
	parts, err := e.kept.load()
	if err != nil {
		e.log.Warn("what was learned of the camera cannot be read", "door", e.door, "camera", e.name, "err", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	var problems []error
	if raw, ok := parts[partLink]; ok {
		var s liveness.LinkState
		if err := json.Unmarshal(raw, &s); err != nil {
			problems = append(problems, err)
		} else {
			e.link.Restore(s, now, e.wall())
		}
	}
	if raw, ok := parts[partDoor]; ok && e.sees != nil {
		var s liveness.DoorState
		if err := json.Unmarshal(raw, &s); err != nil {
			problems = append(problems, err)
		} else {
			for _, f := range e.sees.Restore(s, now) {
				e.judge.Found(f)
			}
		}
	}
	if raw, ok := parts[partJudge]; ok {
		c, err := liveness.ParseCalibration(raw)
		if err == nil {
			err = e.judge.Restore(c)
		}
		problems = append(problems, err)
	}
	for name, l := range e.learned {
		if raw, ok := parts[name]; ok {
			problems = append(problems, l.Load(raw))
		}
	}
	if err := errors.Join(problems...); err != nil {
		e.log.Warn("some of what was learned of the camera cannot be used, and is learned anew", "door", e.door, "camera", e.name, "err", err)
	}
}

// keepLearned puts what was learned on disk.
func (e *eye) keepLearned() {
	e.mu.Lock()
	link, err := json.Marshal(e.link.State(e.now(), e.wall()))
	judge, bad := json.Marshal(e.judge.Calibration())
	err = errors.Join(err, bad)
	parts := map[string]json.RawMessage{partLink: link, partJudge: judge}
	if e.sees != nil {
		var door []byte
		if door, bad = json.Marshal(e.sees.State()); bad == nil {
			parts[partDoor] = door
		}
		err = errors.Join(err, bad)
	}
	e.mu.Unlock()
	for name, l := range e.learned {
		b, bad := l.Save()
		if bad == nil {
			parts[name] = b
		}
		err = errors.Join(err, bad)
	}
	if err = errors.Join(err, e.kept.save(parts)); err != nil {
		e.log.Warn("what was learned of the camera could not be kept", "door", e.door, "camera", e.name, "err", err)
	}
}

// learning keeps what was learned of every camera, now and then and at the end.
func (h *Hub) learning(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			for _, e := range h.eyes {
				e.keepLearned()
			}
			return
		case <-tick.C:
			for _, e := range h.eyes {
				e.keepLearned()
			}
		}
	}
}
