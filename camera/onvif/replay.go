package onvif

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

// replay is one fetching of a span over RTSP (ONVIF Streaming, playback). The library's reader owns what take uses, until run
// has closed the client.
type replay struct {
	c        *Client
	sink     Refill
	clock    Clock
	span     Span      // by our clock
	from, to time.Time // by the camera's
	ended    chan error
	ending   sync.Once
	life     atomic.Int64 // Config.Now of the newest complete picture
	held     atomic.Bool  // the sink has one now

	params camera.Params
	decode decoder
	seq    uint16
	begun  bool // seq is set
	lost   uint32
	have   bool // stamp is of the access unit under way
	stamp  stamp
	opened bool
	ts     uint32
	ticks  int64
	last   time.Time // our time of the last picture given
	filled Filled
	over   bool // nothing more is given
}

var (
	errSpanDone = errors.New("the end of the span")
	errTerminal = errors.New("the end of what the camera kept")
)

// run plays the recording and gives its pictures until the span's end, the recording's, or an error.
func (p *replay) run(ctx context.Context, u *url.URL) error {
	address, err := base.ParseURL(u.String())
	if err != nil {
		return p.c.fault(camera.ErrGarbage, "its replay has no address that can be used")
	}
	if address.Port() == "" {
		host := address.Hostname()
		address.Host = net.JoinHostPort(host, "554")
	}
	protocol := gortsplib.ProtocolTCP
	dialed := false // by the library's goroutine
	dialer := &net.Dialer{Timeout: p.c.lim.dial}
	client := &gortsplib.Client{
		Scheme: address.Scheme, Host: address.Host, Protocol: &protocol, UserAgent: "eyebolt",
		ReadTimeout: p.c.lim.request, WriteTimeout: 2 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dialed {
				return nil, errElsewhere // a redirect's
			}
			dialed = true
			return p.c.at.dial(ctx, dialer, network, addr)
		},
		OnRequest:         p.request,
		OnPacketsLost:     func(uint64) {},
		OnDecodeError:     func(error) {},
		OnTransportSwitch: func(error) {},
	}
	if err := client.Start(); err != nil {
		return p.c.fault(camera.ErrUnreachable, "%v", err)
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, client.Close) // the only way to interrupt the library
	defer stop()
	p.life.Store(int64(p.c.cfg.Now()))
	if err := p.start(client, address); err != nil {
		client.Close()
		return p.explain(ctx, err)
	}
	var end error // the library's; may be read when gone is closed
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		end = client.Wait()
	}()
	err = p.wait(ctx, gone)
	client.Close()
	<-gone // from here on the reader is still
	if errors.Is(err, errGone) {
		err = errors.Join(err, end)
	}
	return p.conclude(ctx, err)
}

// request puts ONVIF's own headers into the library's requests.
func (p *replay) request(r *base.Request) {
	switch r.Method {
	case base.Play:
		r.Header["Range"] = base.HeaderValue{"clock=" + clockTime(p.from) + "-" + clockTime(p.to)}
		r.Header["Rate-Control"] = base.HeaderValue{"no"}
		fallthrough
	case base.Setup:
		r.Header["Require"] = base.HeaderValue{"onvif-replay"}
	}
}

// clockTime is RFC 2326 section 3.7.
func clockTime(t time.Time) string { return t.UTC().Format("20060102T150405.000Z") }

func (p *replay) start(client *gortsplib.Client, address *base.URL) error {
	sd, _, err := client.Describe(address)
	if err != nil {
		return err
	}
	media, form, err := p.choose(sd)
	if err != nil {
		return err
	}
	if _, err := client.Setup(sd.BaseURL, media, 0, 0); err != nil {
		return err
	}
	client.OnPacketRTP(media, form, p.packet)
	client.OnPacketRTCP(media, func(r rtcp.Packet) {
		if _, bye := r.(*rtcp.Goodbye); bye {
			p.end(errTerminal)
		}
	})
	_, err = client.Play(nil)
	return err
}

