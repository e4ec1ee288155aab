// Package person is somebody with a phone: a client of the public HTTP API with a passkey in software. It plays visits
// in the demo, the tests and the benchmarks, and knows nothing that a real phone does not.
package person

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/descope/virtualwebauthn"
)

// Person is one signed-in somebody. Its methods may be called from several goroutines once it has registered.
type Person struct {
	base string
	http *http.Client
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

// New is somebody who has not registered yet. base is the service's origin, "http://localhost:8420"; rp is the domain that
// passkeys are made for.
func New(base, rp string) (*Person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Person{
		base: strings.TrimRight(base, "/"),
		http: &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 4}},
		rp:   virtualwebauthn.RelyingParty{ID: rp, Name: "Eyebolt", Origin: strings.TrimRight(base, "/")},
		auth: virtualwebauthn.NewAuthenticator(),
		key:  NewKey(virtualwebauthn.KeyTypeEC2),
	}, nil
}

// NewKey makes a passkey's key pair. It draws P-256 keys until both coordinates fill their 32 bytes: the library drops
// leading zeros of one key in 128, and a COSE key without them is rightly refused (RFC 9053, section 7.1.1).
func NewKey(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of a P-256 COSE key
	for {
		if k := virtualwebauthn.NewCredential(kind); kind != virtualwebauthn.KeyTypeEC2 || len(k.Key.AttestationData()) == whole {
			return k
		}
	}
}

// Problem is a refusal by the service (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Reason, p.Detail) }

// maxReply bounds a reply; the longest is a visit's timeline.
const maxReply = 8 << 20

// Call sends in as JSON and decodes the reply into out; either may be nil. A refusal is a *Problem.
func (p *Person) Call(ctx context.Context, method, path string, in, out any) error {
	err := p.call(ctx, method, path, in, out)
	if problem := (*Problem)(nil); !errors.As(err, &problem) || problem.Reason != "sign-in-again" {
		return err
	}
	if err := p.Login(ctx); err != nil {
		return err
	}
	return p.call(ctx, method, path, in, out)
}

func (p *Person) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		problem := &Problem{Status: res.StatusCode}
		if json.Unmarshal(raw, problem) != nil || problem.Detail == "" {
			problem.Detail = strings.TrimSpace(string(raw))
		}
		return fmt.Errorf("%s %s: %w", method, path, problem)
	}
	if out == nil || len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s %s: reply: %w", method, path, err)
	}
	return nil
}

// Register makes an account with an invite and a new passkey, and is signed in.
func (p *Person) Register(ctx context.Context, invite, name string) error {
	var begin json.RawMessage
	if err := p.Call(ctx, http.MethodPost, "/api/register/begin", map[string]string{"invite": invite, "name": name}, &begin); err != nil {
		return err
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(begin))
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	p.auth.Options.UserHandle = []byte(options.UserID)
	p.auth.AddCredential(p.key)
	made := virtualwebauthn.CreateAttestationResponse(p.rp, p.auth, p.key, *options)
	return p.Call(ctx, http.MethodPost, "/api/register/finish", map[string]any{"credential": json.RawMessage(made)}, nil)
}

// Login signs in with the passkey.
func (p *Person) Login(ctx context.Context) error {
	var begin json.RawMessage
	if err := p.Call(ctx, http.MethodPost, "/api/login/begin", map[string]string{}, &begin); err != nil {
		return err
	}
	options, err := virtualwebauthn.ParseAssertionOptions(string(begin))
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	return p.Call(ctx, http.MethodPost, "/api/login/finish", map[string]any{"credential": p.Sign(options.Challenge)}, nil)
}

// Sign answers a challenge with the passkey, user verified, as a browser's AuthenticationResponseJSON.
func (p *Person) Sign(challenge []byte) json.RawMessage {
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(p.rp, p.auth, p.key,
		virtualwebauthn.AssertionOptions{Challenge: challenge, RelyingPartyID: p.rp.ID}))
}

// SignText is Sign for a challenge as it comes in JSON: base64, either alphabet, with or without padding.
func (p *Person) SignText(challenge string) (json.RawMessage, error) {
	clean := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(challenge), "=")
	raw, err := base64.RawURLEncoding.DecodeString(clean)
	if err != nil || len(raw) == 0 {
		return nil, fmt.Errorf("challenge %q is not base64: %w", challenge, err)
	}
	return p.Sign(raw), nil
}

// Event is one server-sent event.
type Event struct {
	ID, Type string
	Data     []byte
	At       time.Time // when its last byte was read
}

// maxEvent bounds one event; a View is about 4 KiB.
const maxEvent = 1 << 20

// Events calls each for every server event until the context ends or the connection breaks, from the caller's goroutine.
func (p *Person) Events(ctx context.Context, path string, each func(Event)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return &Problem{Status: res.StatusCode, Detail: "no events"}
	}
	return readEvents(res.Body, each)
}

var errLongEvent = errors.New("event longer than 1 MiB")

// readEvents parses text/event-stream (WHATWG HTML, section 9.2.6).
func readEvents(r io.Reader, each func(Event)) error {
	lines := newLines(r)
	var ev Event
	for {
		line, err := lines.next()
		if err != nil {
			return err
		}
		if line == "" {
			if len(ev.Data) > 0 {
				ev.At = time.Now()
				each(ev)
			}
			ev = Event{ID: ev.ID}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			ev.ID = value
		case "event":
			ev.Type = value
		case "data":
			if len(ev.Data) > 0 {
				ev.Data = append(ev.Data, '\n')
			}
			if ev.Data = append(ev.Data, value...); len(ev.Data) > maxEvent {
				return errLongEvent
			}
		}
	}
}
