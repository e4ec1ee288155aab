// Package signed verifies the signatures that a camera puts into its own video: ONVIF Media Signing (specification 26.06) and Axis
// Signed Video, in H.264 and H.265.
//
// A camera that signs hashes its coded slices, signs the list of hashes once a GOP (or part of one) and sends list and signature as
// a SEI NAL unit in the stream. Whoever knows the camera's key can tell that the slices are the ones that the camera made, in order
// and complete, and which of them are not. A Verifier takes pictures as they come, and tells of each GOP, when its signature is
// there, what became of it.
//
// # What a good signature proves
//
// The slices came out of the camera that holds the key, unaltered, in order, and (by its claimed times and its counter) now. It does
// not prove that the sensor saw anything: a frozen or covered sensor's pictures are signed too. Parameter sets, delimiters and
// other SEI are not covered; audio is not. A camera without a clock can be checked for order only, see Config.Untimed.
//
// # Bounds
//
// What was altered is told when the signature over it comes: after one (partial) GOP and the camera's signing delay, typically 1 to
// 3 s; the last pictures of a part of a GOP, which may as well be lost, after the signature that follows. A signature that is missing where one is expected is told Config.Within after the oldest picture that no signature vouches
// for. A replayed stream is told at its first signature, as long as it is older than Config.MaxAge or its counter is not ahead. A
// signature is therefore evidence and a slow lapse, never the fast one: what happens within A1 and A2 is other detectors' to see.
//
// Over UDP a lost packet may take a signature along, and then its GOP is unsigned: read a camera that must sign over TCP. A camera whose
// hash is not SHA-256 says so in its first signature, and what came before is not vouched for. Signers that write no emulation
// prevention into their SEI (the reference implementation does not, unless told to) send what no RTSP stack need carry; where it arrives
// whole it is read.
//
// # For a hub
//
// Feed a Verifier as a camera.Sink is fed: Opened, Picture, Closed. Each Result becomes a finding By "signature": State untrusted if
// Result.Lapse, live if Result.OK, else unknown; At, Say as they are; Score Waiting and Limit Config.Within, in seconds. With
// Config.Expect a camera is not trusted before its first finding that is live. When a Result is Unverified for want of a
// certificate, ask the camera for a synchronisation point: it must then send one.
//
// # Configuration
//
// In a hub's file, under a camera:
//
//	signed:
//	  expect: true            # no signature, no unattended entry
//	  key: 3f9a…              # SHA-256 of the camera's public key, in hexadecimal; and/or
//	  root: /etc/eyebolt/maker.pem  # the maker's certificate authority
//	  untimed: false          # true for a camera that signs without the time of day
//	  within: 10s             # its GOP + its signing delay + a margin
//
// The key's SHA-256 is printed by
//
//	openssl x509 -in camera.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum
//
// and by a hub that runs with neither key nor root: such a hub keeps the first key that it sees for as long as it runs (Result.Key).
// With a root alone the first key of that maker is kept: another camera of the same maker is not this one.
package signed

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"eyebolt/camera"
)

// Scheme is whose format a signature has.
type Scheme uint8

const (
	NoScheme Scheme = iota
	ONVIF           // ONVIF Media Signing
	Axis            // Axis Signed Video
)

func (s Scheme) String() string {
	switch s {
	case ONVIF:
		return "ONVIF Media Signing"
	case Axis:
		return "Axis Signed Video"
	default:
		return "no signature"
	}
}

// Trust is why a key is believed to be the camera's.
type Trust uint8

const (
	NoTrust    Trust = iota
	OnFirstUse       // it was the first to be seen
	ByRoot           // a certificate of the configured authority names it
	ByKey            // it is the configured one
)

func (t Trust) String() string {
	switch t {
	case OnFirstUse:
		return "first seen"
	case ByRoot:
		return "certified"
	case ByKey:
		return "configured"
	default:
		return "not believed"
	}
}

// Config is how one camera's signatures are judged. The zero Config believes the first key and expects nothing.
type Config struct {
	Expect  bool           // a picture that nothing vouches for is a lapse
	Roots   *x509.CertPool // nil: any
	Key     []byte         // SHA-256 of the key's SubjectPublicKeyInfo, 32 bytes; nil: any
	Untimed bool           // the camera signs without the time of day: an old stream is told by its counter alone

	Within time.Duration // how long a picture may go unvouched for, by its arrival. Default 10 s
	MaxAge time.Duration // how old a signed GOP's end may be by its own time when its signature comes. Default 5 s
	Skew   time.Duration // how far ahead of the hub's clock the camera's may be. Default 2 s
}

// ParseKey reads Config.Key from hexadecimal; colons and spaces are ignored.
func ParseKey(s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(s))
	if err != nil || len(b) != 32 {
		return nil, errors.New("signed: key must be the SHA-256 of the camera's public key, 64 hexadecimal digits: openssl x509 -in camera.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum")
	}
	return b, nil
}

// ParseRoots reads Config.Roots from PEM.
func ParseRoots(b []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	n := 0
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("signed: root certificate %d cannot be read: %w", n+1, err)
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, errors.New("signed: root has no certificate: it must be a PEM file of the camera maker's certificate authority")
	}
	return pool, nil
}

// New starts judging one camera. A Verifier lives as long as the camera is configured: what it remembers between connections, the key
// and the counter, is what tells a replay. Its methods are called from one goroutine, as camera.Sink's are.
func New(cfg Config) (*Verifier, error) {
	if cfg.Key != nil && len(cfg.Key) != 32 {
		return nil, fmt.Errorf("signed: key has %d bytes, a SHA-256 has 32", len(cfg.Key))
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&cfg.Within, 10 * time.Second}, {&cfg.MaxAge, 5 * time.Second}, {&cfg.Skew, 2 * time.Second}} {
		switch {
		case *d.v < 0:
			return nil, fmt.Errorf("signed: %v is not a time to wait", *d.v)
		case *d.v == 0:
			*d.v = d.d
		}
	}
	v := &Verifier{cfg: cfg}
	v.keys.roots = cfg.Roots
	if cfg.Key != nil {
		v.keys.pin, v.keys.pinned = true, [32]byte(cfg.Key)
	}
	return v, nil
}

// Opened tells how the pictures that follow are coded: once a connection, and again when the parameter sets change.
func (v *Verifier) Opened(p camera.Params) {
	if p.Codec != v.codec {
		v.reset()
	}
	v.codec = p.Codec
}

// Closed ends a connection. The pictures whose signature has not come stay unverified, which is what it returns; the key, the counter
// and the newest time are kept for the next connection.
func (v *Verifier) Closed() []Result {
	v.out = v.out[:0]
	n := len(v.pending)
	for i := range v.held {
		v.held[i].r.reason = "the connection ended before the signature that vouches for it"
		v.tell(&v.held[i].r, Unverified)
	}
	if n > 0 {
		r := v.about(n, nil)
		r.reason = "the connection ended before their signature came"
		v.tell(&r, Unverified)
	}
	v.reset()
	return v.out
}

func (v *Verifier) reset() {
	v.pending, v.held = v.pending[:0], v.held[:0]
	v.began, v.warned, v.idle, v.anchored, v.signature, v.synced = false, 0, false, false, false, false
	v.st = v.sure
	v.st.partial, v.st.linked = false, false
	v.again = ""
	v.fresh = true
}