func (p *replay) choose(sd *description.Session) (_ *description.Media, _ format.Format, err error) {
	for _, m := range sd.Medias {
		if m.Type != description.MediaTypeVideo || m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			switch f := f.(type) {
			case *format.H264:
				if p.decode, err = h264Decoder(); err != nil {
					return nil, nil, p.c.fault(camera.ErrNoVideo, "its H.264 is not sent as we can read it")
				}
				p.params.Codec = camera.H264
				p.parameter(f.SPS, f.PPS)
				return m, f, nil
			case *format.H265:
				if f.MaxDONDiff != 0 {
					return nil, nil, p.c.fault(camera.ErrNoVideo, "its H.265 is sent interleaved, which is not supported")
				}
				if p.decode, err = h265Decoder(); err != nil {
					return nil, nil, p.c.fault(camera.ErrNoVideo, "its H.265 is not sent as we can read it")
				}
				p.params.Codec = camera.H265
				p.parameter(f.VPS, f.SPS, f.PPS)
				return m, f, nil
			}
		}
	}
	return nil, nil, p.c.fault(camera.ErrNoVideo, "its replay names no H.264 or H.265")
}

// decoder makes access units of RTP packets, and bounds their size.
type decoder func(*rtp.Packet) ([][]byte, error)

// h264Decoder reads RFC 6184 whatever the description says of its packets, which is often nothing.
func h264Decoder() (decoder, error) {
	d, err := (&format.H264{PacketizationMode: 1}).CreateDecoder()
	if err != nil {
		return nil, err
	}
	return d.Decode, nil
}

func h265Decoder() (decoder, error) {
	d, err := (&format.H265{}).CreateDecoder()
	if err != nil {
		return nil, err
	}
	return d.Decode, nil
}

var errGone = errors.New("the camera ended the connection")

// wait waits for the end, and gives errGone if the library has ended by itself.
func (p *replay) wait(ctx context.Context, gone chan struct{}) error {
	t := time.NewTimer(p.c.lim.silence)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-p.ended:
			return err
		case <-gone:
			select {
			case own := <-p.ended: // it knows better
				return own
			default:
				return errGone
			}
		case <-t.C:
		}
		left := time.Duration(p.life.Load()) + p.c.lim.silence - p.c.cfg.Now()
		if p.held.Load() {
			left = p.c.lim.silence
		}
		if left <= 0 {
			return errSilent
		}
		t.Reset(left)
	}
}

var errSilent = errors.New("no more came")

// conclude says how it ended: only what keeps pictures from us that the camera may have is an error.
func (p *replay) conclude(ctx context.Context, err error) error {
	p.filled.End = "the span's end"
	var own *told
	var timeout liberrors.ErrClientTCPTimeout
	switch {
	case errors.Is(err, errSpanDone):
		return nil
	case errors.Is(err, errTerminal):
		p.filled.End = errTerminal.Error()
	case errors.As(err, &own), ctx.Err() != nil:
		p.filled.End = "it was broken off"
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	case errors.Is(err, errSilent), errors.As(err, &timeout), errors.Is(err, io.EOF):
		p.filled.End = errSilent.Error()
	case errors.Is(err, errGone):
		p.filled.End = "it was broken off"
		return p.explain(ctx, err)
	default:
		p.filled.End = "it was broken off"
		return err // the sink's
	}
	if p.filled.Pictures == 0 {
		return p.c.fault(ErrNotKept, "its replay gives no picture of that time: %s", p.filled.End)
	}
	return nil
}

// result closes what was given.
func (p *replay) result() Filled {
	f := p.filled
	if f.Pictures == 0 {
		return f
	}
	f.From, f.To = f.From.UTC(), p.last.UTC()
	p.filled = f
	p.hole(p.span.From, f.From)
	p.hole(f.To, p.span.To)
	f.Holes = p.filled.Holes
	f.Whole = len(f.Holes) == 0
	return f
}

const (
	holeLeast = time.Second // as the watch calls it lost
	holesMost = 1000
)

