package control_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// alarms are the reasons of a household's standing alarms.
func (w *town) alarms(s side) []string {
	w.t.Helper()
	home, err := w.s.Home(context.Background(), w.now, s.resident)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, a := range home.Alarms {
		out = append(out, a.Reason)
	}
	return out
}

func (w *town) tick(late bool) {
	w.t.Helper()
	if err := w.s.Tick(context.Background(), w.now, late); err != nil {
		w.t.Fatal(err)
	}
}

// S14: in a visit the alarm comes when a hub is silent for 2 s; outside, after the household's limit; once.
func TestDeadMansSwitch(t *testing.T) {
	for _, c := range []struct {
		name   string
		visits []string
		limit  time.Duration
	}{
		{"in a visit", []string{"V1"}, 2 * time.Second},
		{"outside visits", nil, 10 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			w.beat(w.a, c.visits...)
			w.now = w.now.Add(c.limit)
			w.tick(false)
			if got := w.alarms(w.a); len(got) != 0 {
				t.Fatalf("at the limit: %q", got)
			}
			w.now = w.now.Add(time.Millisecond)
			w.tick(false)
			w.tick(false)
			if got := w.alarms(w.a); len(got) != 1 || got[0] != "hub-silent" {
				t.Fatalf("past the limit: %q, want one hub-silent", got)
			}
			if got := w.alarms(w.b); len(got) != 0 {
				t.Errorf("another household heard %q", got)
			}
			// It comes back, and falls silent again: a second alarm.
			w.beat(w.a, c.visits...)
			w.now = w.now.Add(c.limit + time.Millisecond)
			w.tick(false)
			if got := w.alarms(w.a); len(got) != 2 {
				t.Errorf("after a second silence: %q", got)
			}
		})
	}
}

// S14: a service that was itself late, or has just started, restarts its timers first.
func TestDeadMansSwitchBlamesNobodyForOurOwnSleep(t *testing.T) {
	w := newTown(t)
	w.beat(w.a, "V1")
	w.now = w.now.Add(time.Minute)
	w.tick(true)
	if got := w.alarms(w.a); len(got) != 0 {
		t.Fatalf("after our own sleep: %q", got)
	}
	w.now = w.now.Add(control.VisitSilence + time.Millisecond)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 1 {
		t.Fatalf("silent after that, too: %q, want one alarm", got)
	}
	// The same silence is not told again by the next instance.
	w.restart()
	w.now = w.now.Add(time.Hour)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 1 {
		t.Errorf("told again after a restart: %q", got)
	}
}

// S14, T20: a service that is late again and again, as one that is flooded, does not put off the alarm for ever.
func TestDeadMansSwitchOfAStarvedService(t *testing.T) {
	w := newTown(t)
	w.beat(w.a, "V1")
	began := w.now
	for len(w.alarms(w.a)) == 0 {
		w.now = w.now.Add(600 * time.Millisecond)
		w.tick(true)
		if w.now.Sub(began) > 10*time.Second {
			t.Fatal("silent for 10 s in a visit, and no alarm: each late tick spared the hub once more")
		}
		w.beat(w.b, "V2") // one that is heard is not missed
	}
	for range 100 {
		w.now = w.now.Add(600 * time.Millisecond)
		w.beat(w.b, "V2")
		w.tick(true)
	}
	if got := w.alarms(w.b); len(got) != 0 {
		t.Errorf("a hub that was heard all the time: %q", got)
	}
}

