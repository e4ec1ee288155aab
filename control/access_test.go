package control_test

import (
	"context"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// T24: each method, called by each kind of account, on the other side's things: not there. By a role that may not: forbidden.
func TestAccess(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	w.ready(w.b)
	// A visit that became an incident, so that there is one to read.
	l := newHubLog(w, w.a)
	l.visit("V1", d, control.OutcomeIncident, 1.7)
	l.send(0)

	calls := []struct {
		name string
		role control.Role // who may
		f    func(who control.Account) error
	}{
		{"home", control.Resident, func(a control.Account) error { _, err := w.s.Home(ctx, w.now, a); return own(a, w.a, err) }},
		{"order block", control.Resident, func(a control.Account) error {
			_, err := w.s.Order(ctx, w.now, a, w.a.hub, "front", control.Wish{What: bus.AskBlock})
			return err
		}},
		{"order ack", control.Resident, func(a control.Account) error {
			_, err := w.s.Order(ctx, w.now, a, w.a.hub, "front", control.Wish{What: bus.AskAck, Alarms: []string{"A1"}})
			return err
		}},
		{"pair", control.Resident, func(a control.Account) error {
			ks, _ := w.s.PasskeysOf(ctx, a.ID)
			id := "none"
			if len(ks) > 0 {
				id = ks[0].ID
			}
			_, err := w.s.Pair(ctx, w.now, a, w.a.hub, "code", id)
			return err
		}},
		{"watch", control.Resident, func(a control.Account) error { return w.s.MayWatch(ctx, a, w.a.hub, "front") }},
		{"visit", control.Resident, func(a control.Account) error { _, err := w.s.Visit(ctx, a, "V1"); return err }},
		{"checkpoint", control.Resident, func(a control.Account) error { _, err := w.s.Held(ctx, a, w.a.hub); return err }},
		{"close", control.Resident, func(a control.Account) error { _, err := w.s.Close(ctx, w.now, a, "V1"); return err }},
		{"draft", control.Resident, func(a control.Account) error {
			_, err := w.s.DraftConsent(ctx, w.now, a, control.ConsentWish{Hub: w.a.hub, Door: "front", Carrier: w.a.carrier})
			return err
		}},
		{"arrive", control.CourierRole, func(a control.Account) error { _, err := w.s.Arrive(ctx, w.now, a, d.ID, "P1", nil); return err }},
		{"under", control.CourierRole, func(a control.Account) error { _, err := w.s.Under(ctx, w.now, a, d.ID); return err }},
		{"assign", control.Operator, func(a control.Account) error {
			_, err := w.s.Assign(ctx, w.now, a, d.ID, w.a.courierID)
			if reason(err) == "delivery-failed" {
				return nil // theirs to ask; the delivery is over
			}
			return err
		}},
		{"cancel", control.Operator, func(a control.Account) error {
			_, err := w.s.Cancel(ctx, w.now, a, d.ID)
			if reason(err) == "delivery-failed" {
				return nil
			}
			return err
		}},
		{"book", control.Operator, func(a control.Account) error { _, err := w.s.Book(ctx, w.now, a, w.booking(w.a)); return err }},
		{"screen", control.Operator, func(a control.Account) error {
			_, err := w.s.Screen(ctx, w.now, a, w.a.courierID, control.ScreeningPassed, w.now.AddDate(1, 0, 0), "x")
			return err
		}},
		{"invite a resident", control.Operator, func(a control.Account) error {
			_, err := w.s.Invite(ctx, w.now, a, control.Resident, w.a.household)
			return err
		}},
	}
	for _, c := range calls {
		for _, who := range []struct {
			name string
			a    control.Account
			same bool
		}{
			{"nobody", control.Account{}, false},
			{"resident a", w.a.resident, true},
			{"resident b", w.b.resident, false},
			{"courier a", w.a.courier, true},
			{"courier b", w.b.courier, false},
			{"operator a", w.a.operator, true},
			{"operator b", w.b.operator, false},
			{"an account without a household", control.Account{ID: "x", Role: c.role}, false},
		} {
			err := c.f(who.a)
			want := "not-found"
			switch {
			case who.a.ID == "":
				want = "signed-out"
			case who.a.Role != c.role, who.a.ID == "x":
				want = "forbidden"
			case who.same:
				want = ""
			}
			wantReason(t, c.name+" by "+who.name, err, want)
		}
	}
}

// own makes a page of one's own that shows nothing of side s a "not found": what a stranger gets is his own page.
func own(a control.Account, s side, err error) error {
	if err == nil && a.Household != s.household {
		return control.ErrNotFound
	}
	return err
}

// T24: pages show nothing of the other side.
func TestPagesKeepSidesApart(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	da := w.ready(w.a)
	w.ready(w.b)
	home, err := w.s.Home(ctx, w.now, w.b.resident)
	if err != nil || len(home.Doors) != 1 || home.Doors[0].Hub != w.b.hub || len(home.Deliveries) != 1 || home.Deliveries[0].ID == da.ID {
		t.Errorf("home b: %+v, %v", home, err)
	}
	ops, err := w.s.Ops(ctx, w.now, w.b.operator)
	if err != nil || len(ops.Households) != 1 || ops.Households[0].ID != w.b.household || len(ops.Deliveries) != 1 || len(ops.Couriers) != 1 || len(ops.Hubs) != 1 {
		t.Errorf("ops b: %+v, %v", ops, err)
	}
	stops, err := w.s.Stops(ctx, w.now, w.b.courier)
	if err != nil || len(stops) != 1 || stops[0].Delivery == da.ID {
		t.Errorf("stops b: %+v, %v", stops, err)
	}
	// Carrier b learns of household a only by its consent.
	if _, err := w.s.Book(ctx, w.now, w.b.operator, w.booking(w.a)); reason(err) != "not-found" {
		t.Errorf("b booked at a: %v", err)
	}
	w.consent(w.a, w.b.carrier)
	if _, err := w.s.Book(ctx, w.now, w.b.operator, w.booking(w.a)); err != nil {
		t.Errorf("b may book at a once a has consented: %v", err)
	}
	// It does not speak for who lives there, and is not told how many they are.
	ops, err = w.s.Ops(ctx, w.now, w.b.operator)
	if err != nil || len(ops.Households) != 2 {
		t.Fatalf("ops b after a's consent: %+v, %v", ops, err)
	}
	for _, h := range ops.Households {
		ours := h.ID == w.b.household
		if h.Ours != ours || (h.Residents != nil) != ours {
			t.Errorf("ops b: household %s: ours %v, residents %v", h.ID, h.Ours, h.Residents)
		}
		if ours && *h.Residents != 1 {
			t.Errorf("ops b: %d residents of household b have joined, want 1", *h.Residents)
		}
	}
	if _, err := w.s.Invite(ctx, w.now, w.b.operator, control.Resident, w.a.household); reason(err) != "not-found" {
		t.Errorf("b invited a resident of a: %v", err)
	}
}

// T24: a courier has his stops of today and no others.
func TestCourierOnlyToday(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	d := w.ready(w.a)
	for _, c := range []struct {
		at   time.Duration
		want string
	}{
		{0, ""},
		{11 * time.Hour, ""},           // the same evening: the hub says "too late" itself
		{-11 * time.Hour, ""},          // the same morning
		{24 * time.Hour, "not-found"},  // tomorrow
		{-24 * time.Hour, "not-found"}, // yesterday
	} {
		_, err := w.s.Arrive(ctx, w.now.Add(c.at), w.a.courier, d.ID, "P1", nil)
		wantReason(t, c.at.String(), err, c.want)
		stops, err := w.s.Stops(ctx, w.now.Add(c.at), w.a.courier)
		if err != nil || (len(stops) == 1) != (c.want == "") {
			t.Errorf("%s: %d stops, %v", c.at, len(stops), err)
		}
	}
	// After it was taken away from him, it is not his.
	other, code, err := w.s.AddCourier(ctx, w.now, w.a.operator, "Second")
	if err != nil {
		t.Fatal(err)
	}
	w.register(code, "Second", "second")
	if _, err := w.s.Screen(ctx, w.now, w.a.operator, other.ID, control.ScreeningPassed, w.now.AddDate(1, 0, 0), "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Assign(ctx, w.now, w.a.operator, d.ID, other.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.s.Arrive(ctx, w.now, w.a.courier, d.ID, "P1", nil)
	wantReason(t, "arrive after reassignment", err, "not-found")
}

// Only who set the service up may set homes up.
func TestSetupIsAdmins(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	for _, who := range []control.Account{{}, w.a.resident, w.a.courier, w.b.operator} {
		want := "forbidden"
		if who.ID == "" {
			want = "signed-out"
		}
		_, _, err := w.s.CreateHousehold(ctx, w.now, who, control.Household{Name: "x", Address: "y"})
		wantReason(t, "household by "+who.Name, err, want)
		_, _, err = w.s.CreateCarrier(ctx, w.now, who, "x")
		wantReason(t, "carrier by "+who.Name, err, want)
		_, err = w.s.CreateHub(ctx, w.now, who, control.Hub{ID: "x"})
		wantReason(t, "hub by "+who.Name, err, want)
		_, err = w.s.CreateDoor(ctx, who, control.Door{Hub: w.a.hub, Name: "x"})
		wantReason(t, "door by "+who.Name, err, want)
	}
}

// S17, T13, T24: whoever lives in a household sees inside it, so nobody moves in by a carrier's word. Its operator invites the first
// resident; from then on residents do, and who runs the service only with an alarm to those who live there.
func TestNobodyInvitesHimselfIn(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	// Two more operators of the carrier that set household a up; neither runs the service.
	var staff [2]control.Account
	for i, name := range []string{"Oskar", "Odette"} {
		code, err := w.s.Invite(ctx, w.now, w.a.operator, control.Operator, "")
		if err != nil {
			t.Fatal(err)
		}
		staff[i] = w.register(code, name, name)
	}
	for _, k := range []struct {
		name    string
		who     control.Account
		invite  string // by Invite
		resides string // by InviteResident
	}{
		{"nobody", control.Account{}, "signed-out", "signed-out"},
		{"staff of the carrier that set it up", staff[0], "lived-in", "forbidden"},
		{"another carrier", w.b.operator, "not-found", "forbidden"},
		{"a courier", w.a.courier, "forbidden", "forbidden"},
		{"a resident", w.a.resident, "forbidden", ""},
	} {
		_, err := w.s.Invite(ctx, w.now, k.who, control.Resident, w.a.household)
		wantReason(t, k.name, err, k.invite)
		_, err = w.s.InviteResident(ctx, w.now, k.who)
		wantReason(t, k.name+", as one who lives there", err, k.resides)
	}
	if got := w.alarms(w.a); len(got) != 0 {
		t.Fatalf("alarms %q", got)
	}

	// An invitation that was kept back from the time when nobody lived there.
	h, first, err := w.s.CreateHousehold(ctx, w.now, w.a.operator, control.Household{Name: "New", Address: "New Street 1"})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.s.Invite(ctx, w.now, staff[1], control.Resident, h.ID)
	if err != nil {
		t.Fatalf("the first resident of an empty household: %v", err)
	}
	w.register(first, "Nora", "nora")
	id, err := w.s.NewAccountID()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Register(ctx, w.now, kept, id, "Odette", control.Passkey{ID: "odette2", Raw: []byte("odette2")}); reason(err) != "invite" {
		t.Errorf("a kept invitation: %v", err)
	}

	// A resident's own invitation is a notice; one of whoever runs the service is an alarm that stands.
	code, err := w.s.InviteResident(ctx, w.now, w.a.resident)
	if err != nil {
		t.Fatal(err)
	}
	if a := w.register(code, "Rita", "rita"); a.Household != w.a.household || a.Role != control.Resident {
		t.Errorf("registered %+v", a)
	}
	if got := w.alarms(w.a); len(got) != 0 {
		t.Errorf("invited by a resident: %q", got)
	}
	if code, err = w.s.Invite(ctx, w.now, w.a.operator, control.Resident, w.a.household); err != nil {
		t.Fatal(err)
	}
	w.register(code, "Eve", "eve")
	if got := w.alarms(w.a); len(got) != 1 || got[0] != "resident-added" {
		t.Errorf("invited by who runs the service: %q, want one resident-added", got)
	}
	if got := w.alarms(w.b); len(got) != 0 {
		t.Errorf("another household heard %q", got)
	}
}

func TestInvitesWorkOnce(t *testing.T) {
	w := newTown(t)
	ctx := context.Background()
	code, err := w.s.Invite(ctx, w.now, w.a.operator, control.Resident, w.a.household)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Invited(ctx, w.now.Add(15*24*time.Hour), code); reason(err) != "invite" {
		t.Errorf("after its time: %v", err)
	}
	w.register(code, "Second resident", "guest")
	if _, err := w.s.Invited(ctx, w.now, code); reason(err) != "invite" {
		t.Errorf("a used invitation: %v", err)
	}
	for _, bad := range []string{"", "aaaa-bbbb-cccc-dddd", "'; --"} {
		if _, err := w.s.Invited(ctx, w.now, bad); reason(err) != "invite" {
			t.Errorf("invitation %q: %v", bad, err)
		}
	}
	// A revoked courier signs in no more.
	if _, err := w.s.RevokeCourier(ctx, w.now, w.a.operator, w.a.courierID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Account(ctx, w.a.courier.ID); reason(err) != "signed-out" {
		t.Errorf("a revoked courier's account: %v", err)
	}
}
