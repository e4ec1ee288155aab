package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"eyebolt/api"
	"eyebolt/bus"
)

func TestSigningIn(t *testing.T) {
	w := newTown(t)
	p := w.person()
	if status, why := p.refused("GET", "/api/me", nil); status != http.StatusUnauthorized {
		t.Errorf("nobody: %d %s", status, why)
	}
	if status, why := p.refused("POST", "/api/register/begin", map[string]string{"invite": "aaaa-bbbb-cccc-dddd", "name": "Eve"}); status != http.StatusNotFound || why != "invite" {
		t.Errorf("a made-up invitation: %d %s", status, why)
	}
	p.register(w.invite, "Olga")
	if p.me.Role != "operator" || p.me.Name != "Olga" || p.me.Carrier != w.carrier {
		t.Errorf("me %+v", p.me)
	}
	if status, _ := w.person().refused("POST", "/api/register/begin", map[string]string{"invite": w.invite, "name": "Eve"}); status != http.StatusNotFound {
		t.Errorf("a used invitation: %d", status)
	}
	p.ok("POST", "/api/logout", struct{}{}, nil)
	if status, _ := p.refused("GET", "/api/me", nil); status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", status)
	}
	options := p.begin("/api/login/begin", struct{}{})
	for _, want := range []string{`"userVerification":"required"`, `"rpId":"localhost"`} {
		if !strings.Contains(options, want) {
			t.Errorf("options lack %s: %s", want, options)
		}
	}
	answer := p.assert(options)
	p.ok("POST", "/api/login/finish", answer, nil)
	p.ok("GET", "/api/me", nil, nil)
	// T13: a challenge is answered once.
	if status, why := w.person().refused("POST", "/api/login/finish", answer); status != http.StatusConflict || why != "no-ceremony" {
		t.Errorf("the same answer again: %d %s", status, why)
	}
	// A sign-in's challenge registers nobody, nor the other way round.
	q := w.person()
	if status, _ := q.refused("POST", "/api/register/finish", p.assert(q.begin("/api/login/begin", struct{}{}))); status == http.StatusOK {
		t.Error("an assertion registered somebody")
	}
}

// T24: what is another's is not there; what a role may not do is forbidden.
func TestTenantsOverHTTP(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	a, b := w.home("oak", operator), w.home("elm", operator)
	a.trust()
	d := a.book()
	for _, c := range []struct {
		who          *person
		method, path string
		in           any
		want         int
	}{
		{b.resident, "POST", "/api/doors/hub-oak/front/block", struct{}{}, 404},
		{b.resident, "POST", "/api/doors/hub-oak/front/live", map[string]string{"sdp": "x", "viewer": "y"}, 404},
		{b.resident, "POST", "/api/home/pair", map[string]string{"hub": "hub-oak", "code": "x"}, 404},
		{b.resident, "GET", "/api/visits/none", nil, 404},
		{b.courier, "POST", "/api/stops/" + d.ID + "/arrive", map[string]string{"parcel": "P1"}, 404},
		{b.courier, "POST", "/api/stops/" + d.ID + "/cannot", map[string]string{"why": "dog"}, 404},
		{a.courier, "POST", "/api/doors/hub-oak/front/block", struct{}{}, 403},
		{a.courier, "GET", "/api/home", nil, 403},
		{a.courier, "GET", "/api/ops", nil, 403},
		{a.resident, "GET", "/api/ops", nil, 403},
		{a.resident, "GET", "/api/stops", nil, 403},
		{operator, "GET", "/api/home", nil, 403},
		{operator, "POST", "/api/doors/hub-oak/front/unblock", struct{}{}, 403},
		{w.person(), "GET", "/api/home", nil, 401},
		{w.person(), "POST", "/api/doors/hub-oak/front/block", struct{}{}, 401},
		{w.person(), "GET", "/api/events", nil, 401},
		{w.person(), "POST", "/api/ops/carriers", map[string]string{"name": "x"}, 401},
		{w.person(), "POST", "/api/login/link", map[string]string{"token": "x"}, 404},
	} {
		if status, why := c.who.refused(c.method, c.path, c.in); status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, why, c.want)
		}
	}
	a.hub.truth(func() {
		for _, what := range a.hub.asked {
			if what != bus.AskPair && what != bus.AskConsent && what != bus.AskGrant {
				t.Errorf("the hub was asked to %s", what)
			}
		}
	})
}

