package control_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/ledger"
)

// hubLog is a hub's ledger: entries, and checkpoints signed with the hub's key.
type hubLog struct {
	w      *town
	side   side
	leaves [][]byte
	tree   ledger.Tree
	mono   time.Duration
}

func newHubLog(w *town, s side) *hubLog { return &hubLog{w: w, side: s} }

func (l *hubLog) add(visit string, kind ledger.Kind, word, why string, data any) {
	l.w.t.Helper()
	var x []byte
	if data != nil {
		var err error
		if x, err = ledger.Data(data); err != nil {
			l.w.t.Fatal(err)
		}
	}
	l.mono += 100 * time.Millisecond
	e := ledger.Entry{
		Index: uint64(len(l.leaves)), Time: l.w.now.Add(l.mono), Mono: l.mono.Microseconds(), Door: "front", Visit: visit, Kind: kind, Word: word, Reason: why, Data: x,
	}
	if err := e.Check(); err != nil {
		l.w.t.Fatal(err)
	}
	leaf := e.Encode()
	l.leaves = append(l.leaves, leaf)
	l.tree.Add(nil, ledger.LeafHash(leaf))
}

func (l *hubLog) note() []byte {
	l.w.t.Helper()
	cp, err := ledger.Sign(l.side.signer, &l.tree)
	if err != nil {
		l.w.t.Fatal(err)
	}
	return cp.Note
}

// message carries the entries from an index on, under a checkpoint of all.
func (l *hubLog) message(from int) bus.Log {
	return bus.Log{From: uint64(from), Entries: l.leaves[from:], Note: l.note()}
}

func (l *hubLog) send(from int) uint64 {
	l.w.t.Helper()
	r, err := l.w.s.Log(context.Background(), l.w.now, l.side.hub, l.message(from))
	if err != nil {
		l.w.t.Fatal(err)
	}
	return r.Cursor
}

// visit writes a whole visit.
func (l *hubLog) visit(id string, d control.Delivery, outcome string, gap float64) {
	v := ledger.VisitData{Household: d.Household, Carrier: d.Carrier, Courier: d.Courier, CourierName: d.CourierName, Grant: d.Grant}
	l.add(id, ledger.KindVisit, ledger.WordBegan, "arrived", v)
	l.add(id, ledger.KindFact, "ready", "all-checks-hold", nil)
	l.add(id, ledger.KindDecision, "unlock", "slid-to-open", nil)
	l.add(id, ledger.KindCommand, "unlock", "written-down", nil)
	l.add(id, ledger.KindFact, "open", "", nil)
	why := "delivered"
	if gap > 0 {
		why = "lapse-lost"
		l.add(id, ledger.KindWatch, "lost", why, nil)
		l.add(id, ledger.KindGap, "gap", why, ledger.GapData{From: l.w.now, To: l.w.now.Add(time.Duration(gap * float64(time.Second))), Seconds: gap, Why: why})
	}
	l.add(id, ledger.KindClip, ledger.WordFiled, "", ledger.ClipData{Path: "c.mp4", SHA256: "ab", Bytes: 7, From: l.w.now, To: l.w.now.Add(61500 * time.Millisecond)})
	v.Outcome, v.GapSeconds = outcome, gap
	l.add(id, ledger.KindVisit, ledger.WordEnded, why, v)
}

