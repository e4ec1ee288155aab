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

// gate slows down who asks again and again: by address who tries to sign in, register or pair, by account everybody else.
type gate struct {
	each  rate.Limit
	burst int

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
	// An account's calls: a page that starts makes ten, a program that books makes one after another. Above it, one account's
	// calls would cost every other tenant's the disk.
	callsEach, callsBurst = rate.Limit(50), 500
	// Calls that make a home safer have an allowance of their own, one for each: whoever uses it up has done what it does.
	saferEach, saferBurst = rate.Limit(2), 20
	// maxVisitors bounds the addresses that are remembered; those unheard of for longest give way.
	maxVisitors = 8192
)

func newGate(each rate.Limit, burst int) *gate {
	return &gate{each: each, burst: burst, by: map[string]*list.Element{}, line: list.New()}
}

func (g *gate) pass(now time.Time, addr string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.by[addr]
	if e == nil {
		e = g.line.PushFront(&visitor{addr, rate.NewLimiter(g.each, g.burst)})
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

// safer are the calls that only make a home safer.
var safer = []string{"/block", "/lock", "/leave", "/cannot"}

// calm refuses an account that calls more often than people and honest programs do.
func (s *server) calm(now time.Time, account, method, path string) error {
	g, key := s.calls, account
	if i := strings.LastIndexByte(path, '/'); method == http.MethodPost && slices.Contains(safer, path[i:]) {
		g, key = s.safer, account+path[i:]
	}
	if !g.pass(now, key) {
		return errTooMany
	}
	return nil
}

var errTooMany = &control.Error{Reason: "too-many", Sentence: "This account asks too often. Wait ten seconds, then try again.", Class: control.TooMany}

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
	if guess && !s.gate.pass(s.Now(), network(s.from(r))) {
		p := problemOf(&control.Error{Reason: "too-many", Sentence: "Too many tries from here. Wait ten seconds, then try again.", Class: control.TooMany})
		ctx.SetHeader("Content-Type", p.ContentType(""))
		ctx.SetHeader("Retry-After", "10")
		ctx.SetStatus(http.StatusTooManyRequests)
		_, _ = ctx.BodyWriter().Write(p.json()) // the client has gone
		return
	}
	next(ctx)
}
