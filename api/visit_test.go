package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"eyebolt/bus"
	"eyebolt/bus/mem"
	"eyebolt/control"
)

// The whole way of a delivery through the public API, with passkeys: the hub alone verifies the slide (S2, S3).
func TestVisitThroughTheAPI(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	h.trust()
	d := h.book()
	until(t, "the hub holds the grant", func() bool { return h.hub.did(bus.AskGrant) == 1 })
	if s := h.stop(); s.State != "planned" || s.Address != "oak Street 1" || len(s.Parcels) != 2 {
		t.Errorf("stop %+v", s)
	}
	base := "/api/stops/" + d.ID
	if r := h.courier.ask(base+"/arrive", map[string]any{"parcel": "X"}); r.OK || r.Reason != "wrong-parcel" || r.Sentence == "" {
		t.Errorf("a wrong parcel: %+v", r)
	}
	// No visit yet: nothing to slide for.
	if status, why := h.courier.refused("POST", base+"/slide", h.courier.sign([]byte("x"))); status != http.StatusConflict || why != "no-visit" {
		t.Errorf("slide before arrival: %d %s", status, why)
	}
	if r := h.courier.ask(base+"/arrive", map[string]any{"parcel": "P2", "place": map[string]float64{"lat": 48.2, "lon": 16.3}}); !r.OK || r.Visit == "" {
		t.Fatalf("arrive: %+v", r)
	}
	nonce := h.nonce()
	if r := h.courier.ask(base+"/slide", h.courier.sign(nonce)); !r.OK {
		t.Fatalf("slide: %+v", r)
	}
	// T12: the same slide again, and a grant that was used.
	if r := h.courier.ask(base+"/slide", h.courier.sign(nonce)); r.OK || r.Reason != "grant-used" {
		t.Errorf("a second slide: %+v", r)
	}
	until(t, "the delivery is open", func() bool { return h.stop().State == "open" })
	h.hub.truth(func() {
		if h.hub.opened != 1 {
			t.Errorf("opened %d times", h.hub.opened)
		}
	})
	var page control.Home
	h.resident.ok("GET", "/api/home", nil, &page)
	if len(page.Doors) != 1 || page.Doors[0].View == nil || page.Doors[0].View.Battery != 77 || len(page.Visits) != 1 || page.Visits[0].CourierName != "Carlo oak" {
		t.Errorf("home %+v", page)
	}
	if v := h.stop().View; v == nil || v.Battery != -1 || v.Home {
		t.Errorf("the courier sees of the home: %+v", v)
	}
}

// T13: a borrowed phone, a stolen session, no user verification, another origin: no entry.
func TestNoPasskeyNoEntry(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	h.trust()
	d := h.book()
	base := "/api/stops/" + d.ID
	if r := h.courier.ask(base+"/arrive", map[string]any{"parcel": "P1"}); !r.OK {
		t.Fatalf("arrive: %+v", r)
	}
	nonce := h.nonce()
	thief := w.person()
	thief.http = h.courier.http // the stolen session
	borrowed := *h.courier
	borrowed.device = virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: h.courier.device.Options.UserHandle, UserNotVerified: true})
	elsewhere := *h.courier
	elsewhere.rp.Origin = "https://evil.example"
	otherRP := *h.courier
	otherRP.rp.ID = "evil.example"
	for _, c := range []struct {
		name string
		body any
		want string
	}{
		{"a stolen session, another passkey", thief.sign(nonce), "wrong-courier"},
		{"the resident's passkey", h.resident.sign(nonce), "wrong-courier"},
		{"no user verification", borrowed.sign(nonce), "slide-forged"},
		{"another origin", elsewhere.sign(nonce), "slide-forged"},
		{"another relying party", otherRP.sign(nonce), "slide-forged"},
		{"another challenge", h.courier.sign(append([]byte("x"), nonce...)), "slide-stale"},
		{"nonsense", map[string]any{"credential": map[string]any{"id": "x"}}, "slide-forged"},
	} {
		if r := h.courier.ask(base+"/slide", c.body); r.OK || r.Reason != c.want {
			t.Errorf("%s: %+v, want %s", c.name, r, c.want)
		}
	}
	h.hub.truth(func() {
		if h.hub.opened != 0 {
			t.Errorf("opened %d times", h.hub.opened)
		}
	})
	// None of them signs in, either.
	for name, p := range map[string]*person{"a passkey nobody knows": thief, "no user verification": &borrowed, "another origin": &elsewhere} {
		fresh := w.person()
		fresh.device, fresh.key, fresh.rp = p.device, p.key, p.rp
		if len(fresh.device.Options.UserHandle) == 0 {
			fresh.device.Options.UserHandle = h.courier.device.Options.UserHandle
		}
		options := fresh.begin("/api/login/begin", struct{}{})
		if status, why := fresh.refused("POST", "/api/login/finish", fresh.assert(options)); status != http.StatusForbidden || why != "passkey" {
			t.Errorf("%s signed in: %d %s", name, status, why)
		}
	}
}

