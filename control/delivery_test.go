package control_test

import (
	"context"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/grant"
	"eyebolt/interlock"
)

// Assigning refuses what the hub would refuse, and says why.
func TestAssignRefuses(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		prep func(w *town)
		want string
	}{
		{"an unscreened courier", func(w *town) { w.consent(w.a, w.a.carrier) }, "screening-pending"},
		{"a courier who failed", func(w *town) {
			w.consent(w.a, w.a.carrier)
			if _, err := w.s.Screen(ctx, w.now, w.a.operator, w.a.courierID, control.ScreeningFailed, time.Time{}, ""); err != nil {
				t.Fatal(err)
			}
		}, "screening-failed"},
		{"a screening that has run out", func(w *town) {
			w.consent(w.a, w.a.carrier)
			if _, err := w.s.Screen(ctx, w.now.AddDate(-1, 0, 0), w.a.operator, w.a.courierID, control.ScreeningPassed, w.now.Add(-time.Hour), "x"); err != nil {
				t.Fatal(err)
			}
		}, "screening-expired"},
		{"a screening that runs out in the window", func(w *town) {
			w.consent(w.a, w.a.carrier)
			if _, err := w.s.Screen(ctx, w.now, w.a.operator, w.a.courierID, control.ScreeningPassed, w.now.Add(time.Minute), "x"); err != nil {
				t.Fatal(err)
			}
		}, "screening-expired"},
		{"a courier who was revoked", func(w *town) {
			w.screen(w.a)
			w.consent(w.a, w.a.carrier)
			if _, err := w.s.RevokeCourier(ctx, w.now, w.a.operator, w.a.courierID); err != nil {
				t.Fatal(err)
			}
		}, "courier-revoked"},
		{"no consent", func(w *town) { w.screen(w.a) }, "no-consent"},
		{"another carrier's consent", func(w *town) { w.screen(w.a); w.consent(w.a, w.b.carrier) }, "no-consent"},
		{"a consent that was taken back", func(w *town) {
			w.screen(w.a)
			c := w.consent(w.a, w.a.carrier)
			if err := w.s.EndConsent(ctx, w.now, w.a.resident, c.ID); err != nil {
				t.Fatal(err)
			}
		}, "no-consent"},
		{"nothing wrong", func(w *town) { w.screen(w.a); w.consent(w.a, w.a.carrier) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			c.prep(w)
			d := w.book(w.a, false)
			got, err := w.s.Assign(ctx, w.now, w.a.operator, d.ID, w.a.courierID)
			wantReason(t, "assign", err, c.want)
			grants := 0
			for _, o := range w.due(w.a.hub) {
				if o.Ask.What == bus.AskGrant {
					grants++
				}
			}
			if (grants == 1) != (c.want == "") || (got.State == control.DeliveryAssigned) != (c.want == "") {
				t.Errorf("%d grants are on their way, delivery %+v", grants, got)
			}
		})
	}
	t.Run("a courier who has not signed up", func(t *testing.T) {
		w := newTown(t)
		w.consent(w.a, w.a.carrier)
		n, _, err := w.s.AddCourier(ctx, w.now, w.a.operator, "New")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Screen(ctx, w.now, w.a.operator, n.ID, control.ScreeningPassed, w.now.AddDate(1, 0, 0), "x"); err != nil {
			t.Fatal(err)
		}
		_, err = w.s.Assign(ctx, w.now, w.a.operator, w.book(w.a, false).ID, n.ID)
		wantReason(t, "assign", err, "no-passkey")
	})
}

