package fmp4

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"eyebolt/camera"
)

// timescale is the track's clock: RTP's own for video, so that no time is rounded (RFC 6184 section 8.2.1).
const timescale = 90_000

func ticks(d time.Duration) int64 {
	return int64((d*9 + 50_000) / 100_000) // d × 90,000 / 1e9, to the nearest; good for 32 years
}

func fromTicks(t int64) time.Duration {
	return time.Duration(t) * 100_000 / 9
}

// head makes a file's init segment, with room for its duration (movie extends header, ISO/IEC 14496-12 section
// 8.8.2). mvhd and mehd are where the durations lie, for patchDuration.
func head(p *camera.Params) (b []byte, err error) {
	var codec codecs.Codec
	switch p.Codec {
	case camera.H264:
		codec = &codecs.H264{SPS: p.SPS, PPS: p.PPS}
	case camera.H265:
		codec = &codecs.H265{VPS: p.VPS, SPS: p.SPS, PPS: p.PPS}
	default:
		return nil, fmt.Errorf("fmp4: codec %d cannot be recorded: set the camera to H.264 or H.265", p.Codec)
	}
	var buf seekablebuffer.Buffer
	in := fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: 1, TimeScale: timescale, Codec: codec}}}
	if err := in.Marshal(&buf); err != nil {
		return nil, fmt.Errorf("fmp4: the camera's parameter sets are not understood, restart the camera: %w", err)
	}
	b = buf.Bytes()
	moov, mvex := findBox(b, 0, "moov"), 0
	if moov >= 0 {
		mvex = findBox(b, moov+8, "mvex")
	}
	if moov < 0 || mvex < 0 {
		return nil, fmt.Errorf("fmp4: no mvex box in the init segment")
	}
	mehd := append([]byte{0, 0, 0, 20, 'm', 'e', 'h', 'd', 1, 0, 0, 0}, make([]byte, 8)...)
	b = append(b[:mvex+8], append(mehd, b[mvex+8:]...)...)
	for _, at := range []int{moov, mvex} {
		binary.BigEndian.PutUint32(b[at:], binary.BigEndian.Uint32(b[at:])+uint32(len(mehd)))
	}
	return b, nil
}

// findBox gives the offset of the next box of a type among the siblings that begin at from, or -1.
func findBox(b []byte, from int, kind string) int {
	for at := from; at >= 0 && at+8 <= len(b); {
		size := int(binary.BigEndian.Uint32(b[at:]))
		if string(b[at+4:at+8]) == kind {
			return at
		}
		if size < 8 {
			return -1
		}
		at += size
	}
	return -1
}

// setDuration writes a film's length into its head, for players that show it before they have read the file.
func setDuration(head []byte, d time.Duration) {
	moov := findBox(head, 0, "moov")
	if moov < 0 {
		return
	}
	ms := uint64(max(d, 0) / time.Millisecond) // the movie's timescale is 1000
	if mvhd := findBox(head, moov+8, "mvhd"); mvhd >= 0 && len(head) >= mvhd+28 && head[mvhd+8] == 0 {
		binary.BigEndian.PutUint32(head[mvhd+24:], uint32(min(ms, 1<<32-2)))
	}
	if mvex := findBox(head, moov+8, "mvex"); mvex >= 0 {
		if mehd := findBox(head, mvex+8, "mehd"); mehd >= 0 && len(head) >= mehd+20 && head[mehd+8] == 1 {
			binary.BigEndian.PutUint64(head[mehd+12:], ms)
		}
	}
}

// mime names a file's type and codec (RFC 6381; ISO/IEC 14496-15 annex E).
func mime(p *camera.Params) string {
	switch {
	case p.Codec == camera.H264 && len(p.SPS) >= 4:
		return fmt.Sprintf(`video/mp4; codecs="avc1.%02x%02x%02x"`, p.SPS[1], p.SPS[2], p.SPS[3])
	case p.Codec == camera.H265:
		var sps h265.SPS
		if sps.Unmarshal(p.SPS) != nil {
			return `video/mp4; codecs="hvc1"`
		}
		t := sps.ProfileTierLevel
		var compatible uint32
		for i, set := range t.GeneralProfileCompatibilityFlag {
			if set {
				compatible |= 1 << i // in reverse bit order, as the annex asks
			}
		}
		tier := "L"
		if t.GeneralTierFlag != 0 {
			tier = "H"
		}
		constraint := byte(0)
		for i, set := range []bool{t.GeneralProgressiveSourceFlag, t.GeneralInterlacedSourceFlag, t.GeneralNonPackedConstraintFlag, t.GeneralFrameOnlyConstraintFlag} {
			if set {
				constraint |= 0x80 >> i
			}
		}
		return fmt.Sprintf(`video/mp4; codecs="hvc1.%d.%X.%s%d.%X"`, t.GeneralProfileIdc, compatible, tier, t.GeneralLevelIdc, constraint)
	}
	return "video/mp4"
}

// sameParams says whether two sets decode each other's pictures.
func sameParams(a, b *camera.Params) bool {
	return a == b || a != nil && b != nil && a.Codec == b.Codec &&
		bytes.Equal(a.VPS, b.VPS) && bytes.Equal(a.SPS, b.SPS) && bytes.Equal(a.PPS, b.PPS)
}
