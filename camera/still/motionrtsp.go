package still

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpmjpeg"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

// rtsp reads one connection's pictures (RFC 2435, over TCP) until it ends.
func (m *Motion) rtsp(ctx context.Context) error {
	u, err := base.ParseURL(m.cfg.URL)
	if err != nil {
		return camera.ErrNoVideo
	}
	u.Host = m.host()
	tcp := gortsplib.ProtocolTCP
	c := &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Protocol: &tcp, UserAgent: "eyebolt",
		ReadTimeout: 5 * time.Second, WriteTimeout: 2 * time.Second,
		DialContext: m.dial,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			raw, err := m.dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			t := tls.Client(raw, m.tls())
			if err := t.HandshakeContext(ctx); err != nil {
				return nil, errors.Join(err, raw.Close())
			}
			return t, nil
		},
		OnPacketsLost: func(uint64) {}, OnDecodeError: func(error) {}, OnTransportSwitch: func(error) {},
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, c.Close)()
	watchdog := time.AfterFunc(silence, c.Close)
	defer watchdog.Stop()

	sd, _, err := c.Describe(u)
	if err != nil {
		return refusal(err)
	}
	var form *format.MJPEG
	media := sd.FindFormat(&form)
	if media == nil {
		return fmt.Errorf("%w: no JPEG there", camera.ErrNoVideo)
	}
	dec, err := form.CreateDecoder()
	if err != nil {
		return err
	}
	if _, err := c.Setup(sd.BaseURL, media, 0, 0); err != nil {
		return refusal(err)
	}
	var own error // the reader's own reason to end
	var once sync.Once
	frames := frames{dec: dec}
	c.OnPacketRTP(media, form, func(p *rtp.Packet) {
		b, err := frames.take(p)
		if b != nil {
			watchdog.Reset(silence)
			err = m.picture(b)
		}
		if err != nil {
			once.Do(func() { own = err; go c.Close() })
		}
	})
	if _, err := c.Play(nil); err != nil {
		return refusal(err)
	}
	err = c.Wait()
	once.Do(func() {})
	if own != nil {
		return own
	}
	return fmt.Errorf("%w: %w", camera.ErrStreamEnded, err)
}

// packetsMost bounds a picture's packets: RFC 2435 bounds its bytes by 16 MiB, but a packet may hold none.
const packetsMost = 16384

// frames puts pictures together and bounds what the library keeps of one that does not end.
type frames struct {
	dec     *rtpmjpeg.Decoder
	packets int
	bytes   int
}

// take gives a picture with its last packet. An error means that this is no stream to go on with.
func (f *frames) take(p *rtp.Packet) ([]byte, error) {
	f.packets++
	f.bytes += len(p.Payload)
	if f.packets > packetsMost || f.bytes > 2*JPEGMost {
		return nil, ErrTooLarge
	}
	if len(p.Payload) >= 8 && p.Payload[1]|p.Payload[2]|p.Payload[3] == 0 && f.packets > 1 { // an offset of 0: a picture begins
		f.packets, f.bytes = 1, len(p.Payload)
	}
	b, err := f.dec.Decode(p)
	if err != nil {
		return nil, nil // not yet whole, or not any more: the next one begins anew
	}
	f.packets, f.bytes = 0, 0
	return b, nil
}

// refusal gives the word for an answer of the camera's.
func refusal(err error) error {
	var s liberrors.ErrClientBadStatusCode
	switch {
	case !errors.As(err, &s):
		return err
	case s.Code == base.StatusUnauthorized || s.Code == base.StatusForbidden:
		return camera.ErrCredentials
	default:
		return fmt.Errorf("%w: it answers %d", camera.ErrNoVideo, s.Code)
	}
}
