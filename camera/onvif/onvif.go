// Package onvif asks an ONVIF camera what it offers, and uses it: which streams it has and where, a still picture, a key
// picture when we want one, its own alarms about a covered or turned lens, and what it has kept on its own storage while the
// network was gone. It finds cameras on chosen interfaces (WS-Discovery). Pictures themselves come through RTSP.
//
// Nothing that a camera says decides where we connect: every address that it gives is used on the host that was asked, and
// on that host's numerical address as it was at the first request (T25). Replies are bounded in size, depth and time (T20).
//
// Sources: ONVIF Core, Media, Media2, Streaming, Recording Search and Replay Control specifications; WS-Discovery (2005/04);
// WS-Security UsernameToken Profile 1.0; RFC 7616.
package onvif

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Config is what a client needs. URL may hold credentials; they never reach a log or an error.
type Config struct {
	Name     string
	URL      string               // http:// or https:// address of the device service, or a host alone: then port 80 and the usual path
	User     string               // if the URL holds none
	Password string               // if the URL holds none
	CertHash string               // https: hex SHA-256 of the camera's certificate, pinned; empty: system roots
	Now      func() time.Duration // monotonic, the hub's clock
	Wall     func() time.Time     // the hub's wall clock; nil: the system's
	Log      *slog.Logger
}

// What to do next, beside the words of package camera, which are used where they fit. Every error wraps one of these or of those.
var (
	ErrDisabled    = errors.New("device does not speak ONVIF here: switch ONVIF on in the camera's own settings (often under network or integration), or correct the port")
	ErrLocked      = errors.New("camera has locked this account after wrong passwords: wait some minutes or restart the camera, then correct the password")
	ErrClock       = errors.New("camera refuses the time of the request: set its clock, best by NTP")
	ErrUnsupported = errors.New("camera does not offer this")
	ErrFault       = errors.New("camera answers with a fault: if it goes on, restart the camera or update its firmware")
)

// limits are the client's spans and sizes; tests shorten them.
type limits struct {
	dial     time.Duration
	request  time.Duration // for one request and its whole reply
	reply    int64         // bytes of a SOAP reply: a camera with 64 profiles sends 200 kB
	snapshot int64         // bytes of a JPEG: 4K at the best quality is 6 MB
	pull     time.Duration // how long the camera may hold back an answer to PullMessages
	lease    time.Duration // of a subscription
	account  time.Duration // how often the camera is asked for all its states while an alarm stands
	first    time.Duration // the first wait before subscribing again
	most     time.Duration // the longest one
	refused  time.Duration // the longest one after a refused password
	silence  time.Duration // without a replayed picture: the replay is over
}

var defaults = limits{
	dial: 3 * time.Second, request: 6 * time.Second, reply: 1 << 20, snapshot: 8 << 20,
	pull: 5 * time.Second, lease: 60 * time.Second, account: time.Minute, first: time.Second, most: 30 * time.Second, refused: 5 * time.Minute,
	silence: 5 * time.Second,
}

// Client speaks to one camera. Its methods may be called from several goroutines.
type Client struct {
	cfg  Config
	at   *endpoint
	lim  limits
	log  *slog.Logger
	http *http.Client

	mu       sync.Mutex // guards what follows
	mode     authMode
	digest   *challenge
	clock    Clock
	services map[string]string // namespace → path and query on the camera
}

// Dial asks the camera for its clock and its services; that proves the address, not yet the password, which the first other
// request does. An error says what to do next.
func Dial(ctx context.Context, cfg Config) (*Client, error) { return dial(ctx, cfg, defaults) }

func dial(ctx context.Context, cfg Config, lim limits) (*Client, error) {
	at, err := parse(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	if cfg.Now == nil {
		start := time.Now()
		cfg.Now = func() time.Duration { return time.Since(start) }
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{cfg: cfg, at: at, lim: lim, log: log.With("camera", cfg.Name)}
	c.http = newHTTP(c.at, lim)
	if err := c.readClock(ctx); err != nil {
		return nil, err
	}
	if err := c.readServices(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Host is the camera's host as it was given.
func (c *Client) Host() string { return c.at.url.Hostname() }

// Namespaces of the services (ONVIF Core, section on GetServices).
const (
	nsDevice    = "http://www.onvif.org/ver10/device/wsdl"
	nsMedia     = "http://www.onvif.org/ver10/media/wsdl"
	nsMedia2    = "http://www.onvif.org/ver20/media/wsdl"
	nsEvents    = "http://www.onvif.org/ver10/events/wsdl"
	nsRecording = "http://www.onvif.org/ver10/recording/wsdl"
	nsSearch    = "http://www.onvif.org/ver10/search/wsdl"
	nsReplay    = "http://www.onvif.org/ver10/replay/wsdl"
	nsSchema    = "http://www.onvif.org/ver10/schema"
)

// service gives the path of a service.
func (c *Client) service(namespace string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path, ok := c.services[namespace]
	if !ok {
		return "", fmt.Errorf("%w: no service %s", ErrUnsupported, namespace)
	}
	return path, nil
}

// offers says whether the camera has a service.
func (c *Client) offers(namespace string) bool {
	_, err := c.service(namespace)
	return err == nil
}
