package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"eyebolt/control"
)

// me is who is signed in.
type me struct {
	Account   string  `json:"account"`
	Name      string  `json:"name"`
	Role      string  `json:"role"`
	Household string  `json:"household,omitempty"`
	Carrier   string  `json:"carrier,omitempty"`
	Admin     bool    `json:"admin,omitempty"`
	Hubs      []meHub `json:"hubs"`
	// ICE is a resident's alone: nobody else looks inside (S17).
	ICE []ICEServer `json:"ice,omitempty" doc:"Relays for the live picture, if the service offers any; their credentials are good for some hours"`
}

type meHub struct {
	ID     string `json:"id"`
	Key    string `json:"key" doc:"Ed25519 public key that signs live answers, base64url"`
	Paired bool   `json:"paired"`
}

func (s *server) me(ctx context.Context, a control.Account) (me, error) {
	m := me{Account: a.ID, Name: a.Name, Role: string(a.Role), Household: a.Household, Carrier: a.Carrier, Admin: a.Admin, Hubs: []meHub{}}
	if a.Role != control.Resident {
		return m, nil
	}
	if s.ICE != nil {
		var err error
		if m.ICE, err = s.ICE("account " + a.ID); err != nil {
			return m, err
		}
	}
	hubs, err := s.Service.HubsOf(ctx, a)
	for _, h := range hubs {
		m.Hubs = append(m.Hubs, meHub{ID: h.ID, Key: b64.EncodeToString(h.Key), Paired: h.Paired})
	}
	return m, err
}

// user is an account as the passkey library sees it.
type user struct {
	id, name string
	keys     []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return []byte(u.id) }
func (u user) WebAuthnName() string                       { return u.name }
func (u user) WebAuthnDisplayName() string                { return u.name }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.keys }

func badPasskey(err error) error {
	detail := ""
	var e *protocol.Error
	if errors.As(err, &e) {
		detail = " (" + e.Type + ")"
	}
	return &control.Error{Reason: "passkey", Sentence: "The passkey was not accepted" + detail + ". Unlock your phone or key and try again.", Class: control.Forbidden}
}

type registerIn struct {
	Body struct {
		Invite string `json:"invite" minLength:"1" maxLength:"200"`
		Name   string `json:"name" minLength:"1" maxLength:"80"`
	}
}

type credentialIn struct {
	Body struct {
		Credential rawJSON `json:"credential"`
	}
}

// open registers an operation for which nobody needs to be signed in.
func open[I, O any](s *server, h huma.API, method, path, summary string, do func(ctx context.Context, now time.Time, in *I) (O, error)) {
	huma.Register(h, huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary, MaxBodyBytes: 64 << 10,
	}, func(ctx context.Context, in *I) (*struct{ Body O }, error) {
		out, err := do(ctx, s.Now(), in)
		if err != nil {
			p := problemOf(err)
			if p.Status >= http.StatusInternalServerError {
				s.Log.Error("request failed", "path", path, "err", err)
			}
			return nil, p
		}
		return &struct{ Body O }{out}, nil
	})
}

func (s *server) sign(h huma.API) {
	open(s, h, http.MethodPost, "/api/register/begin", "Begin to make an account with an invitation", s.registerBegin)
	open(s, h, http.MethodPost, "/api/register/finish", "Make the account and its passkey", s.registerFinish)
	open(s, h, http.MethodPost, "/api/login/begin", "Begin to sign in", s.loginBegin)
	open(s, h, http.MethodPost, "/api/login/finish", "Sign in", s.loginFinish)
	if s.Link != nil {
		open(s, h, http.MethodPost, "/api/login/link", "Sign in by the demo's link", s.loginLink)
	}
	open(s, h, http.MethodPost, "/api/logout", "Sign out", func(ctx context.Context, _ time.Time, _ *none) (none, error) {
		return none{}, s.sessions.Destroy(ctx)
	})
	fresh(s, h, http.MethodPost, "/api/logout/everywhere", "Sign out on every device", func(ctx context.Context, now time.Time, who control.Account, _ *none) (none, error) {
		if err := s.Service.SignOutEverywhere(ctx, now, who); err != nil {
			return none{}, err
		}
		return none{}, s.sessions.Destroy(ctx)
	})
	call(s, h, http.MethodGet, "/api/me", "Who is signed in", func(ctx context.Context, _ time.Time, who control.Account, _ *none) (me, error) {
		return s.me(ctx, who)
	})
}

