package onvif

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"eyebolt/camera"
)

// devicePath is where nearly every camera has its device service.
const devicePath = "/onvif/device_service"

// endpoint is the camera that was asked for, checked.
type endpoint struct {
	url        *url.URL // without credentials
	user, pass string
	pin        []byte

	mu sync.Mutex
	ip netip.Addr // of the first connection: later ones go there and nowhere else
}

// parse checks a Config. Its errors never hold the URL: it may hold a password.
func parse(cfg Config) (*endpoint, error) {
	e := &endpoint{}
	bad := errors.New("onvif: the camera's address is not of the form http://user:password@host:port/onvif/device_service, or a host alone")
	s := strings.TrimSpace(cfg.URL)
	switch {
	case strings.HasPrefix(s, "onvif://"):
		s = "http://" + strings.TrimPrefix(s, "onvif://")
	case !strings.Contains(s, "://"):
		if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
			s = "[" + s + "]"
		}
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" {
		return nil, bad
	}
	if !portOK(u) {
		return nil, bad
	}
	e.user, e.pass = cfg.User, cfg.Password
	if u.User != nil {
		e.user = u.User.Username()
		e.pass, _ = u.User.Password()
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = devicePath
	}
	u.User, u.Fragment = nil, ""
	e.url = u
	if cfg.CertHash != "" {
		if u.Scheme != "https" {
			return nil, errors.New("onvif: a certificate is pinned, but the address is not https: use https, or remove the pin")
		}
		e.pin, err = hex.DecodeString(strings.ReplaceAll(cfg.CertHash, ":", ""))
		if err != nil || len(e.pin) != 32 {
			return nil, errors.New("onvif: the pinned certificate is not 64 hexadecimal digits (its SHA-256)")
		}
	}
	return e, nil
}

// hide takes the password out of a text.
func (e *endpoint) hide(s string) string {
	for _, p := range []string{e.pass, url.QueryEscape(e.pass), url.PathEscape(e.pass)} {
		if p != "" {
			s = strings.ReplaceAll(s, p, "***")
		}
	}
	return s
}

// addressMost bounds an address that a camera gives.
const addressMost = 2048

// ours makes of an address that the camera gave the same place on the camera that was asked: its host decides nothing,
// its credentials are dropped. moved says that it named another host, as a camera behind a router does, or a liar (T25).
func (e *endpoint) ours(s string, schemes ...string) (u *url.URL, moved bool, err error) {
	s = strings.TrimSpace(s)
	if len(s) > addressMost {
		return nil, false, fmt.Errorf("%w: it gives an address of %d characters", camera.ErrGarbage, len(s))
	}
	u, err = url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || !slices.Contains(schemes, u.Scheme) {
		return nil, false, fmt.Errorf("%w: it gives an address that is not of %s", camera.ErrGarbage, strings.Join(schemes, ", "))
	}
	if !portOK(u) {
		return nil, false, fmt.Errorf("%w: it gives an address with port %.8q", camera.ErrGarbage, u.Port())
	}
	host := e.url.Hostname()
	moved = !strings.EqualFold(u.Hostname(), host)
	if port := u.Port(); port != "" {
		u.Host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		u.Host = "[" + host + "]"
	} else {
		u.Host = host
	}
	u.User, u.Fragment = nil, ""
	return u, moved, nil
}

// portOK says whether an address names no port, or one that can be.
func portOK(u *url.URL) bool {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && n > 0
}

// dial connects to the camera and to nothing else: a name is resolved once.
func (e *endpoint) dial(ctx context.Context, d *net.Dialer, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(host, e.url.Hostname()) {
		return nil, errElsewhere
	}
	e.mu.Lock()
	ip := e.ip
	e.mu.Unlock()
	if ip.IsValid() {
		host = ip.String()
	}
	conn, err := d.DialContext(ctx, network, net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	if t, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		e.mu.Lock()
		if !e.ip.IsValid() {
			e.ip = t.AddrPort().Addr()
		}
		e.mu.Unlock()
	}
	return conn, nil
}

var (
	errElsewhere = errors.New("it sends us to another address")
	errPin       = errors.New("certificate is not the pinned one")
)

// newHTTP makes a client that goes to the camera alone: no proxy, no redirect, no cookie.
func newHTTP(e *endpoint, lim limits) *http.Client {
	d := &net.Dialer{Timeout: lim.dial}
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return e.dial(ctx, d, network, addr)
		},
		TLSClientConfig:        e.tlsConfig(),
		TLSHandshakeTimeout:    lim.dial,
		MaxResponseHeaderBytes: 32 << 10,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        4,
		IdleConnTimeout:        30e9,
		DisableCompression:     true, // a reply's size on the wire is its size in memory
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (e *endpoint) tlsConfig() *tls.Config {
	c := &tls.Config{ServerName: e.url.Hostname(), MinVersion: tls.VersionTLS12}
	if e.pin != nil {
		// The pin is the whole identity: a camera's own certificate names no host and has no authority behind it.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errPin
			}
			if sum := sha256.Sum256(s.PeerCertificates[0].Raw); !slices.Equal(sum[:], e.pin) {
				return errPin
			}
			return nil
		}
	}
	return c
}
