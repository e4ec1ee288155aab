package turn

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"eyebolt/live"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func start(tb testing.TB) *Server {
	tb.Helper()
	s, err := New(Config{Listen: "127.0.0.1:0", Public: loopback, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func (s *Server) addr() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.URLs()[0], "turn:"), "?transport=udp")
}

func (s *Server) of(tb testing.TB, who string) live.Relay {
	tb.Helper()
	r, err := s.Credentials(who)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// client is a client over UDP, or over TCP.
func (s *Server) client(tb testing.TB, network string, r live.Relay) *turn.Client {
	tb.Helper()
	var pc net.PacketConn
	if network == "tcp" {
		c, err := net.Dial("tcp", s.addr())
		if err != nil {
			tb.Fatal(err)
		}
		pc = turn.NewSTUNConn(c)
	} else {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		pc = c
	}
	c, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: s.addr(), TURNServerAddr: s.addr(), Conn: pc, Username: r.Username, Password: r.Credential, RTO: 200 * time.Millisecond,
	})
	if err == nil {
		err = c.Listen()
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close(); _ = pc.Close() })
	return c
}

// Two who are given credentials meet at the relay, over UDP and over TCP: each sends to the other's relayed port, and to nobody in
// the operator's networks (T25).
func TestRelay(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s := start(t)
			a, err := s.client(t, network, s.of(t, "phone")).Allocate()
			if err != nil {
				t.Fatal(err)
			}
			b, err := s.client(t, "udp", s.of(t, "hub")).Allocate()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.WriteTo([]byte("open"), a.LocalAddr()); err != nil { // makes b's permission
				t.Fatal(err)
			}
			got := make(chan string, 1)
			go func() {
				buf := make([]byte, 100)
				n, _, _ := b.ReadFrom(buf)
				got <- string(buf[:n])
			}()
			deadline := time.After(10 * time.Second)
			for {
				if _, err := a.WriteTo([]byte("picture"), b.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				select {
				case text := <-got:
					if text != "picture" {
						t.Errorf("got %q", text)
					}
				case <-deadline:
					t.Fatal("nothing came through")
				case <-time.After(50 * time.Millisecond):
					continue
				}
				break
			}
			for _, inside := range []string{"192.168.1.1:80", "10.0.0.7:53", "169.254.169.254:80", "127.0.0.2:53"} {
				to, _ := net.ResolveUDPAddr("udp", inside)
				if _, err := a.WriteTo([]byte("x"), to); err == nil {
					t.Errorf("a packet was relayed to %s", inside)
				}
			}
		})
	}
}

// T25: what else listens on the relay's own machine is reached through no relayed port, though the address is one that may be relayed to.
func TestRelayReachesNothingElseOfItsMachine(t *testing.T) {
	s := start(t)
	other, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	a, err := s.client(t, "udp", s.of(t, "phone")).Allocate()
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.client(t, "udp", s.of(t, "hub")).Allocate()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.WriteTo([]byte("open"), a.LocalAddr()); err != nil { // makes b's permission
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, _, err := b.ReadFrom(make([]byte, 100))
		got <- err
	}()
	for end := time.Now().Add(10 * time.Second); ; {
		for _, to := range []net.Addr{other.LocalAddr(), b.LocalAddr()} { // what goes to b goes the same way, behind it
			if _, err := a.WriteTo([]byte("x"), to); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case err := <-got:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(50 * time.Millisecond):
			if time.Now().Before(end) {
				continue
			}
			t.Fatal("nothing comes through to the other relayed port")
		}
		break
	}
	_ = other.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, from, err := other.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came from %v", n, from)
	}
}

