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
	askLeast, askMost = 1500 * time.Millisecond, 5 * time.Second
	// askPatience bounds the sending of a question.
	askPatience = 2 * time.Second
)

// challenge asks a camera for key pictures at random moments: first until it is proven that it answers, then in every visit. A
// camera that is not proven to answer is never held to it.
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
		if e.wantsAsking() {
			e.ask(ctx)
		}
		timer.Reset(wait)
	}
}

// wantsAsking says whether a question is due, and tells once what the camera turned out to be.
func (e *eye) wantsAsking() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, state := e.now(), e.answers.State()
	if state != e.answering {
		e.answering = state
		e.log.Info("camera: "+e.answers.Say(), "door", e.door, "camera", e.name)
	}
	switch state {
	case liveness.AnswerLearning:
		return e.open && e.answers.Ready(now)
	case liveness.AnswerProven:
		return e.open && e.recording
	default:
		return false
	}
}

// ask sends one question. What was not sent is not held against the camera.
func (e *eye) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	if err := e.asker.Ask(ctx); err != nil {
		e.log.Debug("the camera was not asked", "door", e.door, "camera", e.name, "err", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	if e.answers.State() == liveness.AnswerLearning {
		e.answers.Asked(now)
		return
	}
	e.asked(now)
}

// asked tells the judge, which expects a key picture in time.
func (e *eye) asked(now time.Duration) {
	if j, ok := any(e.judge).(interface{ Asked(time.Duration) }); ok {
		j.Asked(now)
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
