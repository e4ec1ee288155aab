package api_test

import (
	"net/http"
	"testing"
	"time"

	"eyebolt/api"
)

// T20, S4: an account that calls and calls is slowed down, alone; and it can always block the door, throw the bolt and send the
// courier out.
func TestOneAccountsFlood(t *testing.T) {
	began := time.Now()
	w := newTown(t, func(o *api.Options) { o.Now = func() time.Time { return began } })
	root := w.person().register(w.invite, "Olga")
	oak, elm := w.home("oak", root), w.home("elm", root)
	refused := 0
	for range 550 {
		if status, _ := oak.resident.call("GET", "/api/me", nil); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 40 || refused > 60 {
		t.Errorf("%d of 550 calls in no time were refused, want about 50", refused)
	}
	if status, why := oak.resident.refused("POST", "/api/doors/"+oak.hub.id+"/front/home", map[string]bool{"on": true}); status != http.StatusTooManyRequests || why != "too-many" {
		t.Errorf("home or away: %d %s", status, why)
	}
	for _, what := range []string{"block", "lock", "leave"} {
		if status, b := oak.resident.call("POST", "/api/doors/"+oak.hub.id+"/front/"+what, struct{}{}); status != http.StatusOK {
			t.Errorf("%s: %d %s", what, status, b)
		}
	}
	elm.resident.ok("GET", "/api/home", nil, nil)
}
