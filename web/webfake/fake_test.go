// Package webfake holds the pages to what they promise, in a real browser, against an API of its own that plays any
// state of a door. It has tests alone: nothing of it is in the product.
package webfake

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/web"
)

// any JSON object.
type object = map[string]any

// call is one request that changed something.
type call struct {
	path string
	body object
}

// fake is an API with the truth inside: what a test sets is what pages get, at once and by events.
type fake struct {
	tb  testing.TB
	url string
	srv *httptest.Server
	hub *hub

	mu        sync.Mutex
	role      string // who is signed in; empty: nobody
	home      object
	stops     []object
	ops       object
	visits    map[string]object
	views     map[string]bus.View // by hub/door
	paired    bool
	key       ed25519.PublicKey // what /api/me says the hub's key is
	calls     []call
	refuse    map[string]object        // path → problem or refusal to answer with
	stale     string                   // path that wants a passkey touched first; until somebody signs in again
	on        map[string]func(object)  // path → what a request does
	watchers  map[chan string]struct{} // event streams
	down      bool                     // the service answers nothing
	hung      bool                     // event streams stay open and carry nothing; new ones do not open
	challenge string                   // of the newest begin, or of the slide
	world     object
	lastID    int
}

func start(tb testing.TB, options ...web.Option) *fake {
	tb.Helper()
	f := &fake{
		tb: tb, visits: map[string]object{}, views: map[string]bus.View{}, paired: true,
		refuse: map[string]object{}, on: map[string]func(object){}, watchers: map[chan string]struct{}{},
	}
	f.hub = newHub(tb)
	f.key = f.hub.public
	pages := web.Handler(options...)
	f.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.isDown() {
			panic(http.ErrAbortHandler) // as if the network were gone
		}
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/world/api/") {
			f.api(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	}))
	f.url = strings.Replace(f.srv.URL, "127.0.0.1", "localhost", 1)
	tb.Cleanup(func() {
		f.set(func() { f.down = true })
		f.kick()
		f.srv.CloseClientConnections()
		f.srv.Close()
	})
	return f
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) isDown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

func (f *fake) isHung() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hung
}

// kick ends every event stream.
func (f *fake) kick() {
	f.set(func() {
		for c := range f.watchers {
			close(c)
			delete(f.watchers, c)
		}
	})
}

// emit sends an event to every page.
func (f *fake) emit(kind string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		f.tb.Error(err)
		return
	}
	f.set(func() {
		f.lastID++
		text := fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", f.lastID, kind, b)
		for c := range f.watchers {
			c <- text
		}
	})
}

// view changes a door's view and tells it.
func (f *fake) view(change func(v *bus.View)) {
	var v bus.View
	f.set(func() {
		v = f.views[theDoor]
		v.Seq++
		change(&v)
		v.At = time.Now().UTC()
		f.views[theDoor] = v
	})
	f.emit("view", v)
}

// took waits until a request to path has come, and gives its body.
func (f *fake) took(path string) object {
	f.tb.Helper()
	end := time.Now().Add(15 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var got object
		f.set(func() {
			for _, c := range f.calls {
				if c.path == path {
					got = c.body
				}
			}
		})
		if got != nil {
			return got
		}
		if time.Now().After(end) {
			f.tb.Fatalf("no request to %s", path)
		}
		<-tick.C
	}
}

func (f *fake) api(w http.ResponseWriter, r *http.Request) {
	body := object{}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			problem(w, 400, "bad", "not JSON")
			return
		}
	}
	path := r.URL.Path
	f.mu.Lock()
	if r.Method == http.MethodPost {
		f.calls = append(f.calls, call{path, body})
	}
	refused, on, stale := f.refuse[path], f.on[path], f.stale == path
	if path == "/api/login/finish" {
		f.stale = ""
	}
	f.mu.Unlock()
	if stale {
		problem(w, 403, "sign-in-again", "Confirm with your passkey, by signing in again, and repeat it.")
		return
	}
	if refused != nil {
		if _, isReply := refused["ok"]; isReply {
			reply(w, refused)
		} else {
			problem(w, 403, "refused", fmt.Sprint(refused["detail"]))
		}
		return
	}
	if path == "/api/events" || path == "/world/api/events" {
		f.events(w, r)
		return
	}
	if strings.HasSuffix(path, "/live") {
		answer, err := f.hub.answer(fmt.Sprint(body["sdp"]))
		if err != nil {
			problem(w, 502, "live", err.Error())
			return
		}
		reply(w, answer)
		return
	}
	f.mu.Lock()
	made, code := f.answer(r.Method+" "+path, body)
	out, err := json.Marshal(made) // now: it may be changed before it is sent
	f.mu.Unlock()
	if err != nil {
		problem(w, 500, "bad", err.Error())
		return
	}
	if code != 200 {
		problem(w, code, "no", "Nobody is signed in.")
		return
	}
	if on != nil {
		on(body)
	}
	reply(w, json.RawMessage(out))
}

