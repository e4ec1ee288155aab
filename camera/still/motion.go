package still

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"eyebolt/camera"
)

// MotionConfig is how a camera's motion JPEG is read.
type MotionConfig struct {
	Name     string
	URL      string        // http, https, rtsp or rtsps; may hold credentials, which never reach a log
	CertHash string        // https and rtsps: hex SHA-256 of the camera's certificate, pinned; empty: system roots
	Every    time.Duration // pictures that come sooner after the last still are not decoded; 500 ms if not set
	Now      func() time.Duration
	Log      *slog.Logger
}

// Motion reads a camera's motion JPEG (over HTTP, or RTP as RFC 2435) and gives stills, on a connection of its own: the watched
// stream does not wait for it. It comes back by itself, with pauses that grow. It goes where its URL says and nowhere else:
// redirects are refused (T25).
type Motion struct {
	cfg    MotionConfig
	url    *url.URL
	pin    []byte
	sink   Sink
	closed func(error)
	cancel context.CancelFunc
	done   chan struct{}
	jpeg   JPEG
	last   time.Duration // of the newest still
	any    bool          // there was one
	fresh  bool          // there was one on this connection
}

// silence is how long a stream may give no picture before its connection is made anew.
const silence = 10 * time.Second

// NewMotion starts reading. An error means that the configuration can never work. closed hears why a connection ended, from
// the goroutine that calls the sink; it may be nil.
func NewMotion(cfg MotionConfig, sink Sink, closed func(error)) (*Motion, error) {
	if cfg.Now == nil {
		return nil, errors.New("still: MotionConfig.Now is not set")
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("still: the MJPEG address is not of the form http://user:password@host:port/path, or rtsp://")
	}
	m := &Motion{cfg: cfg, url: u, sink: sink, closed: closed, done: make(chan struct{})}
	switch u.Scheme {
	case "http", "https", "rtsp", "rtsps":
	default:
		return nil, fmt.Errorf("still: %q is no way to read MJPEG: use http, https, rtsp or rtsps", u.Scheme)
	}
	if cfg.CertHash != "" {
		m.pin, err = hex.DecodeString(strings.ReplaceAll(cfg.CertHash, ":", ""))
		if err != nil || len(m.pin) != sha256.Size || !strings.HasSuffix(u.Scheme, "s") {
			return nil, errors.New("still: a certificate is pinned: it takes 64 hexadecimal digits (its SHA-256), and https or rtsps")
		}
	}
	if m.cfg.Every == 0 {
		m.cfg.Every = 500 * time.Millisecond
	}
	if m.cfg.Log == nil {
		m.cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go m.run(ctx)
	return m, nil
}

// Close ends the reading. When it returns, the sink will not be called again.
func (m *Motion) Close() error {
	m.cancel()
	<-m.done
	return nil
}

func (m *Motion) run(ctx context.Context) {
	defer close(m.done)
	pause := pauseFirst
	for ctx.Err() == nil {
		began := time.Now()
		m.fresh = false
		var err error
		if strings.HasPrefix(m.url.Scheme, "rtsp") {
			err = m.rtsp(ctx)
		} else {
			err = m.http(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		err = m.hide(err)
		m.cfg.Log.Debug("motion JPEG ended", "camera", m.cfg.Name, "err", err)
		if m.closed != nil {
			m.closed(err)
		}
		if m.fresh && time.Since(began) > 5*time.Second {
			pause = pauseFirst
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, pauseMost)
	}
}

// hide takes the password out of an error, and bounds it.
func (m *Motion) hide(err error) error {
	if err == nil {
		err = camera.ErrStreamEnded
	}
	s := err.Error()
	if pass, ok := m.url.User.Password(); ok && pass != "" {
		for _, p := range []string{pass, url.QueryEscape(pass), url.PathEscape(pass)} {
			s = strings.ReplaceAll(s, p, "***")
		}
	}
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	for _, word := range append(camera.Errors, ErrTooLarge, ErrNotJPEG) {
		if errors.Is(err, word) {
			return &fault{word, s}
		}
	}
	return &fault{camera.ErrUnreachable, s}
}

// fault is an error that says what to do next, and what was seen, as text alone.
type fault struct {
	word error
	text string
}

func (f *fault) Error() string {
	if strings.HasPrefix(f.text, f.word.Error()) {
		return f.text
	}
	return f.word.Error() + " (" + f.text + ")"
}
func (f *fault) Unwrap() error { return f.word }

// picture takes a JPEG that was read, and gives a still if it is time for one.
func (m *Motion) picture(b []byte) error {
	now := m.cfg.Now()
	if m.any && now-m.last < m.cfg.Every {
		return nil
	}
	s, err := m.jpeg.Decode(b)
	if err != nil {
		return err
	}
	s.Arrival = now
	m.last, m.any, m.fresh = now, true, true
	m.sink(s)
	return nil
}

// dial opens a connection to the URL's own host and port, and nowhere else.
func (m *Motion) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if addr != m.host() {
		return nil, errors.New("camera sends us to another address: give that address if it is right")
	}
	return (&net.Dialer{Timeout: 2500 * time.Millisecond}).DialContext(ctx, network, addr)
}

func (m *Motion) host() string {
	port := m.url.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "rtsp": "554", "rtsps": "322"}[m.url.Scheme]
	}
	return net.JoinHostPort(m.url.Hostname(), port)
}

func (m *Motion) tls() *tls.Config {
	c := &tls.Config{ServerName: m.url.Hostname(), MinVersion: tls.VersionTLS12}
	if m.pin != nil {
		c.InsecureSkipVerify = true // the pin is the whole identity
		c.VerifyConnection = func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) > 0 && sha256.Sum256(s.PeerCertificates[0].Raw) == [sha256.Size]byte(m.pin) {
				return nil
			}
			return camera.ErrCertificate
		}
	}
	return c
}
