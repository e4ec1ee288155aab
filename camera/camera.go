// Package camera says what a camera gives: complete pictures, and when. Drivers are its sub-folders.
package camera

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Codec is how pictures are coded.
type Codec uint8

const (
	NoCodec Codec = iota
	H264          // ITU-T H.264
	H265          // ITU-T H.265
)

// Params are a stream's parameter sets, raw NAL units without start codes. VPS is nil for H.264.
type Params struct {
	Codec         Codec
	VPS, SPS, PPS []byte
	Width, Height int
}

// Picture is one complete access unit: every RTP packet of it arrived, in order, and every NAL unit parses.
// A Picture and its NALs belong to the receiver only for the length of the call that hands it over; Sample may be kept.
type Picture struct {
	Media   time.Duration // RTP media time, unwrapped, since the connection's first picture (RFC 3550 section 5.1, 90 kHz)
	Arrival time.Duration // when its last packet was read, on the clock of Config.Now
	Key     bool          // an IDR (H.264) or IRAP (H.265) picture: decoding can begin here
	Missing uint32        // RTP packets lost since the picture before; 0 over TCP
	NALs    [][]byte      // without start codes; parameter sets are repeated in-band if the camera sends them
	Sample  Sample        // the copy of NALs that all receivers share and may keep; nil: none was made
}

// Sink takes what a camera gives. Its methods are called by the driver's one goroutine, never two at a time, and must
// not block for longer than a picture lasts.
type Sink interface {
	// Opened is called once per connection, before its first Picture, and again when the parameter sets change.
	Opened(Params)
	Picture(Picture)
	// Closed tells that the connection is gone, with the error that says what to do next. The driver tries again by itself,
	// with back-off, until its context ends; Opened follows when it has succeeded.
	Closed(error)
}

// Config is what a driver needs. URL may hold credentials; they never reach a log.
type Config struct {
	Name      string
	URL       string               // rtsp:// or rtsps://
	Transport string               // "tcp" (default) or "udp"
	CertHash  string               // rtsps: hex SHA-256 of the camera's certificate, pinned; empty: system roots
	Now       func() time.Duration // monotonic, the same clock for everything in the hub
	Log       *slog.Logger
}

// Open starts a driver. It returns at once; connection comes later, through the sink. An error means that Config
// can never work.
type Open func(ctx context.Context, cfg Config, sink Sink) (Camera, error)

// Camera is an open driver.
type Camera interface {
	// Close ends the driver; when it returns, no method of the sink will be called again.
	Close() error
}

// What to do next when a camera cannot be used. A driver wraps one of them in every error that it gives to Closed.
var (
	ErrUnreachable = errors.New("camera does not answer: check its power, cable or Wi-Fi, and the address")
	ErrCredentials = errors.New("camera refuses the user name or password: correct them in its URL")
	ErrNoVideo     = errors.New("camera offers no H.264 or H.265 stream at this path: check the path, or set the camera to H.264")
	ErrGarbage     = errors.New("camera sends what is not RTSP or not video: check the port, and restart the camera")
	ErrCertificate = errors.New("camera's certificate is not the pinned one: if you changed it, pin it anew; if not, somebody is between")
	ErrStreamEnded = errors.New("camera ended the stream: if it goes on, restart the camera, and see that not too many others watch it")
	ErrUnsupported = errors.New("camera does not support this transport: choose the other one of tcp and udp")
)

// Errors are all of them.
var Errors = []error{ErrUnreachable, ErrCredentials, ErrNoVideo, ErrGarbage, ErrCertificate, ErrStreamEnded, ErrUnsupported}