// answer needs f.mu.
func (f *fake) answer(what string, body object) (any, int) {
	switch what {
	case "POST /api/login/begin":
		f.challenge = nonce()
		return object{"publicKey": object{"challenge": f.challenge, "rpId": "localhost", "userVerification": "required", "timeout": 60000}}, 200
	case "POST /api/register/begin":
		f.challenge = nonce()
		return object{"publicKey": object{
			"challenge": f.challenge, "rp": object{"id": "localhost", "name": "Eyebolt"},
			"user":                   object{"id": nonce(), "name": body["name"], "displayName": body["name"]},
			"pubKeyCredParams":       []object{{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -8}},
			"authenticatorSelection": object{"residentKey": "required", "userVerification": "required"},
		}}, 200
	case "POST /api/register/finish", "POST /api/login/finish":
		if err := signed(body, f.challenge, f.url); err != nil {
			f.tb.Errorf("%s: %v", what, err)
			return nil, 400
		}
		f.role = "resident"
		return f.me(), 200
	case "POST /api/login/link":
		f.role = "resident"
		return f.me(), 200
	}
	if f.role == "" {
		return nil, 401
	}
	switch what {
	case "POST /api/logout":
		f.role = ""
		return object{}, 200
	case "GET /api/me":
		return f.me(), 200
	case "GET /api/home":
		doors := []object{{"hub": hubID, "door": "front", "name": "Front door", "view": f.views[theDoor]}}
		if v, ok := f.views[backDoor]; ok {
			doors = append(doors, object{"hub": hubID, "door": "back", "name": "Back door", "view": v})
		}
		out := object{"doors": doors}
		for k, v := range f.home {
			out[k] = v
		}
		return out, 200
	case "GET /api/stops":
		for _, s := range f.stops {
			if s["state"] == "planned" || s["state"] == "here" || s["state"] == "open" {
				s["view"] = f.views[theDoor]
				break
			}
		}
		return object{"stops": f.stops}, 200
	case "GET /api/ops":
		return f.ops, 200
	case "GET /world/api/state":
		return f.world, 200
	case "GET /api/home/consent":
		return object{"document": consentDocument, "challenge": consentChallenge, "credentials": []string{}}, 200
	case "POST /api/home/invites", "POST /api/ops/invites":
		return object{"invite": "ROOK-2087"}, 200
	case "POST /api/ops/households":
		return object{"household": "h9", "invite": "WREN-7310"}, 200
	case "POST /api/ops/couriers":
		return object{"courier": "c9", "invite": "KITE-4471"}, 200
	}
	if v, ok := f.visits[strings.TrimPrefix(what, "GET /api/visits/")]; ok {
		return v, 200
	}
	return object{"ok": true}, 200
}

func (f *fake) me() object {
	return object{
		"account": "a1", "name": map[string]string{"resident": "Ada Lindqvist", "courier": "Noor", "operator": "Kestrel Parcels"}[f.role],
		"role": f.role, "household": "h1",
		"hubs": []object{{"id": hubID, "key": base64.RawURLEncoding.EncodeToString(f.key), "paired": f.paired}},
	}
}

func (f *fake) events(w http.ResponseWriter, r *http.Request) {
	if f.isHung() {
		<-r.Context().Done()
		return
	}
	c := make(chan string, 64)
	f.set(func() { f.watchers[c] = struct{}{} })
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	flush := w.(http.Flusher)
	flush.Flush()
	defer f.set(func() { delete(f.watchers, c) })
	alive := time.NewTicker(15 * time.Second) // as the service does
	defer alive.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
			if f.isHung() {
				continue
			}
			if _, err := w.Write([]byte("event: here\ndata: {}\n\n")); err != nil {
				return
			}
			flush.Flush()
		case text, ok := <-c:
			if f.isHung() {
				continue
			}
			if !ok {
				panic(http.ErrAbortHandler)
			}
			if _, err := w.Write([]byte(text)); err != nil {
				return
			}
			flush.Flush()
		}
	}
}

// signed checks what a passkey's answer says it signed: the challenge that was asked, at this origin, with the user verified.
func signed(body object, challenge, origin string) error {
	b, err := json.Marshal(body["credential"])
	if err != nil {
		return err
	}
	var c struct {
		ID, Type string
		Response struct {
			ClientDataJSON, AuthenticatorData, AttestationObject, Signature string
		}
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Response.ClientDataJSON)
	if err != nil {
		return fmt.Errorf("client data: %w", err)
	}
	var said struct{ Type, Challenge, Origin string }
	if err := json.Unmarshal(raw, &said); err != nil {
		return err
	}
	if said.Challenge != challenge {
		return fmt.Errorf("signed challenge %q, want %q", said.Challenge, challenge)
	}
	if said.Origin != origin {
		return fmt.Errorf("signed for %q, want %q", said.Origin, origin)
	}
	if said.Type == "webauthn.get" {
		data, err := base64.RawURLEncoding.DecodeString(c.Response.AuthenticatorData)
		if err != nil || len(data) < 37 {
			return fmt.Errorf("authenticator data: %d bytes, %v", len(data), err)
		}
		if data[32]&0x04 == 0 {
			return fmt.Errorf("user not verified: flags %08b", data[32])
		}
		if c.Response.Signature == "" {
			return fmt.Errorf("no signature")
		}
	}
	return nil
}

func nonce() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the page went away: nobody to tell
}

func problem(w http.ResponseWriter, code int, reason, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object{"status": code, "reason": reason, "detail": detail})
}
