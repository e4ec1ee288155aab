// Package nats carries the bus over NATS core: an embedded server for the service, and a client for hub and service. Nothing
// is kept on the way (no JetStream): what must not be lost lies in the hub's ledger and in the service's SQL, and is sent
// again from there.
package nats

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"eyebolt/bus"
)

// ServerConfig is the embedded server's. At least one of Addr and WebSocket is set, or only Server.Local connects.
type ServerConfig struct {
	// Addr is where hubs connect, "host:port"; port 0 takes a free one; "" listens on no TCP port.
	Addr string
	// TLS, if set, is required of every TCP connection. Without it a connection is authenticated, but can be read on the way.
	TLS *tls.Config
	// WebSocket is a second listener for networks that let nothing but HTTPS out, "host:port"; "" for none.
	WebSocket string
	// WebSocketTLS is for WebSocket; nil speaks plain ws.
	WebSocketTLS *tls.Config
	// Hubs says which hub owns a public nkey ("U…"). It is asked at each connection attempt, from the server's goroutines.
	// Everybody whom it does not know is refused.
	Hubs func(pubkey string) (hubID string, ok bool)
	// MaxConns bounds connections; 0: 50,000, more than twice what one instance of two cores is built for.
	MaxConns int
	Log      *slog.Logger
}

// Server is an embedded NATS server.
type Server struct {
	ns    *server.Server
	local nkeys.KeyPair // the service's own key, made at start, known to nobody else
	gate  *gate
}

const (
	// startWait is how long the listeners may take to open: they are local.
	startWait = 10 * time.Second
	// maxPending is what may wait for one slow client before it is cut off: eight of the largest messages.
	maxPending = 8 * bus.MaxBody
	// maxSubs bounds one connection's subscriptions: a hub has three, a service a dozen.
	maxSubs = 256
)

// StartServer starts a server and returns when it takes connections.
func StartServer(c ServerConfig) (*Server, error) {
	if c.Hubs == nil || c.Log == nil {
		return nil, errors.New("bus/nats: ServerConfig needs Hubs and Log")
	}
	local, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("bus/nats: make the service's own key: %w", err)
	}
	pub, err := local.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("bus/nats: make the service's own key: %w", err)
	}
	g := &gate{service: pub, hubs: c.Hubs, log: c.Log}
	o := &server.Options{
		ServerName:                 "eyebolt",
		DontListen:                 c.Addr == "",
		TLS:                        c.TLS != nil,
		TLSConfig:                  c.TLS,
		TLSTimeout:                 5,
		AuthTimeout:                5,
		NoSigs:                     true,
		NoSystemAccount:            true,
		AlwaysEnableNonce:          true,
		CustomClientAuthentication: g,
		MaxPayload:                 bus.MaxBody,
		MaxControlLine:             4096,
		MaxPending:                 maxPending,
		MaxSubs:                    maxSubs,
		MaxConn:                    50_000,
		WriteDeadline:              2 * time.Second,
		PingInterval:               5 * time.Second,
		MaxPingsOut:                2,
		DisableShortFirstPing:      true,
	}
	if c.MaxConns > 0 {
		o.MaxConn = c.MaxConns
	}
	if c.Addr != "" {
		if o.Host, o.Port, err = split(c.Addr); err != nil {
			return nil, err
		}
	}
	if c.WebSocket != "" {
		w := &o.Websocket
		if w.Host, w.Port, err = split(c.WebSocket); err != nil {
			return nil, err
		}
		w.TLSConfig, w.NoTLS = c.WebSocketTLS, c.WebSocketTLS == nil
		w.SameOrigin = true // no page of somebody else's speaks for a hub
		w.HandshakeTimeout = 5 * time.Second
	}
	ns, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("bus/nats: %w", err)
	}
	ns.SetLoggerV2(&logger{c.Log}, false, false, false)
	ns.Start()
	if c.Addr != "" && !ns.ReadyForConnections(startWait) || !ns.Running() {
		ns.Shutdown()
		ns.WaitForShutdown()
		return nil, fmt.Errorf("bus/nats: cannot listen on %q (WebSocket %q): is another program using it?", c.Addr, c.WebSocket)
	}
	return &Server{ns: ns, local: local, gate: g}, nil
}

func split(addr string) (string, int, error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("bus/nats: address %q: write host:port", addr)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("bus/nats: address %q: the port is a number up to 65535", addr)
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}

// URL is where hubs connect over TCP, with the port that was taken.
func (s *Server) URL() string { return s.ns.ClientURL() }

// WebSocketURL is where hubs connect over WebSocket.
func (s *Server) WebSocketURL() string { return s.ns.WebsocketURL() }

// Connections is how many there are now, the service's own included.
func (s *Server) Connections() int { return s.ns.NumClients() }

// Drop ends a hub's connections, after its key was taken away. It may try again and is then asked about anew.
func (s *Server) Drop(hubID string) {
	for _, id := range s.gate.of(hubID) {
		_ = s.ns.DisconnectClientByID(id) // gone already: nothing to do
	}
}

// Stop ends the server and its connections, and waits until the ports are free.
func (s *Server) Stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
	s.local.Wipe()
}
