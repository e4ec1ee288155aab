package fmp4

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
)

// A fragment is, byte for byte, what the field's library writes, behind its wall time and whatever was in the buffer.
func TestFragmentIsTheLibrarys(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for n := 1; n <= 40; n++ {
		var pics []timed
		dts := rng.Int64N(1 << 40)
		for i := range n {
			data := make([]byte, 1+rng.IntN(3000))
			for k := range data {
				data[k] = byte(rng.Uint32())
			}
			offset := int32(0)
			if n%3 == 0 {
				offset = rng.Int32N(20000) - 10000
			}
			pics = append(pics, timed{&picture{key: i == 0 && n%2 == 0 || n%5 == 0, data: data, wall: time.Unix(1_800_000_000, int64(n))}, dts, offset})
			dts += 1 + rng.Int64N(9000)
		}
		last := 1 + rng.Int64N(9000)
		track := &fmp4.PartTrack{ID: 1, BaseTime: uint64(pics[0].dts)}
		for i, p := range pics {
			d := last
			if i+1 < len(pics) {
				d = pics[i+1].dts - p.dts
			}
			track.Samples = append(track.Samples, &fmp4.Sample{Duration: uint32(d), PTSOffset: p.offset, IsNonSyncSample: !p.key, Payload: p.data})
		}
		var want seekablebuffer.Buffer
		if err := (fmp4.Part{SequenceNumber: uint32(n), Tracks: []*fmp4.PartTrack{track}}).Marshal(&want); err != nil {
			t.Fatal(err)
		}
		got := encode([]byte("before"), uint32(n), pics, last)
		if !bytes.Equal(got, append(append([]byte("before"), prft(pics[0].wall, pics[0].dts)...), want.Bytes()...)) {
			t.Errorf("%d pictures: the fragment differs from the library's", n)
		}
	}
}