// T20: what does not fit is refused with one clear problem, and never sent back.
func TestMalformedRequests(t *testing.T) {
	w := newTown(t)
	p := w.person()
	post := func(kind, body string) (int, string) {
		t.Helper()
		res, err := http.Post(w.url+"/api/login/finish", kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%.40q: content type %q", body, got)
		}
		var problem struct{ Reason, Detail string }
		if json.Unmarshal(b, &problem) != nil || problem.Reason == "" || problem.Detail == "" {
			t.Errorf("%.40q: %s", body, b)
		}
		if strings.Contains(string(b), "s3cret") {
			t.Errorf("sent back: %s", b)
		}
		return res.StatusCode, problem.Reason
	}
	for _, c := range []struct {
		kind, body string
		want       int
	}{
		{"application/json", `{"credential":{},"more":"s3cret"}`, 422},
		{"application/json", `{"credential":"s3cret"}`, 422},
		{"application/json", `{"s3cret`, 400},
		{"application/json", `{}`, 422},
		{"application/json", ``, 400},
		{"application/json", `{"credential":{"id":"s3cret"}}`, 403},
		{"text/html", `{"credential":{}}`, 415},
		{"application/json", `{"credential":{"x":"` + strings.Repeat("s3cret", 20000) + `"}}`, 413},
	} {
		if status, why := post(c.kind, c.body); status != c.want {
			t.Errorf("%.40q: %d %s, want %d", c.body, status, why, c.want)
		}
	}
	if status, _ := p.refused("GET", "/api/nothing", nil); status != 404 {
		t.Errorf("no such call: %d", status)
	}
}

func TestForeignPages(t *testing.T) {
	w := newTown(t)
	for _, c := range []struct {
		header, value string
		want          int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Origin", "https://evil.example", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Origin", w.url, 200},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/login/begin", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(c.header, c.value)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %s: %d, want %d", c.header, c.value, res.StatusCode, c.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newTown(t)
	p := w.person()
	options := p.begin("/api/register/begin", map[string]string{"invite": w.invite, "name": "Olga"})
	b, _ := json.Marshal(p.attest(options))
	res, err := http.Post(w.url+"/api/register/finish", "application/json", strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	cookies := res.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "eyebolt" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %+v", cookies)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, path := range []string{"/", "/home", "/stop", "/ops"} {
		res, err := http.Get(w.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if csp := res.Header.Get("Content-Security-Policy"); res.StatusCode != 200 || !strings.Contains(csp, "script-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %d, CSP %q", path, res.StatusCode, csp)
		}
	}
	var spec struct {
		OpenAPI string
		Paths   map[string]any
	}
	p.ok("GET", "/openapi.json", nil, &spec)
	if !strings.HasPrefix(spec.OpenAPI, "3.1") || spec.Paths["/api/stops/{delivery}/slide"] == nil {
		t.Errorf("openapi %s with %d paths", spec.OpenAPI, len(spec.Paths))
	}
	if status, _ := p.call("GET", "/docs", nil); status != 404 {
		t.Errorf("/docs: %d", status)
	}
}

func TestGuessingIsSlow(t *testing.T) {
	w := newTown(t)
	p := w.person()
	for i := range 20 {
		if status, why := p.refused("POST", "/api/register/begin", map[string]string{"invite": "x", "name": "Eve"}); status != 404 {
			t.Fatalf("try %d: %d %s", i, status, why)
		}
	}
	if status, why := p.refused("POST", "/api/register/begin", map[string]string{"invite": w.invite, "name": "Eve"}); status != 429 || why != "too-many" {
		t.Errorf("the 21st try: %d %s", status, why)
	}
	if status, _ := p.refused("GET", "/api/me", nil); status != 401 {
		t.Errorf("other calls: %d", status)
	}
}

// T20: behind a proxy, each is counted by the address that the proxy saw; what somebody writes into the header himself counts for
// nothing. Who is no proxy of ours is counted by his own.
func TestGuessingBehindAProxy(t *testing.T) {
	for _, k := range []struct {
		name    string
		proxies []netip.Prefix
		flood   []string // X-Forwarded-For of who guesses
		other   string   // and of somebody else
		want    int      // what the other is answered
	}{
		{"two behind it", nil, []string{"203.0.113.9"}, "198.51.100.7", 404},
		{"the same", nil, []string{"203.0.113.9"}, "203.0.113.9", 429},
		{"who guesses writes addresses of his own", nil, []string{"198.51.100.1, 203.0.113.9", "198.51.100.2, 203.0.113.9", "nonsense, 203.0.113.9"}, "198.51.100.3,203.0.113.9", 429},
		{"two proxies", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}, []string{"203.0.113.9, 10.1.2.3"}, "198.51.100.7, 10.1.2.3", 404},
		{"no proxy of ours", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, []string{"203.0.113.9", "203.0.113.10"}, "198.51.100.7", 429},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := newTown(t, func(o *api.Options) { o.Proxies = k.proxies })
			try := func(forwarded string) int {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/register/begin", strings.NewReader(`{"invite":"x","name":"Eve"}`))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("X-Forwarded-For", forwarded)
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				return res.StatusCode
			}
			for i := range 30 {
				try(k.flood[i%len(k.flood)])
			}
			if got := try(k.other); got != k.want {
				t.Errorf("got %d, want %d", got, k.want)
			}
		})
	}
}

