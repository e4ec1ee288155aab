package grant_test

import (
	"math"
	"testing"
	"time"

	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
)

// S2, T12, T14, T15: every check of an attempt, with the one reason for which it fails.
func TestCheck(t *testing.T) {
	is := func(id string) func(string) bool { return func(s string) bool { return s == id } }
	for _, c := range []struct {
		name   string
		change func(h *granttest.Home, a *grant.Attempt)
		check  string
		want   interlock.Reason
	}{
		{"nothing", func(*granttest.Home, *grant.Attempt) {}, "", interlock.NoReason},
		{"another door (T12)", func(_ *granttest.Home, a *grant.Attempt) { a.Door = "back" }, grant.CheckGrant, interlock.WrongDoor},
		{"no door", func(_ *granttest.Home, a *grant.Attempt) { a.Door = "" }, grant.CheckGrant, interlock.WrongDoor},
		{"used (T12)", func(h *granttest.Home, a *grant.Attempt) { a.Used = is(h.Delivery.ID) }, grant.CheckGrant, interlock.GrantUsed},
		{"another one used", func(_ *granttest.Home, a *grant.Attempt) { a.Used = is("other") }, "", interlock.NoReason},
		{"delivery revoked", func(h *granttest.Home, a *grant.Attempt) { a.Revoked = is(h.Delivery.ID) }, grant.CheckGrant, interlock.GrantRevoked},
		{"courier revoked", func(h *granttest.Home, a *grant.Attempt) { a.Revoked = is(h.Credential.ID) }, grant.CheckGrant, interlock.GrantRevoked},
		{"consent revoked", func(h *granttest.Home, a *grant.Attempt) { a.Revoked = is(h.Consent.ID) }, grant.CheckGrant, interlock.GrantRevoked},
		{"clock not sure (T15)", func(_ *granttest.Home, a *grant.Attempt) { a.ClockSure = false }, grant.CheckClock, interlock.ClockUnsure},
		{"no clock", func(_ *granttest.Home, a *grant.Attempt) { a.Now = time.Time{} }, grant.CheckClock, interlock.ClockUnsure},
		{"issued after now: one of the clocks is wrong (T15)", func(h *granttest.Home, _ *grant.Attempt) { h.Issued = noon.Add(61 * time.Second) }, grant.CheckClock, interlock.ClockUnsure},
		{"issued this moment, by a clock that is a little ahead", func(h *granttest.Home, _ *grant.Attempt) { h.Issued = noon.Add(59 * time.Second) }, "", interlock.NoReason},
		{"first instant", func(h *granttest.Home, a *grant.Attempt) { a.Now = h.Delivery.From }, "", interlock.NoReason},
		{"too early", func(h *granttest.Home, a *grant.Attempt) { a.Now = h.Delivery.From.Add(-1) }, grant.CheckWindow, interlock.TooEarly},
		{"last instant", func(h *granttest.Home, a *grant.Attempt) { a.Now = h.Delivery.Until.Add(-1) }, "", interlock.NoReason},
		{"too late (T12)", func(h *granttest.Home, a *grant.Attempt) { a.Now = h.Delivery.Until }, grant.CheckWindow, interlock.TooLate},
		{"not the household's hours", func(h *granttest.Home, _ *grant.Attempt) { h.Consent.EndMin = 12 * 60 }, grant.CheckWindow, interlock.NoConsent},
		{"screening ran out", func(h *granttest.Home, _ *grant.Attempt) { h.Credential.Screened = noon }, grant.CheckScreening, interlock.ScreeningExpired},
		{"never screened", func(h *granttest.Home, _ *grant.Attempt) { h.Credential.Screened = time.Time{} }, grant.CheckScreening, interlock.ScreeningExpired},
		{"credential ran out", func(h *granttest.Home, a *grant.Attempt) {
			h.Issued = noon.AddDate(0, -3, 0) // it holds for three months
			h.Consent.From = noon.AddDate(-1, 0, 0)
		}, grant.CheckScreening, interlock.ScreeningExpired},
		{"the other parcel", func(_ *granttest.Home, a *grant.Attempt) { a.Parcel = "PARCEL-2" }, "", interlock.NoReason},
		{"another parcel", func(_ *granttest.Home, a *grant.Attempt) { a.Parcel = "PARCEL-3" }, grant.CheckParcel, interlock.WrongParcel},
		{"no parcel", func(_ *granttest.Home, a *grant.Attempt) { a.Parcel = "" }, grant.CheckParcel, interlock.WrongParcel},
		{"at the place", func(h *granttest.Home, a *grant.Attempt) {
			h.Delivery.Place = &grant.Place{Lat: 52.5163, Lon: 13.3777, Metres: 100}
			a.HasPlace, a.Lat, a.Lon = true, 52.5170, 13.3777 // 78 m north
		}, "", interlock.NoReason},
		{"across the line where days begin", func(h *granttest.Home, a *grant.Attempt) {
			h.Delivery.Place = &grant.Place{Lat: 0, Lon: 179.9999, Metres: 100}
			a.HasPlace, a.Lat, a.Lon = true, 0, -179.9999 // 22 m east
		}, "", interlock.NoReason},
		{"too far (T14)", func(h *granttest.Home, a *grant.Attempt) {
			h.Delivery.Place = &grant.Place{Lat: 52.5163, Lon: 13.3777, Metres: 100}
			a.HasPlace, a.Lat, a.Lon = true, 52.5173, 13.3777 // 111 m north
		}, grant.CheckPlace, interlock.WrongPlace},
		{"no position", func(h *granttest.Home, a *grant.Attempt) {
			h.Delivery.Place = &grant.Place{Lat: 0, Lon: 0, Metres: 100}
		}, grant.CheckPlace, interlock.WrongPlace},
		{"a position that is no number", func(h *granttest.Home, a *grant.Attempt) {
			h.Delivery.Place = &grant.Place{Lat: 0, Lon: 0, Metres: 100}
			a.HasPlace, a.Lat = true, math.NaN()
		}, grant.CheckPlace, interlock.WrongPlace},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := granttest.New("a", noon)
			a := h.Attempt(noon)
			c.change(h, &a)
			results := h.Grant().Check(a)
			if got := grant.Reason(results); got != c.want {
				t.Fatalf("%v, want %v", got, c.want)
			}
			for _, r := range results {
				if r.Reason == c.want && c.want != interlock.NoReason && r.Name != c.check {
					// The first with the reason is the one; a clock that is unsure fails what hangs on it too.
					if c.want == interlock.ClockUnsure {
						continue
					}
					t.Errorf("%s fails for %v, want only %s", r.Name, r.Reason, c.check)
				}
				if c.check != "" && r.Name == c.check && r.Reason != c.want {
					t.Errorf("%s: %v, want %v", r.Name, r.Reason, c.want)
				}
			}
		})
	}
}