func TestMayReach(t *testing.T) {
	s := &Server{cfg: Config{Public: netip.MustParseAddr("203.0.113.7")}}
	for addr, want := range map[string]bool{
		"203.0.113.7": true, "::ffff:203.0.113.7": true, "198.51.100.9": true, "2a00:1450::1": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "::ffff:10.1.2.3": false, "172.16.0.1": false, "192.168.0.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "fd00::1": false,
		"fe80::1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "2001::1": false, "::10.0.0.1": false, "ff02::1": false,
	} {
		if got := s.mayReach(nil, net.ParseIP(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if s.mayReach(nil, nil) {
		t.Error("no address at all")
	}
}

// Who has no credentials, another relay's, or old ones, is refused (T13); one account cannot take all ports; a connection is
// relayed to nobody (T25).
func TestRefusals(t *testing.T) {
	s, other := start(t), start(t)
	good := s.of(t, "phone")
	old, word, err := turn.GenerateLongTermTURNRESTCredentials(s.secret, "phone", -time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]live.Relay{
		"another relay's": other.of(t, "phone"), "a guess": {Username: good.Username, Credential: "guess"}, "old": {Username: old, Credential: word},
		"somebody else's": {Username: s.of(t, "other").Username, Credential: good.Credential}, "no time": {Username: "phone", Credential: "x"},
	} {
		if c, err := s.client(t, "udp", r).Allocate(); err == nil {
			t.Errorf("%s: relayed at %v", name, c.LocalAddr())
		}
	}
	if strings.Contains(good.Username, "phone") {
		t.Errorf("the account shows in its user name: %s", good.Username)
	}
	if _, err := s.client(t, "tcp", good).AllocateTCP(); err == nil {
		t.Error("a connection was relayed")
	}
	taken := 0
	for range perUser + 8 {
		if _, err := s.client(t, "udp", s.of(t, "phone")).Allocate(); err == nil {
			taken++
		}
	}
	if taken != perUser {
		t.Errorf("one account took %d ports, want %d", taken, perUser)
	}
	if _, err := s.client(t, "udp", s.of(t, "other")).Allocate(); err != nil {
		t.Errorf("another account: %v", err)
	}
}

// T20: connections are bounded in number, from one address and in all, and their places are free again when they end.
func TestConnectionsAreBounded(t *testing.T) {
	s := start(t)
	ended := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var all []net.Conn
	for range maxFrom {
		all = append(all, dial())
	}
	if ended(all[0]) || ended(all[maxFrom-1]) {
		t.Error("a connection within the bounds was closed")
	}
	if !ended(dial()) {
		t.Error("a connection over the bound was kept")
	}
	for _, c := range all {
		_ = c.Close()
	}
	for end := time.Now().Add(10 * time.Second); ended(dial()); {
		if time.Now().After(end) {
			t.Fatal("places are not free again")
		}
	}
}

// Who says nothing is not waited for.
func TestSilentConnection(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	left := false
	c := &conn{Conn: ours, patience: time.Millisecond, leave: func() { left = true }}
	if _, err := c.Read(make([]byte, 1)); err == nil || !left {
		t.Errorf("a silent connection: %v, left %v", err, left)
	}
}

func TestConfig(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for _, c := range []Config{
		{},
		{Log: log, Listen: "127.0.0.1:0"},
		{Log: log, Listen: "127.0.0.1:0", Public: netip.IPv4Unspecified()},
		{Log: log, Listen: "nowhere", Public: loopback},
		{Log: log, Listen: "127.0.0.1:0", Public: loopback, MinPort: 2, MaxPort: 1},
		{Log: log, Listen: "127.0.0.1:0", Public: loopback, MinPort: 1, MaxPort: 65535},
	} {
		if s, err := New(c); err == nil {
			_ = s.Close()
			t.Errorf("%+v was taken", c)
		}
	}
	s, err := New(Config{Log: log, Listen: "127.0.0.1:0", Public: loopback, Host: "turn.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := fmt.Sprint(s.URLs()); !strings.HasPrefix(got, "[turn:turn.example.org:") || !strings.HasSuffix(got, "?transport=tcp]") {
		t.Errorf("URLs %s", got)
	}
}