// A visit that lapsed becomes a timeline and an incident that only its resident closes, through the hub (S7).
func TestVisitFromTheRecord(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	l := newHubLog(w, w.a)
	l.add("", ledger.KindBoot, "boot", "", nil)
	l.visit("V1", d, control.OutcomeIncident, 1.7)
	if got := l.send(0); got != uint64(len(l.leaves)) {
		t.Fatalf("cursor %d, want %d", got, len(l.leaves))
	}
	p, err := w.s.Visit(ctx, w.a.resident, "V1")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i, m := range p.Timeline {
		if m.I != i || m.Text == "" || !strings.HasSuffix(m.Text, ".") && !strings.HasSuffix(m.Text, "\"") {
			t.Errorf("line %d: %+v", i, m)
		}
		lines = append(lines, m.Text)
	}
	want := []string{
		"Carlo a arrived at the door.", "Everything was ready. Carlo a may slide to open.", "All checks held. The decision to unlock was written down.",
		"The hub ordered the bolt drawn, once.", "The door is open.", "The picture is lost.", "Nobody watched for 1.7 seconds.", "The film of the visit was filed.",
		"The visit ended as an incident: nobody watched for 1.7 seconds while the door was not secured.",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("timeline:\n%s", got)
	}
	if p.Outcome != control.OutcomeIncident || p.GapS != 1.7 || !p.HasClip || p.Clip.Seconds != 61.5 || p.Incident == nil || p.Incident.Total != 1.7 || len(p.Gaps) != 1 ||
		p.Checkpoint == nil || p.Checkpoint.Size != uint64(len(l.leaves)) || p.Timeline[3].In != 0.3 || p.Timeline[3].Entry != 4 {
		t.Errorf("page %+v", p)
	}
	home, err := w.s.Home(ctx, w.now, w.a.resident)
	if err != nil || len(home.Incidents) != 1 || home.Deliveries[0].State != control.DeliveryFailed || home.Deliveries[0].Reason != "lapse-lost" {
		t.Errorf("home %+v, %v", home, err)
	}
	// The operator hears that and why, and nothing of the inside.
	ops, err := w.s.Ops(ctx, w.now, w.a.operator)
	if err != nil || len(ops.Incidents) != 1 || len(ops.Incidents[0].Gaps) != 0 || ops.Visits[0].HasClip {
		t.Errorf("ops %+v, %v", ops, err)
	}

	o, err := w.s.Close(ctx, w.now, w.a.resident, "V1")
	if err != nil || o.Ask.What != bus.AskClose || o.Ask.Visit != "V1" || !o.Kept {
		t.Fatalf("close: %+v, %v", o, err)
	}
	still, _ := w.s.Home(ctx, w.now, w.a.resident)
	if len(still.Incidents) != 1 {
		t.Error("closed before the hub has written it down")
	}
	_, from, _ := w.s.Events(w.a.resident, "")
	l.add("V1", ledger.KindVisit, "closed", "resident-asked", map[string]string{"by": w.a.resident.ID})
	l.send(len(l.leaves) - 1)
	for _, who := range []control.Account{w.a.resident, w.a.operator} {
		var told []control.IncidentNews
		events, _, _ := w.s.Events(who, from)
		for _, e := range events {
			if n, ok := e.Data.(control.IncidentNews); ok {
				told = append(told, n)
			}
		}
		if len(told) != 1 || told[0].Visit != "V1" || !told[0].Closed {
			t.Errorf("%s is not told that the incident was closed: %+v", who.Role, told)
		}
	}
	after, _ := w.s.Home(ctx, w.now, w.a.resident)
	if len(after.Incidents) != 0 {
		t.Error("still open after the hub has written that it was closed")
	}
	_, err = w.s.Close(ctx, w.now, w.a.resident, "V1")
	wantReason(t, "close again", err, "incident-closed")
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct{ outcome, why, state string }{
		{control.OutcomeDone, "delivered", control.DeliveryDone},
		{control.OutcomeNotDelivered, "cannot-deliver", control.DeliveryFailed},
		{control.OutcomeNotDelivered, "expired", control.DeliveryAssigned}, // the courier may come again
		{control.OutcomeIncident, "re-entry", control.DeliveryFailed},
		{"something new", "delivered", control.DeliveryFailed}, // an unknown end is no good one (S13)
	} {
		w := newTown(t)
		d := w.ready(w.a)
		l := newHubLog(w, w.a)
		v := ledger.VisitData{Grant: d.Grant}
		l.add("V1", ledger.KindVisit, ledger.WordBegan, "arrived", v)
		v.Outcome = c.outcome
		l.add("V1", ledger.KindVisit, ledger.WordEnded, c.why, v)
		l.send(0)
		home, err := w.s.Home(context.Background(), w.now, w.a.resident)
		if err != nil || home.Deliveries[0].State != c.state {
			t.Errorf("%s/%s: %+v, %v; want %s", c.outcome, c.why, home.Deliveries, err, c.state)
		}
	}
}

