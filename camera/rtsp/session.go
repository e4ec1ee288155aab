package rtsp

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"

	"eyebolt/camera"
)

// session is one connection. Its packets are read, and the sink's Opened and Picture called, by one goroutine of the RTSP
// library: the connection's reader over TCP, the socket's over UDP.
type session struct {
	d      *driver
	dial   dialer
	client *gortsplib.Client
	ended  chan error // the reader's own reason to end; holds one
	own    uint32     // our source, in questions (RFC 3550 section 8)

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
	source atomic.Uint64                  // SSRC + 1, once it is known
	units  atomic.Uint64                  // complete access units
	keyed  atomic.Bool                    // the sink was told Opened
	ending sync.Once
}

func newSession(d *driver) *session {
	s := &session{d: d, ended: make(chan error, 1), own: d.rng.Uint32()}
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
	defer s.d.line.Store(nil)
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
	if _, err = s.client.Play(nil); err != nil {
		return err
	}
	s.d.line.Store(&line{s: s, media: media, own: s.own})
	return nil
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
				s.begin(camera.H264, f.PayloadTyp, nil, f.SPS, f.PPS)
				return m, f, nil
			case *format.H265:
				if f.MaxDONDiff != 0 {
					return nil, nil, a.fault(camera.ErrNoVideo, "its H.265 is sent interleaved, which is not supported")
				}
				s.begin(camera.H265, f.PayloadTyp, f.VPS, f.SPS, f.PPS)
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
	var end error // the library's; may be read when gone is closed
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		end = s.client.Wait()
	}()
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
		case <-gone:
			select {
			case own := <-s.ended: // it knows better
				return own
			default:
				return end
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
