package rtsp

import (
	"net"
	"net/netip"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/headers"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

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
		s.source.Store(uint64(ssrc) + 1)
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
