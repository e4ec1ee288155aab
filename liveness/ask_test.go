package liveness

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// answers makes each question's answer a key picture out of turn, after it.
func answers(all []shot, after time.Duration, asked ...time.Duration) []shot {
	for _, at := range asked {
		for i := range all {
			if all[i].captured >= at+after {
				all[i].key, all[i].nals = true, picture(uint64(i)+1e6, true)
				break
			}
		}
	}
	return all
}

// ask runs a camera that is asked at these instants.
func (w *world) ask(all []shot, end time.Duration, asked ...time.Duration) {
	for _, at := range asked {
		n := 0
		for n < len(all) && all[n].arrives <= at {
			n++
		}
		w.run(all[:n], at)
		w.j.Asked(at)
		all = all[n:]
	}
	w.run(all, end)
}

// T5, T6: a stream that does not answer a question is not trusted, until it answers; one that answers stays live.
func TestChallenge(t *testing.T) {
	at := []time.Duration{9300 * ms, 12700 * ms, 17100 * ms}
	t.Run("answered", func(t *testing.T) {
		w := newWorld(t, Config{Need: []Need{{By: "key"}}})
		w.j.Opened(0)
		w.ask(answers(film(0, 450, 0, none), 200*ms, at...), 29*sec, at...)
		w.want(Live)
		if since := w.seen[0].Since; since < 9500*ms || since > 9600*ms {
			t.Errorf("live since %v, want with the first answer", since)
		}
		if f := find(w.j.Explain(), "key"); f.State != Live || !strings.Contains(f.Say, "out of turn in 2") {
			t.Errorf("explained as %+v", f)
		}
	})
	t.Run("late by more than was learned", func(t *testing.T) {
		w := newWorld(t, Config{})
		w.j.Opened(0)
		all := answers(film(0, 1500, 0, none), 200*ms, at[:2]...)
		late := every(17100*ms, 26*sec, 2*sec)
		w.ask(answers(all, 1200*ms, late...), 29*sec, append(at[:2:2], late...)...)
		w.want(Live, Untrusted)
		if d := w.seen[1].Since - late[4]; d < 700*ms || d > 900*ms {
			t.Errorf("untrusted %v after the fifth question, want as soon as twice the longest answer and 300 ms have passed", d)
		}
	})
	t.Run("never answered, and then answered", func(t *testing.T) {
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		w.j.Opened(0)
		missed, heard := every(9300*ms, 18*sec, 2*sec), every(30300*ms, 35*sec, 2*sec)
		all := answers(film(0, 1500, 0, none), 200*ms, heard...)
		w.ask(all, 99*sec, append(missed, heard...)...)
		w.want(Live, Untrusted, Live)
		if d := w.seen[1].Since - 17300*ms; d < 600*ms || d > 700*ms {
			t.Errorf("untrusted %v after the fifth question", d)
		}
		if d := w.seen[2].Since - 34500*ms; d < 60*sec || d > 61*sec {
			t.Errorf("live again %v after the third answer, want 60 s", d)
		}
	})
	t.Run("only regular key pictures", func(t *testing.T) {
		w := newWorld(t, Config{})
		w.j.Opened(0)
		turns := []time.Duration{8300 * ms, 12400 * ms, 16200 * ms, 20300 * ms, 24400 * ms}
		w.ask(film(0, 450, 0, none), 27*sec, turns...)
		w.want(Live, Untrusted)
		if f := find(w.j.Lapses(), "key"); !strings.Contains(f.Say, "only the one that it gives in any case, 5 times in a row") {
			t.Errorf("explained as %+v", f)
		}
	})
	t.Run("four misses are none yet", func(t *testing.T) { // S18
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		w.j.Opened(0)
		w.ask(film(0, 450, 0, none), 29*sec, every(9300*ms, 16*sec, 2*sec)...)
		w.want(Live)
		if f := find(w.j.Explain(), "key"); !strings.HasSuffix(f.Say, "4 times in a row; it is asked again") || !w.j.Doubted() {
			t.Errorf("explained as %+v, doubted %v", f, w.j.Doubted())
		}
	})
	t.Run("packets that are lost after each question are no way out", func(t *testing.T) {
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		w.j.Opened(0)
		all, asked := film(0, 15*60, 0, none), every(9300*ms, 29*sec, 2*sec)
		for _, q := range asked {
			all = lose(all, q+100*ms, q+100*ms+period)
		}
		w.ask(all, 40*sec, asked...)
		if v := w.j.Verdict(); v.State != Untrusted {
			t.Errorf("%v after %d questions: %+v", v.State, len(asked), w.j.Explain())
		}
	})
	t.Run("a connection that breaks after each question is no way out", func(t *testing.T) {
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		for i := range 5 {
			from := time.Duration(i) * 20 * sec
			w.tick = max(w.tick, from)
			w.j.Opened(from)
			w.ask(film(from, 225, 0, none), from+12*sec, from+9300*ms)
			w.j.Closed(from + 12*sec)
		}
		if f := find(w.j.Explain(), "key"); f.State != Untrusted {
			t.Errorf("explained as %+v", f)
		}
	})
	t.Run("a stall delays the answer with everything else", func(t *testing.T) {
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		w.j.Opened(0)
		all := stall(answers(film(0, 450, 0, none), 200*ms, at...), 9400*ms, 10500*ms)
		w.ask(all, 11*sec, at[0])
		w.want(Live, Lagging, Live)
	})
	t.Run("a stall delays the question, too", func(t *testing.T) { // S18: it heals as any lag does, and the camera is no liar
		w := newWorld(t, Config{})
		w.j.Opened(0)
		all := answers(film(0, 450, 0, none), 50*ms, at[:2]...)
		w.ask(stall(answers(all, 750*ms, at[2]), at[2]-50*ms, at[2]+700*ms), 22*sec, at...)
		w.want(Live, Lagging, Live)
		if l := w.j.ask.longest; l > 150*ms {
			t.Errorf("the camera is taken to answer in %v", l)
		}
	})
	t.Run("a stall is no excuse for none", func(t *testing.T) {
		w := newWorld(t, Config{})
		w.j.Opened(0)
		all := answers(film(0, 1500, 0, none), 50*ms, at[:2]...)
		const third = 16300 * ms // a key picture's turn is 1.7 s later
		w.ask(stall(all, third-50*ms, third+700*ms), 29*sec, append(at[:2:2], every(third, 25*sec, 2*sec)...)...)
		w.want(Live, Lagging, Live, Untrusted)
	})
	t.Run("the answer is lost with packets", func(t *testing.T) {
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		w.j.Opened(0)
		all := lose(answers(film(0, 450, 0, none), 200*ms, at[0]), 9450*ms, 9700*ms)
		w.ask(all, 11*sec, at[0])
		w.want(Live, Lagging, Live)
	})
	t.Run("a reconnection settles it", func(t *testing.T) {
		w := newWorld(t, Config{KeyWithin: 600 * ms})
		w.j.Opened(0)
		w.ask(film(0, 142, 0, none), 9500*ms, 9400*ms)
		w.j.Closed(9500 * ms)
		w.j.Opened(9600 * ms)
		w.tick = 9600 * ms
		w.run(film(10*sec, 150, 0, none), 18*sec)
		if v := w.j.Verdict(); v.State != Live {
			t.Errorf("%v, want Live", v.State)
		}
	})
}

