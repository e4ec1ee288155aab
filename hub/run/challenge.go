package run

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"eyebolt/liveness"
)

const (
	// askLeast and askMost are between which two questions for a key picture lie, at random: a recording cannot know when. Every
	// question costs the camera a key picture, ten times the bytes of another.
	askLeast, askMost = 2 * time.Second, 6 * time.Second
	// askLook is about how long a question waits for a moment at which its answer proves something.
	askLook = 100 * time.Millisecond
	// askPatience bounds the sending of a question.
	askPatience = 2 * time.Second
)

// challenge asks a camera for key pictures at random moments: first until it is proven that it answers, then in every visit. A
// camera that is not proven to answer is never held to it. One that is not trusted is asked outside visits, too.
func (e *eye) challenge(ctx context.Context, random io.Reader) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait, err := between(random, askLeast, askMost)
		if err != nil {
			e.log.Warn("no randomness, so the camera is not asked for key pictures", "door", e.door, "camera", e.name, "err", err)
			return
		}
		switch e.wantsAsking() {
		case askNow:
			e.ask(ctx)
			if e.settling() {
				wait = askLook + wait%askLook
			}
		case askSoon:
			wait = askLook + wait%askLook
		case askNot:
		}
		timer.Reset(wait)
	}
}

// asking is whether a question is due.
type asking uint8

const (
	askNot  asking = iota
	askSoon        // at the next good moment
	askNow
)

// wantsAsking says whether a question is due, and tells once what the camera turned out to be.
func (e *eye) wantsAsking() asking {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, state := e.now(), e.answers.State()
	if state != e.answering {
		e.answering = state
		e.log.Info("camera: "+e.answers.Say(), "door", e.door, "camera", e.name)
	}
	// Only an answer takes an unanswered question back: it must not wait for the next visit, whose courier would wait for it.
	wanted := e.recording || e.told.State == liveness.Untrusted
	pressing := wanted && state == liveness.AnswerProven && e.judge.Doubted()
	switch {
	case !e.open:
		return askNot
	case e.judge.Asking():
		return askSoon
	case pressing && e.answers.Again(now):
		return askNow
	case pressing:
		return askSoon
	case state == liveness.AnswerLearning && e.answers.Ready(now):
		return askNow
	case state == liveness.AnswerProven && wanted && e.answers.Moment(now):
		return askNow
	case state == liveness.AnswerProven && wanted:
		return askSoon
	default:
		return askNot
	}
}

// settling says whether a question waits for its answer: a miss is followed by the next question at the first good moment, not
// at a random one.
func (e *eye) settling() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Asking()
}

// ask sends one question. What was not sent is not held against the camera; nor is one that the camera had answered before its
// sending was confirmed, as by an ONVIF camera whose reply comes after its key picture: the judge, which waits from then on, would
// wait for a second one (S18).
func (e *eye) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	e.mu.Lock()
	began := e.now()
	proven := e.answers.State() == liveness.AnswerProven
	e.answers.Asked(began)
	e.mu.Unlock()
	err := e.asker.Ask(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.answers.Unsent()
		e.log.Debug("the camera was not asked", "door", e.door, "camera", e.name, "err", err)
		return
	}
	if now := e.now(); proven && e.keyAt <= began { // the judge expects a key picture in time
		e.judge.Asked(now)
		e.pass(now, e.judge.Verdict())
	}
}

// between gives a random span of [least, most).
func between(random io.Reader, least, most time.Duration) (time.Duration, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, err
	}
	return least + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(most-least)), nil
}