// T23: a log arrives doubled, overlapping, with holes and out of order, and is the same in the end.
func TestLogArrivesAnyhow(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	l := newHubLog(w, w.a)
	l.visit("V1", d, control.OutcomeDone, 0)
	n := uint64(len(l.leaves))
	for _, c := range []struct{ from, to, cursor int }{
		{3, 5, 0}, // a hole: nothing is taken
		{0, 2, 2}, {0, 2, 2}, {1, 4, 4}, {6, 7, 4}, {0, 4, 4}, {4, int(n), int(n)}, {0, int(n), int(n)},
	} {
		r, err := w.s.Log(ctx, w.now, w.a.hub, bus.Log{From: uint64(c.from), Entries: l.leaves[c.from:c.to]})
		if err != nil || r.Cursor != uint64(c.cursor) {
			t.Fatalf("%+v: cursor %d, %v", c, r.Cursor, err)
		}
	}
	if r, err := w.s.Log(ctx, w.now, w.a.hub, bus.Log{From: n, Note: l.note()}); err != nil || r.Cursor != n {
		t.Errorf("the checkpoint alone: %+v, %v", r, err)
	}
	if note, err := w.s.Held(ctx, w.a.resident, w.a.hub); err != nil || string(note) != string(l.note()) {
		t.Errorf("held %q, %v", note, err)
	}
	w.restart()
	if r := w.beat(w.a); r.Cursor != n {
		t.Errorf("after a restart the cursor is %d, want %d", r.Cursor, n)
	}
	l.add("", ledger.KindFact, "clock-sure", "", nil)
	if got := l.send(int(n)); got != n+1 {
		t.Errorf("after a restart: cursor %d", got)
	}
}

// S7, T19, T29: an edited, cut, re-written or foreign log is not taken; the household is told, once, until it has read it. The record itself
// cannot close that: whoever holds the hub's disk holds its key, too.
func TestLogThatContradictsItself(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		bad  func(l, other *hubLog) bus.Log
		fork bool
	}{
		{"an entry that was edited after it was sent", func(l, other *hubLog) bus.Log {
			return bus.Log{From: 1, Entries: other.leaves[1:3]}
		}, true},
		{"another tree of the same size, signed", func(l, other *hubLog) bus.Log {
			return bus.Log{From: 3, Note: other.note()}
		}, true},
		{"new entries under a checkpoint of others", func(l, other *hubLog) bus.Log {
			l.add("", ledger.KindFact, "a", "", nil)
			other.add("", ledger.KindFact, "b", "", nil)
			return bus.Log{From: 3, Entries: l.leaves[3:], Note: other.note()}
		}, true},
		{"a checkpoint by another hub's key", func(l, other *hubLog) bus.Log {
			other.side = l.w.b
			return bus.Log{From: 3, Note: other.note()}
		}, false},
		{"an index that is not its own", func(l, other *hubLog) bus.Log {
			return bus.Log{From: 3, Entries: l.leaves[:1]}
		}, false},
		{"an entry that is no entry", func(l, other *hubLog) bus.Log {
			return bus.Log{From: 3, Entries: [][]byte{[]byte(`{"i":3}`)}}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			l, other := newHubLog(w, w.a), newHubLog(w, w.a)
			for i := range 3 {
				l.add("", ledger.KindFact, "a", "", nil)
				other.add("", ledger.KindFact, []string{"a", "x", "y"}[i], "", nil)
			}
			l.send(0)
			m := c.bad(l, other)
			for range 2 {
				if r, err := w.s.Log(ctx, w.now, w.a.hub, m); err == nil || r.Cursor != 3 {
					t.Errorf("taken: cursor %d", r.Cursor)
				}
			}
			home, err := w.s.Home(ctx, w.now, w.a.resident)
			want := 0
			if c.fork {
				want = 1
			}
			if err != nil || len(home.Incidents) != want || len(home.Alarms) != want {
				t.Fatalf("%d incidents, %d alarms, %v; want %d", len(home.Incidents), len(home.Alarms), err, want)
			}
			if c.fork {
				id := home.Incidents[0].Visit
				l.add(id, ledger.KindVisit, "closed", "resident-asked", map[string]string{"by": w.a.resident.ID})
				if got := l.send(3); got != uint64(len(l.leaves)) {
					t.Errorf("the record that goes on: cursor %d", got)
				}
				if still, err := w.s.Home(ctx, w.now, w.a.resident); err != nil || len(still.Incidents) != 1 || len(still.Alarms) != 1 {
					t.Errorf("after the record closed it: %d incidents, %d alarms, %v", len(still.Incidents), len(still.Alarms), err)
				}
				if o, err := w.s.Close(ctx, w.now, w.a.resident, home.Incidents[0].Visit); err != nil || o.ID != "" {
					t.Errorf("close: %+v, %v", o, err)
				}
			}
		})
	}
}

