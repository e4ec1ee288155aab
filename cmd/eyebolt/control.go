package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"eyebolt/api"
	"eyebolt/bus"
	"eyebolt/bus/nats"
	"eyebolt/control"
	"eyebolt/control/run"
	"eyebolt/control/sql"
	"eyebolt/grant"
	"eyebolt/live/turn"
)

// ControlConfig is the service's configuration file. Every key is documented here; unknown keys are refused.
type ControlConfig struct {
	// State is the folder of the service's database. It holds the carriers' signing keys: keep it private, back it up.
	State string `yaml:"state"`
	// Listen is the apps' address, host:port. Default 127.0.0.1:8420.
	Listen string `yaml:"listen"`
	// TLS is the apps' certificate; leave it out behind a proxy that has one.
	TLS TLSConfig `yaml:"tls"`
	// Proxies are the addresses of proxies before the apps, such as 10.0.0.0/8: whose X-Forwarded-For says who asks, so that one who
	// guesses is slowed down and not everybody. Default: proxies on this machine.
	Proxies []string `yaml:"proxies"`
	// Bus is where hubs connect.
	Bus BusConfig `yaml:"bus"`
	// TURN is the relay for a phone that is not in the home; left out: there is none, and such a phone sees no live picture.
	TURN *TURNConfig `yaml:"turn"`
	// Passkeys is the name that passkeys are made for.
	Passkeys PasskeyConfig `yaml:"passkeys"`
	// Carrier names the first carrier, at the first start. Default "My deliveries".
	Carrier string `yaml:"carrier"`
	// Log is debug, info, warn or error. Default info.
	Log string `yaml:"log"`
}

// TLSConfig is a certificate and its key, in PEM files.
type TLSConfig struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// BusConfig is where hubs connect.
type BusConfig struct {
	// Listen is host:port. Default 127.0.0.1:4222.
	Listen string `yaml:"listen"`
	// WebSocket is a second listener for networks that let nothing but HTTPS out.
	WebSocket string `yaml:"websocket"`
	// TLS is the bus's certificate; without one, what hubs say can be read on the way, though not changed into an opening.
	TLS TLSConfig `yaml:"tls"`
}

// TURNConfig is the relay's. It carries pictures that it cannot see (S17).
type TURNConfig struct {
	// Listen is host:port, for UDP and TCP. Default 0.0.0.0:3478.
	Listen string `yaml:"listen"`
	// Public is the IP address at which phones and hubs reach this machine.
	Public string `yaml:"public"`
	// Host is the name that phones are given for it; empty: Public.
	Host string `yaml:"host"`
	// MinPort and MaxPort are the relayed ports, which must be open for UDP. Default 49152 to 49407.
	MinPort uint16 `yaml:"min_port"`
	MaxPort uint16 `yaml:"max_port"`
}

// ControlCmd runs the service.
type ControlCmd struct {
	Config string `required:"" type:"path" help:"The service's configuration (docs/control.example.yaml)."`
}

// Run runs the service until the context ends.
func (c *ControlCmd) Run(ctx context.Context) error {
	var cfg ControlConfig
	if err := load(c.Config, &cfg); err != nil {
		return err
	}
	log, err := logger(or(cfg.Log, "info"))
	if err != nil {
		return err
	}
	s, err := startService(ctx, cfg, serviceOptions{Log: log, Handlers: 1, Secure: true})
	if err != nil {
		return err
	}
	if s.Invite != "" {
		log.Info("nobody is registered yet: open the link, and register as the first operator", "link", or(first(cfg.Passkeys.Origins), s.URLs[0])+"/?invite="+s.Invite)
	}
	log.Info("service is up", "apps", s.URLs[0], "bus", s.BusAddr)
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	return errors.Join(err, s.Stop())
}

func first(all []string) string {
	if len(all) > 0 {
		return all[0]
	}
	return ""
}

// serviceOptions are what a role gives the service beside its configuration.
type serviceOptions struct {
	Log      *slog.Logger
	Handlers int  // the apps are served on so many ports, each with a cookie of its own
	Secure   bool // cookies for HTTPS alone
	// API lets the demo change a handler's options.
	API func(i int, urls []string, o *api.Options)
}

// runningService is a service and all that it opened.
type runningService struct {
	Service *control.Service
	URLs    []string
	BusAddr string
	Bus     bus.Conn // the service's own connection
	Relays  []string // the relay's URLs
	Invite  string   // for the first operator, at the first start
	Carrier control.Carrier
	failed  chan error
	stops   []func() error
}

// Stop ends the service, last opened first.
func (s *runningService) Stop() error {
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		errs = append(errs, s.stops[i]())
	}
	s.stops = nil
	return errors.Join(errs...)
}

