// Package webrtc shows a camera's pictures to residents' browsers: one peer connection a viewer, H.264 as the camera
// coded it, from the newest key picture, with the age of what was sent beside it.
package webrtc

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	pion "github.com/pion/webrtc/v4"

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
	// Clip opens the file with this SHA-256 of a visit's film at a door, for a viewer that was admitted there. nil: no clips.
	Clip func(door, visit string, sum [32]byte) (Clip, error)
	// Second says whether a door's pictures are a second stream of its camera; nil: never. Viewers are told.
	Second func(door string) bool
	// Listen is the one UDP address for all viewers, such as ":8555"; empty: a free port a viewer.
	Listen string
	// Lasts is how long one session may last; 0: 30 minutes. A page asks anew by itself, and is let in anew or not: who is signed
	// out, or whose stolen session was ended, does not look on for ever (T13, S17).
	Lasts time.Duration
	// Relays are the URLs (turn:) of the relay for viewers that are not in the home. An offer brings the credentials; one
	// without them is answered without a relay.
	Relays []string
	// Loopback offers 127.0.0.1 too: tests and the demo.
	Loopback bool
	Log      *slog.Logger
}

// Clip is an open file of a visit's film. Read is closed by the Server.
type Clip struct {
	Read   io.ReadSeekCloser
	Bytes  int64
	SHA256 [32]byte
	MIME   string
}

// What Answer refuses with.
var (
	ErrDoor    = errors.New("live: no camera has connected at this door yet: try again in a moment")
	ErrCodec   = errors.New("live: browsers do not play this camera's H.265: set a second stream of it to H.264 and give its address to the hub as live_url")
	ErrOrder   = errors.New("live: browsers do not play this camera's B-frames, which other pictures need: turn them off in the camera, or give the hub a second stream of it without them as live_url")
	ErrClosed  = errors.New("live: the server is closed")
	ErrFull    = errors.New("live: 8 viewers look at this door already: close one")
	ErrOffer   = errors.New("live: the offer cannot be answered: reload the page")
	ErrBrowser = errors.New("live: this browser does not offer H.264: use another one")
)

// maxOffer is the longest session description taken: a browser's is about 5 kB with all its candidates.
const maxOffer = 64 << 10

const (
	// maxCredential is the longest user name or password of a relay.
	maxCredential = 512
	// gatherIn is how long the hub looks for its own addresses: those in the home are there at once.
	gatherIn = 2 * time.Second
)

// maxChannels is how many data channels a viewer may open, two of which are served.
const maxChannels = 8

// Server serves every door of a hub. Methods may be called from several goroutines; Opened, Picture and Closed of a door belong
// to its camera's goroutine and never wait for a viewer.
type Server struct {
	cfg  Config
	api  *pion.API
	free func() error

	admitting sync.Mutex // one viewer at a time is let in, so that the limit holds

	mu      sync.Mutex // guards all below
	doors   map[string]*door
	viewers map[*viewer]struct{} // answered, connected or not
	closed  bool
}

// New makes a server; with Listen it opens the port.
func New(cfg Config) (*Server, error) {
	if len(cfg.Key) != ed25519.PrivateKeySize || cfg.Now == nil || cfg.Admit == nil || cfg.Log == nil {
		return nil, errors.New("live: Key, Now, Admit and Log must be given")
	}
	if cfg.Lasts <= 0 {
		cfg.Lasts = 30 * time.Minute
	}
	api, free, err := newEngine(cfg)
	if err != nil {
		return nil, err
	}
	if len(cfg.Relays) > 0 { // one that cannot be is found now, not by each viewer
		pc, err := api.NewPeerConnection(pion.Configuration{ICEServers: []pion.ICEServer{{URLs: cfg.Relays, Username: "-", Credential: "-"}}})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("live: relays %q: want turn:host:port?transport=udp: %w", cfg.Relays, err), free())
		}
		_ = pc.Close()
	}
	return &Server{cfg: cfg, api: api, free: free, doors: map[string]*door{}, viewers: map[*viewer]struct{}{}}, nil
}

