package nats

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"eyebolt/bus"
)

// gate lets in whoever proves a known key by signing the connection's nonce, and says what it may use: the service all, a
// hub its own subjects (T24).
type gate struct {
	service string
	hubs    func(string) (string, bool)
	log     *slog.Logger

	mu    sync.Mutex
	conns []conn // newest last; bounded by keep
}

type conn struct {
	hub string
	id  uint64
}

// keep bounds the remembered connections per hub: a hub has one, and two while it reconnects.
const keep = 4

// answerWithin is how long an answer to a request may take; nobody waits longer for a hub.
const answerWithin = 30 * time.Second

var _ server.Authentication = (*gate)(nil)

// Check is called by the server for each CONNECT.
func (g *gate) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	deny := func(why string) bool {
		g.log.Warn("bus: connection refused", "why", why, "key", o.Nkey, "from", c.RemoteAddress())
		return false
	}
	if o.Nkey == "" || o.Sig == "" {
		return deny("no key")
	}
	var hub string
	if o.Nkey != g.service {
		id, ok := g.hubs(o.Nkey)
		if !ok || !token(id) {
			return deny("unknown key")
		}
		hub = id
	}
	sig, err := base64.RawURLEncoding.DecodeString(o.Sig)
	if err != nil {
		return deny("signature is not base64url")
	}
	pub, err := nkeys.FromPublicKey(o.Nkey)
	if err != nil {
		return deny("malformed key")
	}
	if err := pub.Verify(c.GetNonce(), sig); err != nil {
		return deny("signature does not verify")
	}
	user := &server.User{Username: "service"}
	if hub != "" {
		asked := []string{bus.Subject(hub, "ask"), bus.Subject(hub, "live")}
		user.Username = hub
		user.Permissions = &server.Permissions{
			// What a hub may say and what it may hear are apart: whoever could ask himself something would name another hub's
			// subject as the place for the answer, and by Response be let in there (T24).
			Publish:   &server.SubjectPermission{Allow: []string{bus.Subject(hub, ">")}, Deny: asked},
			Subscribe: &server.SubjectPermission{Allow: append(asked, inbox(o.Nkey)+".>")},
			// A hub may answer what it was asked, once.
			Response: &server.ResponsePermission{MaxMsgs: 1, Expires: answerWithin},
		}
	}
	c.RegisterUser(user)
	if hub != "" {
		g.remember(hub, c.GetID())
	}
	return true
}

func (g *gate) remember(hub string, id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns = append(g.conns, conn{hub, id})
	n := 0
	for _, c := range g.conns {
		if c.hub == hub {
			n++
		}
	}
	if n > keep {
		i := slices.IndexFunc(g.conns, func(c conn) bool { return c.hub == hub })
		g.conns = slices.Delete(g.conns, i, i+1)
	}
}

func (g *gate) of(hub string) []uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ids []uint64
	for _, c := range g.conns {
		if c.hub == hub {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// inbox is where answers to a key's own requests arrive. It holds the key, so that nobody else may listen there.
func inbox(pubkey string) string { return inboxes + pubkey }

// inboxes is where answers go, and nothing else (T24).
const inboxes = "_INBOX."

// token says whether a hub's name is one plain token of a subject.
func token(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return false
		}
	}
	return true
}

// logger passes the server's lines on.
type logger struct{ l *slog.Logger }

func (l *logger) Noticef(f string, v ...any) { l.l.Debug(sprintf(f, v)) }
func (l *logger) Warnf(f string, v ...any)   { l.l.Warn(sprintf(f, v)) }
func (l *logger) Fatalf(f string, v ...any)  { l.l.Error(sprintf(f, v)) }
func (l *logger) Errorf(f string, v ...any)  { l.l.Warn(sprintf(f, v)) }
func (l *logger) Debugf(f string, v ...any)  {}
func (l *logger) Tracef(f string, v ...any)  {}

func sprintf(f string, v []any) string { return fmt.Sprintf(f, v...) }