// The grant that is issued holds before a hub that trusts nothing but the resident's passkey (S2), and not before another's.
func TestIssuedGrantVerifies(t *testing.T) {
	w := newTown(t)
	d := w.ready(w.a)
	var chain grant.Chain
	for _, o := range w.due(w.a.hub) {
		if o.Ask.What == bus.AskGrant {
			var err error
			if chain, err = grant.Decode(o.Ask.Grant); err != nil {
				t.Fatal(err)
			}
		}
	}
	anchor := grant.Anchor{Hub: w.a.hub, Household: w.a.household, Residents: []grant.Passkey{w.a.phone.Public}, RP: rp, Epoch: 1}
	anchor.Residents[0].Who = w.a.resident.ID
	g, why, err := grant.Verify(chain, anchor)
	if err != nil || g.Delivery.ID != d.Grant || g.Courier.ID != w.a.courierID {
		t.Fatalf("got %+v, %v, %v", g, why, err)
	}
	a := grant.Attempt{Door: "front", Now: w.now, ClockSure: true, Parcel: "P1"}
	if r := grant.Reason(g.Check(a)); r != interlock.NoReason {
		t.Errorf("now: %v", r)
	}
	a.Now = w.now.Add(2 * time.Hour)
	if r := grant.Reason(g.Check(a)); r != interlock.TooLate {
		t.Errorf("after the window: got %v, want %v", r, interlock.TooLate)
	}
	anchor.Residents[0] = w.b.phone.Public
	if _, why, err := grant.Verify(chain, anchor); err == nil {
		t.Errorf("a hub of another resident took it: %v", why)
	}
}

