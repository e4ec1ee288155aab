package fmp4

import (
	"encoding/binary"
	"slices"
	"time"
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

// Of a fragment's track run (ISO/IEC 14496-12 section 8.8.8): which fields its samples have.
const (
	trunOffset   = 0x001
	trunDuration = 0x100
	trunSize     = 0x200
	trunFlags    = 0x400
	trunShift    = 0x800
	// notSync is a sample that decoding cannot begin with (section 8.8.3.1).
	notSync = 1 << 16
)

// encode appends one fragment: the wall time of its first picture (producer reference time, ISO/IEC 14496-12 section 8.16.5),
// moof and mdat. last is how long the last picture is shown. Each picture's bytes are copied once.
func encode(to []byte, seq uint32, pics []timed, last int64) []byte {
	flags, each, data := uint32(trunOffset|trunDuration|trunSize), 8, 0
	for _, p := range pics {
		if !p.key {
			flags |= trunFlags
		}
		if p.offset != 0 {
			flags |= trunShift
		}
		data += len(p.data)
	}
	if flags&trunFlags != 0 {
		each += 4
	}
	if flags&trunShift != 0 {
		each += 4
	}
	trun := 20 + each*len(pics)
	traf := 8 + 16 + 20 + trun
	moof := 8 + 16 + traf
	to = slices.Grow(to, prftSize+moof+8+data)
	u32 := func(vs ...uint32) {
		for _, v := range vs {
			to = binary.BigEndian.AppendUint32(to, v)
		}
	}
	box := func(size int, name string) {
		u32(uint32(size))
		to = append(to, name...)
	}
	to = append(to, prft(pics[0].wall, pics[0].dts)...)
	box(moof, "moof")
	box(16, "mfhd")
	u32(0, seq)
	box(traf, "traf")
	box(16, "tfhd")
	u32(0x020000, 1) // default-base-is-moof; track
	box(20, "tfdt")
	u32(1 << 24) // version 1: 64 bits
	to = binary.BigEndian.AppendUint64(to, uint64(pics[0].dts))
	box(trun, "trun")
	u32(1<<24|flags, uint32(len(pics)), uint32(moof+8))
	for i, p := range pics {
		d := last
		if i+1 < len(pics) {
			d = pics[i+1].dts - p.dts
		}
		u32(uint32(d), uint32(len(p.data)))
		if flags&trunFlags != 0 {
			sync := uint32(0)
			if !p.key {
				sync = notSync
			}
			u32(sync)
		}
		if flags&trunShift != 0 {
			u32(uint32(p.offset))
		}
	}
	box(8+data, "mdat")
	for _, p := range pics {
		to = append(to, p.data...)
	}
	return to
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
