package run

import (
	"testing"

	"eyebolt/liveness"
)

// T5: a recording of a visit holds key pictures out of turn, some soon after one in turn. Whoever plays it in does not have the camera
// excused from questions by that: it was proven to answer, and is asked on.
func TestPlantedKeyPicturesExcuseNobody(t *testing.T) {
	f := newFilm()
	f.prove(t)
	f.run(90)
	f.e.recording = true
	for f.n%45 != 6 {
		f.run(1)
	}
	f.picture(true) // of the recording
	for i := 0; i < 45*20 && f.e.judge.Verdict().State == liveness.Live; i++ {
		if f.e.wantsAsking() == askNow {
			f.e.ask(t.Context())
		}
		f.run(1)
	}
	if got := f.e.judge.Verdict().State; got != liveness.Untrusted {
		t.Errorf("state %v after a minute without an answer, want untrusted; %s", got, f.e.answers.Say())
	}
}
