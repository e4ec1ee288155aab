package api

import (
	"container/list"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"eyebolt/control"
)

// gate slows down who tries to sign in, register or pair again and again from one address.
type gate struct {
	mu   sync.Mutex
	by   map[string]*list.Element
	line *list.List // of *visitor, heard of newest first
}

type visitor struct {
	addr  string
	tries *rate.Limiter
}

const (
	tryEvery = 2 * time.Second // a person mistypes; a program guesses
	tryBurst = 20              // a household behind one address
	// maxVisitors bounds the addresses that are remembered; those unheard of for longest give way.
	maxVisitors = 8192
)

func newGate() *gate { return &gate{by: map[string]*list.Element{}, line: list.New()} }

func (g *gate) pass(now time.Time, addr string) bool {
	addr = network(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.by[addr]
	if e == nil {
		e = g.line.PushFront(&visitor{addr, rate.NewLimiter(rate.Every(tryEvery), tryBurst)})
		g.by[addr] = e
		if g.line.Len() > maxVisitors {
			old := g.line.Back()
			delete(g.by, old.Value.(*visitor).addr)
			g.line.Remove(old)
		}
	}
	g.line.MoveToFront(e)
	return e.Value.(*visitor).tries.AllowN(now, 1)
}

// network is whom a gate counts: an IPv4 address, or an IPv6 network of 64 bits, which is one customer's.
func network(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}

// limit is middleware: it looks at calls that guess.
func (s *server) limit(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	guess := strings.HasPrefix(u.Path, "/api/login/") || strings.HasPrefix(u.Path, "/api/register/") || u.Path == "/api/home/pair"
	if guess && !s.gate.pass(s.Now(), ctx.RemoteAddr()) {
		p := problemOf(&control.Error{Reason: "too-many", Sentence: "Too many tries from here. Wait ten seconds, then try again.", Class: control.TooMany})
		ctx.SetHeader("Content-Type", p.ContentType(""))
		ctx.SetHeader("Retry-After", "10")
		ctx.SetStatus(http.StatusTooManyRequests)
		_, _ = ctx.BodyWriter().Write(p.json()) // the client has gone
		return
	}
	next(ctx)
}