func (s *server) registerBegin(ctx context.Context, now time.Time, in *registerIn) (*protocol.CredentialCreation, error) {
	if _, err := s.Service.Invited(ctx, now, in.Body.Invite); err != nil {
		return nil, err
	}
	id, err := s.Service.NewAccountID()
	if err != nil {
		return nil, err
	}
	options, data, err := s.keys.BeginRegistration(user{id: id, name: in.Body.Name})
	if err != nil {
		return nil, err
	}
	s.ceremonies.keep(now, ceremony{data: *data, account: id, name: in.Body.Name, invite: in.Body.Invite})
	return options, nil
}

func (s *server) registerFinish(ctx context.Context, now time.Time, in *credentialIn) (me, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBody(bytes.NewReader(in.Body.Credential))
	if err != nil {
		return me{}, badPasskey(err)
	}
	c, ok := s.ceremonies.take(now, parsed.Response.CollectedClientData.Challenge)
	if !ok || c.invite == "" {
		return me{}, errCeremony
	}
	made, err := s.keys.CreateCredential(user{id: c.account, name: c.name}, c.data, parsed)
	if err != nil {
		return me{}, badPasskey(err)
	}
	if !made.Flags.UserVerified {
		return me{}, badPasskey(nil)
	}
	raw, err := json.Marshal(made)
	if err != nil {
		return me{}, err
	}
	id := b64.EncodeToString(made.ID)
	a, err := s.Service.Register(ctx, now, c.invite, c.account, c.name, control.Passkey{ID: id, Raw: made.ID, Key: made.PublicKey, Record: raw})
	if err != nil {
		return me{}, err
	}
	return s.enter(ctx, a, id)
}

// enter makes the session a's, under a new token (session fixation). passkey is the credential that signed in, "" for none.
func (s *server) enter(ctx context.Context, a control.Account, passkey string) (me, error) {
	if err := s.sessions.RenewToken(ctx); err != nil {
		return me{}, err
	}
	s.sessions.Put(ctx, accountKey, a.ID)
	s.sessions.Put(ctx, passkeyKey, passkey)
	s.sessions.Put(ctx, signedKey, s.Now().UnixMilli())
	return s.me(ctx, a)
}

func (s *server) loginBegin(_ context.Context, now time.Time, _ *none) (*protocol.CredentialAssertion, error) {
	options, data, err := s.keys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	s.ceremonies.keep(now, ceremony{data: *data})
	return options, nil
}

func (s *server) loginFinish(ctx context.Context, now time.Time, in *credentialIn) (me, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBody(bytes.NewReader(in.Body.Credential))
	if err != nil {
		return me{}, badPasskey(err)
	}
	c, ok := s.ceremonies.take(now, parsed.Response.CollectedClientData.Challenge)
	if !ok || c.invite != "" {
		return me{}, errCeremony
	}
	var account control.Account
	used, err := s.keys.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		a, err := s.Service.Account(ctx, string(handle))
		if err != nil {
			return nil, err
		}
		account = a
		keys, err := s.Service.PasskeysOf(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		u := user{id: a.ID, name: a.Name}
		for _, k := range keys {
			var one webauthn.Credential
			if err := json.Unmarshal(k.Record, &one); err != nil {
				return nil, err
			}
			u.keys = append(u.keys, one)
		}
		return u, nil
	}, c.data, parsed)
	if err != nil {
		return me{}, badPasskey(err)
	}
	if used.Authenticator.CloneWarning { // its counter went back (WebAuthn section 6.1.1)
		s.Log.Warn("sign-in refused: the passkey may be a copy", "account", account.ID)
		return me{}, badPasskey(nil)
	}
	raw, err := json.Marshal(used)
	if err != nil {
		return me{}, err
	}
	id := b64.EncodeToString(used.ID)
	if err := s.Service.UsedPasskey(ctx, now, id, raw); err != nil {
		return me{}, err
	}
	return s.enter(ctx, account, id)
}

type linkIn struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"200"`
	}
}

func (s *server) loginLink(ctx context.Context, _ time.Time, in *linkIn) (me, error) {
	id, ok := s.Link(in.Body.Token)
	if !ok {
		return me{}, &control.Error{Reason: "link", Sentence: "This link is not good any more. Open the demo's page again.", Class: control.Forbidden}
	}
	a, err := s.Service.Account(ctx, id)
	if err != nil {
		return me{}, err
	}
	return s.enter(ctx, a, "")
}
