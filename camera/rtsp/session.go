package rtsp

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/headers"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

// session is one connection. Its packets are read, and the sink's Opened and Picture called, by one goroutine of the RTSP
// library: the connection's reader over TCP, the socket's over UDP.
type session struct {
	d      *driver
	dial   dialer
	client *gortsplib.Client
	ended  chan error // the reader's own reason to end; holds one

	// The reader's, until run has closed the client.
	asm      assembler
	order    reorder // UDP
	push     func(packet)
	params   params
	kind     uint8 // payload type
	ssrc     uint32
	ssrcSet  bool
	others   int // packets in a row of another source
	opened   bool
	pictures uint64
	ticks    int64 // media time of the newest picture, 90 kHz
	lastTs   uint32

	peer   atomic.Pointer[netip.AddrPort] // UDP: where packets come from
	heard  atomic.Uint64                  // packets
	units  atomic.Uint64                  // complete access units
	keyed  atomic.Bool                    // the sink was told Opened
	ending sync.Once
}

func newSession(d *driver) *session {
	s := &session{d: d, ended: make(chan error, 1)}
	s.dial.addr = &d.addr
	s.asm.out = s.unit
	s.push = s.asm.push
	return s
}

// run connects and reads until the connection ends, and says why, in camera's words.
func (s *session) run(ctx context.Context) error {
	a := &s.d.addr
	s.d.life.Store(int64(s.d.cfg.Now()))
	s.client = &gortsplib.Client{
		Scheme: a.url.Scheme, Host: a.host, Protocol: &a.protocol,
		ReadTimeout: s.d.lim.request, WriteTimeout: 2 * time.Second,
		UserAgent:         "eyebolt",
		DialContext:       s.dial.dial,
		DialTLSContext:    s.dial.dial,
		ListenPacket:      s.listen,
		OnPacketsLost:     func(uint64) {}, // we count by ourselves
		OnDecodeError:     func(error) {},
		OnTransportSwitch: func(error) {},
	}
	if err := s.client.Start(); err != nil {
		return a.fault(camera.ErrUnreachable, "%v", err)
	}
	// Closing is the only way to interrupt the library.
	stop := context.AfterFunc(ctx, s.client.Close)
	late := time.AfterFunc(s.d.lim.handshake, s.client.Close)
	err := s.start()
	inTime := late.Stop()
	switch {
	case !inTime:
		err = a.fault(camera.ErrUnreachable, "no stream within %v", s.d.lim.handshake)
	case err == nil:
		err = s.watch(ctx)
	}
	s.client.Close()
	stop()
	return a.explain(err, s.dial.said())
}

// start goes from nothing to playing.
func (s *session) start() error {
	a := &s.d.addr
	sd, _, err := s.client.Describe(a.url)
	if err != nil {
		return err
	}
	media, form, err := s.choose(sd)
	if err != nil {
		return err
	}
	res, err := s.client.Setup(sd.BaseURL, media, 0, 0)
	if err != nil {
		return err
	}
	if a.protocol == gortsplib.ProtocolUDP {
		if err := s.learnPeer(res); err != nil {
			return err
		}
	} else {
		s.client.OnPacketRTP(media, form, s.tcp)
	}
	s.client.OnPacketRTCP(media, s.report)
	_, err = s.client.Play(nil)
	return err
}

// choose takes the first video that we can read.
func (s *session) choose(sd *description.Session) (*description.Media, format.Format, error) {
	a := &s.d.addr
	other := ""
	for _, m := range sd.Medias {
		if m.Type != description.MediaTypeVideo || m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			switch f := f.(type) {
			case *format.H264:
				// What the description says of its packets is often not said at all; ours are read either way.
				f.PacketizationMode = 1
				sps, pps := f.SafeParams()
				s.begin(camera.H264, f.PayloadTyp, nil, sps, pps)
				return m, f, nil
			case *format.H265:
				if f.MaxDONDiff != 0 {
					return nil, nil, a.fault(camera.ErrNoVideo, "its H.265 is sent interleaved, which is not supported")
				}
				vps, sps, pps := f.SafeParams()
				s.begin(camera.H265, f.PayloadTyp, vps, sps, pps)
				return m, f, nil
			default:
				other = clip(f.RTPMap(), 32)
			}
		}
	}
	if other != "" {
		return nil, nil, a.fault(camera.ErrNoVideo, "its video is %q", other)
	}
	return nil, nil, a.fault(camera.ErrNoVideo, "its description names no video")
}

func (s *session) begin(c camera.Codec, kind uint8, vps, sps, pps []byte) {
	s.asm.codec, s.params.now.Codec, s.kind = c, c, kind
	for k, n := range map[nalKind][]byte{nalVPS: vps, nalSPS: sps, nalPPS: pps} {
		if got, _ := look(c, n); got == k {
			_ = s.params.set(k, n) // a bad one is replaced by the pictures' own, or there will be no picture
		}
	}
}

// watch waits for the end: the library's, the reader's, the context's, or silence.
func (s *session) watch(ctx context.Context) error {
	lim := &s.d.lim
	gone := make(chan error, 1)
	go func() { gone <- s.client.Wait() }()
	defer func() {
		s.client.Close()
		<-gone
	}()
	began := s.d.cfg.Now()
	t := time.NewTimer(lim.silence)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-gone:
			gone <- err
			select {
			case own := <-s.ended: // it knows better
				return own
			default:
				return err
			}
		case err := <-s.ended:
			return err
		case <-t.C:
		}
		now := s.d.cfg.Now()
		left := time.Duration(s.d.life.Load()) + lim.silence - now
		if left <= 0 {
			return s.silent()
		}
		if !s.keyed.Load() && now-began > lim.noKey {
			return s.d.addr.fault(camera.ErrNoVideo, "no picture to begin with in %v: set its key frame interval to 4 s or less", lim.noKey)
		}
		t.Reset(left)
	}
}

