package liveness

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// speaks has a detector say something at each of these instants while pictures come, until end.
func (w *world) speaks(all []shot, by string, s State, at []time.Duration, end time.Duration) []shot {
	for _, t := range append(at, end) {
		n := 0
		for n < len(all) && all[n].arrives <= t {
			n++
		}
		w.run(all[:n], t)
		all = all[n:]
		if t != end {
			w.j.Found(Finding{By: by, State: s, At: t, Say: "said"})
			w.note(w.j.Verdict())
		}
	}
	return all
}

func every(from, to, step time.Duration) (all []time.Duration) {
	for t := from; t < to; t += step {
		all = append(all, t)
	}
	return all
}

// S6: a detector that a live watch needs and that falls silent in a visit is a lapse within its stated bound, by its own name, until
// it says that all is well; the gap begins where it last did (S7). Outside a visit nobody is inside, and nobody is alarmed (S18).
func TestNeededDetectorFallsSilent(t *testing.T) {
	need := []Need{{By: "freeze", Within: 195 * sec}}
	w := newWorld(t, Config{Need: need})
	w.j.Opened(0)
	all := film(0, 15*440, 0, none)
	all = w.speaks(all, "freeze", Live, []time.Duration{2 * sec}, 70*sec)
	w.want(Live) // between visits a word a minute and less is enough
	w.j.Attended(true, 70*sec)
	all = w.speaks(all, "freeze", Live, every(72*sec, 100*sec, 2*sec), 150*sec) // the last at 98 s
	w.want(Live, Untrusted)
	if at := w.seen[1].Since; at != 128*sec {
		t.Errorf("untrusted since %v, want 30 s after the last word at 98 s", at)
	}
	if v := w.j.Verdict(); v.GapFrom != 98*sec {
		t.Errorf("S7: the gap begins at %v, want at the last word", v.GapFrom)
	}
	if f := find(w.j.Explain(), "freeze"); f.State != Untrusted || !strings.Contains(f.Say, "check for pictures that stand still has not said that all is well for 30") {
		t.Errorf("explained as %+v", f)
	}
	w.j.Found(Finding{By: "freeze", State: Unknown, At: 150 * sec, Say: "cannot say"}) // is no word that all is well
	all = w.speaks(all, "freeze", Live, every(160*sec, 235*sec, 2*sec), 235*sec)
	w.want(Live, Untrusted, Live)
	if d := w.seen[2].Since - 160*sec; d < trustHold || d > trustHold+100*ms {
		t.Errorf("live again %v after its word, want %v", d, trustHold)
	}
	w.j.Attended(false, 235*sec)
	w.run(all, 439*sec)
	w.want(Live, Untrusted, Live, Lagging)
	if at := w.seen[3].Since; at != 234*sec+195*sec+1 {
		t.Errorf("outside a visit stale at %v, want 195 s after the word at 234 s", at)
	}
}

// S6, S13: one that goes on saying that it cannot say is a lapse, too: when its last good word is as old as it may be.
func TestNeededDetectorThatCannotSay(t *testing.T) {
	w := newWorld(t, Config{Need: []Need{{By: "loop", Within: 60 * sec}}})
	w.j.Opened(0)
	all := film(0, 15*120, 0, none)
	w.j.Attended(true, 0)
	all = w.speaks(all, "loop", Live, []time.Duration{5 * sec}, 6*sec)
	w.speaks(all, "loop", Unknown, every(7*sec, 100*sec, 2*sec), 100*sec)
	w.want(Live, Untrusted)
	if at := w.seen[1].Since; at != 65*sec {
		t.Errorf("untrusted since %v, want 60 s after its last good word", at)
	}
	if f := find(w.j.Explain(), "loop"); f.Limit != 60 {
		t.Errorf("explained as %+v", f)
	}
}

