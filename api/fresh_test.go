package api_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/api"
)

// T13: a stolen web session lets nobody in: what decides who may come in wants a passkey that was used a moment ago. Whoever
// holds the passkey goes on after one touch, and the session that was stolen before is worth nothing more.
func TestStolenSessionLetsNobodyIn(t *testing.T) {
	var later atomic.Int64
	w := newTown(t, func(o *api.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	h.trust()
	type try struct {
		who  *person
		path string
		in   any
	}
	tries := []try{
		{operator, "/api/ops/couriers", map[string]string{"name": "Eve"}},
		{operator, "/api/ops/couriers/" + h.courierID + "/screening", map[string]any{"status": "passed", "until": time.Now().AddDate(1, 0, 0), "reference": "check 2"}},
		{operator, "/api/ops/invites", map[string]string{"role": "operator"}},
		{operator, "/api/ops/invites", map[string]string{"role": "resident", "household": h.household}},
		{operator, "/api/ops/households", map[string]string{"name": "x", "address": "y"}},
		{operator, "/api/ops/carriers", map[string]string{"name": "x"}},
		{operator, "/api/ops/doors", map[string]string{"hub": h.hub.id, "name": "back"}},
		{h.resident, "/api/home/invites", struct{}{}},
		{h.resident, "/api/doors/" + h.hub.id + "/front/unblock", struct{}{}},
		{h.resident, "/api/doors/" + h.hub.id + "/front/hold", map[string]any{"what": "pets", "on": false}},
		{h.resident, "/api/doors/" + h.hub.id + "/front/home", map[string]any{"on": true}},
		{h.resident, "/api/doors/" + h.hub.id + "/front/ack", map[string]any{"alarms": []string{"A1"}}},
	}
	later.Store(int64(16 * time.Minute))
	for _, k := range tries {
		if status, why := k.who.refused("POST", k.path, k.in); status != http.StatusForbidden || why != "sign-in-again" {
			t.Errorf("%s with an old session: %d %s, want 403 sign-in-again", k.path, status, why)
		}
	}
	// What keeps people out needs no touch.
	h.resident.ok("POST", "/api/doors/"+h.hub.id+"/front/block", struct{}{}, nil)
	h.resident.ok("POST", "/api/doors/"+h.hub.id+"/front/hold", map[string]any{"what": "pets", "on": true}, nil)
	h.resident.ok("POST", "/api/doors/"+h.hub.id+"/front/home", map[string]any{"on": false}, nil)
	if status, why := h.resident.refused("POST", "/api/visits/V1/close", struct{}{}); status != http.StatusForbidden || why != "sign-in-again" {
		t.Errorf("closing an incident with an old session: %d %s", status, why)
	}
	operator.ok("POST", "/api/ops/couriers/"+h.courierID+"/screening", map[string]any{"status": "failed"}, nil)

	stolen := w.person() // a copy of the cookie, as it is before the next sign-in
	r, _ := http.NewRequestWithContext(t.Context(), "GET", w.url, nil)
	stolen.http.Jar.SetCookies(r.URL, operator.http.Jar.Cookies(r.URL))
	stolen.ok("GET", "/api/me", nil, nil)
	for _, p := range []*person{operator, h.resident} {
		p.ok("POST", "/api/login/finish", p.assert(p.begin("/api/login/begin", struct{}{})), nil)
	}
	for _, k := range tries {
		if status, b := k.who.call("POST", k.path, k.in); status != http.StatusOK && status != http.StatusNoContent {
			t.Errorf("%s after a touch of the passkey: %d %s", k.path, status, b)
		}
	}
	if status, _ := stolen.refused("GET", "/api/me", nil); status != http.StatusUnauthorized {
		t.Errorf("the stolen session after the owner signed in again: %d", status)
	}
}
