package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/api"
	"eyebolt/bus"
	"eyebolt/control"
)

// route is one call of the API, as somebody makes it who wants what is household oak's, or its carrier's.
type route struct {
	role  string // who may; "admin" is the operator who runs the service
	path  string // with oak's names
	in    any
	other int // what the same role of another tenant is answered; 0: a page of one's own, which shows nothing of oak
}

// T24: every route of the API, by everybody who may not: 401 for nobody, 403 for another role, 404 for another tenant, and no page
// shows what is another's. A route that is added without a row here fails the test.
func TestEveryRouteRefusesStrangers(t *testing.T) {
	var later atomic.Int64 // sign-ins come one after another, slowly enough
	w := newTown(t, func(o *api.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	slowly := func() { later.Add(int64(8 * time.Second)) }
	root := w.person().register(w.invite, "Olga")
	slowly()
	oak, elm := w.home("oak", root), w.home("elm", root)
	slowly()
	oak.trust()
	d := oak.book()
	slowly()

	// Another carrier with an operator and a courier of its own; the operator does not run the service.
	var raven struct{ Carrier, Invite string }
	root.ok("POST", "/api/ops/carriers", map[string]string{"name": "Raven"}, &raven)
	otto := w.person().register(raven.Invite, "Otto")
	var hired struct{ Courier, Invite string }
	otto.ok("POST", "/api/ops/couriers", map[string]string{"name": "Conny"}, &hired)
	conny := w.person().register(hired.Invite, "Conny")
	// One more operator of oak's own carrier, who does not run the service either.
	slowly()
	var more struct{ Invite string }
	root.ok("POST", "/api/ops/invites", map[string]string{"role": "operator"}, &more)
	staff := w.person().register(more.Invite, "Odette")

	oak.hub.publish(bus.View{Hub: oak.hub.id, Door: "front", Seq: 99, At: time.Now(), Phase: "arming", Visit: "VISIT-OAK", GrantID: d.Grant})
	var visit control.VisitPage
	until(t, "the visit", func() bool {
		status, b := oak.resident.call("GET", "/api/visits/VISIT-OAK", nil)
		return status == 200 && json.Unmarshal(b, &visit) == nil
	})
	var home control.Home
	oak.resident.ok("GET", "/api/home", nil, &home)
	consent := ""
	for _, c := range home.Consents {
		if c.State == "signed" {
			consent = c.ID
		}
	}
	if consent == "" || visit.ID == "" {
		t.Fatalf("no consent or visit to ask for: %+v", home.Consents)
	}

	door := "/api/doors/" + oak.hub.id + "/front/"
	on, empty := map[string]bool{"on": true}, struct{}{}
	screened := map[string]any{"status": "passed", "until": time.Now().AddDate(1, 0, 0), "reference": "x"}
	routes := map[string]route{
		"GET /api/me":                           {"any", "/api/me", nil, 0},
		"GET /api/home":                         {"resident", "/api/home", nil, 0},
		"POST /api/home/pair":                   {"resident", "/api/home/pair", map[string]string{"hub": oak.hub.id, "code": "x"}, 404},
		"POST /api/home/invites":                {"resident", "/api/home/invites", empty, 0},
		"GET /api/home/consent":                 {"resident", "/api/home/consent?hub=" + oak.hub.id + "&door=front&carrier=" + w.carrier, nil, 404},
		"POST /api/home/consent":                {"resident", "/api/home/consent", map[string]any{"document": "e30", "credential": empty}, 422}, // what fits is signed: see package control
		"DELETE /api/home/consent/{id}":         {"resident", "/api/home/consent/" + consent, nil, 404},
		"GET /api/home/checkpoint/{id}":         {"resident", "/api/home/checkpoint/" + oak.hub.id, nil, 404},
		"POST /api/doors/{hub}/{door}/block":    {"resident", door + "block", empty, 404},
		"POST /api/doors/{hub}/{door}/unblock":  {"resident", door + "unblock", empty, 404},
		"POST /api/doors/{hub}/{door}/lock":     {"resident", door + "lock", empty, 404},
		"POST /api/doors/{hub}/{door}/leave":    {"resident", door + "leave", empty, 404},
		"POST /api/doors/{hub}/{door}/ack":      {"resident", door + "ack", map[string]any{"alarms": []string{"A1"}}, 404},
		"POST /api/doors/{hub}/{door}/home":     {"resident", door + "home", on, 404},
		"POST /api/doors/{hub}/{door}/hold":     {"resident", door + "hold", map[string]any{"what": "pets", "on": true}, 404},
		"POST /api/doors/{hub}/{door}/live":     {"resident", door + "live", map[string]string{"sdp": "x", "viewer": "y"}, 404},
		"GET /api/visits/{id}":                  {"resident", "/api/visits/VISIT-OAK", nil, 404},
		"POST /api/visits/{id}/close":           {"resident", "/api/visits/VISIT-OAK/close", empty, 404},
		"GET /api/stops":                        {"courier", "/api/stops", nil, 0},
		"POST /api/stops/{delivery}/arrive":     {"courier", "/api/stops/" + d.ID + "/arrive", map[string]string{"parcel": "P1"}, 404},
		"POST /api/stops/{delivery}/slide":      {"courier", "/api/stops/" + d.ID + "/slide", map[string]any{"credential": empty}, 404},
		"POST /api/stops/{delivery}/out":        {"courier", "/api/stops/" + d.ID + "/out", map[string]any{"credential": empty}, 404},
		"POST /api/stops/{delivery}/cannot":     {"courier", "/api/stops/" + d.ID + "/cannot", map[string]string{"why": "dog"}, 404},
		"GET /api/ops":                          {"operator", "/api/ops", nil, 0},
		"POST /api/ops/deliveries":              {"operator", "/api/ops/deliveries", map[string]any{"household": oak.household, "door": "front", "from": time.Now(), "until": time.Now().Add(time.Hour), "parcels": []string{"P9"}}, 404},
		"POST /api/ops/deliveries/{id}/assign":  {"operator", "/api/ops/deliveries/" + d.ID + "/assign", map[string]string{"courier": hired.Courier}, 404},
		"POST /api/ops/deliveries/{id}/cancel":  {"operator", "/api/ops/deliveries/" + d.ID + "/cancel", empty, 404},
		"POST /api/ops/couriers":                {"operator", "/api/ops/couriers", map[string]string{"name": "Own"}, 0},
		"POST /api/ops/couriers/{id}/screening": {"operator", "/api/ops/couriers/" + oak.courierID + "/screening", screened, 404},
		"POST /api/ops/couriers/{id}/revoke":    {"operator", "/api/ops/couriers/" + oak.courierID + "/revoke", empty, 404},
		"POST /api/ops/invites":                 {"operator", "/api/ops/invites", map[string]string{"role": "resident", "household": oak.household}, 404},
		"POST /api/ops/households":              {"admin", "/api/ops/households", map[string]string{"name": "x", "address": "y"}, 403},
		"POST /api/ops/carriers":                {"admin", "/api/ops/carriers", map[string]string{"name": "x"}, 403},
		"POST /api/ops/hubs":                    {"admin", "/api/ops/hubs", map[string]string{"id": "x", "household": oak.household, "nkey": "x", "ledger_key": "x"}, 403},
		"POST /api/ops/doors":                   {"admin", "/api/ops/doors", map[string]string{"hub": oak.hub.id, "name": "back"}, 403},
		"GET /api/events":                       {"any", "/api/events", nil, 0}, // whose events: see package control
		"POST /api/login/begin":                 {role: "nobody"},
		"POST /api/login/finish":                {role: "nobody"},
		"POST /api/logout":                      {role: "nobody"},
		"POST /api/logout/everywhere":           {role: "nobody"}, // one\'s own; see TestSignOutEverywhere
		"POST /api/register/begin":              {role: "nobody"},
		"POST /api/register/finish":             {role: "nobody"},
	}
	var spec struct {
		Paths map[string]map[string]any
	}
	root.ok("GET", "/openapi.json", nil, &spec)
	for path, methods := range spec.Paths {
		for method := range methods {
			if _, ok := routes[strings.ToUpper(method)+" "+path]; !ok {
				t.Errorf("%s %s: who may call it? Add a row", strings.ToUpper(method), path)
			}
		}
	}

	people := []struct {
		name, role string
		p          *person
	}{
		{"nobody", "", w.person()},
		{"oak's resident", "resident", oak.resident},
		{"elm's resident", "resident", elm.resident},
		{"oak's courier", "courier", oak.courier},
		{"another courier of the carrier", "courier", elm.courier},
		{"another carrier's courier", "courier", conny},
		{"staff of oak's carrier", "operator", staff},
		{"another carrier's operator", "operator", otto},
	}
	own := map[*person]bool{oak.resident: true, oak.courier: true, staff: true}
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		r := routes[name]
		if r.role == "nobody" {
			continue
		}
		method, _, _ := strings.Cut(name, " ")
		for _, who := range people {
			want := r.other
			switch {
			case who.role == "":
				want = http.StatusUnauthorized
			case r.role != "any" && r.role != who.role && (r.role != "admin" || who.role != "operator"):
				want = http.StatusForbidden
			case r.role == "admin":
				want = http.StatusForbidden
			case own[who.p]:
				continue // they may
			}
			if strings.HasSuffix(r.path, "/pair") {
				slowly()
			}
			if name == "GET /api/events" && want == 0 {
				continue // it does not end
			}
			status, b := who.p.call(method, r.path, r.in)
			if want == 0 {
				for _, secret := range []string{oak.household, oak.hub.id, d.ID, d.Grant, "VISIT-OAK", "oak Street", consent, oak.courierID} {
					if strings.Contains(string(b), secret) {
						t.Errorf("%s by %s shows %q: %s", name, who.name, secret, b)
					}
				}
				continue
			}
			if status != want {
				t.Errorf("%s by %s: %d %s, want %d", name, who.name, status, b, want)
			}
		}
	}
	oak.hub.truth(func() {
		for _, what := range oak.hub.asked {
			if what != bus.AskPair && what != bus.AskConsent && what != bus.AskGrant {
				t.Errorf("the hub was asked to %s", what)
			}
		}
	})
}
