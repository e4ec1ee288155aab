package onvif

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"eyebolt/camera"
)

// authMode is how a camera wants to know who asks.
type authMode uint8

const (
	authNone   authMode = iota
	authDigest          // HTTP Digest (RFC 7616): what Profile T demands
	authToken           // WS-UsernameToken with a digest, in the SOAP header: what older cameras know
)

// question is one SOAP request.
type question struct {
	path   string // and query, on the camera
	action string // the operation's SOAP action
	body   string
	header string        // WS-Addressing, if the operation needs it
	open   bool          // needs no password (pre-authenticated access class)
	wait   time.Duration // that the camera may hold the answer back
}

// ask sends a request and gives the reply's body element. The way in which the camera wants the password is found out at the
// first refusal and remembered; a wrong password is shown to it twice at the most, once a way.
func (c *Client) ask(ctx context.Context, q question) (*node, error) {
	c.mu.Lock()
	mode := c.mode
	c.mu.Unlock()
	var tried [authToken + 1]bool
	refreshed := false
	for {
		if q.open && !tried[authNone] {
			mode = authNone
		}
		tried[mode] = true
		r, err := c.post(ctx, q, mode)
		if err != nil {
			return nil, err
		}
		if !r.refused() {
			if r.fault == nil && mode != authNone {
				c.mu.Lock()
				c.mode = mode
				c.mu.Unlock()
			}
			return r.body, c.judge(q, r)
		}
		if c.at.user == "" && c.at.pass == "" {
			return nil, c.fault(camera.ErrCredentials, "it asks for a user name and password, and its address holds none")
		}
		fresh, basic := bestDigest(r.challenges)
		c.mu.Lock()
		if fresh != nil {
			c.digest = fresh
		}
		known := c.digest != nil
		c.mu.Unlock()
		switch {
		case mode == authDigest && fresh != nil && (fresh.stale || !refreshed && c.worked(authDigest)):
			if refreshed {
				return nil, c.refusal(r)
			}
			refreshed = true // a nonce that is too old says nothing of the password
		case known && !tried[authDigest]:
			mode = authDigest
		case !tried[authToken]:
			mode = authToken
		case basic && !known && r.fault == nil:
			return nil, c.fault(camera.ErrCredentials, "it wants the password in clear (Basic): allow Digest in its settings")
		default:
			return nil, c.refusal(r)
		}
	}
}

// worked says whether this way has been accepted before.
func (c *Client) worked(m authMode) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode == m
}

// reply is an answer, not yet judged.
type reply struct {
	status     int
	challenges []string
	body       *node  // of the envelope; nil if it is no SOAP
	fault      *fault // of the body
	first      string // the beginning of what is no SOAP
}

func (r *reply) refused() bool {
	return r.status == http.StatusUnauthorized || r.fault != nil && r.fault.refusal()
}

func (c *Client) post(ctx context.Context, q question, mode authMode) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.lim.request+q.wait)
	defer cancel()
	u := *c.at.url
	ref, err := url.Parse(q.path)
	if err != nil {
		return nil, c.fault(camera.ErrGarbage, "a service of it has no address")
	}
	u.Path, u.RawPath, u.RawQuery = ref.Path, ref.RawPath, ref.RawQuery
	if ref.Host != "" {
		u.Scheme, u.Host = ref.Scheme, ref.Host
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(c.envelope(q, mode)))
	if err != nil {
		return nil, c.fault(camera.ErrGarbage, "a service of it has no address")
	}
	req.Header.Set("Content-Type", `application/soap+xml; charset=utf-8; action="`+q.action+`"`)
	req.Header.Set("User-Agent", "eyebolt")
	// Not sent. A camera closes connections as it likes: on a new one the request is sent again, and at worst a subscription
	// too many is made, which ends by itself.
	req.Header["Idempotency-Key"] = []string{}
	c.authorize(req, mode)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, c.lim.reply+1))
	switch {
	case err != nil:
		return nil, c.explain(ctx, err)
	case int64(len(b)) > c.lim.reply:
		return nil, c.fault(camera.ErrGarbage, "its answer is longer than %d bytes", c.lim.reply)
	}
	r := &reply{status: res.StatusCode, challenges: res.Header.Values("WWW-Authenticate")}
	root, err := readXML(b)
	if err == nil && root.Name == "Envelope" {
		r.body = root.kid("Body")
	}
	if r.body == nil {
		r.first = firstOf(b)
	}
	if f := r.body.kid("Fault"); f != nil {
		r.fault = readFault(f)
	}
	return r, nil
}

