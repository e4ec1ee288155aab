// Package webrtc shows a camera's pictures to residents' browsers: one peer connection a viewer, H.264 as the camera
// coded it, from the newest key picture, with the age of what was sent beside it.
package webrtc

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"time"

	"eyebolt/camera"
	"eyebolt/live"
)

// Config is what a Server needs.
type Config struct {
	Key ed25519.PrivateKey   // the hub's; signs every Answer (S17)
	Now func() time.Duration // monotonic, the hub's clock
	// Admit says whether this offer may look at this door; an error refuses it and its text is shown. Required: nobody
	// looks inside by default (S17).
	Admit func(ctx context.Context, o live.Offer) error
	// Clip opens a visit's clip at a door for a viewer that was admitted there. nil: no clips.
	Clip func(door, visit string) (Clip, error)
	// Listen is the one UDP address for all viewers, such as ":8555"; empty: a free port a viewer.
	Listen string
	// ICE servers, for viewers that are not in the home.
	ICE []ICEServer
	// Loopback offers 127.0.0.1 too: tests and the demo.
	Loopback bool
	Log      *slog.Logger
}

// ICEServer is a STUN or TURN server.
type ICEServer struct {
	URLs                 []string // stun:, turn:, turns:
	Username, Credential string
}

// Clip is an open clip. Read is closed by the Server.
type Clip struct {
	Read   io.ReadCloser
	Bytes  int64
	SHA256 [32]byte
	MIME   string
}

var (
	ErrDoor   = errors.New("live: no camera at this door")
	ErrCodec  = errors.New("live: browsers do not play this camera's H.265: set its stream, or a second stream, to H.264")
	ErrClosed = errors.New("live: the server is closed")
	ErrFull   = errors.New("live: 8 viewers look at this door already: close one")
	ErrOffer  = errors.New("live: the offer cannot be answered: reload the page")
	ErrNotYet = errors.New("live: the camera has not connected yet: try again in a moment")
)

// Server serves every door of a hub. Methods may be called from several goroutines; Opened, Picture and Closed of a door belong
// to its camera's goroutine and never wait for a viewer.
type Server struct{}

// New makes a server; with Listen it opens the port.
func New(cfg Config) (*Server, error) { return nil, ErrClosed }

// Opened tells a door's camera parameters; again at each connection.
func (s *Server) Opened(door string, p camera.Params) {}

// Picture takes a door's newest picture; it clones what it keeps.
func (s *Server) Picture(door string, p camera.Picture) {}

// Closed tells that a door's camera is gone; viewers stay and see the age grow.
func (s *Server) Closed(door string) {}

// SetAge tells the verdict on a door's camera, at every verdict: the evidence age now, in milliseconds, of the newest
// picture given to Picture (negative: unknown), and the watch's word.
func (s *Server) SetAge(door string, ms int64, watch string) {}

// Answer admits a viewer. It returns when all candidates are gathered, in at most 5 s.
func (s *Server) Answer(ctx context.Context, o live.Offer) (live.Answer, error) {
	return live.Answer{}, ErrClosed
}

// Viewers counts who looks at a door.
func (s *Server) Viewers(door string) int { return 0 }

// Close ends every viewer and frees the port.
func (s *Server) Close() error { return nil }
