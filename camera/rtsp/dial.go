package rtsp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// dialMost is how long a camera may take to accept: within a home it takes milliseconds, and one lost packet costs a second.
// Waiting longer only delays the next try after a jam.
const dialMost = 2500 * time.Millisecond

// dialer opens a session's one connection. The second one that the library asks for is a redirect's: it is refused, since
// whoever answers at the camera's address could otherwise send us, and the password, anywhere in the home (T25).
type dialer struct {
	addr  *address
	heard hearing // in RTSP
	raw   hearing // under TLS

	mu     sync.Mutex
	dialed bool
	local  netip.Addr
	remote netip.Addr
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	second := d.dialed
	d.dialed = true
	d.mu.Unlock()
	if second || addr != d.addr.host {
		return nil, errRedirect
	}
	c, err := (&net.Dialer{Timeout: dialMost}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.local, d.remote = ip(c.LocalAddr()), ip(c.RemoteAddr())
	d.mu.Unlock()
	if !d.addr.tls {
		return hear(c, &d.heard), nil
	}
	// The handshake is done here, where ctx bounds it: a peer that goes silent within it would hold the library for ever.
	t := tls.Client(&listened{c, c, &d.raw, false}, d.addr.tlsConfig())
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return hear(t, &d.heard), nil
}

func ip(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func (a *address) tlsConfig() *tls.Config {
	c := &tls.Config{ServerName: a.url.Hostname(), MinVersion: tls.VersionTLS12}
	if a.pin != nil {
		// The pin is the whole identity: a camera's own certificate names no host and has no authority behind it.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error {
			return pinned(s.PeerCertificates, a.pin)
		}
	}
	return c
}

func pinned(certs []*x509.Certificate, pin []byte) error {
	if len(certs) == 0 {
		return errPin
	}
	sum := sha256.Sum256(certs[0].Raw)
	if !bytes.Equal(sum[:], pin) {
		return errPin
	}
	return nil
}

// said is the first that the peer said.
func (d *dialer) said() *hearing {
	if d.heard.any() {
		return &d.heard
	}
	return &d.raw
}

// listened is a connection that keeps the first bytes the peer said and, if it must be, ends when they are not RTSP's.
type listened struct {
	net.Conn
	r    io.Reader // what is read
	h    *hearing
	rtsp bool
}

// readAhead is how much is read at once: a picture of 2 Mbit/s at 15 a second is 16 KiB, and the library asks for 4 KiB at a time.
const readAhead = 16 << 10

func hear(c net.Conn, h *hearing) *listened {
	return &listened{c, bufio.NewReaderSize(c, readAhead), h, true}
}

func (l *listened) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if l.h.hear(b[:n]) && l.rtsp && !l.h.rtsp() {
		return 0, errBanner
	}
	return n, err
}

// hearing is the first that a peer said. 48 bytes tell an SSH or HTTP banner.
type hearing struct {
	mu sync.Mutex
	b  [48]byte
	n  int
}

// hear takes bytes and says whether there are now enough to tell.
func (h *hearing) hear(b []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n == len(h.b) {
		return false // told before
	}
	h.n += copy(h.b[h.n:], b)
	return h.n >= 5
}

func (h *hearing) any() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n > 0
}

// rtsp says whether it is RTSP's: an answer, or a request of the camera's own (RFC 2326 section 10).
func (h *hearing) rtsp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.b[:h.n]
	for _, w := range []string{"RTSP/", "OPTIO", "ANNOU", "DESCR", "GET_P", "SET_P", "TEARD", "REDIR"} {
		if bytes.HasPrefix(b, []byte(w)) {
			return true
		}
	}
	return false
}

func (h *hearing) first() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.b[:h.n])
}