// S13: what is not there is no permission.
func TestZeroGrant(t *testing.T) {
	if got := grant.Reason(grant.Grant{}.Check(grant.Attempt{})); got == interlock.NoReason {
		t.Error("an empty grant opens an unnamed door")
	}
	if got := grant.Reason(grant.Grant{}.Check(grant.Attempt{Now: noon, ClockSure: true})); got == interlock.NoReason {
		t.Error("an empty grant opens")
	}
	if got := grant.Reason(nil); got == interlock.NoReason {
		t.Error("no check at all is taken for all checks")
	}
}

// With the clock unsure, nothing that hangs on it is told as good.
func TestUnsureClockFailsAllOfTime(t *testing.T) {
	h := granttest.New("a", noon)
	a := h.Attempt(noon)
	a.ClockSure = false
	want := map[string]interlock.Reason{
		grant.CheckGrant: interlock.NoReason, grant.CheckClock: interlock.ClockUnsure, grant.CheckWindow: interlock.ClockUnsure,
		grant.CheckScreening: interlock.ClockUnsure, grant.CheckParcel: interlock.NoReason, grant.CheckPlace: interlock.NoReason,
	}
	for _, r := range h.Grant().Check(a) {
		if r.Reason != want[r.Name] {
			t.Errorf("%s: %v, want %v", r.Name, r.Reason, want[r.Name])
		}
	}
}
