package api

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
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

// sameMachine are the proxies that are believed where none are named.
var sameMachine = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// from is who asks: the peer, or, if the peer is a proxy of ours, the nearest address in X-Forwarded-For that is none. What stands
// further left there anybody may write. Without this, everybody behind a proxy would share one allowance, and one who guesses
// would keep all others from signing in.
func (s *server) from(r *http.Request) string {
	proxies := s.Proxies
	if proxies == nil {
		proxies = sameMachine
	}
	ours := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap().WithZone("")) })
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !ours(peer.Addr()) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if !ours(a) {
			return a.Unmap().String()
		}
	}
	return r.RemoteAddr
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
	r, _ := humago.Unwrap(ctx)
	if guess && !s.gate.pass(s.Now(), s.from(r)) {
		p := problemOf(&control.Error{Reason: "too-many", Sentence: "Too many tries from here. Wait ten seconds, then try again.", Class: control.TooMany})
		ctx.SetHeader("Content-Type", p.ContentType(""))
		ctx.SetHeader("Retry-After", "10")
		ctx.SetStatus(http.StatusTooManyRequests)
		_, _ = ctx.BodyWriter().Write(p.json()) // the client has gone
		return
	}
	next(ctx)
}
