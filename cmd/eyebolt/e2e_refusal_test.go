package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"eyebolt/interlock"
	"eyebolt/virtual"
	"eyebolt/virtual/home"
	"eyebolt/virtual/person"
)

// refused is how somebody was told no: by the service (RFC 9457) or by the hub.
type refused struct{ reason, sentence string }

// told makes one of an answer; the zero value is a yes.
func told(t *testing.T, a virtual.Answer, err error) refused {
	t.Helper()
	var problem *person.Problem
	switch {
	case errors.As(err, &problem):
		return refused{problem.Reason, problem.Detail}
	case err == nil && a.OK:
		return refused{}
	case err == nil || a.Reason != "":
		return refused{a.Reason, a.Sentence}
	}
	t.Fatal(err)
	return refused{}
}

func answered(t *testing.T) func(virtual.Answer, error) refused {
	return func(a virtual.Answer, err error) refused { t.Helper(); return told(t, a, err) }
}

func by(r interlock.Reason) refused { return refused{r.String(), r.Sentence()} }

// booked books a parcel for a window around now, for a courier unless empty.
func (e *e2e) booked(courier, parcel string, from, until time.Time) (string, error) {
	var d struct{ ID string }
	in := map[string]any{"household": e.cast.Household, "hub": hubID, "door": doorName(0), "from": from.UTC(), "until": until.UTC(), "parcels": []string{parcel}}
	if courier != "" {
		in["courier"] = courier
	}
	err := e.cast.Operator.Call(e.ctx, http.MethodPost, "/api/ops/deliveries", in, &d)
	return d.ID, err
}

// hire makes one more courier, with a passkey of his own and a screening.
func (e *e2e) hire(name, status string, until time.Time) (who *person.Person, id string) {
	e.t.Helper()
	var hired struct{ Courier, Invite string }
	e.do(func() error {
		return e.cast.Operator.Call(e.ctx, http.MethodPost, "/api/ops/couriers", map[string]string{"name": name}, &hired)
	})
	who, err := person.New(e.service.URLs[1], "localhost")
	if err != nil {
		e.t.Fatal(err)
	}
	e.do(func() error { return who.Register(e.ctx, hired.Invite, name) })
	e.do(func() error { return e.screen(hired.Courier, status, until) })
	return who, hired.Courier
}

func (e *e2e) screen(courier, status string, until time.Time) error {
	return e.cast.Operator.Call(e.ctx, http.MethodPost, "/api/ops/couriers/"+courier+"/screening", map[string]any{"status": status, "until": until.UTC(), "reference": "BC-1"}, nil)
}

// arrive is the cast's courier, or another, who says that he is at the door.
func (e *e2e) arrive(who *person.Person, delivery, parcel string) (virtual.Answer, error) {
	var a virtual.Answer
	err := who.Call(e.ctx, http.MethodPost, "/api/stops/"+delivery+"/arrive", map[string]any{"parcel": parcel}, &a)
	return a, err
}