// authorize adds the answer to the camera's Digest challenge.
func (c *Client) authorize(req *http.Request, mode authMode) {
	if mode != authDigest {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.digest != nil {
		req.Header.Set("Authorization", c.digest.answer(req.Method, req.URL.RequestURI(), c.at.user, c.at.pass))
	}
}

// envelope writes the request. Older servers compare the body's tag as text: it is what every old client sends.
func (c *Client) envelope(q question, mode authMode) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">`)
	if q.header != "" || mode == authToken {
		b.WriteString("<s:Header>")
		if mode == authToken {
			c.mu.Lock()
			offset := c.clock.Offset
			c.mu.Unlock()
			var nonce [16]byte
			_, _ = rand.Read(nonce[:]) // never fails
			b.WriteString(usernameToken(c.at.user, c.at.pass, nonce[:], c.cfg.Wall().Add(offset)))
		}
		b.WriteString(q.header)
		b.WriteString("</s:Header>")
	}
	b.WriteString(`<s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">`)
	b.WriteString(q.body)
	b.WriteString("</s:Body></s:Envelope>")
	return b.String()
}

// usernameToken is WS-Security UsernameToken Profile 1.0 section 3.1 with a password digest.
func usernameToken(user, pass string, nonce []byte, at time.Time) string {
	created := at.UTC().Format("2006-01-02T15:04:05.000Z")
	h := sha1.New()
	for _, p := range [][]byte{nonce, []byte(created), []byte(pass)} {
		_, _ = h.Write(p) // never fails
	}
	const profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
	return `<Security s:mustUnderstand="1" xmlns="` + profile + `wssecurity-secext-1.0.xsd"><UsernameToken><Username>` + escape(user) +
		`</Username><Password Type="` + profile + `username-token-profile-1.0#PasswordDigest">` + base64.StdEncoding.EncodeToString(h.Sum(nil)) +
		`</Password><Nonce EncodingType="` + profile + `soap-message-security-1.0#Base64Binary">` + base64.StdEncoding.EncodeToString(nonce) +
		`</Nonce><Created xmlns="` + profile + `wssecurity-utility-1.0.xsd">` + created + `</Created></UsernameToken></Security>`
}

// judge turns an answer that is not a refusal of the password into an error, or none.
func (c *Client) judge(q question, r *reply) error {
	switch {
	case r.fault != nil:
		return c.faulted(r.fault)
	case r.body == nil:
		return c.noSOAP(q, r)
	case r.status/100 != 2:
		return c.fault(ErrFault, "it answers %d", r.status)
	case len(r.body.Kids) == 0:
		return c.fault(camera.ErrGarbage, "its answer is empty")
	}
	return nil
}

func (c *Client) noSOAP(q question, r *reply) error {
	switch {
	case r.status == http.StatusForbidden:
		return c.fault(camera.ErrCredentials, "it answers 403: this user may not use ONVIF, or ONVIF is off")
	case r.status == http.StatusTooManyRequests, r.status == http.StatusLocked:
		return c.fault(ErrLocked, "it answers %d", r.status)
	case r.status/100 == 3:
		return c.fault(ErrDisabled, "it answers %d and %v: give that address if it is right", r.status, errElsewhere)
	case q.open, r.status == http.StatusNotFound, r.status == http.StatusMethodNotAllowed:
		return c.fault(ErrDisabled, "it answers %d %q", r.status, r.first)
	case r.status == http.StatusBadRequest, r.status == http.StatusNotImplemented, r.status == http.StatusInternalServerError:
		return c.fault(ErrUnsupported, "it answers %d %q", r.status, r.first)
	}
	return c.fault(camera.ErrGarbage, "it answers %d %q", r.status, r.first)
}

var errLate = errors.New("no answer in time")

// operation is a request of one element with the schema's namespace at hand as tt.
func operation(namespace, name, inside string) string {
	if inside == "" {
		return fmt.Sprintf(`<%s xmlns="%s"/>`, name, namespace)
	}
	return fmt.Sprintf(`<%s xmlns="%s">%s</%s>`, name, namespace, inside, name)
}

// call asks a service for an operation and gives the answer's own element.
func (c *Client) call(ctx context.Context, namespace, name, inside string) (*node, error) {
	path, err := c.service(namespace)
	if err != nil {
		return nil, err
	}
	body, err := c.ask(ctx, question{path: path, action: namespace + "/" + name, body: operation(namespace, name, inside)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n := body.kid(name + "Response")
	if n == nil {
		return nil, fmt.Errorf("%s: %w", name, c.fault(camera.ErrGarbage, "it answers something else"))
	}
	return n, nil
}
