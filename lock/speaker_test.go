package lock

import (
	"testing"
	"time"
)

// A burst passes whole and in order; a flood is thinned, ends with the newest, and says that something was left out.
func TestSpeaker(t *testing.T) {
	var out []Report
	s := Speaker{Out: func(r Report) { out = append(out, r) }}
	bolt := func(i int) Bolt { return BoltThrown + Bolt(i%2) }
	for i := range SpeakerBurst {
		s.Say(Report{What: OfBolt, Bolt: bolt(i)})
	}
	if len(out) != SpeakerBurst {
		t.Fatalf("SpeakerBurst: %d of %d passed", len(out), SpeakerBurst)
	}
	s.Say(Report{What: OfDoor, Door: DoorOpen}) // another kind is not held up
	if got := out[len(out)-1]; got.Door != DoorOpen {
		t.Errorf("a door report was held up by bolt reports: %+v", got)
	}
	out = out[:0]
	for i := range 100_001 {
		s.Say(Report{What: OfBolt, Bolt: bolt(i), At: time.Millisecond})
	}
	if len(out) != 0 {
		t.Errorf("flood: %d passed at once", len(out))
	}
	if waits := s.Flush(SpeakerGap + time.Millisecond); waits {
		t.Error("still waits when its time has come")
	}
	if len(out) != 2 || out[0].Bolt != BoltUnknown || out[1].Bolt != BoltThrown || out[1].Age != SpeakerGap {
		t.Errorf("after the flood: got %+v, want unknown, then the newest with its age", out)
	}
}
