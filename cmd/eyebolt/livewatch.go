package main

import (
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
)

// lapses are the verdicts that bolt a door; lagging, which heals, is measured by bench tradeoff.
func isLapse(s liveness.State) bool {
	switch s {
	case liveness.Unknown, liveness.Live, liveness.Lagging, liveness.HubLate:
		return false
	default:
		return true
	}
}

// stateName is a verdict in a report.
var stateName = map[liveness.State]string{
	liveness.Unknown: "unknown", liveness.Live: "live", liveness.Lagging: "lagging", liveness.Lost: "lost", liveness.Late: "late", liveness.Frozen: "frozen",
	liveness.Replayed: "replayed", liveness.Covered: "covered", liveness.Unrecorded: "unrecorded", liveness.Untrusted: "untrusted", liveness.HubLate: "hub-late",
}

// judged is the shipped detectors on one camera, as the hub joins them.
type judged struct {
	judge  *liveness.Judge
	prints *liveness.Prints
	at     time.Duration // arrival of the newest picture
	n      int           // pictures
	period time.Duration

	was   liveness.State
	lapse []lapsed          // in order of time
	near  map[string]margin // by detector: the findings that were live
	far   map[string]margin // and those that were lapses
}

type lapsed struct {
	at    time.Duration
	state liveness.State
	by    []string // the detectors that hold it
}

// margin is how near findings came to their limit, as shares of it.
type margin struct {
	N     int     `json:"n"`
	Least float64 `json:"least"`
	Mean  float64 `json:"mean"`
	Most  float64 `json:"most"`
}

func (m *margin) add(ratio float64) {
	if m.N == 0 {
		m.Least, m.Most = ratio, ratio
	}
	m.N++
	m.Mean += (ratio - m.Mean) / float64(m.N)
	m.Least, m.Most = min(m.Least, ratio), max(m.Most, ratio)
}

func (m *margin) join(o margin) {
	switch {
	case o.N == 0:
	case m.N == 0:
		*m = o
	default:
		m.Mean = (m.Mean*float64(m.N) + o.Mean*float64(o.N)) / float64(m.N+o.N)
		m.N, m.Least, m.Most = m.N+o.N, min(m.Least, o.Least), max(m.Most, o.Most)
	}
}

// cameraDelay is what a picture takes from sensor to hub; the hub is never late here.
const cameraDelay = 40 * time.Millisecond

func watch(fps int) *judged {
	w := &judged{
		judge:  liveness.New(liveness.Config{LateTick: 1000 * time.Hour}),
		prints: liveness.NewPrints(liveness.PrintsConfig{}),
		period: time.Second / time.Duration(fps),
		near:   map[string]margin{}, far: map[string]margin{},
	}
	w.judge.Opened(0)
	return w
}

// now is the media time of the next picture.
func (w *judged) now() time.Duration { return time.Duration(w.n) * w.period }

// picture shows the next picture and, if it is a key, its still; luma may be nil.
func (w *judged) picture(nals [][]byte, key bool, luma []byte) {
	w.arrives(w.now()+cameraDelay, nals, key, luma)
}

// arrives is picture, at an instant.
func (w *judged) arrives(at time.Duration, nals [][]byte, key bool, luma []byte) {
	media := w.now()
	w.n++
	for due := w.judge.Deadline(); due < at; {
		w.judge.Tick(due)
		w.at = due
		w.see()
		next := w.judge.Deadline()
		if next <= due {
			break
		}
		due = next
	}
	w.at = at
	w.judge.Tick(at)
	w.judge.Picture(camera.Picture{Media: media, Arrival: w.at, Key: key, NALs: nals})
	w.see()
	if key && luma != nil {
		for _, f := range w.prints.Still(camera.Still{Media: media, Arrival: w.at, Width: stillWidth, Height: stillHeight, Luma: luma, Quantiser: w.judge.KeyQuantiser(media), Changes: w.judge.KeyChanges(media)}) {
			w.judge.Found(f)
		}
		w.see()
	}
	if key {
		w.note()
	}
}

// see records a verdict that became a lapse.
func (w *judged) see() {
	s := w.judge.Verdict().State
	if s == w.was {
		return
	}
	w.was = s
	if isLapse(s) {
		l := lapsed{at: w.at, state: s}
		for _, f := range w.judge.Explain() {
			if isLapse(f.State) {
				l.by = append(l.by, f.By)
			}
		}
		w.lapse = append(w.lapse, l)
	}
}

// note keeps how near each detector is to its limit.
func (w *judged) note() {
	for _, f := range w.judge.Explain() {
		if f.Limit == 0 || w.at-f.At > w.period {
			continue
		}
		to := w.near
		switch {
		case isLapse(f.State):
			to = w.far
		case f.State != liveness.Live:
			continue
		}
		m := to[f.By]
		m.add(f.Score / f.Limit)
		to[f.By] = m
	}
}

// forget empties the record of what was found, so that the next part of a trial is told apart.
func (w *judged) forget() (lapses []lapsed, near, far map[string]margin) {
	lapses, near, far = w.lapse, w.near, w.far
	w.lapse, w.near, w.far = nil, map[string]margin{}, map[string]margin{}
	return lapses, near, far
}