func (s *session) silent() error {
	a := &s.d.addr
	switch {
	case s.heard.Load() == 0 && a.protocol == gortsplib.ProtocolUDP:
		return a.fault(camera.ErrUnsupported, "it plays, but no UDP packet arrives: a firewall may be between")
	case s.heard.Load() > 0 && s.units.Load() == 0:
		return a.fault(camera.ErrGarbage, "packets arrive, but no picture is complete")
	default:
		return a.fault(camera.ErrStreamEnded, "no complete picture for %v", s.d.lim.silence)
	}
}

// end ends the session from the reader.
func (s *session) end(err error) { s.ending.Do(func() { s.ended <- err }) }

// listen opens the library's UDP sockets: on the address that the camera was reached from, and with the packets tapped.
func (s *session) listen(_, address string) (net.PacketConn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	s.dial.mu.Lock()
	local := s.dial.local
	s.dial.mu.Unlock()
	at, err := net.ResolveUDPAddr("udp", net.JoinHostPort(local.String(), port))
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, err
	}
	_ = c.SetReadBuffer(udpBuffer) // as much as the system allows
	t := &tapped{UDPConn: c}
	if at.Port%2 == 0 { // RTP's port is the even one (RFC 3550 section 11)
		t.tap = s.udp
	}
	return t, nil
}

// learnPeer reads from the answer to SETUP where the packets will come from.
func (s *session) learnPeer(res *base.Response) error {
	var th headers.Transport
	if err := th.Unmarshal(res.Header["Transport"]); err != nil || th.ServerPorts == nil {
		return s.d.addr.fault(camera.ErrUnsupported, "it names no port that it sends from")
	}
	s.dial.mu.Lock()
	from := s.dial.remote
	s.dial.mu.Unlock()
	if th.Source2 != nil {
		if src, err := netip.ParseAddr(*th.Source2); err == nil {
			from = src.Unmap()
		}
	}
	peer := netip.AddrPortFrom(from, uint16(th.ServerPorts[0]))
	s.peer.Store(&peer)
	return nil
}

func (s *session) udp(b []byte, from netip.AddrPort) {
	if peer := s.peer.Load(); peer == nil || !same(from, *peer) {
		return
	}
	p, ok := parseRTP(b)
	if !ok || !s.ours(p.kind, p.ssrc) {
		return
	}
	p.at = s.d.cfg.Now()
	s.order.push(p, s.push)
}

// same compares without the zone, which a link-local address has on one side only.
func same(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().WithZone("") == b.Addr().WithZone("")
}

func (s *session) tcp(p *rtp.Packet) {
	if !s.ours(p.PayloadType, p.SSRC) {
		return
	}
	s.push(packet{
		seq: p.SequenceNumber, ts: p.Timestamp, ssrc: p.SSRC, kind: p.PayloadType,
		marker: p.Marker, payload: p.Payload, at: s.d.cfg.Now(),
	})
}

// sourceChanged is how many packets of another source, and none of ours between, are a new stream: one is a stray.
const sourceChanged = 100

// ours says whether a packet is of the stream. The first packet names its source (RFC 3550 section 3, SSRC); a new source is
// a new timeline, so the connection is made anew for it.
func (s *session) ours(kind uint8, ssrc uint32) bool {
	if kind != s.kind {
		return false
	}
	s.heard.Add(1)
	switch {
	case !s.ssrcSet:
		s.ssrc, s.ssrcSet = ssrc, true
	case ssrc != s.ssrc:
		if s.others++; s.others == sourceChanged {
			s.end(s.d.addr.fault(camera.ErrStreamEnded, "its stream began anew"))
		}
		return false
	}
	s.others = 0
	return true
}

// report takes RTCP: a goodbye is the stream's end, and tells it before any silence does.
func (s *session) report(p rtcp.Packet) {
	if _, bye := p.(*rtcp.Goodbye); bye {
		s.end(s.d.addr.fault(camera.ErrStreamEnded, "it said goodbye"))
	}
}

// unit takes a complete access unit and hands it over as a picture.
func (s *session) unit(u *unit) {
	if err := s.params.take(u.nals, u.kinds); err != nil {
		s.asm.missing += u.missing + s.asm.packets
		return
	}
	s.units.Add(1)
	s.d.life.Store(int64(s.d.cfg.Now()))
	if !s.opened && !(u.key && s.params.complete()) {
		return // nothing can be decoded yet: this shows nothing to anybody
	}
	if !s.opened || s.params.fresh {
		if s.opened = true; s.params.complete() {
			s.params.fresh = false
			s.keyed.Store(true)
			s.d.sink.Opened(s.params.now)
		}
	}
	missing := u.missing
	if s.pictures == 0 {
		s.lastTs, missing = u.ts, 0
	}
	s.ticks += int64(int32(u.ts - s.lastTs))
	s.lastTs = u.ts
	s.pictures++
	s.d.sink.Picture(camera.Picture{
		Media: time.Duration(s.ticks) * 100_000 / 9, Arrival: u.at, Key: u.key, Missing: missing, NALs: u.nals,
	})
}
