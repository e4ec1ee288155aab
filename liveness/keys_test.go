package liveness

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"eyebolt/camera"
)

// T5: a clip that was recorded a day and a half ago is known by its first key picture, when every other slice of it has long
// been forgotten.
func TestYesterdaysClipIsCaught(t *testing.T) {
	j := New(Config{Replay: 64})
	j.Opened(0)
	const every = 2 * sec
	n := int(36 * time.Hour / every)
	key := func(i int) camera.Picture {
		at := time.Duration(i) * every
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		b := make([]byte, replayKey+64)
		b[0] = 0x65
		for k := len(b) - replayTail; k < len(b); k += 8 {
			rng.Uint64()
			v := rng.Uint64()
			for m := range 8 {
				b[k+m] = byte(v>>(8*m)) | 1
			}
		}
		return camera.Picture{Media: at, Arrival: at, Key: true, NALs: [][]byte{b}}
	}
	for i := range n {
		j.Picture(key(i))
		if j.Verdict().State == Replayed {
			t.Fatalf("key picture %d of %d called a replay", i, n)
		}
	}
	p := key(n)
	p.NALs = key(0).NALs
	if j.Picture(p); j.Verdict().State != Replayed {
		t.Errorf("a clip of %v ago is not known: %v", 36*time.Hour, j.Verdict().State)
	}
	if f := find(j.Lapses(), "replay"); f.Say != "a key picture came again, byte for byte, that was shown 36h0m0s ago" {
		t.Errorf("explained as %q", f.Say)
	}
}

// The table keeps exactly the newest, in bounded memory.
func TestKeysAreExact(t *testing.T) {
	for _, n := range []int{1, 16, 1000, 65536} {
		var k keys
		k.init(n)
		room := len(k.ring)
		if room < n || room > max(16, 2*n) || len(k.head) != room {
			t.Errorf("room for %d, asked for %d", room, n)
		}
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		all := make([]uint64, 3*room)
		for i := range all {
			all[i] = rng.Uint64()
			if _, was := k.seen(all[i], 0); was {
				t.Fatalf("of %d: %d is new and was known", n, i)
			}
		}
		// Asking refreshes, so ask from the oldest that must be there.
		probe := k
		probe.ring, probe.head = append([]keyMark(nil), k.ring...), append([]uint32(nil), k.head...)
		if _, was := probe.seen(all[len(all)-room+1], 0); !was {
			t.Errorf("of %d: the oldest of the newest %d is forgotten", n, room-1)
		}
		if _, was := k.seen(all[len(all)-room-1], 0); was {
			t.Errorf("of %d: one that should be gone is known", n)
		}
	}
}

// The chance of a false repeat, calculated for ideal hashes, is what slices show that differ at random, or in two bytes alone:
// counted on hashes cut short to 30 bits, so that there is something to count.
func TestHashesMeetAsRarelyAsCalculated(t *testing.T) {
	const n = 200_000
	b := make([]byte, replayTail)
	for name, fill := range map[string]func(rng *rand.Rand, i int){
		"random": func(rng *rand.Rand, _ int) {
			for k := 0; k < len(b); k += 8 {
				binary.LittleEndian.PutUint64(b[k:], rng.Uint64())
			}
		},
		"two bytes of 256 differ": func(_ *rand.Rand, i int) {
			clear(b)
			b[100], b[101], b[102] = byte(i), byte(i>>8), byte(i>>16)
		},
	} {
		for _, shift := range []int{1, 33} { // the lowest bit is always set
			rng := rand.New(rand.NewPCG(9, 9))
			cut, met := make(map[uint64]int, n), 0
			for i := range n {
				fill(rng, i)
				c := hash(b) >> shift & (1<<30 - 1)
				met += cut[c]
				cut[c]++
			}
			want := float64(n) * float64(n) / 2 / (1 << 30)
			if math.Abs(float64(met)-want) > 5*math.Sqrt(want)+1 {
				t.Errorf("%s, bits from %d: %d pairs meet, want %.1f", name, shift, met, want)
			}
			t.Logf("%s, bits from %d: %d pairs of %d slices meet, calculated %.1f", name, shift, met, n, want)
		}
	}
	years := 1 / (65536 / math.Pow(2, 63)) * 2 / (365.25 * 86400)
	t.Logf("calculated for 65536 key pictures, one every 2 s: one false repeat in %.1f million camera-years", years/1e6)
}