// Whatever is asked whenever: a camera that answers each question in time is never untrusted, nor one that missed less than five;
// one that answers none is, once five of them were followed by no key picture of its own in time.
func TestChallengeLaw(t *testing.T) {
	tried := [2]int{}
	rapid.Check(t, func(t *rapid.T) {
		answer := time.Duration(rapid.IntRange(20, 280).Draw(t, "answer ms")) * ms
		deaf := rapid.Bool().Draw(t, "deaf")
		var asked []time.Duration
		at := 9 * sec
		for range rapid.IntRange(3, 14).Draw(t, "questions") {
			at += time.Duration(rapid.IntRange(1000, 5000).Draw(t, "apart ms")) * ms
			asked = append(asked, at)
		}
		all := film(0, int((at+4*sec)/period), 0, none)
		last, waits, missed := -30, 0, 0
		for i := range all { // its interval begins anew with each key picture
			key := i-last >= 30
			for waits < len(asked) && asked[waits]+answer <= all[i].captured && !deaf {
				key = true
				waits++
			}
			if all[i].key != key {
				all[i].key, all[i].nals = key, picture(uint64(i)+2e6, key)
			}
			if key {
				last = i
			}
		}
		for _, q := range asked {
			next := (q/(30*period) + 1) * 30 * period
			if deaf && next-q > 900*ms+2*period {
				missed++
			}
		}
		expect := missed >= 5
		w := newWorld(t, Config{KeyWithin: 900 * ms})
		w.j.Opened(0)
		w.ask(all, at+3*sec, asked...)
		found := false
		for _, v := range w.seen {
			found = found || v.State == Untrusted
		}
		if expect {
			tried[1]++
		} else if !deaf {
			tried[0]++
		}
		if expect && !found || (!deaf || len(asked) < 5) && found {
			t.Fatalf("deaf %v, states %v: %+v", deaf, w.states(), w.j.Lapses())
		}
	})
	t.Logf("%d that answer, %d that do not", tried[0], tried[1])
}

// S18, T5: what a camera's misses weigh, in numbers. One that misses one question in eight is accused less than once in 10,000
// questions; a stream that does not hear them, and seems to answer one in seven by chance, is accused after seven in the mean and
// after 20 in all but one of 1,000; one that answers none, at the fifth, wherever it begins.
func TestDoubtRates(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const questions = 4_000_000
	accused, d := 0, doubt{}
	for range questions {
		if rng.Float64() >= 1.0/8 {
			d.answer()
		} else if d.miss(1) {
			accused++
			d = doubt{}
		}
	}
	t.Logf("honest, one miss in eight: accused %d times in %d questions", accused, questions)
	if accused > questions/doubtOdds || accused == 0 {
		t.Errorf("accused %d times, Wald's bound is %.0f", accused, questions/doubtOdds)
	}
	const streams = 100_000
	var took []int
	for range streams {
		d, n := doubt{}, 1
		for rng.Float64() < doubtChance && d.answer() || !d.miss(1) {
			n++
		}
		took = append(took, n)
	}
	slices.Sort(took)
	sum := 0
	for _, n := range took {
		sum += n
	}
	mean, late := float64(sum)/streams, took[streams*999/1000]
	t.Logf("does not hear, seems to answer one in seven: accused after %.1f questions in the mean, %d in 999 of 1,000", mean, late)
	if mean > 8 || late > 24 {
		t.Errorf("after %.1f in the mean, %d in 999 of 1,000", mean, late)
	}
	for range 1000 { // however many it answered before: five misses in a row accuse it, and three answers redeem it
		d := doubt{}
		for range rng.IntN(20) {
			if rng.IntN(3) > 0 {
				d.answer()
			} else {
				d.miss(1)
			}
		}
		for range 4 {
			d.miss(1)
		}
		if !d.miss(1) || d.answer() || d.answer() || !d.answer() {
			t.Fatalf("%+v", d)
		}
	}
}
