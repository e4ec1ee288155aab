package liveness

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// find gives the finding of one detector.
func find(all []Finding, by string) Finding {
	for _, f := range all {
		if f.By == by {
			return f
		}
	}
	return Finding{}
}

// S6: a lapse that a detector beside the Judge finds is a lapse at once, stays until the same detector says that all is well,
// and then for as long as its kind is held; another detector's word does not take it back. Its gap begins where it was last
// vouched for (S7).
func TestFoundLatches(t *testing.T) {
	for _, c := range []struct {
		state State
		hold  time.Duration
	}{{Frozen, 10 * sec}, {Replayed, 10 * sec}, {Covered, 10 * sec}, {Untrusted, 60 * sec}, {Late, 0}} {
		w := newWorld(t, Config{})
		w.j.Opened(0)
		all := film(0, 15*120, 0, none)
		w.run(all, 3*sec)
		w.j.Found(Finding{By: "freeze", State: Live, At: 3 * sec, Say: "well"})
		w.run(all[45:], 5*sec)
		w.j.Found(Finding{By: "freeze", State: c.state, At: 5 * sec, Score: 0.8, Limit: 0.2, Say: "not well"})
		w.note(w.j.Verdict())
		w.run(all[75:], 6*sec)
		w.j.Found(Finding{By: "loop", State: Live, At: 6 * sec})
		w.j.Found(Finding{By: "freeze", State: Unknown, At: 6 * sec, Say: "cannot say"})
		w.run(all[90:], 20*sec)
		w.want(Live, c.state)
		if f := find(w.j.Explain(), "freeze"); f.State != c.state || f.Say != "not well" || f.Score != 0.8 {
			t.Errorf("explained as %+v, want the lapse that is held", f)
		}
		w.j.Found(Finding{By: "freeze", State: Live, At: 20 * sec, Say: "well again"})
		w.note(w.j.Verdict())
		w.run(all[300:], 119*sec)
		w.want(Live, c.state, Live)
		if d := w.seen[2].Since - 20*sec; d < c.hold || d > c.hold+100*ms {
			t.Errorf("%d: live again after %v, want %v", c.state, d, c.hold)
		}
		if v := w.j.Verdict(); v.GapFrom != 3*sec || v.GapTo < 5*sec {
			t.Errorf("gap %v to %v, want from 3 s", v.GapFrom, v.GapTo)
		}
		if f := find(w.j.Explain(), "freeze"); f.Say != "well again" {
			t.Errorf("explained as %+v, want that it is well again", f)
		}
		if f := find(w.j.Lapses(), "freeze"); f.Say != "not well" {
			t.Errorf("the lapse is forgotten: %+v", f)
		}
	}
}

// T7: a camera's own tamper event is a Finding like any other, and a reconnection does not take it back.
func TestTamperOutlivesAReconnection(t *testing.T) {
	w := newWorld(t, Config{})
	w.j.Opened(0)
	all := film(0, 900, 0, none)
	w.run(all, 5*sec)
	w.j.Found(Finding{By: "tamper", State: Covered, At: 5 * sec, Say: "the camera says: image too dark"})
	w.j.Closed(6 * sec)
	w.j.Opened(6 * sec)
	again := film(7*sec, 600, 0, none)
	w.tick = 6 * sec
	w.run(again, 30*sec)
	if v := w.j.Verdict(); v.State != Covered {
		t.Errorf("%v after a reconnection, want Covered", v.State)
	}
	w.j.Found(Finding{By: "tamper", State: Live, At: 30 * sec})
	w.run(again[15*23+5:], 45*sec)
	if v := w.j.Verdict(); v.State != Live {
		t.Errorf("%v after it is taken back, want Live", v.State)
	}
}

// S1: a word that was on its way while the camera was connected anew is about the connection before, and counts for nothing on
// this one; nor does one that comes while there is no connection.
func TestNeedsAreOfThisConnection(t *testing.T) {
	w := newWorld(t, Config{Need: []Need{{By: "freeze", Within: 60 * sec}}})
	w.j.Opened(0)
	w.run(film(0, 15*5, 0, none), 5*sec)
	w.j.Closed(5 * sec)
	w.j.Found(Finding{By: "freeze", State: Live, At: 5 * sec})
	w.j.Opened(6 * sec)
	w.j.Found(Finding{By: "freeze", State: Live, At: 4900 * ms}) // it was being decoded
	w.tick = 6 * sec
	again := film(6500*ms, 15*20, 0, none)
	w.run(again[:75], 11*sec)
	if v := w.j.Verdict(); v.State == Live || strings.Join(w.j.Waiting(), " ") != "freeze" {
		t.Errorf("%v, waits for %q: the word of another connection counts", v.State, w.j.Waiting())
	}
	w.j.Found(Finding{By: "freeze", State: Live, At: 11 * sec})
	if v := w.j.Verdict(); v.State != Live {
		t.Errorf("%v after this connection's word, want Live", v.State)
	}
	w.j.Found(Finding{By: "freeze", State: Live, At: 5 * sec}) // a straggler takes nothing away
	w.run(again[75:150], 16*sec)
	if v := w.j.Verdict(); v.State != Live {
		t.Errorf("%v after a straggler, want Live", v.State)
	}
}

