// Package onviftest is an ONVIF camera for tests: what no foreign simulator offers, written after the examples and schemas of
// ONVIF's own specifications: tampering events with their present state, passwords in every way, a clock that is off, and
// storage that is searched and replayed (Profile G). It shares no code with package onvif. Nothing outside tests imports it.
package onviftest

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"eyebolt/camera"
)

// Way is how the camera wants to know who asks.
type Way uint8

const (
	Open         Way = iota // nobody has to say
	Token                   // WS-UsernameToken
	DigestMD5               // HTTP Digest with MD5 (RFC 2617)
	DigestSHA256            // HTTP Digest with SHA-256 offered beside MD5 (RFC 7616)
)

// Setup is what a Device is to be. Its zero value is an open camera with one H.264 profile and no storage.
type Setup struct {
	Way        Way
	User, Pass string
	Strict     bool          // even its clock and its services need the password, against the specification
	Locks      int           // wrong passwords until the account is locked; 0: never
	Clock      time.Duration // how far its clock is ahead
	Host       string        // that it names in its addresses instead of its own, as behind a router
	Media2     bool          // it offers Media2 beside Media
	Profiles   []Profile
	Stream     string // rtsp address that it gives for every profile, a %s for the token; empty: rtsp://HOST:554/TOKEN
	JPEG       []byte // its still picture
	NoEvents   bool
	Kept       []Kept // what lies on its storage, in order; none: it has no storage
	Params     camera.Params
}

// Profile is one of its streams.
type Profile struct {
	Token, Encoding, Source string
	Width, Height, FPS, GOP int
	Signed                  bool // told by Media2 alone
}

// Kept is a picture on its storage.
type Kept struct {
	At   time.Time // by a true clock; it tells it by its own
	Key  bool
	NALs [][]byte
}

// Device is an ONVIF camera on a free port of the loopback, as long as the test.
type Device struct {
	tb   testing.TB
	set  Setup
	http *httptest.Server
	rtsp net.Listener

	mu     sync.Mutex
	asked  map[string]int // operation → times
	bodies map[string]string
	wrong  int // passwords
	nonce  int
	subs   map[string]*subscription
	states []property
	alter  func(operation, reply string) string
	change chan struct{} // closed at every event
	spoilt ReplayFault
}

// Serve starts a camera.
func Serve(tb testing.TB, set Setup) *Device {
	tb.Helper()
	if set.Profiles == nil {
		set.Profiles = []Profile{{Token: "main", Encoding: "H264", Source: "lens", Width: 1280, Height: 720, FPS: 15, GOP: 30}}
	}
	d := &Device{tb: tb, set: set, asked: map[string]int{}, bodies: map[string]string{}, subs: map[string]*subscription{}, change: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/onvif/", d.soap)
	mux.HandleFunc("/still.jpg", d.still)
	d.http = httptest.NewServer(mux)
	tb.Cleanup(d.http.Close)
	if len(set.Kept) > 0 {
		d.listen()
	}
	return d
}

// URL is its address, with its password if it has one.
func (d *Device) URL() string {
	u := url.URL{Scheme: "http", Host: d.http.Listener.Addr().String(), Path: "/onvif/device_service"}
	if d.set.User != "" {
		u.User = url.UserPassword(d.set.User, d.set.Pass)
	}
	return u.String()
}

// Asked is how often an operation was asked for and granted.
func (d *Device) Asked(operation string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[operation]
}

// Bodies are the newest request of each operation that was granted, as it stood in the SOAP body.
func (d *Device) Bodies() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.bodies)
}

// Wrong is how many wrong passwords it was shown.
func (d *Device) Wrong() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wrong
}

// Alter has every later reply pass through f; nil ends that.
func (d *Device) Alter(f func(operation, reply string) string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alter = f
}

// Cut breaks every connection, as a restart of the camera does; what it knew of subscriptions is gone.
func (d *Device) Cut() {
	d.mu.Lock()
	d.subs = map[string]*subscription{}
	d.mu.Unlock()
	d.http.CloseClientConnections()
}

// now is the camera's own time.
func (d *Device) now() time.Time { return time.Now().Add(d.set.Clock).UTC() }

// host is what it names in its addresses.
func (d *Device) host() string {
	_, port, _ := net.SplitHostPort(d.http.Listener.Addr().String())
	if d.set.Host != "" {
		return net.JoinHostPort(d.set.Host, port)
	}
	return net.JoinHostPort("127.0.0.1", port)
}

func (d *Device) still(w http.ResponseWriter, r *http.Request) {
	if !d.httpAllowed(w, r) {
		return
	}
	d.count("still")
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(d.set.JPEG)
}

func (d *Device) count(operation string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[operation]++
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (p Profile) resolution() string {
	return fmt.Sprintf("<tt:Resolution><tt:Width>%d</tt:Width><tt:Height>%d</tt:Height></tt:Resolution>", p.Width, p.Height)
}
