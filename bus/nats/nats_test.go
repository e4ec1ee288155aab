package nats_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/bustest"
	"eyebolt/bus/nats"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// key is a hub's Ed25519 key as an nkey pair, made from its name.
func key(t testing.TB, id string) (seed []byte, pub string) {
	t.Helper()
	raw := bytes.Repeat([]byte{id[0]}, ed25519.SeedSize)
	seed, err := nats.Seed(raw)
	if err != nil {
		t.Fatal(err)
	}
	pub, err = nats.PublicKey(ed25519.NewKeyFromSeed(raw).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return seed, pub
}

func server(t testing.TB, c nats.ServerConfig, ids ...string) *nats.Server {
	t.Helper()
	known := map[string]string{}
	for _, id := range ids {
		_, pub := key(t, id)
		known[pub] = id
	}
	c.Log = quiet
	c.Hubs = func(pub string) (string, bool) { id, ok := known[pub]; return id, ok }
	s, err := nats.StartServer(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); !f(); {
		if time.Now().After(late) {
			t.Fatalf("%s: not within 10 s", what)
		}
		<-time.After(time.Millisecond) // between two looks
	}
}

// line is a wire between a hub and the server that can be cut.
type line struct {
	l    net.Listener
	to   string
	mu   sync.Mutex
	cut  bool
	open []net.Conn
}

func newLine(t testing.TB, to string) *line {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &line{l: l, to: u.Host}
	go w.serve()
	t.Cleanup(func() { _ = l.Close(); w.set(true) })
	return w
}

func (w *line) serve() {
	for {
		a, err := w.l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", w.to)
		w.mu.Lock()
		if w.cut || err != nil {
			_ = a.Close()
			if err == nil {
				_ = b.Close()
			}
			w.mu.Unlock()
			continue
		}
		w.open = append(w.open, a, b)
		w.mu.Unlock()
		go func() { _, _ = io.Copy(a, b); _ = a.Close() }()
		go func() { _, _ = io.Copy(b, a); _ = b.Close() }()
	}
}

func (w *line) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for _, c := range w.open {
			_ = c.Close()
		}
		w.open = nil
	}
}

func conformance(t *testing.T, c nats.ServerConfig, address func(*nats.Server) string, scheme string, client *tls.Config) {
	bustest.Run(t, func(t *testing.T) bustest.Net {
		s := server(t, c, "a", "b")
		service, err := s.Local(quiet)
		if err != nil {
			t.Fatal(err)
		}
		hubs, lines := map[string]*nats.Conn{}, map[string]*line{}
		t.Cleanup(func() {
			for _, h := range hubs {
				_ = h.Close()
			}
			_ = service.Close()
		})
		return bustest.Net{
			Service: service,
			Hub: func(id string) bus.Conn {
				if hubs[id] == nil {
					seed, _ := key(t, id)
					lines[id] = newLine(t, address(s))
					h, err := nats.Connect(nats.Config{URL: scheme + "://" + lines[id].l.Addr().String(), Seed: seed, Name: id, Log: quiet, TLS: client})
					if err != nil {
						t.Fatal(err)
					}
					hubs[id] = h
					until(t, "connected", h.Connected)
				}
				return hubs[id]
			},
			Cut: func(id string) {
				lines[id].set(true)
				until(t, "disconnected", func() bool { return !hubs[id].Connected() })
			},
			Mend: func(id string) {
				lines[id].set(false)
				until(t, "connected", hubs[id].Connected)
			},
		}
	})
}

func TestConformanceTCP(t *testing.T) {
	conformance(t, nats.ServerConfig{Addr: "127.0.0.1:0"}, (*nats.Server).URL, "nats", nil)
}

func TestConformanceWebSocket(t *testing.T) {
	conformance(t, nats.ServerConfig{WebSocket: "127.0.0.1:0"}, (*nats.Server).WebSocketURL, "ws", nil)
}

func TestConformanceTLS(t *testing.T) {
	srv, cli := certificates(t)
	conformance(t, nats.ServerConfig{Addr: "127.0.0.1:0", TLS: srv}, (*nats.Server).URL, "tls", cli)
}