// S1: the watch is not live until every needed detector has judged on this connection, and no longer than its word is fresh.
// A camera of which nothing is needed is not held up.
func TestNeeds(t *testing.T) {
	w := newWorld(t, Config{Need: []Need{{By: "freeze", Within: 9 * sec}, {By: "door"}, {By: "age"}}})
	if got := strings.Join(w.j.Waiting(), " "); got != "freeze door" {
		t.Errorf("waits for %q", got)
	}
	w.j.Opened(0)
	all := film(0, 15*60, 0, none)
	w.run(all, 5*sec)
	w.want()
	w.j.Found(Finding{By: "freeze", State: Live, At: 5 * sec})
	w.run(all[75:], 6*sec)
	w.want()
	w.j.Found(Finding{By: "door", State: Live, At: 6 * sec})
	w.note(w.j.Verdict())
	w.run(all[90:], 20*sec)
	w.want(Live, Lagging)
	if at := w.seen[1].Since; at != 14*sec+1 {
		t.Errorf("its word is stale at %v, want after 14 s", at)
	}
	if got := strings.Join(w.j.Waiting(), " "); got != "freeze" {
		t.Errorf("waits for %q", got)
	}
	w.j.Found(Finding{By: "freeze", State: Live, At: 20 * sec})
	w.note(w.j.Verdict())
	w.want(Live, Lagging, Live)
	w.j.Closed(21 * sec)
	w.j.Opened(21 * sec)
	w.tick = 21 * sec
	w.run(film(21*sec, 60, 0, none), 25*sec)
	if v := w.j.Verdict(); v.State == Live {
		t.Error("live on a new connection by the words of the old one")
	}
}

// What the Judge keeps of others is bounded, and no word of theirs makes it live.
func TestFoundIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := New(Config{Replay: 64, Keys: 16})
		held := map[string]bool{}
		for i := range rapid.IntRange(1, 200).Draw(t, "calls") {
			by := string(rune('a' + rapid.IntRange(0, 40).Draw(t, "by")))
			s := State(rapid.IntRange(0, 12).Draw(t, "state"))
			j.Found(Finding{By: by, State: s, At: time.Duration(i) * ms})
			if j.Verdict().State == Live {
				t.Fatal("live without a picture")
			}
			if s == Live {
				delete(held, by)
			} else if rank(s) > 0 {
				held[by] = true
			}
			if len(held) > 0 && j.held == 0 {
				t.Fatal("a lapse is forgotten")
			}
		}
		if n := len(j.Explain()); n > outsiders+int(detectors) {
			t.Fatalf("%d findings kept", n)
		}
	})
}

// Every lapse is explained in a sentence with its numbers.
func TestLapsesAreExplained(t *testing.T) {
	for by, c := range map[string]struct {
		change func(all []shot) []shot
		state  State
		says   string
	}{
		"age":    {func(all []shot) []shot { return all[:75] }, Lost, "old"},
		"hole":   {func(all []shot) []shot { return lose(all, 5*sec, 6500*ms) }, Lost, "never came"},
		"replay": {func(all []shot) []shot { all[90].nals, all[90].key = all[30].nals, true; return all }, Replayed, "shown 4s ago"},
		"clock": {func(all []shot) []shot {
			for i := 75; i < len(all); i++ {
				all[i].media += time.Hour
			}
			return all
		}, Untrusted, "jumped by 1h0m0"},
		"late": {func(all []shot) []shot {
			for i := 75; i < len(all); i++ {
				all[i].arrives += min(time.Duration(i-75)*20*ms, sec)
			}
			return inOrder(all)
		}, Late, "keep coming"},
	} {
		t.Run(by, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.j.Opened(0)
			w.run(c.change(film(0, 150, 0, none)), 9500*ms)
			f := find(w.j.Lapses(), by)
			if f.State != c.state || !strings.Contains(f.Say, c.says) {
				t.Errorf("%+v, want state %d and %q", f, c.state, c.says)
			}
			for _, f := range w.j.Explain() {
				if f.Say == "" {
					t.Errorf("%s is not explained", f.By)
				}
			}
		})
	}
}
