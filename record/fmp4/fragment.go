package fmp4

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
)

const (
	prftSize = 32
	// ntpEpoch is 1970 in the seconds of RFC 5905.
	ntpEpoch = 2_208_988_800
)

// timed is a picture with its place on its file's clock, in ticks: when it is decoded and how much later (or, among reordered
// pictures, earlier) it is shown.
type timed struct {
	*picture
	dts    int64
	offset int32
}

// encode makes one fragment: the wall time of its first picture (producer reference time, ISO/IEC 14496-12 section 8.16.5),
// moof and mdat. last is how long the last picture is shown.
func encode(seq uint32, pics []timed, last int64) ([]byte, error) {
	track := &fmp4.PartTrack{ID: 1, BaseTime: uint64(pics[0].dts), Samples: make([]*fmp4.Sample, len(pics))}
	for i, p := range pics {
		d := last
		if i+1 < len(pics) {
			d = pics[i+1].dts - p.dts
		}
		track.Samples[i] = &fmp4.Sample{Duration: uint32(d), PTSOffset: p.offset, IsNonSyncSample: !p.key, Payload: p.data}
	}
	var buf seekablebuffer.Buffer
	if _, err := buf.Write(prft(pics[0].wall, pics[0].dts)); err != nil {
		return nil, fmt.Errorf("fmp4: %w", err)
	}
	body := fmp4.Part{SequenceNumber: seq, Tracks: []*fmp4.PartTrack{track}}
	var frag seekablebuffer.Buffer
	if err := body.Marshal(&frag); err != nil {
		return nil, fmt.Errorf("fmp4: fragment: %w", err)
	}
	_, _ = buf.Write(frag.Bytes()) // a buffer's Write does not fail
	return buf.Bytes(), nil
}

func prft(wall time.Time, dts int64) []byte {
	b := make([]byte, 0, prftSize)
	b = append(b, 0, 0, 0, prftSize, 'p', 'r', 'f', 't', 1, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 1) // track
	b = binary.BigEndian.AppendUint64(b, ntp(wall))
	return binary.BigEndian.AppendUint64(b, uint64(dts))
}

func ntp(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1_000_000_000
}

func fromNTP(v uint64) time.Time {
	return time.Unix(int64(v>>32)-ntpEpoch, int64(v&(1<<32-1)*1_000_000_000>>32)).UTC()
}

// key is a fragment at which decoding can begin.
type key struct {
	dts int64
	at  int64 // of its moof in the file
}

// index makes the box that lets players seek without reading the file: a movie fragment random access box with one entry
// per key (ISO/IEC 14496-12 section 8.8.9).
func index(keys []key) []byte {
	tfra := 24 + 19*len(keys)
	b := make([]byte, 0, 8+tfra+16)
	b = binary.BigEndian.AppendUint32(b, uint32(8+tfra+16))
	b = append(b, "mfra"...)
	b = binary.BigEndian.AppendUint32(b, uint32(tfra))
	b = append(b, "tfra"...)
	b = append(b, 1, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 1) // track
	b = binary.BigEndian.AppendUint32(b, 0) // one byte each for traf, trun and sample number
	b = binary.BigEndian.AppendUint32(b, uint32(len(keys)))
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, uint64(k.dts))
		b = binary.BigEndian.AppendUint64(b, uint64(k.at))
		b = append(b, 1, 1, 1)
	}
	b = binary.BigEndian.AppendUint32(b, 16)
	b = append(b, "mfro"...)
	b = append(b, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, uint32(8+tfra+16))
}