// S14: a visit that was going on when the service went down is watched at once by the next instance.
func TestDeadMansSwitchAfterTakingOver(t *testing.T) {
	w := newTown(t)
	d := w.ready(w.a)
	w.beat(w.a, "V1")
	l := newHubLog(w, w.a)
	l.visit("V1", d, control.OutcomeDone, 0)
	if _, err := w.s.Log(context.Background(), w.now, w.a.hub, bus.Log{Entries: l.leaves[:3]}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.restart()
	w.now = w.now.Add(control.VisitSilence)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 0 {
		t.Fatalf("at the limit: %q", got)
	}
	w.now = w.now.Add(time.Millisecond)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 1 {
		t.Errorf("past the limit: %q, want one alarm", got)
	}
}

// A hub that was never heard of is not missed.
func TestNewHubIsNotMissed(t *testing.T) {
	w := newTown(t)
	w.now = w.now.Add(24 * time.Hour)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

// T29: a hub's disk was copied, and both are on the net: their beats' numbers betray them. A hub that starts anew, even twice in a
// minute, and one whose beat comes twice, are taken for what they are.
func TestTwoHubsWithOneKey(t *testing.T) {
	for _, k := range []struct {
		name string
		seqs []uint64 // half a second apart
		want int      // alarms
	}{
		{"one", []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0},
		{"one that starts anew twice", []uint64{5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7}, 0},
		{"a beat that comes twice", []uint64{1, 2, 2, 3, 4, 5, 5, 6, 7, 8}, 0},
		{"one that starts anew again and again, after long lives", []uint64{500, 1, 2, 400, 401, 1, 2, 3}, 0},
		{"one whose beats overtake each other all the time", []uint64{2, 1, 4, 3, 6, 5, 9, 7, 8, 12, 11, 10, 14, 13, 16, 15, 20, 17, 18, 19}, 0},
		{"two", []uint64{100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105, 6, 106, 7, 107, 8}, 1},
		{"two, and the copy counts far ahead", []uint64{1, 1 << 60, 2, 1<<60 + 1, 3, 1<<60 + 2, 4, 1<<60 + 3, 5}, 1},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := newTown(t)
			for _, seq := range k.seqs {
				w.now = w.now.Add(500 * time.Millisecond)
				_, later, err := w.s.Beat(w.now, w.a.hub, bus.Beat{Hub: w.a.hub, Nonce: make([]byte, 16), Seq: seq, Told: w.now})
				if err != nil {
					t.Fatal(err)
				}
				if later != nil {
					if err := later(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
			}
			got := w.alarms(w.a)
			if len(got) != k.want || k.want > 0 && got[0] != "hub-doubled" {
				t.Errorf("alarms %q, want %d of hub-doubled", got, k.want)
			}
		})
	}
}

func TestBeatAnswers(t *testing.T) {
	w := newTown(t)
	r := w.beat(w.a)
	if string(r.Nonce) != "0123456789abcdef" || !r.Time.Equal(w.now) || r.Blocks["front"] != 0 || len(r.Blocks) != 1 {
		t.Errorf("got %+v", r)
	}
	for _, b := range []bus.Beat{{Hub: w.b.hub, Nonce: []byte("n")}, {Hub: w.a.hub}, {Hub: w.a.hub, Nonce: make([]byte, 65)}} {
		if _, _, err := w.s.Beat(w.now, w.a.hub, b); err == nil {
			t.Errorf("answered %+v", b)
		}
	}
}

// S1, S4: from the moment that a block is taken, every beat's answer says so; only the newest order is owed (T23).
func TestBlocksAreCounted(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	order := func(what string) control.Order {
		o, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: what})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for i, what := range []string{bus.AskBlock, bus.AskUnblock, bus.AskBlock} {
		o := order(what)
		if n := uint64(i + 1); o.Ask.Count != n || w.beat(w.a).Blocks["front"] != n {
			t.Errorf("order %d: count %d, beat %d", n, o.Ask.Count, w.beat(w.a).Blocks["front"])
		}
	}
	due := w.due(w.a.hub)
	if len(due) != 1 || due[0].Ask.What != bus.AskBlock || due[0].Ask.Count != 3 {
		t.Errorf("owed %+v, want the newest block alone", due)
	}
	w.restart()
	if got := w.beat(w.a).Blocks["front"]; got != 3 {
		t.Errorf("after a restart: %d", got)
	}
	if due := w.due(w.a.hub); len(due) != 1 {
		t.Errorf("after a restart: owed %+v", due)
	}
}

// A hub that knows fewer orders is told the newest again; one that knows more is believed. Until both agree nothing opens (S1).
func TestBlocksReconcile(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	o, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskBlock})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.s.Answered(ctx, w.now, o, control.AskReply{OK: true}); err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	show := func(count uint64, blocked bool) {
		seq++
		if err := w.s.View(ctx, w.now, w.a.hub, bus.View{Hub: w.a.hub, Door: "front", Seq: seq, At: w.now, Phase: "idle", BlockCount: count, Blocked: blocked}); err != nil {
			t.Fatal(err)
		}
	}
	if due := w.due(w.a.hub); len(due) != 0 {
		t.Fatalf("answered, but owed %+v", due)
	}
	show(0, false) // the hub was set up anew
	show(0, false)
	due := w.due(w.a.hub)
	if len(due) != 1 || due[0].Ask.What != bus.AskBlock || due[0].Ask.Count != 1 {
		t.Fatalf("owed %+v, want the block again, once", due)
	}
	show(7, true) // the service was restored from a backup
	if got := w.beat(w.a).Blocks["front"]; got != 7 {
		t.Errorf("count %d, want 7", got)
	}
	n, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskUnblock})
	if err != nil || n.Ask.Count != 8 {
		t.Errorf("the next order counts %d, %v; want 8", n.Ask.Count, err)
	}
}

