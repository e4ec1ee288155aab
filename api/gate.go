package api

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"
)

// gate slows down who tries to sign in or register again and again from one address.
type gate struct {
	now func() time.Time

	mu  sync.Mutex
	all *rate.Limiter
	by  map[string]*rate.Limiter
}

const (
	tryEvery = 2 * time.Second // a person mistypes; a program guesses
	tryBurst = 20              // a household behind one address
	// maxGates bounds the memory of addresses: past it all are forgotten, and the limit on all of them together stands.
	maxGates = 4096
	allRate  = 200 // sign-ins a second that the service takes at most
)

func newGate(now func() time.Time) *gate {
	return &gate{now: now, all: rate.NewLimiter(allRate, allRate), by: map[string]*rate.Limiter{}}
}

func (g *gate) pass(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.by[host]
	if l == nil {
		if len(g.by) >= maxGates {
			clear(g.by)
		}
		l = rate.NewLimiter(rate.Every(tryEvery), tryBurst)
		g.by[host] = l
	}
	now := g.now()
	return l.AllowN(now, 1) && g.all.AllowN(now, 1)
}

// limit is middleware: it looks at ceremonies alone.
func (s *server) limit(ctx huma.Context, next func(huma.Context)) {
	path := ctx.URL().Path
	if strings.HasPrefix(path, "/api/login/") || strings.HasPrefix(path, "/api/register/") {
		if !s.gate.pass(ctx.RemoteAddr()) {
			ctx.SetStatus(http.StatusTooManyRequests)
			ctx.SetHeader("Content-Type", "application/problem+json")
			ctx.SetHeader("Retry-After", "10")
			_, _ = ctx.BodyWriter().Write([]byte(`{"status":429,"title":"Too Many Requests","reason":"too-many","detail":"Too many tries from here. Wait ten seconds, then try again."}`))
			return
		}
	}
	next(ctx)
}