// T23: asks and answers are lost, doubled and late; each order is taken once, and blocks arrive.
func TestOrdersOverABadBus(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	n := 0
	w.bus.Faults(func(e mem.Envelope) mem.Fate {
		if !strings.HasSuffix(e.Subject, ".ask") {
			return mem.Fate{}
		}
		n++
		switch n % 4 {
		case 1:
			return mem.Fate{Drop: true}
		case 2:
			return mem.Fate{Copies: 1}
		}
		return mem.Fate{}
	})
	for i, what := range []string{"block", "unblock", "block"} {
		r := h.resident.ask("/api/doors/hub-oak/front/"+what, struct{}{})
		if !r.OK {
			t.Errorf("%s: %+v", what, r)
		}
		if got := h.hub.beat().Blocks["front"]; got != uint64(i+1) {
			t.Errorf("after %s the beat counts %d", what, got)
		}
	}
	h.hub.truth(func() {
		if !h.hub.blocked || h.hub.blocks != 3 || len(h.hub.asked) != 3 || h.hub.copies == 0 {
			t.Errorf("blocked %v, count %d, taken %q, copies %d", h.hub.blocked, h.hub.blocks, h.hub.asked, h.hub.copies)
		}
	})
}

// S4: a block that the hub cannot hear counts at once, and reaches it when it is back; nobody is told that it was done.
func TestBlockReachesAHubThatWasAway(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	h.hub.conn.SetOnline(false)
	r := h.resident.ask("/api/doors/hub-oak/front/block", struct{}{})
	if r.OK || r.Reason != "hub-silent" || r.Sentence == "" {
		t.Errorf("got %+v", r)
	}
	h.hub.conn.SetOnline(true)
	if got := h.hub.beat().Blocks["front"]; got != 1 {
		t.Errorf("the first beat counts %d", got)
	}
	until(t, "the block arrives", func() bool { return h.hub.did(bus.AskBlock) == 1 })
}

// S14, T9, T10, T11 with the real clock: an alarm within 2.5 s of the last beat in a visit, on the resident's stream.
func TestSilentHubOnTheStream(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	s := h.resident.stream("")
	s.next()
	h.hub.beat("V1")
	begin := time.Now()
	kind, data := s.next()
	if took := time.Since(begin); kind != "alarm" || !strings.Contains(data, "hub-silent") || took < control.VisitSilence || took > control.VisitSilence+time.Second {
		t.Errorf("after %s: %s %s", took, kind, data)
	}
}

// S17: live video is between hub and household; the service passes both sides on as they are.
func TestLiveIsPassedOn(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	status, b := h.resident.call("POST", "/api/doors/hub-oak/front/live", map[string]string{"sdp": "v=0\r\n", "viewer": "x1"})
	if status != http.StatusOK || string(b) != `{"sdp":"answer","hub_key":"AAAA","signature":"AAAA"}`+"\n" && string(b) != `{"sdp":"answer","hub_key":"AAAA","signature":"AAAA"}` {
		t.Errorf("got %d %s", status, b)
	}
	h.hub.truth(func() {
		var o struct{ Door, Viewer, SDP string }
		if len(h.hub.offers) != 1 || json.Unmarshal(h.hub.offers[0], &o) != nil || o.Door != "front" || o.Viewer != "x1" || o.SDP != "v=0\r\n" {
			t.Errorf("the hub got %q", h.hub.offers)
		}
	})
	for name, p := range map[string]*person{"operator": operator, "courier": h.courier} {
		if status, why := p.refused("POST", "/api/doors/hub-oak/front/live", map[string]string{"sdp": "x", "viewer": "x"}); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, why)
		}
	}
}