func (s *Server) door(name string) *door {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doors[name]
}

// Opened tells a door's camera parameters; again at each connection. A door is known from its first Opened on.
func (s *Server) Opened(name string, p camera.Params) {
	s.mu.Lock()
	d := s.doors[name]
	if d == nil {
		d = &door{viewers: map[*viewer]struct{}{}}
		s.doors[name] = d
	}
	s.mu.Unlock()
	for _, v := range d.opened(&camera.Params{Codec: p.Codec, SPS: bytes.Clone(p.SPS), PPS: bytes.Clone(p.PPS)}) {
		v.close()
	}
}

// Picture takes a door's newest picture; it clones what it keeps.
func (s *Server) Picture(name string, p camera.Picture) {
	if d := s.door(name); d != nil {
		for _, v := range d.take(p) {
			v.close()
		}
	}
}

// Closed tells that a door's camera is gone; viewers stay and see the age grow.
func (s *Server) Closed(name string) {
	if d := s.door(name); d != nil {
		d.mu.Lock()
		d.keyed = false
		d.mu.Unlock()
	}
}

// SetAge tells the verdict on a door's camera, at every verdict: the evidence age now, in milliseconds, of the newest
// picture given to Picture (negative: unknown), and the watch's word.
func (s *Server) SetAge(name string, ms int64, watch string) {
	if d := s.door(name); d != nil {
		d.judge(s.cfg.Now(), ms, watch)
	}
}

// Answer admits a viewer. It returns when all candidates are gathered, in at most 5 s.
func (s *Server) Answer(ctx context.Context, o live.Offer) (live.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if len(o.SDP) > maxOffer {
		return live.Answer{}, fmt.Errorf("%w (%d bytes)", ErrOffer, len(o.SDP))
	}
	if err := s.cfg.Admit(ctx, o); err != nil {
		return live.Answer{}, err
	}
	d := s.door(o.Door)
	if d == nil {
		return live.Answer{}, ErrDoor
	}
	d.mu.Lock()
	params, tangled := d.params, d.tangled
	d.mu.Unlock()
	if params.Codec != camera.H264 {
		return live.Answer{}, ErrCodec
	}
	if tangled {
		return live.Answer{}, ErrOrder
	}
	v, err := s.admit(o, d)
	if err != nil {
		return live.Answer{}, err
	}
	sdp, err := v.answer(ctx, o.SDP, profile(params.SPS))
	if err != nil {
		v.close()
		return live.Answer{}, err
	}
	sig := ed25519.Sign(s.cfg.Key, live.Signed(sha256.Sum256([]byte(o.SDP)), sha256.Sum256([]byte(sdp))))
	return live.Answer{SDP: sdp, HubKey: s.cfg.Key.Public().(ed25519.PublicKey), Signature: sig}, nil
}

// admit finds room for a viewer: a session of the same name makes way.
func (s *Server) admit(o live.Offer, d *door) (*viewer, error) {
	s.admitting.Lock()
	defer s.admitting.Unlock()
	s.mu.Lock()
	var old *viewer
	n := 0
	for v := range s.viewers {
		switch {
		case v.door == d && v.who == o.Viewer && o.Viewer != "":
			old = v
		case v.door == d:
			n++
		}
	}
	full, closed := n >= maxViewers, s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if full {
		return nil, ErrFull
	}
	if old != nil {
		old.close()
	}
	var servers []pion.ICEServer
	if r := o.Relay; r != nil && len(s.cfg.Relays) > 0 && len(r.Username) <= maxCredential && len(r.Credential) <= maxCredential {
		servers = []pion.ICEServer{{URLs: s.cfg.Relays, Username: r.Username, Credential: r.Credential}}
	}
	pc, err := s.api.NewPeerConnection(pion.Configuration{ICEServers: servers})
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	v := &viewer{
		s: s, door: d, name: o.Door, who: o.Viewer, pc: pc,
		pics: make(chan *picture, queue), up: make(chan struct{}), end: make(chan struct{}), gone: make(chan struct{}),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = pc.Close()
		return nil, ErrClosed
	}
	s.viewers[v] = struct{}{}
	return v, nil
}

