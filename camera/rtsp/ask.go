package rtsp

import (
	"context"
	"fmt"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/pion/rtcp"

	"eyebolt/camera"
)

var _ camera.Asker = (*driver)(nil)

// line is where a question can be sent: a session that plays, once its stream's source is known.
type line struct {
	s     *session
	media *description.Media
	own   uint32 // our source, in reports
}

// Ask asks for a key picture by RTCP Picture Loss Indication (RFC 4585 section 6.3.1), in a compound packet as RFC 3550 section 6.1
// demands. Many cameras that announce plain RTP/AVP answer it all the same; whether this one does, its pictures tell.
func (d *driver) Ask(context.Context) error {
	l := d.line.Load()
	if l == nil {
		return fmt.Errorf("%w: there is no connection that plays", camera.ErrNotAsked)
	}
	src := l.s.source.Load()
	if src == 0 {
		return fmt.Errorf("%w: no picture has come yet", camera.ErrNotAsked)
	}
	ssrc := uint32(src - 1)
	q := &rtcp.CompoundPacket{
		&rtcp.ReceiverReport{SSRC: l.own},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
			Source: l.own, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "eyebolt"}},
		}}},
		&rtcp.PictureLossIndication{SenderSSRC: l.own, MediaSSRC: ssrc},
	}
	if err := l.s.client.WritePacketRTCP(l.media, q); err != nil {
		return fmt.Errorf("%w: %w", camera.ErrNotAsked, err)
	}
	return nil
}
