package fmp4

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"eyebolt/record"
)

const (
	// batchBytes bounds what the writer holds outside the ring: a few seconds of video, one write and one fsync.
	batchBytes = 8 << 20
	// beat is how soon a refused write is tried again, and a stopped visit is looked at again.
	beat = 100 * time.Millisecond
	// slowAfter is how long a picture may wait for the disk before that is told (S1: pictures reaching the disk).
	slowAfter = time.Second
)

// beats gives the instants at which a goroutine looks at the clock, on a grid: the same ones for every recorder of a hub, so that a
// machine that has little to do wakes once for all of them. One goroutine owns it.
type beats struct {
	now   func() time.Duration
	timer *time.Timer
}

func newBeats(now func() time.Duration) *beats { return &beats{now, time.NewTimer(beat)} }

// next is the next beat.
func (b *beats) next() <-chan time.Time { return b.at(0) }

// at is the first beat that is not before then.
func (b *beats) at(then time.Duration) <-chan time.Time {
	now := b.now()
	b.timer.Reset(max(beat-now%beat, (then+beat-1).Truncate(beat)-now))
	return b.timer.C
}

// write is the writer's goroutine: one visit at a time, until Close has been called and all are filed.
func (r *Recorder) write() {
	defer r.ended.Done()
	tick := newBeats(r.cfg.Now)
	defer tick.timer.Stop()
	for {
		r.mu.Lock()
		calls := r.calls
		r.calls = nil
		var j *job
		if len(r.jobs) > 0 {
			j = r.jobs[0]
		}
		closed := r.closed
		r.mu.Unlock()
		for _, call := range calls {
			call()
		}
		switch {
		case j != nil:
			clip, err := r.keep(j, tick)
			r.mu.Lock()
			r.jobs = r.jobs[1:]
			r.mu.Unlock()
			if err != nil {
				r.cfg.Log.Error("a visit's clip is not whole", "visit", j.visit, "err", err)
			}
			j.done(clip, err)
		case closed:
			return
		default:
			<-r.wake
		}
	}
}

// keep writes one visit until it is stopped, and files it.
func (r *Recorder) keep(j *job, tick *beats) (record.Clip, error) {
	name, _ := folder(j.visit) // Start has checked it
	rel := filepath.Join(r.rel, name)
	var m *film
	var pend []picture // taken from the ring, not yet on disk; the oldest first
	var failed error
	for {
		now := r.cfg.Now()
		var ended, full bool
		pend, ended, full = r.grab(j, pend)
		var err error
		if m == nil {
			m, err = openFilm(r.disk, r.cfg.Dir, rel, sidecar{Version: 1, Visit: j.visit, Door: r.cfg.Door, Camera: r.cfg.Camera})
		}
		if err == nil && len(pend) > 0 {
			parts, n := cut(pend)
			if n < len(pend) && (ended || full && n == 0 || now-pend[n].arrival >= flushAfter) {
				parts = append(parts, part{pics: pend[n:]})
			}
			n, err = m.write(parts)
			pend = r.written(j, pend, parts[:n])
			r.report(j, m)
		}
		r.mu.Lock()
		stopped := j.stopped
		late := stopped && now >= j.until
		r.mu.Unlock()
		if err != nil {
			failed = err
			r.tell(j, false, err)
			if !late {
				<-tick.next()
				continue
			}
		}
		if ended && len(pend) == 0 || late {
			return r.finish(j, m, len(pend), failed, tick)
		}
		// Pictures that come wake it when they make a fragment (Picture). What is here, or comes without a next one, is filed all
		// the same.
		then := now + flushAfter
		switch {
		case stopped:
			then = 0
		case len(pend) > 0:
			then = pend[0].arrival + flushAfter
		}
		select {
		case <-r.wake:
		case <-tick.at(then):
		}
	}
}

// report tells the segments that were completed.
func (r *Recorder) report(j *job, m *film) {
	for _, s := range m.closed {
		if r.cfg.Segmented != nil {
			r.cfg.Segmented(j.visit, s)
		}
	}
	m.closed = nil
}

