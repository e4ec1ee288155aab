// Package api is HTTP for the apps and for integrators: it says who somebody is, asks package control, and knows no
// rules. docs/API.md is its contract; /openapi.json describes it to programs.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"golang.org/x/time/rate"

	"eyebolt/control"
	"eyebolt/web"
)

// Options are what New needs.
type Options struct {
	Service *control.Service
	Hubs    control.Hubs
	Log     *slog.Logger
	Now     func() time.Time // time.Now when nil
	// Secure marks cookies for HTTPS alone. False only for http://localhost.
	Secure bool
	// Proxies are whose X-Forwarded-For is believed; nil: proxies on this machine.
	Proxies []netip.Prefix
	// CookieName tells two handlers on one host apart. Default "eyebolt".
	CookieName string
	// Pages are options of the pages' handler.
	Pages []web.Option
	// Link, if set, takes a token of a sign-in link and gives the account it is for. For the demo alone: a link needs no passkey, so
	// what it signs in can only look and press buttons, never slide.
	Link func(token string) (account string, ok bool)
	// ICE gives somebody (an account's ID, or a hub's) the relays for the live picture, with credentials for some hours; nil: there
	// are none.
	ICE func(who string) ([]ICEServer, error)
	// Extra are more handlers, by pattern of http.ServeMux.
	Extra map[string]http.Handler
}

// ICEServer is a relay as browsers take it (RTCIceServer).
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// sessionLife is how long a signed-in phone stays signed in.
const sessionLife = 30 * 24 * time.Hour

type server struct {
	Options
	sessions   *scs.SessionManager
	keys       *webauthn.WebAuthn
	gate       *gate // of who tries, by address
	calls      *gate // by account
	safer      *gate // by account and call
	ceremonies *ceremonies
	listeners  *listeners
}

// New makes the handler of everything: API, events, pages.
func New(o Options) (http.Handler, error) {
	if o.Service == nil || o.Hubs == nil || o.Log == nil {
		return nil, errors.New("api: Options needs Service, Hubs and Log")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CookieName == "" {
		o.CookieName = "eyebolt"
	}
	rp := o.Service.RP()
	keys, err := webauthn.New(&webauthn.Config{
		RPID: rp.ID, RPDisplayName: "Eyebolt", RPOrigins: rp.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("api: passkeys for %s: %w", rp.ID, err)
	}
	s := &server{Options: o, keys: keys, gate: newGate(rate.Every(tryEvery), tryBurst), calls: newGate(callsEach, callsBurst), safer: newGate(saferEach, saferBurst), sessions: scs.New(), ceremonies: newCeremonies(), listeners: newListeners()}
	s.sessions.Store = keep{s}
	s.sessions.Lifetime = sessionLife
	s.sessions.HashTokenInStore = true
	s.sessions.Cookie.Name = o.CookieName
	s.sessions.Cookie.HttpOnly = true
	s.sessions.Cookie.Secure = o.Secure
	s.sessions.Cookie.SameSite = http.SameSiteLaxMode
	s.sessions.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
		s.Log.Error("session", "err", err)
		writeProblem(w, problemOf(err))
	}

	mux := http.NewServeMux()
	routes := http.NewServeMux()
	cfg := huma.DefaultConfig("Eyebolt", "1")
	cfg.DocsPath = "" // the usual page loads a script from elsewhere
	cfg.OpenAPIPath = "/openapi"
	cfg.SchemasPath = ""
	cfg.CreateHooks = nil // no $schema property in replies
	cfg.Transformers = []huma.Transformer{inOurForm}
	h := humago.New(routes, cfg)
	h.UseMiddleware(s.limit)
	s.sign(h)
	s.resident(h)
	s.courier(h)
	s.operator(h)
	routes.HandleFunc("GET /api/events", s.events)
	routes.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problemOf(&control.Error{Reason: "not-found", Sentence: "There is no such call. See /openapi.json.", Class: control.NotFound}))
	})

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problemOf(&control.Error{Reason: "foreign-page", Sentence: "A page of another origin asked for this. Open the app by its own address.", Class: control.Forbidden}))
	}))
	mux.Handle("/api/", s.guarded(s.sessions.LoadAndSave(routes)))
	mux.Handle("/openapi.json", s.guarded(routes))
	mux.Handle("/openapi.yaml", s.guarded(routes))
	for pattern, handler := range o.Extra {
		mux.Handle(pattern, handler)
	}
	pages := web.Handler(o.Pages...)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.transport(w.Header())
		pages.ServeHTTP(w, r)
	})
	return guard.Handler(mux), nil
}

// guarded marks what the API says as no page, and keeps it out of every cache.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		s.transport(h)
		next.ServeHTTP(w, r)
	})
}

