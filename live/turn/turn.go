// Package turn is the relay (RFC 8656) through which a phone that is not in the home reaches the hub's live picture. It carries
// what is encrypted end to end (S17) and keeps nothing. Whoever uses it was given credentials for a few hours.
package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/pion/turn/v5"

	"eyebolt/live"
)

// Config is what a Server needs.
type Config struct {
	// Listen is the address of the relay, for UDP and for TCP: 0.0.0.0:3478.
	Listen string
	// Public is the address at which phones and hubs reach this machine. Relayed ports are offered at it.
	Public netip.Addr
	// Host is the name, or address, in the URLs that phones and hubs are given; empty: Public.
	Host string
	// MinPort and MaxPort are the range of relayed ports, which must be open for UDP. Default 49152 to 49407.
	MinPort, MaxPort uint16
	Log              *slog.Logger
}

const (
	realm = "eyebolt"
	// life is how long credentials are good for, from when they are given. A session that lasts longer ends and is made anew.
	life = 4 * time.Hour
	// perUser is how many relayed ports one account, or one hub, may hold: a phone takes one for each of its networks, over UDP
	// and over TCP, and a household looks with eight at the most.
	perUser = 32
	// maxPorts bounds the range: each takes a socket and 64 KiB.
	maxPorts = 4096
)

// Server is a relay.
type Server struct {
	cfg    Config
	secret string
	server *turn.Server
	urls   []string

	mu   sync.Mutex
	held map[string]int // relayed ports, by user
}

// New starts a relay. Its secret is made anew: credentials of an earlier one are void.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		return nil, errors.New("turn: Log must be given")
	}
	if cfg.MinPort == 0 && cfg.MaxPort == 0 {
		cfg.MinPort, cfg.MaxPort = 49152, 49407
	}
	if !cfg.Public.IsValid() || cfg.Public.IsUnspecified() {
		return nil, errors.New("turn: public: give the IP address at which phones reach this machine")
	}
	if cfg.MinPort == 0 || cfg.MaxPort < cfg.MinPort || int(cfg.MaxPort)-int(cfg.MinPort) >= maxPorts {
		return nil, fmt.Errorf("turn: ports %d to %d: give a range of at most %d, lowest first", cfg.MinPort, cfg.MaxPort, maxPorts)
	}
	cfg.Public = cfg.Public.Unmap()
	s := &Server{cfg: cfg, secret: rand.Text(), held: map[string]int{}}
	udp, err := net.ListenPacket("udp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("turn: %w: choose another listen", err)
	}
	port := udp.LocalAddr().(*net.UDPAddr).Port
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("turn: %w", err), udp.Close())
	}
	tcp, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("turn: %w: choose another listen", err), udp.Close())
	}
	relay := func() turn.RelayAddressGenerator {
		return datagrams{&turn.RelayAddressGeneratorPortRange{
			RelayAddress: cfg.Public.AsSlice(), MinPort: cfg.MinPort, MaxPort: cfg.MaxPort, Address: or(host, "0.0.0.0"), MaxRetries: 64,
		}}
	}
	log := logger{cfg.Log}
	s.server, err = turn.NewServer(turn.ServerConfig{
		Realm: realm, LoggerFactory: log, AuthHandler: turn.LongTermTURNRESTAuthHandler(s.secret, log.NewLogger("turn")),
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: relay(), PermissionHandler: s.mayReach}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: guard(tcp), RelayAddressGenerator: relay(), PermissionHandler: s.mayReach}},
		QuotaHandler:      func(user, _ string, _ net.Addr) bool { return s.hasRoom(user) },
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) { s.count(user, 1) },
			OnAllocationDeleted: func(_, _ net.Addr, _, user, _ string) { s.count(user, -1) },
		},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("turn: %w", err), udp.Close(), tcp.Close())
	}
	at := net.JoinHostPort(or(cfg.Host, cfg.Public.String()), strconv.Itoa(port))
	s.urls = []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	return s, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// URLs name the relay, first over UDP, then over TCP.
func (s *Server) URLs() []string { return s.urls }

// Credentials are somebody's for the next hours. Who it is does not show in them.
func (s *Server) Credentials(who string) (live.Relay, error) {
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write([]byte("eyebolt turn v1\n" + who)) // a hash's Write does not fail
	name, word, err := turn.GenerateLongTermTURNRESTCredentials(s.secret, hex.EncodeToString(mac.Sum(nil)[:12]), life)
	if err != nil {
		return live.Relay{}, fmt.Errorf("turn: %w", err)
	}
	return live.Relay{Username: name, Credential: word}, nil
}

// Close ends the relay and what goes through it.
func (s *Server) Close() error {
	if err := s.server.Close(); err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	return nil
}

func (s *Server) hasRoom(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[user] < perUser
}

func (s *Server) count(user string, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[user] += by; s.held[user] <= 0 {
		delete(s.held, user)
	}
}

// mayReach says where relayed packets may go: to the relay's own ports, through which phone and hub meet, and to the open
// Internet. Into the operator's networks they may not (T25).
func (s *Server) mayReach(_ net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	ip = ip.Unmap()
	return ok && (ip == s.cfg.Public || open(ip))
}

// inward are networks that look global and lead somewhere else (RFC 6890), beside those that netip knows.
var inward = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

func open(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range inward {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// datagrams relays datagrams alone: connections (RFC 6062) would be made from here to wherever a client says.
type datagrams struct {
	*turn.RelayAddressGeneratorPortRange
}

// AllocatePacketConn gives a relayed port from which nothing leaves for this machine but to other relayed ports (T25): who may relay to
// Public is asked for the address alone (mayReach).
func (d datagrams) AllocatePacketConn(conf turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	c, at, err := d.RelayAddressGeneratorPortRange.AllocatePacketConn(conf)
	if err != nil {
		return nil, nil, err
	}
	return within{c, d.RelayAddressGeneratorPortRange}, at, nil
}

type within struct {
	net.PacketConn
	of *turn.RelayAddressGeneratorPortRange
}

// WriteTo drops what it does not send, as a network would.
func (w within) WriteTo(p []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok || u.IP.Equal(w.of.RelayAddress) && (u.Port < int(w.of.MinPort) || u.Port > int(w.of.MaxPort)) {
		return len(p), nil
	}
	return w.PacketConn.WriteTo(p, to)
}

var errDatagrams = errors.New("turn: datagrams alone are relayed")

func (datagrams) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errDatagrams
}

func (datagrams) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errDatagrams }