// Whatever is wrong with a delivery, a courier or the house's wish, somebody is told one reason and what to do next, and the
// bolt does not move (S2, S3, S4, T12, T13, T24).
func TestEachRefusalNamesItsReasonAndDrawsNoBolt(t *testing.T) {
	e := newTown(t, func(c *townConfig) { c.Strangers = false })
	ctx, c := e.ctx, e.cast
	hour := time.Now().Add(time.Hour)
	ago := time.Now().Add(-time.Minute)
	door := e.watcher()
	year := time.Now().AddDate(1, 0, 0)
	other, _ := e.hire("Otto (another courier)", "passed", year)
	_, pendingID := e.hire("Pia (not screened yet)", "pending", year)
	_, soonID := e.hire("Sven (screening runs out)", "passed", time.Now().Add(30*time.Minute))
	short, shortID := e.hire("Kim (screening cut short)", "passed", year)
	ousted, oustedID := e.hire("Uwe (screening taken back)", "passed", year)

	must := func(id string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	// A hub that has just started is sure of its clock once the service has answered it twice.
	first := must(e.booked(c.CourierID, "A-0", ago, hour))
	e.until("the hub to be sure of its clock", func() bool {
		a, err := e.arrive(c.Courier, first, "nothing-of-this-name")
		return err == nil && a.Reason == interlock.WrongParcel.String()
	})
	soon := time.Now().Add(2 * time.Second)
	late := must(e.booked(c.CourierID, "A-1", ago, soon))
	visit := func(delivery, parcel string) virtual.View {
		t.Helper()
		if got := answered(t)(e.arrive(c.Courier, delivery, parcel)); got != (refused{}) {
			t.Fatalf("the courier is refused at the door: %+v", got)
		}
		v, err := door.Until(ctx, "every check to hold", patience, func(v virtual.View) bool { return v.Phase == "ready" })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// The nonce is shown to the visit's courier alone.
	mine := virtual.Watch(ctx, c.Courier, hubID, doorName(0))
	give := func(delivery string) {
		t.Helper()
		if err := c.Courier.Call(ctx, http.MethodPost, "/api/stops/"+delivery+"/cannot", map[string]string{"why": "other"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := door.Until(ctx, "the visit to end", patience, func(v virtual.View) bool { return v.Phase == "idle" }); err != nil {
			t.Fatal(err)
		}
	}
	slide := func(delivery string, credential json.RawMessage) (virtual.Answer, error) {
		var a virtual.Answer
		err := c.Courier.Call(ctx, http.MethodPost, "/api/stops/"+delivery+"/slide", map[string]any{"credential": credential}, &a)
		return a, err
	}
	signed := func(who *person.Person, nonce string) json.RawMessage {
		t.Helper()
		credential, err := who.SignText(nonce)
		if err != nil {
			t.Fatal(err)
		}
		return credential
	}
	nonce := func() string {
		t.Helper()
		v, err := mine.Until(ctx, "the hub's nonce", patience, func(v virtual.View) bool { return v.Phase == "ready" && v.Nonce != "" })
		if err != nil {
			t.Fatal(err)
		}
		return v.Nonce
	}

	for _, r := range []struct {
		name, who string
		try       func(t *testing.T) refused
		want      refused
	}{
		{"a courier who is not screened", "operator", func(t *testing.T) refused {
			_, err := e.booked(pendingID, "B-1", ago, hour)
			return told(t, virtual.Answer{OK: err == nil}, err)
		}, refused{"screening-pending", "This courier's screening is not done. Enter its result, or assign another courier."}},
		{"a screening that runs out before the window ends", "operator", func(t *testing.T) refused {
			_, err := e.booked(soonID, "B-2", ago, hour)
			return told(t, virtual.Answer{OK: err == nil}, err)
		}, refused{"screening-expired", "This courier's screening runs out before the window ends. Renew it, or assign another courier."}},
		{"a screening taken back after the delivery was assigned", "courier", func(t *testing.T) refused {
			d := must(e.booked(oustedID, "B-3", ago, hour))
			e.do(func() error { return e.screen(oustedID, "failed", year) })
			return answered(t)(e.arrive(ousted, d, "B-3"))
		}, refused{"not-found", "This stop is not on your list of today: look at your stops again, or call your dispatcher."}},
		{"a screening cut short after the delivery was assigned", "courier", func(t *testing.T) refused {
			d := must(e.booked(shortID, "B-4", ago, hour))
			e.do(func() error { return e.screen(shortID, "passed", time.Now().Add(10*time.Minute)) })
			return answered(t)(e.arrive(short, d, "B-4"))
		}, refused{"not-found", "This stop is not on your list of today: look at your stops again, or call your dispatcher."}},
		{"another courier's delivery", "courier", func(t *testing.T) refused {
			return answered(t)(e.arrive(other, first, "A-0"))
		}, refused{"not-found", "This stop is not on your list of today: look at your stops again, or call your dispatcher."}},
		{"the wrong parcel", "courier", func(t *testing.T) refused {
			return answered(t)(e.arrive(c.Courier, first, "A-1"))
		}, by(interlock.WrongParcel)},
		{"before the window", "courier", func(t *testing.T) refused {
			return answered(t)(e.arrive(c.Courier, must(e.booked(c.CourierID, "A-2", time.Now().Add(30*time.Minute), hour)), "A-2"))
		}, by(interlock.TooEarly)},
		{"after the window", "courier", func(t *testing.T) refused {
			e.until("the window to end", func() bool { return time.Now().After(soon) })
			return answered(t)(e.arrive(c.Courier, late, "A-1"))
		}, by(interlock.TooLate)},
		{"a borrowed phone: another's passkey over the right nonce", "courier", func(t *testing.T) refused {
			visit(first, "A-0")
			return answered(t)(slide(first, signed(other, nonce())))
		}, by(interlock.WrongCourier)},
		{"the right passkey over another nonce than the newest", "courier", func(t *testing.T) refused {
			defer give(first)
			return answered(t)(slide(first, signed(c.Courier, "YW4gb2xkZXIgbm9uY2UsIG9mIDMyIGJ5dGVzIGluIGFsbA")))
		}, by(interlock.SlideStale)},
		{"a door that its resident has blocked", "courier", func(t *testing.T) refused {
			block(e, "block")
			defer block(e, "unblock")
			d := must(e.booked(c.CourierID, "A-3", ago, hour))
			return answered(t)(e.arrive(c.Courier, d, "A-3"))
		}, by(interlock.Blocked)},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := r.try(t)
			row(t, r.name, r.who, got.sentence, len(e.sent("UNLOCK")))
			if got != r.want {
				t.Errorf("told %+v, want %+v", got, r.want)
			}
			if n := len(e.sent("UNLOCK")); n != 0 {
				t.Errorf("%d unlocks on the wire", n)
			}
			if truth := e.truth(); truth.Bolt != home.Thrown || truth.DoorOpen || len(e.when(home.BoltDrawn)) != 0 {
				t.Errorf("the home: bolt %v, door open %v, drawn %d times", truth.Bolt, truth.DoorOpen, len(e.when(home.BoltDrawn)))
			}
			if err := e.world.Open(); err == nil {
				t.Error("the door opens")
			}
		})
	}

	t.Run("a grant that has opened the door already", func(t *testing.T) {
		story := e.world.Honest(ctx, c, "C-1")
		if story.Err != nil {
			t.Fatal(story.Err)
		}
		var stops struct {
			Stops []struct{ Delivery, Visit string }
		}
		e.do(func() error { return c.Courier.Call(ctx, http.MethodGet, "/api/stops", nil, &stops) })
		used := ""
		for _, s := range stops.Stops {
			if s.Visit == story.Visit {
				used = s.Delivery
			}
		}
		got := answered(t)(e.arrive(c.Courier, used, "C-1"))
		row(t, "a grant that has opened the door already (the one unlock is the honest visit's)", "courier", got.sentence, len(e.sent("UNLOCK")))
		if got != by(interlock.GrantUsed) {
			t.Errorf("told %+v, want %+v", got, by(interlock.GrantUsed))
		}
		if n := len(e.sent("UNLOCK")); n != 1 {
			t.Errorf("%d unlocks on the wire, want the honest visit's one", n)
		}
		e.lockedOutside(1)
	})
}

// block is the resident's order, taken by the hub.
func block(e *e2e, what string) {
	e.t.Helper()
	var a virtual.Answer
	e.do(func() error {
		return e.cast.Resident.Call(e.ctx, http.MethodPost, "/api/doors/"+hubID+"/"+doorName(0)+"/"+what, map[string]any{}, &a)
	})
	if !a.OK {
		e.t.Fatalf("%s: %s", what, a.Sentence)
	}
}
