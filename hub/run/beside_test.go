package run

import (
	"encoding/json"
	"os"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/camera"
	"eyebolt/ledger"
	"eyebolt/liveness"
)

// camera is what the door's view tells of one.
func (h *house) camera(name string) bus.Camera {
	for _, k := range h.view.Cameras {
		if k.Name == name {
			return k
		}
	}
	return bus.Camera{}
}

// S18: with two cameras, the jam of one locks nothing and alarms nobody; its own lapse stays on record and is shown (S7). The jam of
// both is a lapse, bolted against and told (S6). Both on real judges, recorders, SQLite and the bus.
func TestTwoCamerasOneJammed(t *testing.T) {
	h := newHouse(t, func(h *house) { h.names = []string{"hall", "porch"} })
	h.prepare()
	h.arrive()
	h.unlock()
	h.lock.Door(true)
	h.until("open")
	_, locks := h.wired()
	h.eyes["hall"].set(true)
	h.wait("the jammed camera is shown lost", func() bool { return h.camera("hall").Watch == "lost" && h.view.Watch == "live" })
	h.wait("its lapse is on record", func() bool { return has(h.log, ledger.KindWatch, "camera-lost") })
	h.mu.Lock()
	if len(h.alarms) != 0 || h.view.Leave || has(h.log, ledger.KindWatch, "lost") {
		t.Errorf("S18: one of two is jammed: alarms %v, leave %v, record %v", h.alarms, h.view.Leave, words(h.log))
	}
	if say := h.camera("hall").Say; say == "" {
		t.Error("the resident is not told why it does not watch")
	}
	h.mu.Unlock()
	if _, n := h.wired(); n != locks {
		t.Errorf("S18: %d Locks for one of two cameras", n-locks)
	}
	h.eyes["porch"].set(true)
	h.wait("both jammed: lost, alarmed", func() bool { return h.view.Watch == "lost" && h.view.Alarm == "lapse-lost" })
	h.lock.Door(false)
	h.wait("bolted as it closed", func() bool { return h.view.Bolt == "thrown" })
	h.wait("the lapse at the service", func() bool { return has(h.log, ledger.KindWatch, "lost") })
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.log {
		if e.Kind != ledger.KindWatch || e.Word != "lost" {
			continue
		}
		var d ledger.WatchData
		if err := json.Unmarshal(e.Data, &d); err != nil || len(d.Evidence) == 0 {
			t.Errorf("S7: the lapse has no evidence: %s", e.Data)
		}
		return
	}
	t.Errorf("S7: no lapse on record: %v", words(h.log))
}

// S1: a camera that is live but not recorded does not stand for one that is recorded but not live: what watches must be on disk.
func TestTwoCamerasTheLiveOneIsRecorded(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.names = []string{"hall", "porch"}
		h.with = func(c *Camera) {
			if c.Name == "porch" {
				c.Recorder = func(func(bool, time.Duration, error)) (Recorder, error) { return noRecorder{}, nil } // never confirms
			}
		}
	})
	h.prepare()
	h.arrive() // the hall is live and recorded
	h.eyes["hall"].set(true)
	h.wait("the live camera is not the recorded one", func() bool {
		for _, k := range h.view.Checks {
			if k.Name == "recording" {
				return !k.OK && k.Reason == "not-recorded"
			}
		}
		return false
	})
	if u, _ := h.wired(); u != 0 {
		t.Error("S1: unlocked")
	}
}

// watcher is a Watcher that finds what it is told to.
type watcher struct {
	hears  Hears
	mu     sync.Mutex
	visits []bool
	opened int
	n      int
	closed bool
}

func (w *watcher) Opened(camera.Params)   { w.mu.Lock(); w.opened++; w.mu.Unlock() }
func (w *watcher) Picture(camera.Picture) { w.mu.Lock(); w.n++; w.mu.Unlock() }
func (w *watcher) Closed()                {}
func (w *watcher) Visit(on bool)          { w.mu.Lock(); w.visits = append(w.visits, on); w.mu.Unlock() }

func (w *watcher) Close() error { w.mu.Lock(); w.closed = true; w.mu.Unlock(); return nil }

// prints finds the picture frozen from the third still on whose luma is 7.
type prints struct{ n int }

func (p *prints) Opened() {}
func (p *prints) Still(s camera.Still) []liveness.Finding {
	if s.Luma[0] != 7 {
		return []liveness.Finding{{By: "freeze", State: liveness.Live, At: s.Arrival}}
	}
	if p.n++; p.n < 3 {
		return nil
	}
	return []liveness.Finding{
		{By: "freeze", State: liveness.Frozen, At: s.Arrival, Score: 0.4, Limit: 0.15, Say: "the noise repeats"},
		{By: "loop", State: liveness.Unknown, At: s.Arrival, Say: "too few"},
		{By: "scene", State: liveness.Live, At: s.Arrival, Score: 0.9, Limit: 0.4, Say: "in view"},
	}
}

