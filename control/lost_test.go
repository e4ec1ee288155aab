package control_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// S14: what is said of a hub that came back is written down late or never; it falls silent again all the same.
func TestSilenceAfterAnUnwrittenReturn(t *testing.T) {
	w := newTown(t)
	w.beat(w.a, "V1")
	w.now = w.now.Add(3 * time.Second)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 1 {
		t.Fatalf("first silence: %q", got)
	}
	// It is heard again, but the disk is slow: what is to be written down is not.
	if _, later, err := w.s.Beat(w.now, w.a.hub, bus.Beat{Hub: w.a.hub, Nonce: make([]byte, 16), Visits: []string{"V1"}, Seq: 2, Told: w.now}); err != nil || later == nil {
		t.Fatalf("%v, later %t", err, later != nil)
	}
	w.now = w.now.Add(3 * time.Second)
	w.tick(false)
	if got := w.alarms(w.a); len(got) != 2 {
		t.Errorf("second silence: %q, want two alarms", got)
	}
}

// T12, T23: a hub that could not take an order is asked again: a revocation that it did not write down holds no longer than
// its power.
func TestOrderThatTheHubCouldNotTake(t *testing.T) {
	ctx := context.Background()
	for _, r := range []control.AskReply{
		{Reason: "ledger-failed"}, {Reason: "ledger-slow"}, {Reason: "not-configured"}, {}, // it starts; it has too much to do
	} {
		w := newTown(t)
		d := w.ready(w.a)
		if _, err := w.s.Cancel(ctx, w.now, w.a.operator, d.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskBlock}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for _, o := range w.due(w.a.hub) {
				if err := w.s.Answered(ctx, w.now, o, r); err != nil {
					t.Fatal(err)
				}
			}
		}
		var owed []string
		for _, o := range w.due(w.a.hub) {
			owed = append(owed, o.Ask.What)
		}
		slices.Sort(owed)
		if want := []string{bus.AskBlock, bus.AskConsent, bus.AskRevoke}; !slices.Equal(owed, want) {
			t.Errorf("after %q: owed %q, want %q", r.Reason, owed, want)
		}
	}
}

// S4: a service that was restored from a backup counts fewer orders than the hub. A block that was taken since, and that the hub
// has not heard, still wins.
func TestBlockAfterARestore(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskBlock}); err != nil {
		t.Fatal(err)
	}
	if err := w.s.View(ctx, w.now, w.a.hub, bus.View{Hub: w.a.hub, Door: "front", Seq: 1, At: w.now, Phase: "idle", BlockCount: 7}); err != nil {
		t.Fatal(err)
	}
	if got := w.beat(w.a).Blocks["front"]; got != 8 {
		t.Errorf("the counter is %d, want 8: nothing opens until the hub has heard of the block", got)
	}
	due := w.due(w.a.hub)
	if len(due) != 1 || due[0].Ask.What != bus.AskBlock || due[0].Ask.Count != 8 {
		t.Errorf("owed %+v, want the block alone, numbered 8", due)
	}
}

// late is a store in which something happens between a look and what follows from it.
type late struct {
	control.Store
	after func()
}

func (l *late) Read(ctx context.Context, f func(control.Tx) error) error {
	err := l.Store.Read(ctx, f)
	if then := l.after; then != nil {
		l.after = nil
		then()
	}
	return err
}

// S4: an order that is stored while somebody looks at what is owed is not forgotten.
func TestOrderDuringALook(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	between := &late{Store: w.store}
	w.store = between
	w.restart()
	if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskLeave}); err != nil {
		t.Fatal(err)
	}
	for _, o := range w.due(w.a.hub) {
		if err := w.s.Answered(ctx, w.now, o, control.AskReply{OK: true}); err != nil {
			t.Fatal(err)
		}
	}
	between.after = func() {
		if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskBlock}); err != nil {
			t.Error(err)
		}
	}
	w.due(w.a.hub)
	if due := w.due(w.a.hub); len(due) != 1 || due[0].Ask.What != bus.AskBlock {
		t.Errorf("owed %+v, want the block", due)
	}
}

// S4, T20, T24: a hub that is away and owed very much does not keep another home's block from being sent.
func TestOwedMuchKeepsNobodyWaiting(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	err := w.store.Write(ctx, func(tx control.Tx) error {
		for i := range 1500 {
			id := fmt.Sprintf("old-%04d", i)
			doc := fmt.Sprintf(`{"id":%q,"hub":%q,"household":%q,"ask":{"id":%q,"what":"revoke","door":"front"},"created":"2026-03-01T00:00:00Z","not_after":"2100-01-01T00:00:00Z","state":"waiting","kept":true}`, id, w.b.hub, w.b.household, id)
			row := control.Row{ID: id, Keys: control.Keys{Household: w.b.household, Hub: w.b.hub, Door: "front", State: control.OrderWaiting}, At: w.now.Add(-time.Hour), Doc: []byte(doc)}
			if err := tx.Put(control.TableOrders, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	if _, err := w.s.Order(ctx, w.now, w.a.resident, w.a.hub, "front", control.Wish{What: bus.AskBlock}); err != nil {
		t.Fatal(err)
	}
	if due := w.due(w.a.hub); len(due) != 1 || due[0].Ask.What != bus.AskBlock {
		t.Errorf("owed %+v, want the block", due)
	}
	if due := w.due(w.b.hub); len(due) == 0 {
		t.Error("the other hub is owed nothing any more")
	}
}