// S18: what was rare before a visit has time to speak in it; a camera with rare key pictures has three of them; a hub that was late
// itself, and a watch that was never live, blame nobody.
func TestSilenceIsNotBlamedTooSoon(t *testing.T) {
	t.Run("the visit has just begun", func(t *testing.T) {
		w := newWorld(t, Config{Need: []Need{{By: "freeze", Within: 60 * sec}}})
		w.j.Opened(0)
		all := w.speaks(film(0, 15*90, 0, none), "freeze", Live, []time.Duration{5 * sec}, 64*sec)
		w.j.Attended(true, 64*sec)
		w.speaks(all, "freeze", Live, []time.Duration{70 * sec}, 80*sec)
		w.want(Live, Lagging, Live)
	})
	t.Run("rare key pictures", func(t *testing.T) {
		w := newWorld(t, Config{Need: []Need{{By: "freeze", Within: 195 * sec}}})
		if err := w.j.Restore(Calibration{Version: 1, KeyEvery: 20_000}); err != nil {
			t.Fatal(err)
		}
		w.j.Opened(0)
		all := film(0, 15*100, 0, none)
		for i := range all {
			all[i].key = i%300 == 0
		}
		w.j.Attended(true, 0)
		w.speaks(all, "freeze", Live, []time.Duration{5 * sec}, 99*sec)
		w.want(Live, Untrusted)
		if at := w.seen[1].Since; at != 65*sec {
			t.Errorf("untrusted since %v, want three key pictures of 20 s after 5 s", at)
		}
	})
	t.Run("never live", func(t *testing.T) {
		w := newWorld(t, Config{Need: []Need{{By: "freeze", Within: 195 * sec}, {By: "loop", Within: 195 * sec}}})
		w.j.Opened(0)
		w.j.Attended(true, 0)
		w.speaks(film(0, 15*100, 0, none), "freeze", Live, []time.Duration{5 * sec}, 99*sec)
		w.want()
	})
	t.Run("one word is enough for it", func(t *testing.T) {
		w := newWorld(t, Config{Need: []Need{{By: "door"}}})
		w.j.Opened(0)
		w.j.Attended(true, 0)
		w.speaks(film(0, 15*300, 0, none), "door", Live, []time.Duration{5 * sec}, 299*sec)
		w.want(Live)
	})
}

// S6 as a law: whatever two needed detectors say whenever, a visit's watch is never live past the bound of either one's silence, and
// is not blamed before it.
func TestSilenceLaw(t *testing.T) {
	found, quiet := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		within := time.Duration(rapid.IntRange(31, 90).Draw(t, "within s")) * sec
		w := newWorld(t, Config{Replay: 64, Keys: 16, Need: []Need{{By: "freeze", Within: within}, {By: "loop", Within: within}}})
		w.j.Opened(0)
		w.j.Attended(true, 0)
		by := []string{"freeze", "loop"}
		good, heard := [2]time.Duration{}, [2]time.Duration{}
		now, all := 2*sec, film(0, 15*160, 0, none)
		for i := range by {
			all = w.speaks(all, by[i], Live, []time.Duration{now}, now)
			good[i], heard[i] = now, now
		}
		fell, due := false, time.Duration(0)
		w.each = func(at time.Duration, v Verdict) {
			for i := range by {
				if d := min(good[i]+within, heard[i]+silentLeast); at > d && !fell {
					fell, due = true, d
				}
			}
			switch {
			case fell && v.State == Live:
				t.Fatalf("live at %v, silent since %v", at, due)
			case !fell && v.State == Untrusted:
				t.Fatalf("untrusted at %v: good %v, heard %v", at, good, heard)
			}
		}
		for range rapid.IntRange(1, 6).Draw(t, "words") {
			i := rapid.IntRange(0, 1).Draw(t, "who")
			s := rapid.SampledFrom([]State{Live, Live, Unknown}).Draw(t, "what")
			now += time.Duration(rapid.IntRange(100, 25_000).Draw(t, "after ms")) * ms
			all = w.speaks(all, by[i], Unknown, nil, now)
			if fell {
				break
			}
			heard[i] = now
			if s == Live {
				good[i] = now
			}
			w.j.Found(Finding{By: by[i], State: s, At: now})
			w.note(w.j.Verdict())
		}
		if fell {
			found++
		} else {
			quiet++
		}
	})
	t.Logf("%d fell silent, %d did not", found, quiet)
	if !testing.Short() && (found == 0 || quiet == 0) { // a fifth of the tries may miss one
		t.Error("the law was hardly tried")
	}
}