// S12: an order whose time is over is not sent any more; a block never is.
func TestOrdersRunOut(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	for _, what := range []string{bus.AskLock, bus.AskLeave, bus.AskBlock} {
		if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: what}); err != nil {
			t.Fatal(err)
		}
	}
	if due := w.due(w.a.hub); len(due) != 3 {
		t.Fatalf("owed %d", len(due))
	}
	w.now = w.now.Add(61 * time.Second)
	if due := w.due(w.a.hub); len(due) != 1 || due[0].Ask.What != bus.AskBlock {
		t.Errorf("owed %+v", due)
	}
}

// S16: an alarm is acknowledged to the hub only when it is stored; doubled it is one.
func TestAlarmIsStoredFirst(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	a := bus.Alarm{ID: "A1", Hub: w.a.hub, Door: "front", Reason: "re-entry", Text: "x", At: w.now}
	for range 3 {
		if err := w.s.Alarm(ctx, w.now, w.a.hub, a); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.alarms(w.a); len(got) != 1 {
		t.Fatalf("got %q", got)
	}
	if err := w.s.Alarm(ctx, w.now, w.b.hub, a); err == nil {
		t.Error("an alarm in another hub's name was taken")
	}
	// Another hub's alarm of the same name is another alarm.
	a.Hub = w.b.hub
	if err := w.s.Alarm(ctx, w.now, w.b.hub, a); err != nil || len(w.alarms(w.b)) != 1 {
		t.Errorf("%v, %q", err, w.alarms(w.b))
	}
	if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskAck, Alarms: []string{"A1"}}); err != nil {
		t.Fatal(err)
	}
	if got := w.alarms(w.a); len(got) != 0 {
		t.Errorf("acknowledged, but %q", got)
	}
	if got := w.alarms(w.b); len(got) != 1 {
		t.Errorf("another household's alarm was acknowledged: %q", got)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	a.ID, a.Hub = "A2", w.a.hub
	if err := w.s.Alarm(ctx, w.now, w.a.hub, a); err == nil {
		t.Error("acknowledged what was not stored")
	}
}

// A switch that could not be told is tried again.
func TestDeadMansSwitchRetries(t *testing.T) {
	w := newTown(t)
	w.beat(w.a, "V1")
	w.now = w.now.Add(3 * time.Second)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.s.Tick(cancelled, w.now, false); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 1 {
		t.Errorf("got %q, want one alarm", got)
	}
}

// S14, S16: many hubs fall silent at once, as when a street loses its power, and the disk fails at that moment: each of them is
// told once the disk writes again.
func TestDeadMansSwitchRetriesForAll(t *testing.T) {
	w := newTown(t)
	w.beat(w.a, "V1")
	w.beat(w.b, "V2")
	w.now = w.now.Add(3 * time.Second)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.s.Tick(cancelled, w.now, false); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	w.tick(false)
	for _, s := range []side{w.a, w.b} {
		if got := w.alarms(s); len(got) != 1 || got[0] != "hub-silent" {
			t.Errorf("%s: got %q, want one hub-silent", s.hub, got)
		}
	}
}

// A hub that falls silent naming another household's visit learns nothing of that door (T24).
func TestSilenceNamesOwnDoorOnly(t *testing.T) {
	w := newTown(t)
	d := w.ready(w.b)
	l := newHubLog(w, w.b)
	l.visit("V2", d, control.OutcomeDone, 0)
	l.send(0)
	w.beat(w.a, "V2")
	w.now = w.now.Add(3 * time.Second)
	w.tick(false)
	home, err := w.s.Home(context.Background(), w.now, w.a.resident)
	if err != nil || len(home.Alarms) != 1 {
		t.Fatalf("%+v, %v", home.Alarms, err)
	}
	if got := home.Alarms[0].Door; got != "" {
		t.Errorf("the alarm names door %q of another household", got)
	}
}

func BenchmarkBeat(b *testing.B) {
	w := newTown(b)
	m := bus.Beat{Hub: w.a.hub, Nonce: make([]byte, 16), Visits: []string{"V1"}, Told: w.now}
	for b.Loop() {
		m.Seq++
		if _, _, err := w.s.Beat(w.now, w.a.hub, m); err != nil {
			b.Fatal(err)
		}
	}
}