func startService(ctx context.Context, cfg ControlConfig, opt serviceOptions) (_ *runningService, err error) {
	s := &runningService{failed: make(chan error, opt.Handlers)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if cfg.State == "" {
		return nil, errors.New("service: state: name the folder for its database")
	}
	// The apps' ports come first: passkeys are made for origins, and an origin has a port.
	var listeners []net.Listener
	for i := range opt.Handlers {
		addr := or(cfg.Listen, "127.0.0.1:8420")
		if i > 0 {
			addr = "127.0.0.1:0"
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("service: the apps' address: %w: choose another listen", err)
		}
		s.stops = append(s.stops, func() error { return ignoreClosed(l.Close()) })
		listeners = append(listeners, l)
		s.URLs = append(s.URLs, fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port))
	}
	rp := grant.RP{ID: or(cfg.Passkeys.ID, "localhost"), Origins: cfg.Passkeys.Origins}
	if len(rp.Origins) == 0 {
		rp.Origins = s.URLs
	}
	if err := private(cfg.State); err != nil {
		return nil, err
	}
	store, err := sql.Open(ctx, filepath.Join(cfg.State, "control.db"))
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, store.Close)
	if s.Service, err = control.New(ctx, time.Now(), control.Config{Store: store, Random: rand.Reader, RP: rp, Log: opt.Log}); err != nil {
		return nil, err
	}
	if s.Invite, s.Carrier, err = s.Service.Bootstrap(ctx, time.Now(), or(cfg.Carrier, "My deliveries")); err != nil {
		return nil, err
	}
	busTLS, err := certificate(cfg.Bus.TLS)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	server, err := nats.StartServer(nats.ServerConfig{
		Addr: or(cfg.Bus.Listen, "127.0.0.1:4222"), TLS: busTLS, WebSocket: cfg.Bus.WebSocket, WebSocketTLS: busTLS, Hubs: s.Service.HubOf, Log: opt.Log,
	})
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() error { server.Stop(); return nil })
	s.BusAddr = server.URL()
	conn, err := server.Local(opt.Log)
	if err != nil {
		return nil, err
	}
	s.Bus = conn
	s.stops = append(s.stops, conn.Close)
	runner, err := run.New(run.Config{Service: s.Service, Bus: conn, Log: opt.Log})
	if err != nil {
		return nil, err
	}
	if err := runner.Start(); err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() error { runner.Stop(); return nil })

	relay, err := s.relay(cfg.TURN, opt.Log)
	if err != nil {
		return nil, err
	}
	appTLS, err := certificate(cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("apps: %w", err)
	}
	proxies, err := prefixes(cfg.Proxies)
	if err != nil {
		return nil, err
	}
	for i, l := range listeners {
		ao := api.Options{Service: s.Service, Hubs: runner, Log: opt.Log, Secure: opt.Secure, Proxies: proxies, ICE: relay}
		if i > 0 {
			ao.CookieName = fmt.Sprintf("eyebolt-%d", i+1)
		}
		if opt.API != nil {
			opt.API(i, s.URLs, &ao)
		}
		handler, err := api.New(ao)
		if err != nil {
			return nil, err
		}
		if appTLS != nil {
			l = tls.NewListener(l, appTLS)
		}
		s.serve(l, handler, opt.Log)
	}
	return s, nil
}

// relay starts the relay, and gives what hands out its credentials; nil if there is none.
func (s *runningService) relay(cfg *TURNConfig, log *slog.Logger) (func(string) ([]api.ICEServer, error), error) {
	if cfg == nil {
		return nil, nil
	}
	public, err := netip.ParseAddr(cfg.Public)
	if err != nil {
		return nil, fmt.Errorf("turn: public: %w: give the IP address at which phones reach this machine", err)
	}
	relay, err := turn.New(turn.Config{
		Listen: or(cfg.Listen, "0.0.0.0:3478"), Public: public, Host: cfg.Host, MinPort: cfg.MinPort, MaxPort: cfg.MaxPort, Log: log,
	})
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, relay.Close)
	s.Relays = relay.URLs()
	return func(who string) ([]api.ICEServer, error) {
		c, err := relay.Credentials(who)
		return []api.ICEServer{{URLs: relay.URLs(), Username: c.Username, Credential: c.Credential}}, err
	}, nil
}

// serve answers on one listener. The limits keep a slow or endless client from holding anything up (T20); server events
// lift the write deadline for themselves.
func (s *runningService) serve(l net.Listener, handler http.Handler, log *slog.Logger) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ctx, cancel := context.WithCancel(context.Background())
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("service: the apps' address: %w", err)
		}
	}()
	s.stops = append(s.stops, func() error {
		cancel() // ends the event streams
		wait, done := context.WithTimeout(context.Background(), 3*time.Second)
		defer done()
		if err := server.Shutdown(wait); err != nil {
			return server.Close()
		}
		return nil
	})
}

// prefixes reads addresses and networks; none gives nil.
func prefixes(all []string) (out []netip.Prefix, err error) {
	for _, text := range all {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, e := netip.ParseAddr(text)
			if e != nil {
				return nil, fmt.Errorf("proxies: %q is neither an address nor a network such as 10.0.0.0/8", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func certificate(c TLSConfig) (*tls.Config, error) {
	if c.Cert == "" && c.Key == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w: give both cert and key, in PEM", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