// hole notes that there is nothing from a to b, as far as it lies within the span.
func (p *replay) hole(a, b time.Time) {
	a, b = later(a, p.span.From), earlier(b, p.span.To)
	if b.Sub(a) > holeLeast && len(p.filled.Holes) < holesMost {
		p.filled.Holes = append(p.filled.Holes, Hole{a.UTC(), b.UTC()})
	}
}

func (p *replay) end(err error) { p.ending.Do(func() { p.ended <- err }) }

// packet takes the next RTP packet; they come in order, over TCP.
func (p *replay) packet(k *rtp.Packet) {
	if p.over {
		return
	}
	if p.begun {
		if n := k.SequenceNumber - p.seq; n != 0 {
			p.lost += max(1, uint32(max(0, int16(n))))
			p.have = false
		}
	}
	p.begun, p.seq = true, k.SequenceNumber+1
	if k.Extension && k.ExtensionProfile == replayProfile && !p.have {
		if s, ok := readStamp(k.GetExtension(0)); ok {
			p.stamp, p.have = s, true
		}
	}
	nals, err := p.decode(k)
	if err != nil || len(nals) == 0 {
		if k.Marker {
			p.have = false
		}
		return
	}
	s, have := p.stamp, p.have
	p.have = false
	if !have {
		p.lost++ // a picture without a time of its own is of no use
		return
	}
	if err := p.unit(nals, k.Timestamp, s); err != nil {
		p.over = true
		p.end(err)
	}
}

// unit takes an access unit.
func (p *replay) unit(nals [][]byte, ts uint32, s stamp) error {
	fresh := p.parameter(nals...)
	key := isKey(p.params.Codec, nals)
	at := p.clock.toOurs(s.at)
	switch {
	case at.After(p.span.To):
		return errSpanDone
	case !p.opened && !(key && p.complete()):
		return nil // nothing can be decoded yet
	case p.filled.Pictures > 0 && !at.After(p.last):
		return p.c.fault(camera.ErrGarbage, "the times of its replay do not rise")
	case p.filled.Pictures > 0 && at.Sub(p.last) > spanMost, at.Before(p.span.From.Add(-spanMost)):
		return p.c.fault(camera.ErrGarbage, "the times of its replay are not those that were asked for")
	}
	if (!p.opened || fresh) && p.complete() {
		p.opened = true
		p.sink.Opened(p.params)
	}
	if p.filled.Pictures == 0 {
		p.ts, p.lost, p.filled.From = ts, 0, at
	} else {
		p.hole(p.last, at)
	}
	p.ticks += int64(int32(ts - p.ts))
	p.ts, p.last = ts, at
	p.filled.Pictures++
	for _, n := range nals {
		p.filled.Bytes += int64(len(n))
	}
	now := p.c.cfg.Now()
	p.held.Store(true)
	err := p.sink.Picture(camera.Picture{
		Media: time.Duration(p.ticks) * 100_000 / 9, Arrival: now, Key: key, Missing: p.lost, NALs: nals,
	}, at)
	p.lost = 0
	p.life.Store(int64(p.c.cfg.Now()))
	p.held.Store(false)
	if err == nil && s.terminal {
		return errTerminal
	}
	return err
}

// explain gives the word for an error of the RTSP library.
func (p *replay) explain(ctx context.Context, err error) error {
	var own *told
	var status liberrors.ErrClientBadStatusCode
	switch {
	case errors.As(err, &own):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &status):
		switch status.Code {
		case base.StatusUnauthorized, base.StatusForbidden:
			return p.c.fault(camera.ErrCredentials, "its replay answers %d", status.Code)
		case 551:
			return p.c.fault(ErrUnsupported, "its replay answers 551: no ONVIF replay at that address")
		case base.StatusNotFound, 457:
			return p.c.fault(ErrNotKept, "its replay answers %d", status.Code)
		}
		return p.c.fault(camera.ErrStreamEnded, "its replay answers %d %q", status.Code, clip(status.Message, 64))
	}
	return p.c.explain(ctx, err)
}
