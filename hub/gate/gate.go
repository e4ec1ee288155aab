// Package gate lets one household's browser into a page of the hub, and nobody else: whoever has read the hub's own terminal. It
// knows nothing of what stands behind it.
//
// A link is shown on the terminal alone and opens once: its secret is in the fragment, which browsers send to nobody and keep out of
// their Referer. The page changes it for a session's token and takes it out of the address. The token goes with each request in a
// header and never in a cookie: cookies are shared by all ports of a host, and by every page that the browser shows.
package gate

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config is a gate's.
type Config struct {
	// Addr is the address that it is reached under, host and port, as Listener gives it.
	Addr string
	// Scheme is http or https.
	Scheme string
	// Page is the path that a link opens: "/setup".
	Page string
	// Say is called with each new link, at first by New, then whenever one was used; from is the address that used the one before, or
	// empty. Print it where only the household reads.
	Say func(link, from string)
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	// sessionsMost browsers may be in at once; the one that was silent longest goes.
	sessionsMost = 8
	// idle is how long a session stays without a request: somebody changes a battery, and comes back.
	idle = 12 * time.Hour
	// bodyMost bounds a request: what a person types.
	bodyMost = 64 << 10
	// bearer stands before the token (RFC 6750 section 2.1).
	bearer = "Bearer "
)

// Gate is safe for concurrent use.
type Gate struct {
	cfg Config

	mu       sync.Mutex
	secret   string               // of the link that was not used yet
	sessions map[string]time.Time // token → newest request
}

// New makes a gate and its first link.
func New(cfg Config) *Gate {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	g := &Gate{cfg: cfg, sessions: map[string]time.Time{}, secret: rand.Text()}
	cfg.Say(g.link(g.secret), "")
	return g
}

func (g *Gate) link(secret string) string {
	return g.cfg.Scheme + "://" + g.cfg.Addr + g.cfg.Page + "#k=" + secret
}

// Mux serves pages to everybody who came by the right name, since they hold no secret, and each of apis, by the path that it begins
// with ("/setup/api/"), to those alone who have a session. POST /gate/enter makes one of a link.
func (g *Gate) Mux(pages http.Handler, apis map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /gate/enter", g.enter)
	for path, h := range apis {
		mux.Handle(path, g.known(h))
	}
	mux.Handle("/", pages)
	return g.named(mux)
}

// named refuses requests that came by another name than ours (DNS rebinding), from another page, or with too much in them.
func (g *Gate) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case !g.mine(r.Host):
			Refuse(w, http.StatusMisdirectedRequest, "name", "Open this page by the address that the hub printed.")
			return
		case r.Header.Get("Origin") != "" && r.Header.Get("Origin") != g.cfg.Scheme+"://"+r.Host,
			r.Method != http.MethodGet && r.Method != http.MethodHead && site != "" && site != "same-origin":
			Refuse(w, http.StatusForbidden, "origin", "Another page asked for this.")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyMost)
		next.ServeHTTP(w, r)
	})
}

// mine says whether a Host header is a name that nobody else can give to this machine.
func (g *Gate) mine(host string) bool {
	if host == g.cfg.Addr {
		return true
	}
	name, port, err := net.SplitHostPort(host)
	ours, at, err2 := net.SplitHostPort(g.cfg.Addr)
	ip := net.ParseIP(ours)
	return err == nil && err2 == nil && name == "localhost" && port == at && ip != nil && ip.IsLoopback()
}

// enter changes a link's secret for a session.
func (g *Gate) enter(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Key string `json:"key"`
	}
	if !Read(w, r, &ask) {
		return
	}
	g.mu.Lock()
	if subtle.ConstantTimeCompare([]byte(ask.Key), []byte(g.secret)) != 1 {
		g.mu.Unlock()
		Refuse(w, http.StatusUnauthorized, "link", "This link was used before, or is of an earlier start. The newest one is on the hub's terminal.")
		return
	}
	token, now := rand.Text(), g.cfg.Now()
	if len(g.sessions) >= sessionsMost {
		oldest := ""
		for t, at := range g.sessions {
			if oldest == "" || at.Before(g.sessions[oldest]) {
				oldest = t
			}
		}
		delete(g.sessions, oldest)
	}
	g.sessions[token] = now
	g.secret = rand.Text()
	next := g.link(g.secret)
	g.mu.Unlock()
	g.cfg.Say(next, r.RemoteAddr)
	Reply(w, map[string]string{"token": token})
}

// known lets requests with a session through.
func (g *Gate) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), bearer)
		now := g.cfg.Now()
		g.mu.Lock()
		last, in := g.sessions[token]
		if in && now.Sub(last) > idle {
			delete(g.sessions, token)
			in = false
		}
		if in {
			g.sessions[token] = now
		}
		g.mu.Unlock()
		if !ok || !in {
			Refuse(w, http.StatusUnauthorized, "session", "Open the link that the hub printed on its terminal.")
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// Read decodes a JSON body into into; false: it answered with what is wrong. Unknown fields are refused.
func Read(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		Refuse(w, http.StatusUnsupportedMediaType, "json", "Send application/json.")
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		Refuse(w, http.StatusBadRequest, "json", "That is not what this page sends.")
		return false
	}
	return true
}

// Reply answers with JSON.
func Reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody to tell
}

// Refuse answers with a problem (RFC 9457): a word for the page and a sentence for the person.
func Refuse(w http.ResponseWriter, status int, reason, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "reason": reason, "detail": detail})
}
