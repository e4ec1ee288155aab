package eye

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

// Trick is what is being done to a camera's pictures on their way.
type Trick string

const (
	Honest   Trick = "honest"   // pictures go out as they are coded
	Held     Trick = "held"     // none goes out; the connection stays
	Repeated Trick = "repeated" // the last coded picture again and again, at full rate (T4, by a man in the middle)
	Replayed Trick = "replayed" // the last seconds again and again (T5)
	Lagged   Trick = "lagged"   // each picture a little later than the one before (T6)
)

// LagRate is how much later pictures of a Lagged camera come, in seconds a second.
const LagRate = 0.10

// history is how much a Replayed camera has to show: 6 s at 15 pictures a second.
const history = 90

// CameraConfig is one camera's.
type CameraConfig struct {
	Addr     string // "127.0.0.1:0"
	User     string // empty: no password
	Password string
	Source   *Source
	Behind   time.Duration // each picture goes out this much later than it was painted, from the first one on: a constant lag
	Now      func() time.Duration
	Log      *slog.Logger
	// Listen opens the camera's port; nil: net.Listen. The radio lab's camera listens in a network namespace of its own.
	Listen func(network, address string) (net.Listener, error)
}

// Camera serves a Source's pictures over RTSP at /door.
type Camera struct {
	cfg    CameraConfig
	gate   *gate
	media  *description.Media
	form   *format.H264
	pack   *rtph264.Encoder
	cancel func()
	addr   string

	mu      sync.Mutex
	server  *gortsplib.Server
	stream  *gortsplib.ServerStream
	trick   Trick
	since   time.Duration // when the trick began
	queue   []Unit        // Lagged: not yet sent
	past    []Unit        // the newest units, from a key picture on
	at      int           // Replayed: next of past
	last    Sent
	readers map[*gortsplib.ServerSession]bool
	babble  *rand.Rand // nil: it does not
}

// Sent is what the camera itself knows of its newest picture: the truth that others are measured against.
type Sent struct {
	Shot time.Duration // when it was painted
	At   time.Duration // when it was given to the network
	N    uint64
}

// NewCamera starts serving.
func NewCamera(cfg CameraConfig) (*Camera, error) {
	if cfg.Listen == nil {
		cfg.Listen = net.Listen
	}
	sps, pps := cfg.Source.Params()
	c := &Camera{cfg: cfg, gate: newGate(), trick: Honest, addr: cfg.Addr, readers: map[*gortsplib.ServerSession]bool{}}
	c.form = &format.H264{PayloadTyp: 96, SPS: sps, PPS: pps, PacketizationMode: 1}
	c.media = &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{c.form}}
	var err error
	if c.pack, err = c.form.CreateEncoder(); err != nil {
		return nil, fmt.Errorf("rtp: %w", err)
	}
	if err := c.plug(); err != nil {
		return nil, err
	}
	c.cancel = cfg.Source.Subscribe(c.take)
	return c, nil
}

// plug starts the RTSP server, on the same port as before if there was one.
func (c *Camera) plug() error {
	server := &gortsplib.Server{
		Handler:     c,
		RTSPAddress: c.addr,
		AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5},
		Listen: func(network, address string) (net.Listener, error) {
			l, err := c.cfg.Listen(network, address)
			if err != nil {
				return nil, err
			}
			return gatedListener{Listener: l, gate: c.gate}, nil
		},
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("virtual camera: %w", err)
	}
	stream := &gortsplib.ServerStream{Server: server, Desc: &description.Session{Medias: []*description.Media{c.media}}}
	if err := stream.Initialize(); err != nil {
		server.Close()
		return fmt.Errorf("virtual camera: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.stream, c.addr = server, stream, server.NetListener().Addr().String()
	return nil
}

// URL is where the camera is, credentials included.
func (c *Camera) URL() string {
	who := ""
	if c.cfg.User != "" {
		who = c.cfg.User + ":" + c.cfg.Password + "@"
	}
	return "rtsp://" + who + c.addr + "/door"
}

// Trick changes what is done to the pictures.
func (c *Camera) Trick(t Trick) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trick, c.since, c.queue, c.at = t, c.cfg.Now(), nil, 0
}

// Flood shuts the air between camera and hub, or opens it again: nothing passes, nothing is refused (T1).
func (c *Camera) Flood(on bool) { c.gate.set(on) }

// Unplug cuts the camera's power (T8).
func (c *Camera) Unplug() {
	c.mu.Lock()
	server, stream := c.server, c.stream
	c.server, c.stream = nil, nil
	c.mu.Unlock()
	if server != nil {
		stream.Close()
		server.Close()
	}
}

