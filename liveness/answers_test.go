package liveness

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A camera that answers is proven, one that does not is not, whatever its key pictures' distance and however the questions fall.
func TestAnswers(t *testing.T) {
	for _, k := range []struct {
		name  string
		gop   time.Duration
		reply time.Duration // 0: none
		fixed bool          // its own key pictures keep to their timetable
		want  Answering
		most  int // of 1,000 runs that end otherwise
	}{
		{"answers", 2 * time.Second, 150 * time.Millisecond, false, AnswerProven, 0},
		{"answers, and keeps its timetable", 2 * time.Second, 150 * time.Millisecond, true, AnswerProven, 0},
		{"answers, slowly", 4 * time.Second, 600 * time.Millisecond, false, AnswerProven, 0},
		{"deaf", 2 * time.Second, 0, false, AnswerDeaf, 2},
		{"deaf, with rare key pictures", 10 * time.Second, 0, false, AnswerDeaf, 2},
		{"key pictures all the time", 500 * time.Millisecond, 0, false, AnswerPointless, 0},
		{"hardly any key pictures, and answers", time.Hour, 100 * time.Millisecond, false, AnswerProven, 0},
		{"hardly any key pictures, and deaf", time.Hour, 0, false, AnswerDeaf, 0},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		other := 0
		for range 1000 {
			var a Answers
			const period = time.Second / 15
			next, due := time.Duration(0), time.Duration(-1)
			ask := time.Duration(0)
			for at := time.Duration(0); at < 5*time.Minute && a.State() == AnswerLearning; at += period {
				own, reply := at >= next, due >= 0 && at >= due
				key := own || reply
				if own || reply && !k.fixed {
					next = at + k.gop
				}
				if key {
					due = -1
				}
				a.Picture(key, at)
				if at >= ask && a.Ready(at) {
					a.Asked(at)
					ask = at + 2*time.Second + time.Duration(r.Float64()*float64(3*time.Second))
					if k.reply > 0 {
						due = at + k.reply
					}
				}
			}
			if a.State() != k.want {
				other++
			}
			if a.Say() == "" {
				t.Fatal("says nothing")
			}
		}
		t.Logf("%s: %d of 1000 otherwise", k.name, other)
		if other > k.most {
			t.Errorf("%s: %d of 1000 runs do not end as %d", k.name, other, k.want)
		}
	}
}