// T24: an unknown key, a stranger's signature and nobody at all are refused; a key taken away is cut off.
func TestOnlyKnownKeys(t *testing.T) {
	s := server(t, nats.ServerConfig{Addr: "127.0.0.1:0"}, "a")
	seed, _ := key(t, "z")
	z, err := nats.Connect(nats.Config{URL: s.URL(), Seed: seed, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	seed, _ = key(t, "a")
	a, err := nats.Connect(nats.Config{URL: s.URL(), Seed: seed, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	until(t, "the known hub is connected", a.Connected)
	if z.Connected() {
		t.Error("an unknown key is connected")
	}
	if err := z.Publish(t.Context(), "hub.a.view", nil); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("an unknown key published: %v", err)
	}
	conn, err := net.Dial("tcp", mustHost(t, s.URL()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "CONNECT {\"verbose\":true}\r\nPUB hub.a.view 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	said, _ := io.ReadAll(conn) // until the server hangs up
	if !bytes.Contains(said, []byte("Authorization Violation")) {
		t.Errorf("nobody was told %q", said)
	}
}

func TestDropEndsTheConnection(t *testing.T) {
	gone := make(chan struct{})
	_, pub := key(t, "a")
	known := sync.Map{}
	known.Store(pub, "a")
	s, err := nats.StartServer(nats.ServerConfig{Addr: "127.0.0.1:0", Log: quiet, Hubs: func(p string) (string, bool) {
		id, ok := known.Load(p)
		if !ok {
			return "", false
		}
		return id.(string), true
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	seed, _ := key(t, "a")
	var once sync.Once
	a, err := nats.Connect(nats.Config{URL: s.URL(), Seed: seed, Log: quiet, Changed: func(on bool) {
		if !on {
			once.Do(func() { close(gone) })
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	until(t, "connected", a.Connected)
	known.Delete(pub)
	s.Drop("a")
	<-gone
	until(t, "away", func() bool { return s.Connections() == 0 && !a.Connected() })
}

// The server may come after the hub.
func TestConnectBeforeTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	seed, _ := key(t, "a")
	a, err := nats.Connect(nats.Config{URL: "nats://" + addr, Seed: seed, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Publish(t.Context(), "hub.a.view", nil); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("got %v, want ErrDisconnected", err)
	}
	server(t, nats.ServerConfig{Addr: addr}, "a")
	until(t, "connected", a.Connected)
}

// Who sets a hub up reads in its log what keeps it from the service, and what to do next; the same once, not at each try.
func TestSaysWhyTheServiceCannotBeReached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	_ = l.Close()
	plain := server(t, nats.ServerConfig{Addr: "127.0.0.1:0"}, "a")
	plainHost := strings.TrimPrefix(plain.URL(), "nats://")
	seed, _ := key(t, "b") // the server knows a alone
	for name, c := range map[string]struct{ url, want string }{
		"nobody there":  {"nats://" + nobody, "check service.url, and that the service is up"},
		"unknown key":   {plain.URL(), "the service does not know this hub's key: enter the hub's id, key and record_key in the console"},
		"TLS to no TLS": {"tls://" + plainHost, "the service has no TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			log := &lines{}
			a, err := nats.Connect(nats.Config{URL: c.url, Seed: seed, Log: slog.New(slog.NewTextHandler(log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			until(t, "it to say so", func() bool { return strings.Contains(log.String(), c.want) })
			t.Log(strings.TrimSpace(log.String()))
			if strings.Contains(log.String(), "SU") && strings.Contains(log.String(), string(seed)) {
				t.Error("the log holds the hub's seed")
			}
		})
	}
}

type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestBadConfig(t *testing.T) {
	hubs := func(string) (string, bool) { return "", false }
	for _, c := range []nats.ServerConfig{
		{Addr: "127.0.0.1:0", Log: quiet},
		{Addr: "127.0.0.1:0", Hubs: hubs},
		{Addr: "127.0.0.1", Hubs: hubs, Log: quiet},
		{Addr: "127.0.0.1:99999", Hubs: hubs, Log: quiet},
	} {
		if s, err := nats.StartServer(c); err == nil {
			s.Stop()
			t.Errorf("%+v: started", c)
		}
	}
	if _, err := nats.Connect(nats.Config{URL: "nats://127.0.0.1:1", Seed: []byte("SUnonsense"), Log: quiet}); err == nil {
		t.Error("a seed of nonsense connected")
	}
}

func BenchmarkBeat(b *testing.B) {
	s := server(b, nats.ServerConfig{Addr: "127.0.0.1:0"}, "a")
	service, err := s.Local(quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer service.Close()
	if _, err := service.Subscribe("hub.*.beat", func(m bus.Message) { _ = m.Reply(m.Body) }); err != nil {
		b.Fatal(err)
	}
	seed, _ := key(b, "a")
	a, err := nats.Connect(nats.Config{URL: s.URL(), Seed: seed, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	until(b, "connected", a.Connected)
	body := make([]byte, 200)
	for b.Loop() {
		if _, err := a.Request(context.Background(), "hub.a.beat", body); err != nil {
			b.Fatal(err)
		}
	}
}

func mustHost(t *testing.T, s string) string {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func certificates(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "eyebolt test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: k}}, MinVersion: tls.VersionTLS13},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
}