// T29: a hub of a new epoch has every older consent refused; the resident signs a new one.
func TestNewEpoch(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	w.screen(w.a)
	w.consent(w.a, w.a.carrier)
	l := newHubLog(w, w.a)
	l.add("", ledger.KindBoot, "boot", "", map[string]any{"epoch": 2})
	l.add("", ledger.KindBoot, "boot", "", map[string]any{"epoch": 1})
	l.send(0)
	d := w.book(w.a, false)
	_, err := w.s.Assign(ctx, w.now, w.a.operator, d.ID, w.a.courierID)
	wantReason(t, "with the old consent", err, "no-consent")
	w.consent(w.a, w.a.carrier)
	_, err = w.s.Assign(ctx, w.now, w.a.operator, d.ID, w.a.courierID)
	wantReason(t, "with a new one", err, "")
}

// One hub's log says nothing about another's visits.
func TestLogOfAnotherHub(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	w.ready(w.b)
	l := newHubLog(w, w.a)
	l.visit("V1", d, control.OutcomeIncident, 1.7)
	l.send(0)
	evil := newHubLog(w, w.b)
	evil.add("V1", ledger.KindVisit, "closed", "", nil)
	evil.add("V1", ledger.KindVisit, ledger.WordBegan, "", ledger.VisitData{Grant: d.Grant, CourierName: "Mallory"})
	evil.add("V1", ledger.KindVisit, ledger.WordEnded, "", ledger.VisitData{Outcome: control.OutcomeDone})
	evil.add("V2", ledger.KindVisit, ledger.WordBegan, "", ledger.VisitData{Grant: d.Grant, CourierName: "Mallory"})
	evil.add("V2", ledger.KindVisit, ledger.WordEnded, "", ledger.VisitData{Outcome: control.OutcomeDone})
	evil.send(0)
	home, err := w.s.Home(ctx, w.now, w.a.resident)
	if err != nil || len(home.Incidents) != 1 || len(home.Visits) != 1 || home.Visits[0].Outcome != control.OutcomeIncident || home.Visits[0].CourierName != "Carlo a" || home.Deliveries[0].State != control.DeliveryFailed {
		t.Errorf("home a: %+v, %v", home, err)
	}
}

// Whatever bytes a hub sends, the log grows only by entries that are its own next ones, and nothing crashes.
func FuzzLog(f *testing.F) {
	w := newTown(f)
	l := newHubLog(w, w.a)
	d := w.ready(w.a)
	l.visit("V1", d, control.OutcomeIncident, 1.7)
	whole := l.message(0)
	for _, m := range []bus.Log{whole, {From: 1 << 63}, {From: 2, Entries: whole.Entries[:1]}, {Note: whole.Note}} {
		b, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m bus.Log
		if json.Unmarshal(b, &m) != nil {
			return
		}
		w := newTown(t)
		r, err := w.s.Log(t.Context(), w.now, w.a.hub, m)
		if err != nil {
			if r.Cursor != 0 {
				t.Errorf("refused, but the cursor is %d", r.Cursor)
			}
			return
		}
		if m.From != 0 && r.Cursor != 0 || r.Cursor > uint64(len(m.Entries)) {
			t.Errorf("from %d, %d entries: cursor %d", m.From, len(m.Entries), r.Cursor)
		}
		for i, leaf := range m.Entries[:r.Cursor] {
			if e, err := ledger.Decode(leaf); err != nil || e.Index != uint64(i) {
				t.Errorf("entry %d was taken: %v", i, err)
			}
		}
		if got := w.beat(w.a).Cursor; got != r.Cursor {
			t.Errorf("told %d, holds %d", r.Cursor, got)
		}
	})
}
