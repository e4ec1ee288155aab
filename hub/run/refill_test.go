package run

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/ledger"
	"eyebolt/record"
	"eyebolt/record/fmp4"
)

// filer is the real recorder, as cmd hands it in.
type filer struct{ *fmp4.Recorder }

func (f filer) File(visit string) (Filing, error) {
	b, err := f.Backfill(visit)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// card is a camera's own storage: it keeps everything, whatever the network does.
type card struct {
	mu    sync.Mutex
	asked []gapSpan
	fails []error // in order, before it works
}

func (c *card) refill(_ context.Context, from, to time.Time, sink RefillSink) (bool, error) {
	c.mu.Lock()
	c.asked = append(c.asked, gapSpan{from, to})
	var err error
	if len(c.fails) > 0 {
		err, c.fails = c.fails[0], c.fails[1:]
	}
	c.mu.Unlock()
	if err != nil {
		return false, err
	}
	src := cameratest.Noise(camera.H264, 2)
	sink.Opened(src.Params())
	for n, at := 0, from; at.Before(to); n, at = n+1, at.Add(time.Second/15) {
		if err := sink.Picture(camera.Picture{Key: n%15 == 0, NALs: src.Next()}, at); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c *card) spans() []gapSpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

func withCard(c *card) func(*house) {
	return func(h *house) {
		h.rewire = func(cfg *Config) {
			cam := &cfg.Doors[0].Cameras[0]
			plain := cam.Recorder
			cam.Recorder = func(confirmed func(bool, time.Duration, error)) (Recorder, error) {
				r, err := plain(confirmed)
				if err != nil {
					return nil, err
				}
				return filer{r.(*fmp4.Recorder)}, nil
			}
			cam.Refill = c.refill
		}
	}
}

func soon(t *testing.T) {
	was := refillAfter
	refillAfter = []time.Duration{300 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond}
	t.Cleanup(func() { refillAfter = was })
}

// jammed plays a visit in which the pictures stop for two seconds with the bolt drawn.
func (h *house) jammed() {
	h.Helper()
	h.prepare()
	h.arrive()
	h.unlock()
	h.lock.Door(true)
	h.until("open")
	h.eye.set(true)
	h.wait("the alarm", func() bool {
		return slices.ContainsFunc(h.alarms, func(a bus.Alarm) bool { return a.Reason == "lapse-lost" })
	})
	h.eye.set(false)
	h.wait("the gap on record", func() bool {
		return slices.ContainsFunc(h.log, func(e ledger.Entry) bool {
			var g ledger.GapData
			return e.Kind == ledger.KindGap && json.Unmarshal(e.Data, &g) == nil && !g.Open
		})
	})
	h.lock.Door(false)
	h.until("secured")
	if r := h.out(); !r.OK {
		h.Fatalf("out: %+v", r)
	}
	h.until("idle")
}

func all(h *house, kind ledger.Kind, word string) (got []ledger.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.log {
		if e.Kind == kind && e.Word == word {
			got = append(got, e)
		}
	}
	return got
}

// S7, T1: after a jam the missing seconds are fetched from the camera's own storage and filed beside the gap, which stays on
// record as it was, and so does the incident.
func TestRefill(t *testing.T) {
	soon(t)
	c := &card{fails: []error{errors.New("it is still starting")}}
	h := newHouse(t, withCard(c))
	h.jammed()
	h.wait("what was fetched, on record at the service", func() bool { return has(h.log, ledger.KindClip, ledger.WordBackfilled) })
	gaps, filled := all(h, ledger.KindGap, "gap"), all(h, ledger.KindClip, ledger.WordBackfilled)
	var gap ledger.GapData
	if err := json.Unmarshal(gaps[len(gaps)-1].Data, &gap); err != nil {
		t.Fatal(err)
	}
	var clip ledger.ClipData
	if err := json.Unmarshal(filled[0].Data, &clip); err != nil {
		t.Fatal(err)
	}
	if clip.From.After(gap.From) || clip.To.Before(gap.To) || filled[0].Visit != gaps[0].Visit || clip.Camera != "hall" || len(clip.SHA256) != 64 {
		t.Errorf("the gap is %+v, fetched was %+v", gap, clip)
	}
	if stat, err := os.Stat(filepath.Join(h.dir, "clips", filepath.FromSlash(clip.Path))); err != nil || stat.Size() != clip.Bytes {
		t.Errorf("the file: %v, %v", stat, err)
	}
	h.wait("each gap was asked for", func() bool { return len(c.spans()) > len(gaps) })
	if n := len(c.spans()); n > 2*len(gaps) {
		t.Errorf("asked %d times for %d gaps, the first of them in vain", n, len(gaps))
	}
	ended := all(h, ledger.KindVisit, ledger.WordEnded)
	var visit ledger.VisitData
	if len(ended) != 1 || json.Unmarshal(ended[0].Data, &visit) != nil || visit.Outcome != "incident" || visit.GapSeconds <= 0 {
		t.Errorf("the visit's end: %+v", visit)
	}
}

// A camera that keeps nothing is asked once; an honest visit asks for nothing.
func TestRefillNothingKept(t *testing.T) {
	soon(t)
	c := &card{fails: []error{ErrNoRefill, ErrNoRefill, ErrNoRefill, ErrNoRefill}}
	h := newHouse(t, withCard(c))
	h.jammed()
	gaps := len(all(h, ledger.KindGap, "gap"))
	h.wait("asked", func() bool { return len(c.spans()) >= 1 })
	time.Sleep(3 * refillAfter[0])
	if n := len(c.spans()); n > gaps {
		t.Errorf("asked %d times for %d gaps", n, gaps)
	}
	if len(all(h, ledger.KindClip, ledger.WordBackfilled)) > 0 {
		t.Error("something was filed")
	}
}

// nowhere is a recorder that files nothing.
type nowhere struct{ noRecorder }

func (nowhere) File(string) (Filing, error) { return blank{}, nil }

type blank struct{}

func (blank) Opened(camera.Params)                    {}
func (blank) Picture(camera.Picture, time.Time) error { return nil }
func (blank) End() (record.Clip, error)               { return record.Clip{}, nil }

// While a visit goes on nothing is fetched: it would take the air from the watch.
func TestRefillYields(t *testing.T) {
	r := refills{after: []time.Duration{0, time.Hour}, note: func(string, ...any) {}, push: func(any) {}}
	began := time.Now()
	r.now = func() time.Duration { return time.Since(began) }
	started, ended := make(chan bool, 1), make(chan bool, 1)
	e := &eye{name: "hall", rec: nowhere{}, refill: func(ctx context.Context, _, _ time.Time, _ RefillSink) (bool, error) {
		started <- true
		<-ctx.Done()
		ended <- true
		return false, ctx.Err()
	}}
	r.busy.Store(true)
	r.jobs = []refillJob{{eye: e, visit: "v", span: gapSpan{began, began.Add(time.Second)}}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan bool)
	go func() { r.run(ctx); close(done) }()
	select {
	case <-started:
		t.Fatal("fetched during a visit")
	case <-time.After(3 * refillLook):
	}
	r.busy.Store(false)
	<-started
	r.busy.Store(true)
	<-ended
	cancel()
	<-done
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.jobs) != 1 || r.jobs[0].try != 0 {
		t.Errorf("it is to be asked for again, and no try is lost: %+v", r.jobs)
	}
}
