package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"eyebolt/api"
	"eyebolt/bus/mem"
	"eyebolt/bus/nats"
	"eyebolt/control"
	"eyebolt/control/run"
	"eyebolt/control/sql"
	"eyebolt/grant"
	"eyebolt/ledger"
	soft "eyebolt/virtual/person"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

const patience = 10 * time.Second

// until looks again and again, for at most patience.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !f(); {
		if time.Now().After(late) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// town is the real handler over SQLite, a bus that can be told to fail, and hubs with a truth inside.
type town struct {
	t       testing.TB
	url     string
	s       *control.Service
	bus     *mem.Bus
	rp      grant.RP
	carrier string
	invite  string // for the first operator
}

func newTown(t testing.TB, change ...func(*api.Options)) *town {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	w := &town{t: t, url: "http://localhost:" + port, bus: mem.New()}
	w.rp = grant.RP{ID: "localhost", Origins: []string{w.url}}
	store, err := sql.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	if w.s, err = control.New(t.Context(), time.Now(), control.Config{Store: store, Random: rand.Reader, RP: w.rp, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	var c control.Carrier
	if w.invite, c, err = w.s.Bootstrap(t.Context(), time.Now(), "Swallow"); err != nil {
		t.Fatal(err)
	}
	w.carrier = c.ID
	runner, err := run.New(run.Config{Service: w.s, Bus: w.bus.Conn("service"), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	o := api.Options{Service: w.s, Hubs: runner, Log: quiet}
	for _, f := range change {
		f(&o)
	}
	h, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	ctx, cancel := context.WithCancel(context.Background())
	srv.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	srv.Start()
	t.Cleanup(func() {
		cancel()
		srv.Close()
		runner.Stop()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// person is a browser with a passkey in software.
type person struct {
	t      testing.TB
	w      *town
	http   *http.Client
	rp     virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
	me     whoAmI
}

type whoAmI struct {
	Account, Name, Role, Household, Carrier string
	Hubs                                    []struct {
		ID, Key string
		Paired  bool
	}
}

func (w *town) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &person{
		t: w.t, w: w, http: &http.Client{Jar: jar}, rp: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Eyebolt", Origin: w.url},
		device: virtualwebauthn.NewAuthenticator(), key: soft.NewKey(virtualwebauthn.KeyTypeEC2),
	}
}

// call gives the status and the reply.
func (p *person) call(method, path string, in any) (int, []byte) {
	p.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			p.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.w.url+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, b
}

// ok calls and decodes a reply that must be good.
func (p *person) ok(method, path string, in, out any) {
	p.t.Helper()
	status, b := p.call(method, path, in)
	if status != http.StatusOK && status != http.StatusNoContent {
		p.t.Fatalf("%s %s: %d %s", method, path, status, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
}

// refused calls and gives the status and the reason of a problem.
func (p *person) refused(method, path string, in any) (int, string) {
	p.t.Helper()
	status, b := p.call(method, path, in)
	var problem struct {
		Status                int
		Title, Reason, Detail string
	}
	if err := json.Unmarshal(b, &problem); err != nil || problem.Status != status || problem.Reason == "" || problem.Detail == "" {
		p.t.Errorf("%s %s: %d is no problem of ours: %s", method, path, status, b)
	}
	return status, problem.Reason
}

// ask posts an order to a hub and gives its reply.
func (p *person) ask(path string, in any) control.AskReply {
	p.t.Helper()
	var r control.AskReply
	p.ok("POST", path, in, &r)
	return r
}

func (p *person) begin(path string, in any) string {
	p.t.Helper()
	var raw json.RawMessage
	p.ok("POST", path, in, &raw)
	return string(raw)
}

func (p *person) attest(options string) any {
	p.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		p.t.Fatal(err)
	}
	p.device.Options.UserHandle = []byte(o.UserID)
	return map[string]any{"credential": json.RawMessage(virtualwebauthn.CreateAttestationResponse(p.rp, p.device, p.key, *o))}
}

func (p *person) assert(options string) any {
	p.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.sign(o.Challenge)
}

// sign answers a challenge with the passkey.
func (p *person) sign(challenge []byte) any {
	r := virtualwebauthn.CreateAssertionResponse(p.rp, p.device, p.key, virtualwebauthn.AssertionOptions{Challenge: challenge})
	return map[string]any{"credential": json.RawMessage(r)}
}

func (p *person) register(invite, name string) *person {
	p.t.Helper()
	options := p.begin("/api/register/begin", map[string]string{"invite": invite, "name": name})
	p.ok("POST", "/api/register/finish", p.attest(options), &p.me)
	p.device.AddCredential(p.key)
	return p
}

// home is one household with a hub, its people and a carrier's.
type home struct {
	w                           *town
	hub                         *fakeHub
	operator, resident, courier *person
	household, courierID        string
}

func (w *town) home(name string, operator *person) *home {
	w.t.Helper()
	h := &home{w: w, operator: operator}
	var made struct{ Household, Invite string }
	operator.ok("POST", "/api/ops/households", map[string]string{"name": name, "address": name + " Street 1"}, &made)
	h.household = made.Household
	h.resident = w.person().register(made.Invite, "Rosa")
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	_ = key
	if err != nil {
		w.t.Fatal(err)
	}
	nkey, err := nats.PublicKey(pub)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := ledger.KeyText("eyebolt/"+name, pub)
	if err != nil {
		w.t.Fatal(err)
	}
	operator.ok("POST", "/api/ops/hubs", map[string]string{"id": "hub-" + name, "household": h.household, "nkey": nkey, "ledger_key": text}, nil)
	operator.ok("POST", "/api/ops/doors", map[string]string{"hub": "hub-" + name, "name": "front", "title": "Front door"}, nil)
	h.hub = newFakeHub(w.t, w.bus, "hub-"+name, w.rp)
	h.resident.ok("GET", "/api/me", nil, &h.resident.me)
	if got := h.resident.me.Hubs[0].Key; got != base64.RawURLEncoding.EncodeToString(pub) {
		w.t.Errorf("the hub's live key: %s", got)
	}
	var hired struct{ Courier, Invite string }
	operator.ok("POST", "/api/ops/couriers", map[string]string{"name": "Carlo " + name}, &hired)
	h.courierID = hired.Courier
	h.courier = w.person().register(hired.Invite, "somebody")
	return h
}

// trust pairs the hub, consents and screens.
func (h *home) trust() {
	h.w.t.Helper()
	h.resident.ok("POST", "/api/home/pair", map[string]string{"hub": h.hub.id, "code": h.hub.code}, nil)
	var draft struct {
		Document, Challenge string
		Credentials         []string
	}
	h.resident.ok("GET", "/api/home/consent?door=front&carrier="+h.w.carrier, nil, &draft)
	challenge, err := base64.RawURLEncoding.DecodeString(draft.Challenge)
	if err != nil || len(draft.Credentials) != 1 {
		h.w.t.Fatalf("draft %+v, %v", draft, err)
	}
	signed := h.resident.sign(challenge).(map[string]any)
	signed["document"] = draft.Document
	h.resident.ok("POST", "/api/home/consent", signed, nil)
	h.operator.ok("POST", "/api/ops/couriers/"+h.courierID+"/screening", map[string]any{"status": "passed", "until": time.Now().AddDate(1, 0, 0), "reference": "check 1"}, nil)
}

func (h *home) book() control.Delivery {
	h.w.t.Helper()
	var d control.Delivery
	h.operator.ok("POST", "/api/ops/deliveries", map[string]any{
		"household": h.household, "door": "front", "courier": h.courierID, "from": time.Now().Add(-time.Minute), "until": time.Now().Add(time.Hour), "parcels": []string{"P1", "P2"},
	}, &d)
	return d
}

func (h *home) stop() control.Stop {
	h.w.t.Helper()
	var s struct{ Stops []control.Stop }
	h.courier.ok("GET", "/api/stops", nil, &s)
	if len(s.Stops) == 0 {
		h.w.t.Fatal("no stops")
	}
	return s.Stops[len(s.Stops)-1]
}

// nonce waits until the courier's page shows one.
func (h *home) nonce() []byte {
	h.w.t.Helper()
	var n []byte
	until(h.w.t, "the nonce", func() bool {
		v := h.stop().View
		if v != nil {
			n = v.Nonce
		}
		return len(n) > 0
	})
	return n
}

// stream reads server events.
type stream struct {
	t      testing.TB
	lines  chan string
	cancel context.CancelFunc
	last   string // newest ID
}

func (p *person) stream(last string) *stream {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", p.w.url+"/api/events", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := p.http.Do(r)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		p.t.Fatalf("events: %v, %+v", err, res)
	}
	s := &stream{t: p.t, lines: make(chan string, 4096), cancel: cancel}
	go func() {
		defer close(s.lines)
		defer res.Body.Close()
		in := bufio.NewScanner(res.Body)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			s.lines <- in.Text()
		}
	}()
	p.t.Cleanup(cancel)
	return s
}

// next gives the next event's type and data; "" when only an ID was told.
func (s *stream) next() (kind, data string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, ok := <-s.lines:
			name, value, _ := strings.Cut(line, ": ")
			switch {
			case !ok:
				s.t.Fatal("the stream ended")
			case line == "" && s.last != "":
				return kind, data
			case name == "id":
				s.last = value
			case name == "event":
				kind = value
			case name == "data":
				data = value
			}
		case <-late:
			s.t.Fatalf("no event within %s", patience)
		}
	}
}