// Plug gives it power again, at the same address.
func (c *Camera) Plug() error {
	c.mu.Lock()
	on := c.server != nil
	c.mu.Unlock()
	if on {
		return nil
	}
	return c.plug()
}

// Babble has packets of junk go out among those of each picture, numbered as they must be, or ends it (T20).
func (c *Camera) Babble(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.babble = nil
	if on {
		c.babble = rand.New(rand.NewPCG(20, 20))
	}
}

// junk is a packet's payload that is no picture: of any kind that there is, and of those that there are not.
func (c *Camera) junk() [][]byte {
	if c.babble == nil {
		return nil
	}
	b := make([]byte, 1+c.babble.IntN(1200))
	for i := range b {
		b[i] = byte(c.babble.IntN(256))
	}
	return [][]byte{b}
}

// Last says what was sent last.
func (c *Camera) Last() Sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Readers is how many sessions play the stream.
func (c *Camera) Readers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.readers)
}

// Close ends the camera, not its source.
func (c *Camera) Close() error {
	c.cancel()
	c.gate.set(false)
	c.Unplug()
	return nil
}

// take is called by the source's one goroutine.
func (c *Camera) take(u Unit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.trick {
	case Held:
	case Repeated:
		if n := len(c.past); n > 0 {
			c.send(Unit{NALs: c.past[n-1].NALs, Shot: u.Shot})
		}
		return
	case Replayed:
		if len(c.past) > 0 {
			c.send(Unit{NALs: c.past[c.at].NALs, Shot: u.Shot})
			c.at = (c.at + 1) % len(c.past)
		}
		return
	case Lagged:
		c.queue = append(c.queue, u)
		for len(c.queue) > 0 {
			head := c.queue[0]
			if head.Shot+time.Duration(LagRate*float64(head.Shot-c.since)) > u.Shot {
				break
			}
			c.send(head)
			c.queue = c.queue[1:]
		}
		return
	default:
		c.behind(u)
	}
	if u.Key && len(c.past) >= history {
		c.past = nil
	}
	if u.Key || len(c.past) > 0 {
		c.past = append(c.past, u)
	}
}

// behind sends the pictures whose time has come. It needs c.mu.
func (c *Camera) behind(u Unit) {
	if c.cfg.Behind == 0 {
		c.send(u)
		return
	}
	c.queue = append(c.queue, u)
	for len(c.queue) > 0 && c.queue[0].Shot+c.cfg.Behind <= u.Shot {
		c.send(c.queue[0])
		c.queue = c.queue[1:]
	}
}

// send needs c.mu.
func (c *Camera) send(u Unit) {
	if c.stream == nil {
		return
	}
	pkts, err := c.pack.Encode(u.NALs)
	if junk := c.junk(); junk != nil && err == nil {
		var more []*rtp.Packet
		if more, err = c.pack.Encode(junk); err == nil {
			pkts = append(pkts, more...)
		}
	}
	if err != nil {
		c.cfg.Log.Error("virtual camera cannot packetise", "err", err)
		return
	}
	for _, p := range pkts {
		p.Timestamp = uint32(u.Shot * 9 / 100_000) // 90 kHz
		if err := c.stream.WritePacketRTP(c.media, p); err != nil && !errors.Is(err, net.ErrClosed) {
			c.cfg.Log.Debug("virtual camera cannot send", "err", err)
		}
	}
	c.last = Sent{Shot: u.Shot, At: c.cfg.Now(), N: c.last.N + 1}
}

// OnDescribe answers DESCRIBE.
func (c *Camera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.answer(ctx.Conn, ctx.Request, ctx.Path)
}

// OnSetup answers SETUP.
func (c *Camera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.answer(ctx.Conn, ctx.Request, ctx.Path)
}

// OnPlay answers PLAY.
func (c *Camera) OnPlay(ctx *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	c.mu.Lock()
	c.readers[ctx.Session] = true
	c.mu.Unlock()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose counts readers.
func (c *Camera) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.readers, ctx.Session)
}

// OnStreamWriteError hears that a reader does not keep up; its session ends by itself.
func (c *Camera) OnStreamWriteError(ctx *gortsplib.ServerHandlerOnStreamWriteErrorCtx) {
	c.cfg.Log.Debug("virtual camera: a reader does not keep up", "err", ctx.Error)
}

func (c *Camera) answer(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	if c.cfg.User != "" && !conn.VerifyCredentials(req, c.cfg.User, c.cfg.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if path != "/door" || c.stream == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}