// transport has browsers come by HTTPS alone for a year, where there is HTTPS.
func (s *server) transport(h http.Header) {
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// accountKey is where a session holds its account's ID.
const accountKey = "account"

// passkeyKey is where it holds the credential ID that signed in.
const passkeyKey = "passkey"

// who is the account behind a request; the zero Account is nobody, and control refuses it.
func (s *server) who(ctx context.Context) (control.Account, error) {
	id := s.sessions.GetString(ctx, accountKey)
	if id == "" {
		return control.Account{}, &control.Error{Reason: "nobody", Sentence: "Sign in first.", Class: control.Nobody}
	}
	who, err := s.Service.Account(ctx, id)
	if c := control.AsError(err).Class; err != nil && (c == control.NotFound || c == control.Nobody) {
		return control.Account{}, &control.Error{Reason: "nobody", Sentence: "This account is no more. Sign in again.", Class: control.Nobody}
	}
	if err == nil && !who.SignedOut.IsZero() && s.sessions.GetInt64(ctx, signedKey) <= who.SignedOut.UnixMilli() {
		return control.Account{}, &control.Error{Reason: "nobody", Sentence: "You signed out everywhere. Sign in again.", Class: control.Nobody}
	}
	return who, err
}

// call registers one operation for somebody who is signed in. I is huma's input; the reply's body is O.
func call[I, O any](s *server, h huma.API, method, path, summary string, do func(ctx context.Context, now time.Time, who control.Account, in *I) (O, error)) {
	huma.Register(h, huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary,
		MaxBodyBytes: 64 << 10, // the longest is a consent with its assertion, about 4 KiB
	}, func(ctx context.Context, in *I) (*struct{ Body O }, error) {
		who, err := s.who(ctx)
		var out O
		if err == nil {
			err = s.calm(s.Now(), who.ID, method, path)
		}
		if err == nil {
			out, err = do(ctx, s.Now(), who, in)
		}
		if err != nil {
			p := problemOf(err)
			switch {
			case p.Status == http.StatusInternalServerError:
				s.Log.Error("request failed", "path", path, "err", err)
			case p.Status > http.StatusInternalServerError: // a hub or a camera that is not there yet
				s.Log.Warn("request not answered", "path", path, "err", err)
			case who.ID != "" && (p.Status == http.StatusForbidden || p.Status == http.StatusNotFound):
				// Who asks for what is not theirs is on record (T24).
				s.Log.Warn("request refused", "path", path, "account", who.ID, "role", who.Role, "reason", p.Reason)
			}
			return nil, p
		}
		return &struct{ Body O }{out}, nil
	})
}

func operationID(method, path string) string {
	id := []byte(method)
	for i := range len(path) {
		switch c := path[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			id = append(id, c)
		case len(id) > 0 && id[len(id)-1] != '-':
			id = append(id, '-')
		}
	}
	return string(id)
}

// freshFor is how long a touch of the passkey vouches for who sits before the page, where a session alone is too little: a stolen
// one must not let new people in (T13). An operator who sets up a morning's couriers touches it a few times.
const freshFor = 15 * time.Minute

// signedKey is where a session holds when its passkey was last used, in Unix milliseconds.
const signedKey = "signed"

// fresh registers an operation that decides who may come in; see [server.vouched].
func fresh[I, O any](s *server, h huma.API, method, path, summary string, do func(ctx context.Context, now time.Time, who control.Account, in *I) (O, error)) {
	call(s, h, method, path, summary, func(ctx context.Context, now time.Time, who control.Account, in *I) (O, error) {
		if err := s.vouched(ctx, now); err != nil {
			var none O
			return none, err
		}
		return do(ctx, now, who, in)
	})
}

// vouched wants a passkey that was used within freshFor: a session that is older is told to sign in again, whoever holds it.
func (s *server) vouched(ctx context.Context, now time.Time) error {
	if s.Link != nil && s.sessions.GetString(ctx, passkeyKey) == "" {
		return nil // the demo's links sign in without a passkey; elsewhere nobody does
	}
	if since := now.Sub(time.UnixMilli(s.sessions.GetInt64(ctx, signedKey))); since > freshFor || since < -time.Minute {
		return errAgain
	}
	return nil
}

// vouchedIf asks for it where an order makes the home less safe: what is blocked, held, or stands in alarm lets nobody in, and a home with
// somebody in it takes a re-entry for less (S4, S7, S16).
func (s *server) vouchedIf(ctx context.Context, now time.Time, less bool) error {
	if !less {
		return nil
	}
	return s.vouched(ctx, now)
}

var errAgain = &control.Error{Reason: "sign-in-again", Sentence: "This decides who may come in: confirm with your passkey, by signing in again, and repeat it.", Class: control.Forbidden}

// none is an empty body.
type none struct{}