func TestEventsResumeOverHTTP(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	s := h.resident.stream("")
	if kind, _ := s.next(); kind != "" || s.last == "" {
		t.Fatalf("the stream's place was not told: %q", kind)
	}
	show := func(n uint64) {
		h.hub.publish(bus.View{Hub: "hub-oak", Door: "front", Seq: n, At: time.Now(), Phase: "idle", AgeMs: int64(n)})
	}
	age := func(data string) int64 {
		t.Helper()
		var v bus.View
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			t.Fatal(err)
		}
		return v.AgeMs
	}
	for n := range uint64(3) {
		show(n + 1)
		if kind, data := s.next(); kind != "view" || age(data) != int64(n+1) {
			t.Fatalf("got %s %s", kind, data)
		}
	}
	last := s.last
	s.cancel()
	for n := range uint64(3) {
		show(n + 4)
	}
	again := h.resident.stream(last)
	for n := int64(4); n <= 6; n++ {
		kind, data := again.next()
		for kind == "" {
			kind, data = again.next()
		}
		if kind != "view" || age(data) != n {
			t.Fatalf("resumed: %s %s, want %d", kind, data, n)
		}
	}
	lost := h.resident.stream("elsewhere-7")
	kind, _ := lost.next()
	for kind == "" {
		kind, _ = lost.next()
	}
	if kind != "reset" {
		t.Errorf("an unknown place: %s", kind)
	}
}

// A link signs in once, shows pages, and opens no door.
func TestLink(t *testing.T) {
	account := ""
	links := map[string]bool{"once": true}
	w := newTown(t, func(o *api.Options) {
		o.Link = func(token string) (string, bool) {
			ok := links[token]
			delete(links, token)
			return account, ok
		}
	})
	operator := w.person().register(w.invite, "Olga")
	account = operator.me.Account
	p := w.person()
	p.ok("POST", "/api/login/link", map[string]string{"token": "once"}, &p.me)
	if p.me.Account != account {
		t.Errorf("me %+v", p.me)
	}
	if status, why := w.person().refused("POST", "/api/login/link", map[string]string{"token": "once"}); status != 403 || why != "link" {
		t.Errorf("a second time: %d %s", status, why)
	}
}

// A courier who is revoked is out at the next call.
func TestRevokedCourierIsOut(t *testing.T) {
	w := newTown(t)
	operator := w.person().register(w.invite, "Olga")
	h := w.home("oak", operator)
	h.courier.ok("GET", "/api/stops", nil, nil)
	operator.ok("POST", "/api/ops/couriers/"+h.courierID+"/revoke", struct{}{}, nil)
	if status, _ := h.courier.refused("GET", "/api/stops", nil); status != 401 {
		t.Errorf("a revoked courier: %d", status)
	}
}