// A consent is a resident's own signature over the very document (T16): nothing else is kept.
func TestConsentRefuses(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d, err := w.s.DraftConsent(ctx, w.now, w.a.resident, control.ConsentWish{Door: "front", Carrier: w.a.carrier})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(who control.Account, doc, cred []byte) string {
		_, err := w.s.SignConsent(ctx, w.now, who, doc, cred)
		if isInternal(err) {
			t.Errorf("internal: %v", err)
		}
		return reason(err)
	}
	good := w.a.phone.Sign(d.Challenge)
	altered := append([]byte(nil), d.Document...)
	altered[len(altered)-3] ^= 1
	for _, c := range []struct {
		name string
		got  string
		want string
	}{
		{"another resident's passkey", sign(w.a.resident, d.Document, w.b.phone.Sign(d.Challenge)), "grant-forged"},
		{"another challenge", sign(w.a.resident, d.Document, w.a.phone.Sign([]byte("something else, 32 bytes or more."))), "grant-forged"},
		{"an altered document", sign(w.a.resident, altered, good), "invalid"},
		{"no document", sign(w.a.resident, nil, good), "invalid"},
		{"a resident of another household", sign(w.b.resident, d.Document, good), "not-found"},
		{"an operator", sign(w.a.operator, d.Document, good), "forbidden"},
		{"nonsense", sign(w.a.resident, d.Document, []byte("{")), "grant-forged"},
		{"the resident", sign(w.a.resident, d.Document, good), ""},
		{"the resident again", sign(w.a.resident, d.Document, good), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	n := 0
	for _, o := range w.due(w.a.hub) {
		if o.Ask.What == bus.AskConsent {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d consents are on their way, want 1", n)
	}
}

// Taking a grant back replaces it in the queue and tells the hub (T12).
func TestTakeBack(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		do    func(w *town, d control.Delivery) error
		state string
	}{
		{"cancel", func(w *town, d control.Delivery) error {
			_, err := w.s.Cancel(ctx, w.now, w.a.operator, d.ID)
			return err
		}, control.DeliveryCancelled},
		{"the screening fails", func(w *town, d control.Delivery) error {
			_, err := w.s.Screen(ctx, w.now, w.a.operator, w.a.courierID, control.ScreeningFailed, time.Time{}, "")
			return err
		}, control.DeliveryBooked},
		{"the screening is cut short, before the window ends", func(w *town, d control.Delivery) error {
			_, err := w.s.Screen(ctx, w.now, w.a.operator, w.a.courierID, control.ScreeningPassed, d.Until.Add(-time.Second), "x")
			return err
		}, control.DeliveryBooked},
		{"the courier is revoked", func(w *town, d control.Delivery) error {
			_, err := w.s.RevokeCourier(ctx, w.now, w.a.operator, w.a.courierID)
			return err
		}, control.DeliveryBooked},
		{"the courier gives up", func(w *town, d control.Delivery) error {
			_, err := w.s.GiveUp(ctx, w.now, w.a.courier, d.ID, "dog")
			return err
		}, control.DeliveryFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			d := w.ready(w.a)
			if err := c.do(w, d); err != nil {
				t.Fatal(err)
			}
			revoked := false
			for _, o := range w.due(w.a.hub) {
				switch o.Ask.What {
				case bus.AskGrant:
					t.Error("the grant is still on its way")
				case bus.AskRevoke:
					revoked = len(o.Ask.Revoked) == 1 && o.Ask.Revoked[0] == d.Grant
				}
			}
			if !revoked {
				t.Error("the hub is not told")
			}
			home, err := w.s.Home(ctx, w.now, w.a.resident)
			if err != nil || len(home.Deliveries) != 1 || home.Deliveries[0].State != c.state {
				t.Errorf("deliveries %+v, %v; want state %s", home.Deliveries, err, c.state)
			}
		})
	}
}

// A screening that is renewed, to the end of the window or past it, takes nothing back.
func TestRenewedScreeningTakesNothingBack(t *testing.T) {
	w := newTown(t)
	d := w.ready(w.a)
	for _, until := range []time.Time{d.Until, d.Until.AddDate(2, 0, 0)} {
		if _, err := w.s.Screen(context.Background(), w.now, w.a.operator, w.a.courierID, control.ScreeningPassed, until, "x"); err != nil {
			t.Fatal(err)
		}
	}
	home, err := w.s.Home(context.Background(), w.now, w.a.resident)
	if err != nil || len(home.Deliveries) != 1 || home.Deliveries[0].State != control.DeliveryAssigned {
		t.Errorf("deliveries %+v, %v; want it assigned still", home.Deliveries, err)
	}
}

// A grant that the hub refuses makes the delivery free again, with the hub's reason; the answer counts once (T23).
func TestHubRefusesGrant(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	w.ready(w.a)
	for _, o := range w.due(w.a.hub) {
		if o.Ask.What != bus.AskGrant {
			continue
		}
		for _, r := range []control.AskReply{{Reason: "no-consent"}, {OK: true}, {Reason: "grant-forged"}} {
			if err := w.s.Answered(ctx, w.now, o, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	ops, err := w.s.Ops(ctx, w.now, w.a.operator)
	if err != nil || ops.Deliveries[0].State != control.DeliveryBooked || ops.Deliveries[0].Reason != "no-consent" || ops.Deliveries[0].Courier != "" {
		t.Errorf("got %+v, %v", ops.Deliveries, err)
	}
}

// S2, T13: a screening that is cut short takes back what was granted beyond its new end, and nothing else.
func TestScreeningCutShort(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	w.screen(w.a)
	w.consent(w.a, w.a.carrier)
	today := w.book(w.a, true)
	b := w.booking(w.a)
	b.Courier, b.From, b.Until = w.a.courierID, w.now.AddDate(0, 0, 7), w.now.AddDate(0, 0, 7).Add(time.Hour)
	week, err := w.s.Book(ctx, w.now, w.a.operator, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Screen(ctx, w.now, w.a.operator, w.a.courierID, control.ScreeningPassed, w.now.AddDate(0, 0, 1), "check 2"); err != nil {
		t.Fatal(err)
	}
	revoked := map[string]bool{}
	for _, o := range w.due(w.a.hub) {
		for _, id := range o.Ask.Revoked {
			revoked[id] = true
		}
	}
	if !revoked[week.Grant] || revoked[today.Grant] || len(revoked) != 1 {
		t.Errorf("revoked %v, want next week's %s alone (today's is %s)", revoked, week.Grant, today.Grant)
	}
	ops, err := w.s.Ops(ctx, w.now, w.a.operator)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ops.Deliveries {
		want := control.DeliveryAssigned
		if d.ID == week.ID {
			want = control.DeliveryBooked
		}
		if d.State != want {
			t.Errorf("delivery %s is %s, want %s", d.ID, d.State, want)
		}
	}
}