// answer negotiates, and starts what the viewer gets once the connection stands.
func (v *viewer) answer(ctx context.Context, offer, profile string) (string, error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("%w: %w", ErrOffer, err) }
	pc := v.pc
	pc.OnConnectionStateChange(func(st pion.PeerConnectionState) {
		switch st {
		case pion.PeerConnectionStateConnected:
			v.conn.Do(func() { close(v.up); go v.run(); go v.tellAge() })
		case pion.PeerConnectionStateFailed, pion.PeerConnectionStateClosed:
			v.close()
		}
	})
	pc.OnDataChannel(func(dc *pion.DataChannel) {
		label := dc.Label()
		v.mu.Lock()
		v.channels++
		many := v.channels > maxChannels
		age, clip := label == "age" && v.dc == nil, label == "clip" && !v.clips
		if age {
			v.dc = dc
		}
		v.clips = v.clips || clip
		v.mu.Unlock()
		switch {
		case many:
			v.s.cfg.Log.Warn("live: a viewer opened channels without end", "door", v.name)
			v.close()
		case age:
			dc.OnMessage(v.hear)
		case clip:
			v.serveClips(dc)
		default:
			_ = dc.Close()
		}
	})
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: offer}); err != nil {
		return fail(err)
	}
	track, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{
		MimeType: pion.MimeTypeH264, ClockRate: 90_000, SDPFmtpLine: formatH264(profile),
	}, "video", "eyebolt")
	if err != nil {
		return fail(err)
	}
	v.track = track
	sender, err := pc.AddTrack(track)
	if err != nil {
		return fail(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return fail(err)
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return fail(err)
	}
	send := sender.GetParameters()
	if len(send.Codecs) == 0 || !strings.EqualFold(send.Codecs[0].MimeType, pion.MimeTypeH264) {
		return "", ErrBrowser
	}
	for _, x := range send.HeaderExtensions {
		if x.URI == playoutDelay {
			v.delay = uint8(x.ID)
		}
	}
	// A relay that does not answer is done without: whoever is in the home needs none.
	late := time.NewTimer(gatherIn)
	defer late.Stop()
	select {
	case <-gathered:
	case <-late.C:
		v.s.cfg.Log.Warn("live: not all addresses were found in time", "door", v.name)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
	go drain(sender)
	go func() { // whoever does not connect makes room, and so does who has looked for long enough
		for _, k := range []struct {
			wait time.Duration
			then <-chan struct{}
		}{{connectIn, v.up}, {v.s.cfg.Lasts, nil}} {
			t := time.NewTimer(k.wait)
			select {
			case <-k.then:
				t.Stop()
			case <-v.end:
				t.Stop()
				return
			case <-t.C:
				v.close()
				return
			}
		}
	}()
	return pc.LocalDescription().SDP, nil
}

// drain reads what the viewer reports, so that pion's interceptors see it. A lost key picture is not asked for again
// here: a camera gives the next by itself.
func drain(sender *pion.RTPSender) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := sender.Read(buf); err != nil {
			return
		}
	}
}

func (s *Server) forget(v *viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.viewers, v)
}

// Viewers counts who looks at a door.
func (s *Server) Viewers(name string) int {
	d := s.door(name)
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.viewers)
}

// Close ends every viewer and frees the port.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	var all []*viewer
	for v := range s.viewers {
		all = append(all, v)
	}
	s.mu.Unlock()
	for _, v := range all {
		v.close()
	}
	for _, v := range all {
		<-v.gone
	}
	if err := s.free(); err != nil {
		return fmt.Errorf("live: %w", err)
	}
	return nil
}
