package run

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
)

// asked is a camera whose key picture comes when it wants.
type asked func() error

func (f asked) Ask(context.Context) error { return f() }

// film gives an eye pictures, 15 a second, with a key picture of its own every three seconds.
type film struct {
	e   *eye
	now time.Duration
	n   int
}

func newFilm() *film {
	f := &film{now: time.Hour}
	f.e = &eye{
		door: "front", name: "hall", rec: noRecorder{}, now: func() time.Duration { return f.now }, push: func(any) {}, note: func(Event) {},
		log: slog.New(slog.DiscardHandler), judge: liveness.New(liveness.Config{}), link: liveness.NewLink(false),
	}
	f.e.says = &saying{log: f.e.log, now: f.e.now}
	f.e.Opened(camera.Params{Codec: camera.H264})
	return f
}

func (f *film) picture(key bool) {
	f.n++
	f.now += time.Second / 15
	nal := []byte{0x41, byte(f.n), byte(f.n >> 8), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}
	if key {
		nal[0] = 0x65
	}
	f.e.Picture(camera.Picture{Media: time.Duration(f.n) * time.Second / 15, Arrival: f.now, Key: key, NALs: [][]byte{nal}})
	f.e.tick(f.now)
}

func (f *film) run(pictures int) {
	for range pictures {
		f.picture(f.n%45 == 0)
	}
}

// prove lets the camera answer until it is proven.
func (f *film) prove(t *testing.T) {
	t.Helper()
	f.run(200)
	f.e.asker = asked(func() error { return nil })
	for range 20 {
		if f.e.answers.Ready(f.now) {
			f.e.ask(t.Context())
			f.picture(true)
		}
		f.run(45)
	}
	if f.e.answers.State() != liveness.AnswerProven || f.e.judge.Verdict().State != liveness.Live {
		t.Fatalf("%s; state %v", f.e.answers.Say(), f.e.judge.Verdict().State)
	}
}

// S18: an ONVIF camera's reply may come after its key picture. It has answered, and is neither a liar nor deaf; one that gives none
// is not trusted (T5).
func TestAnswerBeforeTheReply(t *testing.T) {
	f := newFilm()
	f.prove(t)
	early := asked(func() error {
		f.picture(true)
		f.run(5) // the reply is on its way
		return nil
	})
	for _, k := range []struct {
		by   camera.Asker
		want liveness.State
	}{{early, liveness.Live}, {early, liveness.Live}, {asked(func() error { return nil }), liveness.Untrusted}} {
		f.e.asker = k.by
		for range 5 {
			for f.n%45 != 10 {
				f.run(1)
			}
			f.e.ask(t.Context())
			for range 32 {
				f.picture(false) // none of its own comes meanwhile
			}
		}
		if got := f.e.judge.Verdict().State; got != k.want {
			t.Fatalf("state %v, want %v: %+v", got, k.want, f.e.judge.Explain())
		}
		f.run(200)
	}

	late := newFilm() // and such a camera is proven to answer
	late.run(200)
	late.e.asker = asked(func() error { late.picture(true); return nil })
	for range 20 {
		if late.e.answers.Ready(late.now) {
			late.e.ask(t.Context())
		}
		late.run(45)
	}
	if late.e.answers.State() != liveness.AnswerProven {
		t.Errorf("a camera whose reply comes after its key picture: %s", late.e.answers.Say())
	}
}

// miss asks questions in a visit, as the challenge does at each look, until n of them have been missed.
func (f *film) miss(t *testing.T, n int) {
	t.Helper()
	f.e.asker = asked(func() error { return nil })
	f.e.recording = true
	for missed, open := 0, false; missed < n; {
		if f.e.wantsAsking() == askNow {
			f.e.ask(t.Context())
		}
		f.run(1)
		if open && !f.e.judge.Asking() {
			missed++
		}
		open = f.e.judge.Asking()
	}
	f.e.recording = false
}

// S18, T5: one missed question is no lapse; the next ones follow at the first good moment, and with the fifth the camera is not
// trusted: within five of its key picture intervals and the time for an answer.
func TestMissesAreFollowedUp(t *testing.T) {
	f := newFilm()
	f.prove(t)
	f.run(90)
	began := f.now
	f.miss(t, 4)
	if got := f.e.judge.Verdict().State; got != liveness.Live {
		t.Fatalf("state %v after four misses: %+v", got, f.e.judge.Explain())
	}
	f.miss(t, 1)
	if got, took := f.e.judge.Verdict().State, f.now-began; got != liveness.Untrusted || took > 5*3*time.Second+2100*time.Millisecond {
		t.Errorf("state %v, %v after it began not to answer", got, took)
	}
}

// What was not sent counts for neither side.
func TestQuestionNotSent(t *testing.T) {
	f := newFilm()
	f.run(200)
	f.e.asker = asked(func() error { return camera.ErrNotAsked })
	for range 20 {
		if f.e.answers.Ready(f.now) {
			f.e.ask(t.Context())
		}
		f.run(45)
	}
	if got := f.e.answers.State(); got != liveness.AnswerLearning {
		t.Errorf("state %v, want still learning", got)
	}
	f.prove(t)
}

// A camera that did not answer in a visit is asked on after it, so that it is trusted again before the next courier comes; one that
// is trusted is asked in visits alone.
func TestUntrustedIsAskedOutsideVisits(t *testing.T) {
	f := newFilm()
	f.prove(t)
	for f.n%45 != 10 {
		f.run(1)
	}
	if got := f.e.wantsAsking(); got != askNot {
		t.Errorf("outside a visit a camera that is trusted is asked: %d", got)
	}
	f.miss(t, 5) // as in a visit
	if got := f.e.judge.Verdict().State; got != liveness.Untrusted {
		t.Fatalf("state %v", got)
	}
	for range 3 {
		for n := 0; f.e.wantsAsking() != askNow; n++ {
			if f.run(1); n > 100 {
				t.Fatal("it is not asked any more")
			}
		}
		f.e.ask(t.Context())
		f.picture(true)
		f.run(10)
	}
	f.run(65 * 15)
	if got := f.e.judge.Verdict().State; got != liveness.Live {
		t.Errorf("state %v a minute after it has answered, want live", got)
	}
}