// What a decoder gives goes to the fingerprints off the picture's path; what they find is a lapse with its reason on record, on the
// resident's page (S6, S7, T4), and is taken back when they say so.
func TestStillsAreJudgedBesideThePictures(t *testing.T) {
	w := &watcher{}
	h := newHouse(t, func(h *house) {
		h.with = func(c *Camera) {
			c.Prints = &prints{}
			c.Beside = []func(Hears) (Watcher, error){func(k Hears) (Watcher, error) { w.hears = k; return w, nil }}
		}
	})
	h.prepare()
	h.arrive()
	luma := []byte{7}
	for range 3 {
		w.hears.Still(camera.Still{Arrival: h.now(), Width: 1, Height: 1, Luma: luma})
		time.Sleep(5 * time.Millisecond) // no more than four wait
	}
	luma[0] = 9 // what was handed over was copied
	h.wait("frozen", func() bool { return h.view.Watch == "frozen" && h.view.Phase == "arming" })
	h.wait("the reason is on record", func() bool {
		for _, e := range h.log {
			var d ledger.WatchData
			if e.Kind == ledger.KindWatch && e.Word == "frozen" && json.Unmarshal(e.Data, &d) == nil {
				for _, k := range d.Evidence {
					if k.By == "freeze" && k.Score == 0.4 && k.Limit == 0.15 && k.Camera == "hall" {
						return true
					}
				}
			}
		}
		return false
	})
	w.mu.Lock()
	if w.opened == 0 || w.n == 0 || len(w.visits) == 0 || !w.visits[0] {
		t.Errorf("the watcher heard %d openings, %d pictures, visits %v", w.opened, w.n, w.visits)
	}
	w.mu.Unlock()
	h.shut()
	if !w.closed {
		t.Error("the watcher was not closed")
	}
}

// Whatever the detectors of stills find is handed on, each finding of a still: freeze, loop and scene (T4, T5, T7).
func TestEveryFindingOfAStillIsHeard(t *testing.T) {
	got := make(chan string, 16)
	d := newDarkroom(&prints{n: 2}, func(f liveness.Finding) { got <- f.By })
	d.still(camera.Still{Luma: []byte{7}})
	for _, want := range []string{"freeze", "loop", "scene"} {
		if by := <-got; by != want {
			t.Errorf("%s was heard, want %s", by, want)
		}
	}
	d.close()
}

// A queue of stills that nobody empties holds four and drops the oldest.
func TestDarkroomIsBounded(t *testing.T) {
	block, got := make(chan struct{}), make(chan time.Duration, 16)
	d := newDarkroom(slow{block, got}, func(liveness.Finding) {})
	for i := range 10 {
		d.still(camera.Still{Arrival: time.Duration(i), Luma: []byte{1}})
	}
	close(block)
	d.still(camera.Still{Arrival: 99, Luma: []byte{1}})
	var seen []time.Duration
	for len(seen) == 0 || seen[len(seen)-1] != 99 {
		seen = append(seen, <-got)
	}
	d.close()
	if len(seen) > maxStills+2 {
		t.Errorf("judged %v", seen)
	}
}

type slow struct {
	block chan struct{}
	got   chan time.Duration
}

func (slow) Opened() {}
func (s slow) Still(k camera.Still) []liveness.Finding {
	<-s.block
	s.got <- k.Arrival
	return nil
}

// What was learned is there after a restart; a file that is damaged is said and learned anew.
func TestLearnedSurvivesRestart(t *testing.T) {
	l := &learned{}
	h := newHouse(t, func(h *house) {
		h.with = func(c *Camera) { c.Learned = map[string]Learned{"prints": l} }
	})
	h.wait("live", func() bool { return h.view.Watch == "live" })
	h.hub.eyes[0].mu.Lock()
	bad := liveness.NewLink(false)
	for i := range 700 { // more than ten minutes of a bad link
		bad.Picture(h.now() - time.Duration(700-i)*time.Second)
	}
	h.hub.eyes[0].link = bad
	h.hub.eyes[0].mu.Unlock()
	l.v = "the noise of yesterday"
	h.shut()
	l.v = ""
	path := h.dir + "/cameras/" + h.who.Door + ".hall.json"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h.open()
	if l.v != "the noise of yesterday" {
		t.Errorf("the detector got %q back", l.v)
	}
	h.wait("S18: the link is still refused", func() bool {
		k := h.camera("hall")
		return k.Link != nil && k.Link.Refused && k.Link.Grade == "D"
	})
	h.shut()
	if err := os.WriteFile(path, b[:len(b)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	h.open()
	h.wait("learned anew", func() bool { k := h.camera("hall"); return k.Link != nil && k.Link.Grade == "" && !k.Link.Refused })
}

type learned struct{ v string }

func (l *learned) Save() ([]byte, error) { return json.Marshal(l.v) }
func (l *learned) Load(b []byte) error   { return json.Unmarshal(b, &l.v) }

// S1: only a camera that has proven to answer is asked in visits; one that never does is found deaf, and is not held to it.
func TestChallengeIsProvenFirst(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of real time")
	}
	h := newHouse(t, func(h *house) {
		h.names = []string{"hall", "porch"}
		h.with = func(c *Camera) { c.Challenge = &Challenge{} }
	})
	h.eyes["porch"].mu.Lock()
	h.eyes["porch"].deaf = true
	h.eyes["porch"].mu.Unlock()
	state := func(i int) liveness.Answering {
		e := h.hub.eyes[i]
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.answers.State()
	}
	end := time.Now().Add(90 * time.Second)
	for (state(0) == liveness.AnswerLearning || state(1) == liveness.AnswerLearning) && time.Now().Before(end) {
		time.Sleep(200 * time.Millisecond)
	}
	if state(0) != liveness.AnswerProven || state(1) != liveness.AnswerDeaf {
		t.Fatalf("the one that answers is %d (want %d), the deaf one %d (want %d)", state(0), liveness.AnswerProven, state(1), liveness.AnswerDeaf)
	}
	asked := func(name string) int {
		s := h.eyes[name]
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.asked
	}
	hall, porch := asked("hall"), asked("porch")
	time.Sleep(10 * time.Second)
	if asked("hall") != hall {
		t.Error("it is asked though there is no visit")
	}
	h.prepare()
	h.arrive()
	h.wait("S1: asked in a visit", func() bool { return asked("hall") >= hall+2 })
	if asked("porch") != porch {
		t.Error("the deaf one is asked in a visit")
	}
}