// finish files the clip; a disk that refuses is asked until the job's time is over. left counts pictures that the writer
// could not write, failed says why.
func (r *Recorder) finish(j *job, m *film, left int, failed error, tick *beats) (record.Clip, error) {
	r.mu.Lock()
	left += int(j.end - min(j.next, j.end))
	lost, overran := j.lost+uint64(left), j.overran
	r.mu.Unlock()
	clip := record.Clip{Visit: j.visit, Door: r.cfg.Door, Camera: r.cfg.Camera, Lost: lost}
	if m == nil {
		return clip, failed
	}
	for {
		got, err := m.end(lost)
		if err == nil || errors.Is(err, ErrAltered) || r.cfg.Now() >= j.until {
			r.report(j, m)
			if left > 0 {
				err = errors.Join(err, failed)
			}
			if overran {
				err = errors.Join(err, ErrOverrun)
			}
			return got, err
		}
		r.tell(j, false, err)
		<-tick.next()
	}
}

// grab takes more of the visit's pictures out of the ring. ended says that there will be no more, full that pend
// takes no more.
func (r *Recorder) grab(j *job, pend []picture) (all []picture, ended, full bool) {
	size := 0
	for _, p := range pend {
		size += len(p.data) + pictureCost
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	j.next = max(j.next, r.ring.first())
	for _, p := range r.ring.from(j.next, j.last(r.ring.next)) {
		if size > batchBytes {
			break
		}
		pend = append(pend, p)
		size += len(p.data) + pictureCost
		j.next = p.seq + 1
	}
	j.holds = len(pend) > 0
	if j.holds {
		j.waiting = pend[0].arrival
	}
	return pend, j.stopped && j.next >= j.end, size > batchBytes
}

// written forgets what is on disk and confirms it.
func (r *Recorder) written(j *job, pend []picture, parts []part) []picture {
	n := 0
	for _, p := range parts {
		n += len(p.pics)
	}
	if n == 0 {
		return pend
	}
	through := pend[n-1].media
	rest := slices.Clone(pend[n:])
	r.mu.Lock()
	j.through, j.holds = through, len(rest) > 0
	if j.holds {
		j.waiting = rest[0].arrival
	}
	r.mu.Unlock()
	r.tell(j, true, nil)
	return rest
}

// watch tells what the writer cannot tell because it waits for the disk, or because there is nothing to write. It ends with the last
// job: a recorder that records nothing wakes nobody.
func (r *Recorder) watch() {
	defer r.ended.Done()
	tick := newBeats(r.cfg.Now)
	defer tick.timer.Stop()
	then := r.cfg.Now() + slowAfter
	for {
		select {
		case <-r.quit:
			return
		case <-r.look:
		case <-tick.at(then):
		}
		now := r.cfg.Now()
		then = now + slowAfter
		var tell *job
		var why error
		r.mu.Lock()
		if len(r.jobs) == 0 {
			r.watched = false
			r.mu.Unlock()
			return
		}
		for _, j := range r.jobs {
			var err error
			switch oldest, ok := r.oldest(j); {
			case j.overrun:
				err = ErrOverrun
			case j.noKey && r.keyless:
				err = ErrNoKey
			case ok && now-oldest > slowAfter && now-j.began > slowAfter:
				err = ErrSlow
			case ok: // not told before it is slow, and no later than a beat after
				then = min(then, max(oldest, j.began)+slowAfter+1)
			}
			if err != nil || j.stopped {
				then = 0
			}
			if err != nil && now-j.told >= slowAfter {
				j.overrun, j.noKey = false, false
				tell, why = j, err
				break
			}
		}
		r.mu.Unlock()
		if tell != nil {
			r.tell(tell, false, why)
		}
	}
}

// oldest is the arrival of the oldest picture of a visit that is not on disk.
func (r *Recorder) oldest(j *job) (time.Duration, bool) {
	if j.holds {
		return j.waiting, true
	}
	if p := r.ring.from(j.next, j.last(r.ring.next)); len(p) > 0 {
		return p[0].arrival, true
	}
	return 0, false
}

func (r *Recorder) tell(j *job, ok bool, err error) {
	r.telling.Lock()
	defer r.telling.Unlock()
	r.mu.Lock()
	through, over := j.through, j.stopped
	if !ok {
		j.told = r.cfg.Now()
	}
	r.mu.Unlock()
	if !over { // what is still filed of a visit that is over says nothing about the next
		r.cfg.Confirmed(ok, through, err)
	}
}
